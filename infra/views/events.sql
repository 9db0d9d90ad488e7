-- One row per archived event, whatever the event looks like. The column "line" contains the event's JSON as Postman
-- sent it, byte for byte. A column is null if the event lacks that field. If a key occurs twice, its first value is
-- used. Filter by dt, and by team if you can: a query opens only the folders of the days that it names. A query that
-- uses archived_at or late also reads the manifests of the teams.
--
-- Lines are read only with json_extract_scalar and json_format(json_extract()). With json_parse, json_value or casts of
-- JSON, one odd event can fail a whole query, in ways that try() does not catch.
WITH objects AS (
  SELECT
    *,
    json_extract_scalar(line, '$.timestamp') AS clock,
    TRY_CAST(regexp_extract("$path", '([0-9]{10})\.ndjson\.gz\z', 1) AS bigint) AS manifest,
    -- The person who acted: the actor under data, as Postman sends it, or the user at the top level, as Postman
    -- documents it. All fields come from one object, so the fields of two people never mix.
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
-- Reads a timestamp exactly as the archiver does. A timestamp without a time zone is UTC. The function
-- from_iso8601_timestamp is not used, because it fails the query on offsets beyond 14 hours.
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
    -- The offset is searched for after the seconds or their fraction, because the date also contains "-".
    CAST(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 2) || '1' AS bigint) AS zone_sign,
    CAST(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 3) AS bigint) * 60
      + CAST(coalesce(nullif(regexp_extract(clock, ':[0-9]{2}([.,][0-9]+)?([+-])([0-9]{2}):?([0-9]{2})?\z', 4), ''), '0') AS bigint) AS zone_minutes
  FROM objects
)
SELECT
  team,
  dt,
  -- The id is the raw text of its JSON token, as the archiver uses it. If a string was sent with escapes, they stay.
  coalesce(
    element_at(
      filter(
        CASE WHEN regexp_like(line, '"id":"[^"\\]*\\') THEN regexp_extract_all(line, '"id":"((?:[^"\\]|\\.)*)"', 1) END,
        token -> json_extract_scalar('["' || token || '"]', '$[0]') = json_extract_scalar(line, '$.id')
      ),
      1
    ),
    json_extract_scalar(line, '$.id')
  ) AS id,
  date_add('minute', coalesce(-zone_sign * zone_minutes, 0), local_time) AS event_time,
  -- archived_at is when the event's batch was sealed, seq is the number of its manifest, and late says whether the
  -- event was older than the archive's position when that run began.
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
  -- Some events contain an object here and others a string that contains JSON. The column is JSON text in both cases.
  coalesce(
    json_extract_scalar(line, '$.data.variables'),
    nullif(json_format(json_extract(line, '$.data.variables')), 'null')
  ) AS variables,
  line
FROM clocks
