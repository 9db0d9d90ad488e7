-- Lines from Postman that are in quarantine instead of among the events.
-- The column meaning explains the reason, and the column line has the line as Postman sent it. Nothing in quarantine is lost, and
-- no query about events reads it. The day is that of the line's own time, or of the fetch if the line has no usable time. The
-- query reads all manifests of the teams.
--
-- Controls: SOC 2 CC7.3; ISO 27001 A.5.28, A.8.15; PCI DSS 10.3.4, 10.7.2
SELECT
  dt,
  team,
  reason,
  CASE reason
    WHEN 'revision' THEN 'Postman served this event again with other content. The version that was served first is among the events, under the same id.'
    WHEN 'no-id' THEN 'The line has no usable id, so nobody can tell whether it is the same event as another line.'
    WHEN 'bad-timestamp' THEN 'The line has no time that can be read, so it belongs to no day.'
    WHEN 'out-of-range' THEN 'The time of the line is before 2020, or more than a day after the line was fetched, so it cannot be right.'
    WHEN 'oversize' THEN 'The line is longer than 16 MB, which Athena cannot read safely among the events.'
  END AS meaning,
  id,
  event_time,
  archived_at,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  message,
  line
FROM quarantine
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
ORDER BY dt DESC, team, reason, id, line
