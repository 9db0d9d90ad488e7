-- Who did what: every event of a period, in order.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.8.15; PCI DSS 10.2.1, 10.2.2
-- Parameters:
--   action  text  = %  only actions that match this pattern; % stands for any text
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(user_email, user_username, user_name, user_id) AS whom,
  message,
  ip,
  user_agent,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND coalesce(action, '') LIKE :action
ORDER BY event_time, id
