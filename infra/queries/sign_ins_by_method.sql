-- How people sign in.
-- The query shows for each sign-in method how often it was used, by how many people, and from how many addresses.
--
-- Controls: SOC 2 CC6.1; ISO 27001 A.8.5; PCI DSS 10.2.1.1
SELECT
  team,
  action AS method,
  count(*) AS sign_ins,
  count(DISTINCT actor_id) AS people,
  count(DISTINCT ip) AS addresses,
  min(event_time) AS first,
  max(event_time) AS last
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, '^user\.(login|sign_in)')
GROUP BY team, action
ORDER BY team, sign_ins DESC, method
