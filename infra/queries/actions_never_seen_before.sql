-- Actions that appear for the first time.
-- Such an action is a new feature in use, or something that nobody in the team has done before. The first days of an archive
-- show every action as new. By default, the query lists the last 30 days.
--
-- Controls: SOC 2 CC7.1, CC7.2; ISO 27001 A.8.16; PCI DSS 10.4.1
-- Parameters:
--   from  date  = to - 30  first day, UTC
SELECT
  team,
  action,
  min(event_time) AS first_seen,
  count(*) AS events,
  count(DISTINCT actor_id) AS people
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :history_from AND :to
GROUP BY team, action
HAVING min(dt) >= :from
ORDER BY first_seen DESC, team, action
