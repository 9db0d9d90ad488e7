-- Events per day, and whether each day was read completely and is there completely.
-- Days without events are listed too. A gap is a period that Postman no longer kept when it was asked. A day is "not as
-- listed" if it has more or fewer events than the manifests list: objects are missing, or somebody added some. It is
-- "expired" if only such events are missing as the retention allowed to delete. The query reads all manifests of the teams.
-- Days before the archive begins are listed only if you give another first day than 2020-01-01.
--
-- Controls: SOC 2 CC7.2; ISO 27001 A.5.28, A.8.15; PCI DSS 10.2.1, 10.5.1, 10.7.2
WITH {days},
asked AS (
  SELECT team, dt, seq, actor_id
  FROM events
  WHERE team LIKE :team
    AND dt BETWEEN :from AND :to
),
counted AS (
  SELECT team, dt, count(*) AS events, count(DISTINCT actor_id) AS people FROM asked GROUP BY team, dt
),
found AS (
  SELECT team, dt, seq, count(*) AS events FROM asked GROUP BY team, dt, seq
),
aged AS (
  SELECT *, date_diff('day', archived_at, CAST(current_date AS timestamp(3))) AS age FROM recorded
),
listed AS (
  SELECT
    team,
    regexp_extract(json_extract_scalar(segment, '$.key'), '^events/.*/dt=([0-9-]{10})/', 1) AS dt,
    seq,
    CAST(json_extract_scalar(segment, '$.lines') AS bigint) AS events,
    coalesce(age >= CAST(json_extract_scalar(retention, '$.expireAfterDays') AS bigint), false)
      AND coalesce(age >= CAST(json_extract_scalar(retention, '$.days') AS bigint), false) AS may_have_expired
  FROM aged
  CROSS JOIN UNNEST(regexp_extract_all(segments, '\{[^}]*\}')) AS every (segment)
),
compared AS (
  SELECT
    coalesce(listed.team, found.team) AS team,
    coalesce(listed.dt, found.dt) AS dt,
    CASE
      WHEN listed.events = found.events THEN 0
      WHEN listed.may_have_expired AND found.events IS NULL THEN 1
      ELSE 2
    END AS difference
  FROM listed
  FULL JOIN found ON found.team = listed.team AND found.dt = listed.dt AND found.seq = listed.seq
),
differences AS (
  SELECT team, dt, max(difference) AS difference FROM compared GROUP BY team, dt
)
SELECT
  days.team,
  days.dt,
  coalesce(counted.events, 0) AS events,
  coalesce(counted.people, 0) AS people,
  CASE
    WHEN differences.difference = 2 THEN 'not as listed'
    WHEN differences.difference = 1 AND days.state <> 'gap' THEN 'expired'
    ELSE days.state
  END AS state
FROM days
LEFT JOIN counted ON counted.team = days.team AND counted.dt = days.dt
LEFT JOIN differences ON differences.team = days.team AND differences.dt = days.dt
ORDER BY days.dt DESC, days.team
