-- Events per day, and whether each day was read completely.
-- Days without events are listed too. A gap is a period that Postman no longer kept when it was asked. The query reads
-- all manifests of the teams.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1, 10.5.1, 10.7.2
WITH counted AS (
  SELECT team, dt, count(*) AS events, count(DISTINCT actor_id) AS people
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
  GROUP BY team, dt
),
chains AS (
  SELECT team, min(chain_start) AS first, max(position) AS last
  FROM manifests
  WHERE team LIKE :team
  GROUP BY team
),
gaps AS (
  SELECT team, json_extract_scalar(gap, '$.from') AS first, json_extract_scalar(gap, '$.to') AS last
  FROM manifests
  CROSS JOIN UNNEST(regexp_extract_all(gaps, '\{[^}]*\}')) AS listed (gap)
  WHERE team LIKE :team
),
days AS (
  SELECT chains.team, date_format(day, '%Y-%m-%d') AS dt, CAST(day AS timestamp(3)) AS midnight, first, last
  FROM chains
  CROSS JOIN UNNEST(sequence(CAST(:from AS date), CAST(:to AS date), INTERVAL '1' DAY)) AS every (day)
)
SELECT
  days.team,
  days.dt,
  coalesce(counted.events, 0) AS events,
  coalesce(counted.people, 0) AS people,
  CASE
    WHEN EXISTS (
      SELECT 1 FROM gaps WHERE gaps.team = days.team AND substr(gaps.first, 1, 10) <= days.dt AND gaps.last > days.dt || 'T00:00:00.000Z'
    )
      THEN 'gap'
    WHEN days.midnight >= days.last THEN 'not read yet'
    WHEN date_add('day', 1, days.midnight) <= days.first THEN 'before the archive'
    WHEN days.midnight < days.first OR date_add('day', 1, days.midnight) > days.last THEN 'read in part'
    ELSE 'complete'
  END AS state
FROM days
LEFT JOIN counted ON counted.team = days.team AND counted.dt = days.dt
ORDER BY days.team, days.dt
