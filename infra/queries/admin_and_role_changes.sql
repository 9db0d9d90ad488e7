-- Changes of roles, and actions of administrators.
-- An action is listed if its name contains "role", "admin", "permission" or "owner".
--
-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(user_email, user_username, user_name, user_id) AS whom,
  variables,
  message,
  ip,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, 'role|admin|permission|owner')
ORDER BY event_time, id
