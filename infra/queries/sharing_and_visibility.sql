-- Items that were shared, published or transferred.
-- The query shows who did so, and with whom the item was shared where the event says it.
--
-- Controls: SOC 2 CC6.1, CC6.7; ISO 27001 A.5.14, A.8.3, A.8.12; PCI DSS 10.2.1
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(
    json_extract_scalar(variables, '$.collection.name'),
    json_extract_scalar(variables, '$.workspace.name'),
    json_extract_scalar(variables, '$.name')
  ) AS what,
  coalesce(json_extract_scalar(variables, '$.with'), user_email, user_name, user_id) AS with_whom,
  message,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, 'shar|visib|publi|transfer|fork')
ORDER BY event_time DESC, id DESC
