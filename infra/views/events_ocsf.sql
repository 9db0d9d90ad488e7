-- Every archived event as an event of OCSF 1.6.0 (schema.ocsf.io), mapping version 1. The action of an event decides
-- its OCSF class. If the mapping does not contain the action, or the event lacks an attribute that the class requires,
-- the row is an API Activity of the kind "Other". So no event is lost, and every row has the attributes that its class
-- requires. What the schema of OCSF would refuse as an address is a name: a text that is no IP address in src_endpoint, and one
-- that is no e-mail address in a user.
--
-- "team" and "dt" are columns of the archive; filter by them. "unmapped" contains the event's whole member data, under "data"
-- if it is not an object, and "raw_data" the whole event. Entity Management has no attribute for the person for whom an entity was created, such as
-- the owner of an API key that Postman's own system created: that person is in "unmapped", under "user".
WITH mapping (mapped_action, wanted_class, wanted_activity, wanted_name, entity_type) AS (
  VALUES
    ('user.sign_in', 3002, 1, 'Logon', NULL),
    ('user.login_password_success', 3002, 1, 'Logon', NULL),
    ('user.login_google_success', 3002, 1, 'Logon', NULL),
    ('user.login_sso_success', 3002, 1, 'Logon', NULL),
    ('user.apikey_create', 3004, 1, 'Create', 'API key'),
    ('admin.apikey_create', 3004, 1, 'Create', 'API key'),
    ('api_key.created', 3004, 1, 'Create', 'API key'),
    ('user.authenticate_third_party_app', 3004, 6, 'Enroll', 'third-party app'),
    ('user.authaccount.linked', 3004, 6, 'Enroll', 'linked account'),
    ('team.send_invite', 3004, 1, 'Create', 'invitation'),
    ('team.cancel_invite', 3004, 4, 'Delete', 'invitation'),
    ('team.add_domain', 3004, 1, 'Create', 'domain'),
    ('team.update_domain_verification', 3004, 3, 'Update', 'domain'),
    ('team.delete_domain', 3004, 4, 'Delete', 'domain'),
    ('team.customauth.create', 3004, 1, 'Create', 'authentication scheme'),
    ('team.customauth.update', 3004, 3, 'Update', 'authentication scheme'),
    ('team.customauth.enable', 3004, 8, 'Enable', 'authentication scheme'),
    ('team.customauth.disable', 3004, 9, 'Disable', 'authentication scheme'),
    ('team.customauth.remove', 3004, 4, 'Delete', 'authentication scheme'),
    ('team.name_updated', 3004, 3, 'Update', 'team'),
    ('team.url_updated', 3004, 3, 'Update', 'team'),
    ('team.increase_size', 3004, 3, 'Update', 'plan'),
    ('team.decrease_size', 3004, 3, 'Update', 'plan'),
    ('team.modify_future_plan', 3004, 3, 'Update', 'plan'),
    ('team.retry_invoice_success', 3004, 3, 'Update', 'plan'),
    ('team.start_enterprise', 3004, 3, 'Update', 'plan'),
    ('team.update_user_roles', 3005, 1, 'Assign Privileges', NULL),
    ('team.add_member', 3006, 3, 'Add User', NULL),
    ('team.scim_add_member', 3006, 3, 'Add User', NULL),
    ('team.member_added', 3006, 3, 'Add User', NULL),
    ('team.remove_member', 3006, 4, 'Remove User', NULL),
    ('collection.created', 6003, 1, 'Create', NULL),
    ('collection.shared', 6003, 3, 'Update', NULL),
    ('workspace.created', 6003, 1, 'Create', NULL),
    ('workspace.shared', 6003, 3, 'Update', NULL)
),
classes (class_uid, class_name, category_uid, category_name) AS (
  VALUES
    (3002, 'Authentication', 3, 'Identity & Access Management'),
    (3004, 'Entity Management', 3, 'Identity & Access Management'),
    (3005, 'User Access Management', 3, 'Identity & Access Management'),
    (3006, 'Group Management', 3, 'Identity & Access Management'),
    (6003, 'API Activity', 6, 'Application Activity')
),
-- Adds whether the event names a user (the person whom it is about) and an actor (the person who acted). In a change of
-- roles, variables.users is an object, or text that contains one: {"60000004": ["user", "admin"]}
subjects AS (
  SELECT
    *,
    regexp_like(ip, '^((::[Ff]{4}:)?(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}|([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(([0-9A-Fa-f]{1,4}:){1,6}|:)(:[0-9A-Fa-f]{1,4}){1,6}|([0-9A-Fa-f]{1,4}:){1,7}:)$') AS is_address,
    CASE WHEN regexp_like(user_email, '^[A-Za-z0-9!#$%&''*+/=?^_{|}~.-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+$') THEN user_email END AS user_address,
    CASE WHEN regexp_like(actor_email, '^[A-Za-z0-9!#$%&''*+/=?^_{|}~.-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+$') THEN actor_email END AS actor_address,
    coalesce(user_id, user_email, user_username, user_name) IS NOT NULL AS has_user,
    coalesce(actor_id, actor_email, actor_username, actor_name) IS NOT NULL AS has_actor,
    coalesce(json_extract_scalar(variables, '$.users'), json_format(json_extract(variables, '$.users'))) AS changes
  FROM events
),
mapped AS (
  SELECT
    *,
    -- A change of several people's roles has no single "user".
    CASE WHEN cardinality(regexp_extract_all(changes, '"\s*:\s*\[')) = 1 THEN regexp_extract(changes, '"([^"]+)"\s*:\s*\[', 1) END AS member
  FROM subjects
  LEFT JOIN mapping ON mapped_action = action
),
judged AS (
  SELECT
    *,
    CASE
      WHEN wanted_class = 3002 AND (has_user OR has_actor) THEN 3002
      WHEN wanted_class = 3005 AND (has_user OR member IS NOT NULL) THEN 3005
      WHEN wanted_class IN (3004, 3006) THEN wanted_class
      ELSE 6003
    END AS class
  FROM mapped
),
typed AS (
  SELECT
    *,
    CASE WHEN class = wanted_class THEN wanted_activity ELSE 99 END AS activity,
    CASE WHEN class = wanted_class THEN wanted_name ELSE coalesce(action, 'Other') END AS activity_label,
    CAST(
      ROW(
        actor_id,
        coalesce(actor_username, actor_email, actor_name, CASE WHEN NOT has_actor THEN 'unknown' END),
        actor_name,
        actor_address,
        CASE WHEN has_actor THEN 1 ELSE 0 END
      )
      AS ROW(uid varchar, name varchar, full_name varchar, email_addr varchar, type_id integer)
    ) AS doer,
    CAST(
      ROW(CASE WHEN has_user THEN user_id ELSE member END, coalesce(user_username, user_email, user_name), user_name, user_address, 1)
      AS ROW(uid varchar, name varchar, full_name varchar, email_addr varchar, type_id integer)
    ) AS subject
  FROM judged
)
SELECT
  team,
  dt,
  typed.activity AS activity_id,
  activity_label AS activity_name,
  classes.category_uid,
  classes.category_name,
  classes.class_uid,
  classes.class_name,
  classes.class_uid * 100 + typed.activity AS type_uid,
  classes.class_name || ': ' || activity_label AS type_name,
  1 AS severity_id,
  'Informational' AS severity,
  CASE WHEN regexp_like(action, 'fail') THEN 2 WHEN class = wanted_class THEN 1 ELSE 0 END AS status_id,
  CASE WHEN regexp_like(action, 'fail') THEN 'Failure' WHEN class = wanted_class THEN 'Success' ELSE 'Unknown' END AS status,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', event_time) AS time,
  message,
  CAST(ROW(doer) AS ROW("user" ROW(uid varchar, name varchar, full_name varchar, email_addr varchar, type_id integer))) AS actor,
  CASE
    WHEN class = 3002 AND NOT has_user THEN doer
    WHEN class IN (3002, 3005) OR (class = 3006 AND has_user) THEN subject
  END AS "user",
  CAST(
    ROW(CASE WHEN is_address THEN ip END, CASE WHEN is_address THEN NULL ELSE coalesce(ip, 'unknown') END)
    AS ROW(ip varchar, name varchar)
  ) AS src_endpoint,
  CASE WHEN user_agent IS NOT NULL THEN CAST(ROW(user_agent) AS ROW(user_agent varchar)) END AS http_request,
  CASE WHEN class = 6003 THEN CAST(ROW(coalesce(action, 'unknown')) AS ROW(operation varchar)) END AS api,
  CASE WHEN class = 3002 THEN CAST(ROW('Postman') AS ROW(name varchar)) END AS service,
  CASE
    WHEN class = 3004
      THEN
        CAST(
          ROW(
            coalesce(
              json_extract_scalar(variables, '$.apikey.name'),
              json_extract_scalar(variables, '$.apiKey'),
              json_extract_scalar(variables, '$.scheme.name'),
              json_extract_scalar(variables, '$.domain'),
              json_extract_scalar(variables, '$.email'),
              json_extract_scalar(variables, '$.app'),
              json_extract_scalar(variables, '$.appName'),
              entity_type
            ),
            entity_type
          )
          AS ROW(name varchar, type varchar)
        )
  END AS entity,
  CASE WHEN class = 3006 THEN CAST(ROW(team_id, coalesce(team_name, team)) AS ROW(uid varchar, name varchar)) END AS "group",
  CASE
    WHEN class = 3005 THEN regexp_extract_all(regexp_extract(changes, '"\s*:\s*\[([^\]]*)\]', 1), '"([^"]+)"', 1)
  END AS privileges,
  CAST(
    ROW('1.6.0', id, action, json_extract_scalar(line, '$.timestamp'), team_id, 'audit', ROW('Postman', 'Postman'), ARRAY['mapping:1'])
    AS ROW(version varchar, uid varchar, event_code varchar, original_time varchar, tenant_uid varchar, log_name varchar, product ROW(name varchar, vendor_name varchar), labels varchar ARRAY)
  ) AS metadata,
  CASE WHEN data LIKE '{%' THEN data ELSE '{"data":' || data || '}' END AS unmapped,
  line AS raw_data
FROM typed
JOIN classes ON classes.class_uid = typed.class
