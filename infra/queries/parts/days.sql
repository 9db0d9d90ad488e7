recorded AS (
  SELECT * FROM manifests WHERE team LIKE :team
),
chains AS (
  SELECT team, min(chain_start) AS first, max(position) AS last FROM recorded GROUP BY team
),
gaps AS (
  SELECT
    team,
    TRY_CAST(replace(replace(json_extract_scalar(gap, '$.from'), 'T', ' '), 'Z', '') AS timestamp(3)) AS gap_from,
    TRY_CAST(replace(replace(json_extract_scalar(gap, '$.to'), 'T', ' '), 'Z', '') AS timestamp(3)) AS gap_to
  FROM recorded
  CROSS JOIN UNNEST(regexp_extract_all(gaps, '\{[^}]*\}')) AS every (gap)
),
calendar AS (
  SELECT
    chains.*,
    CAST(day AS timestamp(3)) AS midnight,
    date_add('day', 1, CAST(day AS timestamp(3))) AS next_midnight
  FROM chains
  CROSS JOIN UNNEST(sequence(CAST(:from AS date), CAST(:to AS date), INTERVAL '1' DAY)) AS every (day)
),
-- Each day as its chain covers it, with the minutes of it that are a gap, rounded up, or null.
days AS (
  SELECT
    calendar.team,
    date_format(midnight, '%Y-%m-%d') AS dt,
    CAST(
      ceil(
        sum(date_diff('second', greatest(gap_from, midnight), least(gap_to, next_midnight))) FILTER (WHERE gap_from IS NOT NULL) / 60e0
      )
      AS bigint
    ) AS gap_minutes,
    CASE
      WHEN count(gap_from) > 0 THEN 'gap'
      WHEN midnight >= last THEN 'not read yet'
      WHEN next_midnight <= first THEN 'before the archive'
      WHEN midnight < first OR next_midnight > last THEN 'read in part'
      ELSE 'complete'
    END AS state
  FROM calendar
  LEFT JOIN gaps ON gaps.team = calendar.team AND gap_from < next_midnight AND gap_to > midnight
  WHERE next_midnight > first
    OR :from > '2020-01-01'
  GROUP BY calendar.team, midnight, next_midnight, first, last
)
