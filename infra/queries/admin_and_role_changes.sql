-- Changes of roles, and actions of administrators.
-- An action is listed if its name contains "role", "admin", "permission" or "owner". Postman names the people whose
-- roles change by their id alone. The query shows the name that the history has for an id, or else the id.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5
WITH asked AS (
  SELECT
    *,
    -- variables.users is an object, or text that contains one: {"60000004": ["user", "admin"]}
    coalesce(json_extract_scalar(variables, '$.users'), json_format(json_extract(variables, '$.users'))) AS changes
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :history_from AND :to
),
sightings AS (
  SELECT team, event_time, actor_id AS person, coalesce(actor_email, actor_username, actor_name) AS name FROM asked
  UNION ALL
  SELECT team, event_time, user_id AS person, coalesce(user_email, user_username, user_name) AS name FROM asked
),
people AS (
  SELECT team, person, max_by(name, event_time) AS name
  FROM sightings
  WHERE person IS NOT NULL
    AND name IS NOT NULL
  GROUP BY team, person
),
changed AS (
  SELECT asked.team, asked.id, array_join(array_agg(coalesce(people.name, given.person) ORDER BY given.person), ', ') AS whom
  FROM asked
  CROSS JOIN UNNEST(regexp_extract_all(coalesce(changes, '"' || user_id || '":['), '"([^"]+)"\s*:\s*\[', 1)) AS given (person)
  LEFT JOIN people ON people.team = asked.team AND people.person = given.person
  GROUP BY asked.team, asked.id
)
SELECT
  asked.event_time,
  asked.team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  asked.action,
  coalesce(changed.whom, user_email, user_username, user_name) AS whom,
  asked.variables,
  asked.message,
  asked.ip,
  asked.id
FROM asked
LEFT JOIN changed ON changed.team = asked.team AND changed.id = asked.id
WHERE asked.dt >= :from
  AND regexp_like(asked.action, 'role|admin|permission|owner')
ORDER BY event_time, id
