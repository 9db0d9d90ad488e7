-- Actions of people after they had left the team.
-- Each row is an action of a person who had been removed from the team before, and had not been added again.
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.6.5; PCI DSS 10.2.1.1, 10.2.1.5
WITH asked AS (
  SELECT *
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :history_from AND :to
),
comings_and_goings AS (
  SELECT team, user_id AS person, event_time, NOT regexp_like(action, 'add') AS removed
  FROM asked
  WHERE regexp_like(action, 'add_member|member_added|remove_member|member_removed')
)
SELECT
  acts.event_time,
  acts.team,
  coalesce(acts.actor_email, acts.actor_username, acts.actor_name, acts.actor_id) AS who,
  acts.action,
  acts.message,
  acts.ip,
  max(before.event_time) AS removed_at,
  acts.id
FROM asked AS acts
JOIN comings_and_goings AS before
  ON before.team = acts.team AND before.person = acts.actor_id AND before.event_time < acts.event_time
WHERE acts.dt >= :from
GROUP BY
  acts.event_time, acts.team, acts.actor_email, acts.actor_username, acts.actor_name, acts.actor_id, acts.action,
  acts.message, acts.ip, acts.id
HAVING max_by(before.removed, before.event_time)
ORDER BY event_time, id
