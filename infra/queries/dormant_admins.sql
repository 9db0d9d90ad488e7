-- Administrators who have been inactive for a long time.
-- A person counts as an administrator after receiving that role since the history begins, or after doing something that only
-- administrators can do. A person who received the role earlier and has been inactive since is not listed. The days of
-- inactivity are counted up to the last day. A person is recognised by id, email or username, and an app that Postman's own
-- system opened for a person is activity of the person.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5
-- Parameters:
--   idle_days  number  = 45  minimum number of days without activity
WITH {history},
administrators AS (
  SELECT team, actor_id AS person, event_time
  FROM history
  WHERE regexp_like(action, '^admin\.|update_user_roles|customauth|_domain|_invite|remove_member')
    AND NOT by_system
  UNION ALL
  SELECT team, person, event_time
  FROM history
  CROSS JOIN UNNEST(regexp_extract_all(changes, '"([^"]+)"\s*:\s*\[[^\]]*"admin"', 1)) AS given (person)
  WHERE action = 'team.update_user_roles'
  UNION ALL
  SELECT team, user_id AS person, event_time
  FROM history
  WHERE regexp_like(action, 'add_member|member_added')
    AND regexp_like(roles, '(^|")admin("|$)')
),
sightings AS (
  SELECT
    team,
    actor_id AS person,
    lower(actor_email) AS email,
    lower(actor_username) AS username,
    coalesce(actor_email, actor_username, actor_name, actor_id) AS name,
    event_time,
    NOT by_system AS active
  FROM history
  UNION ALL
  SELECT
    team,
    user_id AS person,
    lower(user_email) AS email,
    lower(user_username) AS username,
    coalesce(user_email, user_username, user_name, user_id) AS name,
    event_time,
    by_system AND coalesce(regexp_like(action, '^user\.'), false) AS active
  FROM history
),
people AS (
  SELECT
    team,
    person,
    max(email) AS email,
    max(username) AS username,
    max_by(name, event_time) AS who,
    max(CASE WHEN active THEN event_time END) AS last_seen
  FROM sightings
  WHERE person IS NOT NULL
  GROUP BY team, person
)
SELECT
  administrators.team,
  administrators.person AS actor_id,
  people.who,
  max(administrators.event_time) AS administrator_on,
  max(same.last_seen) AS last_seen,
  date_diff('day', CAST(max(same.last_seen) AS date), CAST(:to AS date)) AS idle_days
FROM administrators
LEFT JOIN people ON people.team = administrators.team AND people.person = administrators.person
LEFT JOIN people AS same
  ON same.team = people.team
  AND (same.person = people.person OR same.email = people.email OR same.username = people.username)
WHERE administrators.person IS NOT NULL
GROUP BY administrators.team, administrators.person, people.who
HAVING coalesce(date_diff('day', CAST(max(same.last_seen) AS date), CAST(:to AS date)) >= :idle_days, true)
ORDER BY administrators.team, last_seen, administrators.person
