-- Sign-ins from a new address, or with a new browser or client.
-- An address or user agent is new if the person had not signed in with it since the history begins. The first sign-in
-- of each person is left out.
--
-- Controls: SOC 2 CC6.1, CC7.2; ISO 27001 A.8.5, A.8.16; PCI DSS 10.2.1.1, 10.4.1
WITH sign_ins AS (
  SELECT
    *,
    min(event_time) OVER (PARTITION BY team, actor_id) AS first_sign_in,
    min(event_time) OVER (PARTITION BY team, actor_id, ip) AS first_with_address,
    min(event_time) OVER (PARTITION BY team, actor_id, user_agent) AS first_with_agent
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :history_from AND :to
    AND regexp_like(action, '^user\.(login|sign_in)')
    AND actor_id IS NOT NULL
)
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  concat_ws(
    ' and ',
    CASE WHEN ip IS NOT NULL AND first_with_address = event_time THEN 'new address' END,
    CASE WHEN user_agent IS NOT NULL AND first_with_agent = event_time THEN 'new agent' END
  ) AS new,
  action AS method,
  ip,
  user_agent,
  id
FROM sign_ins
WHERE dt >= :from
  AND first_sign_in < event_time
  AND ((ip IS NOT NULL AND first_with_address = event_time) OR (user_agent IS NOT NULL AND first_with_agent = event_time))
ORDER BY event_time DESC, id DESC
