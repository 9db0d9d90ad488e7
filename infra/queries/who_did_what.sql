-- Who did what, and to whom: every event of a period, newest first.
-- By default, the query lists the last 30 days.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.8.15; PCI DSS 10.2.1, 10.2.2
-- Parameters:
--   history_from  date  = from - 30  first day of the history in which names are looked up, UTC
--   from          date  = to - 30    first day, UTC
--   action        text  = %          only actions that match this pattern; % stands for any text
WITH {named}
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  whom,
  message,
  ip,
  user_agent,
  id
FROM named
WHERE coalesce(action, '') LIKE :action
ORDER BY event_time DESC, id DESC
