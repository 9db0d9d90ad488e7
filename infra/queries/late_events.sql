-- Events that appeared late in Postman's log.
-- The archive had already read past the time of these events when Postman first served them. The query reads all
-- manifests of the teams.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.8.15, A.8.17; PCI DSS 10.2.1, 10.6.1
SELECT
  event_time,
  team,
  archived_at,
  date_diff('minute', event_time, archived_at) AS minutes_late,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  message,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND late
ORDER BY event_time DESC, id DESC
