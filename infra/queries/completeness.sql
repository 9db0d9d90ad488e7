-- How complete each day is, as the signed manifests state it.
-- The query shows for each day whether it was read, how many runs began on it, how many events and quarantined lines are
-- archived, how many of these events were late, and how many minutes are a gap, rounded up. The last columns show what the
-- newest complete sweep of the day found, or the newest sweep if none was complete. A sweep reads an older day again and
-- compares the events that are served with those that are archived: "missing" events are no longer served, and "changed"
-- events have another body. The query reads all manifests of the teams, and no event. Days before the archive begins are listed only if you give another first day than 2020-01-01.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1, 10.5.1, 10.7.2
WITH {days},
runs AS (
  SELECT team, date_format(walk_start, '%Y-%m-%d') AS dt, count(DISTINCT run_id) AS runs
  FROM recorded
  GROUP BY team, date_format(walk_start, '%Y-%m-%d')
),
segments AS (
  SELECT
    team,
    seq,
    late,
    late_before,
    regexp_extract(json_extract_scalar(segment, '$.key'), '^([a-z]+)/', 1) AS area,
    regexp_extract(json_extract_scalar(segment, '$.key'), '/dt=([0-9-]{10})/', 1) AS dt,
    CAST(json_extract_scalar(segment, '$.lines') AS bigint) AS lines
  FROM recorded
  CROSS JOIN UNNEST(regexp_extract_all(segments, '\{[^}]*\}')) AS every (segment)
),
-- All events of a segment are late if its whole day lies before late_before.
judged AS (
  SELECT
    *,
    CASE WHEN date_add('day', 1, CAST(CAST(dt AS date) AS timestamp(3))) <= late_before THEN lines ELSE 0 END AS late_as_a_whole
  FROM segments
  WHERE area = 'events'
),
-- In the segment of the day in which late_before lies, the rest of the manifest's late events are late.
counted AS (
  SELECT
    team,
    dt,
    lines,
    CASE
      WHEN late_as_a_whole > 0 THEN lines
      WHEN CAST(CAST(dt AS date) AS timestamp(3)) < late_before THEN late - sum(late_as_a_whole) OVER (PARTITION BY team, seq)
      ELSE 0
    END AS late
  FROM judged
),
archived AS (
  SELECT team, dt, sum(lines) AS events, sum(late) AS late FROM counted GROUP BY team, dt
),
quarantined AS (
  SELECT team, dt, sum(lines) AS lines FROM segments WHERE area = 'quarantine' GROUP BY team, dt
),
swept AS (
  SELECT team, seq, walk_start AS swept_at, json_extract_scalar(sweep, '$.date') AS dt, sweep
  FROM recorded
  CROSS JOIN UNNEST(regexp_extract_all(sweeps, '\{[^}]*\}')) AS every (sweep)
),
sweeps AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY team, dt
      ORDER BY CASE WHEN json_extract_scalar(sweep, '$.status') = 'complete' THEN 0 ELSE 1 END, seq DESC
    ) AS rank
  FROM swept
)
SELECT
  days.team,
  days.dt,
  state,
  coalesce(runs.runs, 0) AS runs,
  coalesce(archived.events, 0) AS events,
  coalesce(archived.late, 0) AS late,
  coalesce(quarantined.lines, 0) AS quarantined,
  coalesce(days.gap_minutes, 0) AS gap_minutes,
  swept_at,
  json_extract_scalar(sweep, '$.status') AS sweep,
  CAST(json_extract_scalar(sweep, '$.served') AS bigint) AS served,
  CAST(json_extract_scalar(sweep, '$.archived') AS bigint) AS archived,
  CAST(json_extract_scalar(sweep, '$.missing') AS bigint) AS missing,
  CAST(json_extract_scalar(sweep, '$.changed') AS bigint) AS changed
FROM days
LEFT JOIN runs ON runs.team = days.team AND runs.dt = days.dt
LEFT JOIN archived ON archived.team = days.team AND archived.dt = days.dt
LEFT JOIN quarantined ON quarantined.team = days.team AND quarantined.dt = days.dt
LEFT JOIN sweeps ON sweeps.team = days.team AND sweeps.dt = days.dt AND sweeps.rank = 1
ORDER BY days.dt DESC, days.team
