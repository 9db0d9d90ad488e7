-- API keys that were created, and by whom.
-- An API key has the rights of its owner, and nobody is asked for a second factor when it is used.
--
-- Controls: SOC 2 CC6.1; ISO 27001 A.5.17, A.8.5; PCI DSS 10.2.1.5
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  json_extract_scalar(variables, '$.apikey.name') AS key_name,
  ip,
  user_agent,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, 'api_?key')
  AND regexp_like(action, 'creat|generat')
ORDER BY event_time, id
