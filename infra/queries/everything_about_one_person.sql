-- Everything that one person did, and everything that was done to the person.
-- The person is found by email, username, name or Postman id, in every team, and under every other id, email and username
-- that the history shows together with it. The column part says whether the event was done by the person or to the person:
-- roles that were changed, invitations, and what Postman's own system did for the person are examples of the second kind.
--
-- Controls: SOC 2 CC7.3; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1.1, 10.2.2
-- Parameters:
--   person  text  e.g. ada@example.com  the person's email, username, name or Postman id
WITH {named},
known AS (
  SELECT actor_id AS person, lower(actor_email) AS email, lower(actor_username) AS username, lower(actor_name) AS name FROM history
  UNION ALL
  SELECT user_id AS person, lower(user_email) AS email, lower(user_username) AS username, lower(user_name) AS name FROM history
  UNION ALL
  -- The events may know the person only as somebody who was invited.
  SELECT NULL AS person, lower(:person) AS email, NULL AS username, NULL AS name
),
-- One person can have one id as the actor and another one as the user of an event.
aliases AS (
  SELECT array_agg(DISTINCT alias) AS aliases
  FROM known
  CROSS JOIN UNNEST(ARRAY[person, email, username]) AS each (alias)
  WHERE lower(:person) IN (lower(person), email, username, name)
    AND alias IS NOT NULL
),
judged AS (
  SELECT
    named.*,
    coalesce(lower(actor_name) = lower(:person), false)
      OR coalesce(arrays_overlap(aliases, ARRAY[actor_id, lower(actor_email), lower(actor_username)]), false) AS is_actor,
    coalesce(lower(user_name) = lower(:person), false)
      OR coalesce(arrays_overlap(aliases, ARRAY[user_id, lower(user_email), lower(user_username)]), false)
      OR coalesce(arrays_overlap(aliases, whom_ids), false)
      OR coalesce(
        arrays_overlap(
          aliases,
          ARRAY[lower(json_extract_scalar(variables, '$.email')), lower(json_extract_scalar(variables, '$.with'))]
        ),
        false
      ) AS is_concerned
  FROM named
  CROSS JOIN aliases
)
SELECT
  event_time,
  team,
  coalesce(actor_email, actor_username, actor_name, actor_id) AS who,
  action,
  whom,
  CASE WHEN is_actor THEN 'by the person' ELSE 'to the person' END AS part,
  message,
  ip,
  user_agent,
  actor_id,
  id
FROM judged
WHERE is_actor
  OR is_concerned
ORDER BY event_time DESC, id DESC
