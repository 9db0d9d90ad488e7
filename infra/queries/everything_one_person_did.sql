-- Everything one person did.
-- The person is found by email, username, name or Postman id, in every team, and under every other id, email and username
-- that the events of the period show together with it. What Postman's own system did for the person is listed too.
--
-- Controls: SOC 2 CC7.3; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1.1, 10.2.2
-- Parameters:
--   person  text  e.g. ada@example.com  the person's email, username, name or Postman id
WITH asked AS (
  SELECT *
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
),
sightings AS (
  SELECT actor_id AS person, lower(actor_email) AS email, lower(actor_username) AS username, lower(actor_name) AS name FROM asked
  UNION ALL
  SELECT user_id AS person, lower(user_email) AS email, lower(user_username) AS username, lower(user_name) AS name FROM asked
),
-- One person can have one id as the actor and another one as the user of an event.
aliases AS (
  SELECT DISTINCT alias
  FROM sightings
  CROSS JOIN UNNEST(ARRAY[person, email, username]) AS known (alias)
  WHERE lower(:person) IN (lower(person), email, username, name)
)
SELECT event_time, team, coalesce(actor_email, actor_username, actor_name, actor_id) AS who, action, message, ip, user_agent, actor_id, id
FROM asked
WHERE lower(actor_name) = lower(:person)
  OR EXISTS (
    SELECT 1
    FROM aliases
    WHERE alias IN (actor_id, lower(actor_email), lower(actor_username))
      OR (actor_name = 'Postman Internal System' AND alias IN (user_id, lower(user_email), lower(user_username)))
  )
ORDER BY event_time, id
