-- Changes to the configuration of access: single sign-on, SCIM and verified domains.
-- Members that SCIM adds or removes are not listed here.
--
-- Controls: SOC 2 CC6.1, CC8.1; ISO 27001 A.8.5, A.8.9; PCI DSS 10.2.1.5, 10.2.1.7
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(json_extract_scalar(variables, '$.scheme.name'), json_extract_scalar(variables, '$.domain')) AS what,
  message,
  ip,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, 'scim|customauth|sso|saml|domain')
  AND NOT regexp_like(action, '^user\.|_member')
ORDER BY event_time DESC, id DESC
