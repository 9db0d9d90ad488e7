-- One row per archived event, whatever it looks like. Every line is an event's JSON as Postman sent it, and stands in
-- the column "line", byte for byte; a field that an event lacks is null.
-- Filter by dt, and by team where you can: a query opens only the folders of the days it names.
--
-- Only json_extract_scalar and json_format(json_extract()) touch a line: json_parse, json_value and casts of JSON can
-- fail a whole query on one odd event, in ways that try() does not catch.
WITH fields AS (
  SELECT
    team,
    dt,
    line,
    json_extract_scalar(line, '$.timestamp') AS instant_text,
    CAST(regexp_extract("$path", '(\d+)\.ndjson\.gz$', 1) AS bigint) AS seq
  FROM event_lines
),
-- The instant as the archiver read it: date and time to the millisecond | sign of the zone | its hours | its minutes.
-- No zone means UTC. Not from_iso8601_timestamp, which fails the query on zones beyond 14 hours.
clocks AS (
  SELECT
    *,
    split(
      regexp_replace(
        instant_text,
        '^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,3})\d*)?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))?$',
        '$1 $2.$3000|$4|$5|$6'
      ),
      '|'
    ) AS clock
  FROM fields
)
SELECT
  team,
  dt,
  json_extract_scalar(line, '$.id') AS id,
  date_add(
    'minute',
    -coalesce(
      TRY_CAST(element_at(clock, 2) || element_at(clock, 3) AS bigint) * 60
        + TRY_CAST(element_at(clock, 2) || element_at(clock, 4) AS bigint),
      0
    ),
    IF(cardinality(clock) = 4, TRY_CAST(substr(element_at(clock, 1), 1, 23) AS timestamp(3)))
  ) AS event_time,
  json_extract_scalar(line, '$.action') AS action,
  json_extract_scalar(line, '$.message') AS message,
  json_extract_scalar(line, '$.ip') AS ip,
  json_extract_scalar(line, '$.userAgent') AS user_agent,
  -- Who did it.
  json_extract_scalar(line, '$.data.actor.id') AS actor_id,
  json_extract_scalar(line, '$.data.actor.name') AS actor_name,
  json_extract_scalar(line, '$.data.actor.username') AS actor_username,
  json_extract_scalar(line, '$.data.actor.email') AS actor_email,
  -- The user: at the top level, as Postman documents it, or under data, as Postman sends it.
  coalesce(json_extract_scalar(line, '$.user.id'), json_extract_scalar(line, '$.data.user.id')) AS user_id,
  coalesce(json_extract_scalar(line, '$.user.name'), json_extract_scalar(line, '$.data.user.name')) AS user_name,
  coalesce(json_extract_scalar(line, '$.user.username'), json_extract_scalar(line, '$.data.user.username')) AS user_username,
  coalesce(json_extract_scalar(line, '$.user.email'), json_extract_scalar(line, '$.data.user.email')) AS user_email,
  json_extract_scalar(line, '$.data.team.id') AS team_id,
  json_extract_scalar(line, '$.data.team.name') AS team_name,
  json_format(json_extract(line, '$.data')) AS data,
  -- JSON text both where the event holds an object and where, as was seen too, it holds a string with JSON in it.
  coalesce(
    json_extract_scalar(line, '$.data.variables'),
    json_format(json_extract(line, '$.data.variables'))
  ) AS variables,
  -- The number of the manifest that committed it.
  seq,
  line
FROM clocks
