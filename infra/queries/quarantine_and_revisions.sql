-- Lines from Postman that were put into quarantine instead of among the events, and the reason.
-- These are later versions of archived events, lines without a usable id or time, and lines that are too long. The day
-- is that of the line's own time, or of the fetch if it has no usable time. The query reads all manifests of the teams.
--
-- Controls: SOC 2 CC7.3; ISO 27001 A.5.28, A.8.15; PCI DSS 10.3.4, 10.7.2
SELECT dt, team, reason, id, event_time, archived_at, coalesce(actor_email, actor_username, actor_name, actor_id) AS who, action, message, line
FROM quarantine
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
ORDER BY dt, team, reason, id, line
