-- Actions of people after they had left the team.
-- Each row is an action of a person who had been removed from the team before, and had not been added again. The person
-- is recognised by id, email or username. What Postman's own system did for the person is listed too. Who was removed before the
-- archive begins, or left the company without being removed, is not known here: compare with the list of leavers.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.6.5; PCI DSS 10.2.1.1, 10.2.1.5
WITH {history},
comings_and_goings AS (
  SELECT
    team,
    user_id AS person,
    lower(user_email) AS email,
    lower(user_username) AS username,
    event_time,
    NOT regexp_like(action, 'add') AS removed
  FROM history
  WHERE regexp_like(action, 'add_member|member_added|remove_member|member_removed')
),
-- A change of membership by Postman's own system is not an action of the person whom it concerns.
acts AS (
  SELECT
    *,
    CASE WHEN by_system THEN user_id ELSE actor_id END AS person,
    lower(CASE WHEN by_system THEN user_email ELSE actor_email END) AS email,
    lower(CASE WHEN by_system THEN user_username ELSE actor_username END) AS username
  FROM history
  WHERE dt >= :from
    AND NOT (by_system AND coalesce(regexp_like(action, '_member|member_'), false))
)
SELECT
  acts.event_time,
  acts.team,
  coalesce(acts.actor_email, acts.actor_username, acts.actor_name, acts.actor_id) AS who,
  coalesce(acts.user_email, acts.user_username, acts.user_name, acts.user_id) AS whom,
  acts.action,
  acts.message,
  acts.ip,
  max(before.event_time) AS removed_at,
  acts.id
FROM acts
JOIN comings_and_goings AS before
  ON before.team = acts.team
  AND before.event_time < acts.event_time
  AND (before.person = acts.person OR before.email = acts.email OR before.username = acts.username)
GROUP BY
  acts.event_time, acts.team, acts.actor_email, acts.actor_username, acts.actor_name, acts.actor_id, acts.user_email,
  acts.user_username, acts.user_name, acts.user_id, acts.action, acts.message, acts.ip, acts.id
HAVING max_by(before.removed, before.event_time)
ORDER BY event_time DESC, id DESC
