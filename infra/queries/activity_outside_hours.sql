-- Activity outside working hours.
-- The query lists every event before working hours begin, after they end, or on a Saturday or Sunday, in the time zone that
-- you give. By default, it lists the last seven days.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.8.16; PCI DSS 10.4.1
-- Parameters:
--   history_from  date    = from - 30  first day of the history in which names are looked up, UTC
--   from          date    = to - 7     first day, UTC
--   zone          zone    = UTC        the time zone of the working hours
--   begin_hour    number  = 7          the hour at which working hours begin
--   end_hour      number  = 20         the hour at which working hours end
WITH {named},
clocks AS (
  SELECT *, CAST(at_timezone(with_timezone(event_time, 'UTC'), :zone) AS timestamp(3)) AS local_time
  FROM named
)
SELECT
  local_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  whom,
  message,
  ip,
  event_time,
  id
FROM clocks
WHERE hour(local_time) < :begin_hour
  OR hour(local_time) >= :end_hour
  OR day_of_week(local_time) >= 6
ORDER BY event_time DESC, id DESC
