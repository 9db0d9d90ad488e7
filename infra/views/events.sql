-- One row per archived event, whatever it looks like. Every line is an event's JSON as Postman sent it, and stands in
-- the column "line", byte for byte; a field that an event lacks is null, and of a key given twice the first counts.
-- Filter by dt, and by team where you can: a query opens only the folders of the days it names. Only where archived_at
-- or late is asked for, the manifests of the teams are read as well.
--
-- Only json_extract_scalar and json_format(json_extract()) touch a line: json_parse, json_value and casts of JSON can
-- fail a whole query on one odd event, in ways that try() does not catch.
WITH objects AS (
  SELECT
    *,
    json_extract_scalar(line, '$.timestamp') AS clock,
    TRY_CAST(regexp_extract("$path", '([0-9]{10})\.ndjson\.gz\z', 1) AS bigint) AS manifest,
    -- Who did it: under data, as Postman sends it, or the user at the top level, as Postman documents it. One object
    -- is taken whole: fields of two people never mix.
    coalesce(
      nullif(json_format(json_extract(line, '$.data.actor')), 'null'),
      nullif(json_format(json_extract(line, '$.actor')), 'null'),
      nullif(json_format(json_extract(line, '$.user')), 'null')
    ) AS actor,
    coalesce(
      nullif(json_format(json_extract(line, '$.user')), 'null'),
      nullif(json_format(json_extract(line, '$.data.user')), 'null')
    ) AS person
  FROM event_lines
),
-- The instant as the archiver reads it, of what has its form; no zone means UTC. Not from_iso8601_timestamp, which
-- fails the query on zones beyond 14 hours.
clocks AS (
  SELECT
    *,
    CASE
      WHEN regexp_like(clock, '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.,][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?\z')
      THEN
        TRY_CAST(
          substr(clock, 1, 10) || ' ' || substr(clock, 12, 8) || '.'
            || rpad(coalesce(regexp_extract(clock, '[.,]([0-9]{1,3})', 1), ''), 3, '0')
          AS timestamp(3)
        )
    END AS local_time,
    -- An offset stands after the seconds or their fraction: the date holds "-" too.
    CAST(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 2) || '1' AS bigint) AS zone_sign,
    CAST(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 3) AS bigint) * 60
      + CAST(coalesce(nullif(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 4), ''), '0') AS bigint) AS zone_minutes
  FROM objects
)
SELECT
  team,
  dt,
  -- The text of its token, as in the manifests: where a string was sent with escapes, these stay.
  CASE
    WHEN regexp_like(line, '"id":"[^"\\]*\\')
    THEN
      coalesce(
        element_at(
          filter(
            regexp_extract_all(line, '"id":"((?:[^"\\]|\\.)*)"', 1),
            token -> json_extract_scalar('["' || token || '"]', '$[0]') = json_extract_scalar(line, '$.id')
          ),
          1
        ),
        json_extract_scalar(line, '$.id')
      )
    ELSE json_extract_scalar(line, '$.id')
  END AS id,
  date_add('minute', coalesce(-zone_sign * zone_minutes, 0), local_time) AS event_time,
  -- When its batch was sealed; its manifest; and whether it was older than the position when that run began.
  (SELECT max(m.archived_at) FROM manifests AS m WHERE m.team = clocks.team AND m.seq = clocks.manifest) AS archived_at,
  manifest AS seq,
  date_add('minute', coalesce(-zone_sign * zone_minutes, 0), local_time)
    < (SELECT max(m.late_before) FROM manifests AS m WHERE m.team = clocks.team AND m.seq = clocks.manifest) AS late,
  json_extract_scalar(line, '$.action') AS action,
  json_extract_scalar(line, '$.message') AS message,
  json_extract_scalar(line, '$.ip') AS ip,
  json_extract_scalar(line, '$.userAgent') AS user_agent,
  json_extract_scalar(actor, '$.id') AS actor_id,
  json_extract_scalar(actor, '$.name') AS actor_name,
  json_extract_scalar(actor, '$.username') AS actor_username,
  json_extract_scalar(actor, '$.email') AS actor_email,
  json_extract_scalar(person, '$.id') AS user_id,
  json_extract_scalar(person, '$.name') AS user_name,
  json_extract_scalar(person, '$.username') AS user_username,
  json_extract_scalar(person, '$.email') AS user_email,
  json_extract_scalar(line, '$.data.team.id') AS team_id,
  json_extract_scalar(line, '$.data.team.name') AS team_name,
  nullif(json_format(json_extract(line, '$.data')), 'null') AS data,
  -- JSON text both where the event holds an object and where, as was seen too, it holds a string with JSON in it.
  coalesce(
    json_extract_scalar(line, '$.data.variables'),
    nullif(json_format(json_extract(line, '$.data.variables')), 'null')
  ) AS variables,
  line
FROM clocks
