-- Sign-ins that failed or are unusual for the person.
-- A sign-in is unusual if it uses a method that is new to the person, or if it follows shortly after a sign-in from
-- another address.
--
-- Controls: SOC 2 CC6.1, CC7.2; ISO 27001 A.8.5, A.8.16; PCI DSS 10.2.1.4, 10.4.1
-- Parameters:
--   minutes  number  = 60  sign-ins from two addresses within this number of minutes are unusual
WITH sign_ins AS (
  SELECT
    *,
    regexp_like(action, 'fail|denied|block|invalid') AS failed,
    min(event_time) OVER (PARTITION BY team, actor_id) AS first_sign_in,
    min(event_time) OVER (PARTITION BY team, actor_id, action) AS first_with_method,
    lag(ip) OVER (PARTITION BY team, actor_id ORDER BY event_time, id) AS previous_ip,
    lag(event_time) OVER (PARTITION BY team, actor_id ORDER BY event_time, id) AS previous_time
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :history_from AND :to
    AND regexp_like(action, '^user\.(login|sign_in)')
),
judged AS (
  SELECT
    *,
    concat_ws(
      ', ',
      CASE WHEN failed THEN 'failed' END,
      CASE WHEN actor_id IS NOT NULL AND first_with_method = event_time AND first_sign_in < event_time THEN 'new method' END,
      CASE
        WHEN actor_id IS NOT NULL AND ip <> previous_ip AND date_diff('second', previous_time, event_time) <= 60 * :minutes
        THEN 'other address before: ' || previous_ip
      END
    ) AS why
  FROM sign_ins
)
SELECT event_time, team, coalesce(actor_email, actor_username, actor_name, actor_id) AS who, why, action AS method, ip, user_agent, id
FROM judged
WHERE dt >= :from
  AND why <> ''
ORDER BY event_time DESC, id DESC
