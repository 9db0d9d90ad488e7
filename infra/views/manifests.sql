-- One row per manifest: what each run states that it read and committed. This view checks no signature. Only
-- "audit-archive verify" proves that the chain is complete and signed with the pinned key.
-- Filter by team if you can. Manifests have no date partitions, so a query reads all manifests of a team.
WITH payloads AS (
  SELECT team, try(from_base64(json_extract_scalar(line, '$.payload'))) AS bytes
  FROM manifest_lines
),
texts AS (
  SELECT team, bytes, from_utf8(bytes) AS payload FROM payloads
),
fields AS (
  SELECT
    team,
    bytes,
    payload,
    TRY_CAST(json_extract_scalar(payload, '$.seq') AS bigint) AS seq,
    json_extract_scalar(payload, '$.run.id') AS run_id,
    TRY_CAST(replace(replace(json_extract_scalar(payload, '$.position'), 'T', ' '), 'Z', '') AS timestamp(3)) AS position
  FROM texts
),
-- Adds the position that the previous manifest states.
links AS (
  SELECT *, lag(position) OVER (PARTITION BY team ORDER BY seq) AS previous_position FROM fields
)
SELECT
  team,
  seq,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.run.finished'), 'T', ' '), 'Z', '') AS timestamp(3)) AS archived_at,
  run_id,
  json_extract_scalar(payload, '$.run.scheduledTime') AS scheduled_time,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.run.walkStart'), 'T', ' '), 'Z', '') AS timestamp(3)) AS walk_start,
  json_extract_scalar(payload, '$.run.codeVersion') AS code_version,
  json_extract_scalar(payload, '$.run.reason') AS reason,
  json_extract_scalar(payload, '$.run.source') AS source,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.start'), 'T', ' '), 'Z', '') AS timestamp(3)) AS chain_start,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.window.from'), 'T', ' '), 'Z', '') AS timestamp(3)) AS window_from,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.window.to'), 'T', ' '), 'Z', '') AS timestamp(3)) AS window_to,
  position,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.latest'), 'T', ' '), 'Z', '') AS timestamp(3)) AS latest,
  TRY_CAST(replace(replace(json_extract_scalar(payload, '$.sweptAt'), 'T', ' '), 'Z', '') AS timestamp(3)) AS swept_at,
  -- The events of this manifest that are older than late_before are late. In the first run of a team no event is late.
  coalesce(
    first_value(previous_position) OVER (PARTITION BY team, run_id ORDER BY seq),
    TIMESTAMP '0001-01-01 00:00:00.000'
  ) AS late_before,
  TRY_CAST(json_extract_scalar(payload, '$.counts.pages') AS bigint) AS pages,
  TRY_CAST(json_extract_scalar(payload, '$.counts.requests') AS bigint) AS requests,
  TRY_CAST(json_extract_scalar(payload, '$.counts.events') AS bigint) AS events,
  TRY_CAST(json_extract_scalar(payload, '$.counts.late') AS bigint) AS late,
  TRY_CAST(json_extract_scalar(payload, '$.counts.known') AS bigint) AS known,
  TRY_CAST(json_extract_scalar(payload, '$.counts.revisions') AS bigint) AS revisions,
  json_format(json_extract(payload, '$.counts.quarantined')) AS quarantined,
  json_format(json_extract(payload, '$.gaps')) AS gaps,
  json_format(json_extract(payload, '$.sweeps')) AS sweeps,
  json_format(json_extract(payload, '$.retention')) AS retention,
  json_format(json_extract(payload, '$.segments')) AS segments,
  json_extract_scalar(payload, '$.previous') AS previous,
  lower(to_hex(sha256(bytes))) AS sha256,
  payload
FROM links
