-- One row per archived event. No line can fail a query or go missing: what Trino cannot read of it is null here, and
-- the line itself is there, byte for byte as Postman sent it.
-- Filter by dt (and team): each day is a folder of its own, and a query reads only the folders it names.
SELECT
  team,
  dt,
  try(json_extract_scalar(line, '$.id')) AS id,
  -- No time zone means UTC.
  try(
    CAST(
      from_iso8601_timestamp(
        replace(replace(upper(json_extract_scalar(line, '$.timestamp')), ' ', 'T'), ',', '.')
          || IF(regexp_like(json_extract_scalar(line, '$.timestamp'), '([Zz]|[+-]\d{2}:?\d{2})$'), '', 'Z')
      ) AT TIME ZONE 'UTC' AS timestamp(3)
    )
  ) AS event_time,
  try(json_extract_scalar(line, '$.action')) AS action,
  try(json_extract_scalar(line, '$.message')) AS message,
  try(json_extract_scalar(line, '$.ip')) AS ip,
  try(json_extract_scalar(line, '$.userAgent')) AS user_agent,
  -- Who did it.
  try(json_extract_scalar(line, '$.data.actor.id')) AS actor_id,
  try(json_extract_scalar(line, '$.data.actor.name')) AS actor_name,
  try(json_extract_scalar(line, '$.data.actor.username')) AS actor_username,
  try(json_extract_scalar(line, '$.data.actor.email')) AS actor_email,
  -- Whom it concerned: at the top level as the contract says, or under data as Postman sends it.
  try(coalesce(json_extract_scalar(line, '$.user.id'), json_extract_scalar(line, '$.data.user.id'))) AS user_id,
  try(coalesce(json_extract_scalar(line, '$.user.name'), json_extract_scalar(line, '$.data.user.name'))) AS user_name,
  try(coalesce(json_extract_scalar(line, '$.user.username'), json_extract_scalar(line, '$.data.user.username'))) AS user_username,
  try(coalesce(json_extract_scalar(line, '$.user.email'), json_extract_scalar(line, '$.data.user.email'))) AS user_email,
  try(json_extract_scalar(line, '$.data.team.id')) AS team_id,
  try(json_extract_scalar(line, '$.data.team.name')) AS team_name,
  try(json_format(json_extract(line, '$.data'))) AS data,
  -- JSON text, whether the event holds an object or, as was seen too, a string with JSON in it.
  try(coalesce(json_extract_scalar(line, '$.data.variables'), json_format(json_extract(line, '$.data.variables')))) AS variables,
  -- The manifest that committed it.
  CAST(regexp_extract("$path", '(\d+)\.ndjson\.gz$', 1) AS bigint) AS seq,
  line
FROM event_lines
