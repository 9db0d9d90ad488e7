-- API keys that were created, by whom and for whom.
-- An API key has the rights of its owner, and nobody is asked for a second factor when it is used. Postman sends the
-- masked beginning of a key instead of its name. Where whom is empty, the person created the key for themselves. Where who is
-- Postman's own system, the log does not say which person asked for it.
--
-- Controls: SOC 2 CC6.1; ISO 27001 A.5.17, A.8.5; PCI DSS 10.2.1.5
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  coalesce(user_email, user_username, user_name, user_id) AS whom,
  coalesce(json_extract_scalar(variables, '$.apikey.name'), json_extract_scalar(variables, '$.apiKey')) AS api_key,
  ip,
  user_agent,
  id
FROM events
WHERE team LIKE :team
  AND dt BETWEEN :from AND :to
  AND regexp_like(action, 'api_?key')
  AND regexp_like(action, 'creat|generat')
ORDER BY event_time DESC, id DESC
