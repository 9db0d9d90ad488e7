{history},
sightings AS (
  SELECT team, event_time, actor_id AS person, coalesce(actor_email, actor_username, actor_name) AS name FROM history
  UNION ALL
  SELECT team, event_time, user_id AS person, coalesce(user_email, user_username, user_name) AS name FROM history
),
people AS (
  SELECT team, person, max_by(name, event_time) AS name
  FROM sightings
  WHERE person IS NOT NULL
    AND name IS NOT NULL
  GROUP BY team, person
),
concerned AS (
  SELECT
    history.team,
    history.id,
    array_agg(given.person) AS whom_ids,
    array_join(array_agg(coalesce(people.name, given.person) ORDER BY given.person), ', ') AS whom
  FROM history
  CROSS JOIN UNNEST(regexp_extract_all(coalesce(changes, '"' || user_id || '":['), '"([^"]+)"\s*:\s*\[', 1)) AS given (person)
  LEFT JOIN people ON people.team = history.team AND people.person = given.person
  WHERE history.dt >= :from
  GROUP BY history.team, history.id
),
-- The events of the period, with the names of the people concerned. Postman may name a person by the id alone. Then "whom" has the
-- newest name that the history has for the id, or else the id.
named AS (
  SELECT
    history.*,
    concerned.whom_ids,
    coalesce(CASE WHEN changes IS NULL THEN coalesce(user_email, user_username, user_name) END, concerned.whom, user_email, user_username, user_name) AS whom
  FROM history
  LEFT JOIN concerned ON concerned.team = history.team AND concerned.id = history.id
  WHERE history.dt >= :from
)
