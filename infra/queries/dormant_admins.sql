-- Administrators who have been inactive for a long time.
-- A person counts as an administrator after receiving that role in the period, or after doing in it something that only
-- administrators can do. A person who received the role earlier and has been inactive since is not listed.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5
-- Parameters:
--   from       date    = today - 180  first day, UTC
--   idle_days  number  = 45           minimum number of days without activity
WITH asked AS (
  SELECT *
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
),
administrators AS (
  SELECT team, actor_id AS person, event_time
  FROM asked
  WHERE regexp_like(action, '^admin\.|update_user_roles|customauth|_domain|_invite|remove_member')
  UNION ALL
  -- variables.users is an object, or text that contains one: {"60000004":["user","admin"]}
  SELECT team, person, event_time
  FROM asked
  CROSS JOIN UNNEST(
    regexp_extract_all(
      coalesce(json_extract_scalar(variables, '$.users'), json_format(json_extract(variables, '$.users'))),
      '"([^"]+)":\[[^\]]*"admin"',
      1
    )
  ) AS given (person)
  WHERE action = 'team.update_user_roles'
),
seen AS (
  SELECT
    team,
    actor_id AS person,
    max(event_time) AS last_seen,
    max_by(coalesce(actor_email, actor_username, actor_name, actor_id), event_time) AS who
  FROM asked
  GROUP BY team, actor_id
)
SELECT
  administrators.team,
  administrators.person AS actor_id,
  seen.who,
  max(administrators.event_time) AS administrator_on,
  seen.last_seen,
  date_diff('day', CAST(seen.last_seen AS date), CAST(:to AS date)) AS idle_days
FROM administrators
LEFT JOIN seen ON seen.team = administrators.team AND seen.person = administrators.person
WHERE administrators.person IS NOT NULL
  AND coalesce(date_diff('day', CAST(seen.last_seen AS date), CAST(:to AS date)) >= :idle_days, true)
GROUP BY administrators.team, administrators.person, seen.who, seen.last_seen
ORDER BY administrators.team, seen.last_seen, administrators.person
