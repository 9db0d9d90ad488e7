-- One row per line that may not be under events/, and why; the columns are those of the view "events". Postman may
-- have sent anything: rows without an id or an instant are here, and later bodies of events that are archived.
-- Filter by dt, and by team where you can. dt is the UTC date of the line's own time where that is usable, otherwise the
-- day that a sweep read again, otherwise the day on which the run began.
SELECT
  team,
  dt,
  id,
  event_time,
  archived_at,
  seq,
  -- It is stored nowhere and follows from the line. An id or instant given twice, with two values, counts as none;
  -- SQL sees only the first, so such a line is told from a revision by looking at it.
  CASE
    WHEN length(to_utf8(line)) > 16777216 THEN 'oversize'
    WHEN coalesce(id, '') = '' THEN 'no-id'
    WHEN event_time IS NULL THEN 'bad-timestamp'
    WHEN event_time < TIMESTAMP '2020-01-01 00:00:00.000' THEN 'out-of-range'
    WHEN event_time > (
      SELECT date_add('day', 1, max(m.walk_start)) FROM manifests AS m WHERE m.team = held.team AND m.seq = held.seq
    ) THEN 'out-of-range'
    ELSE 'revision'
  END AS reason,
  action,
  message,
  ip,
  user_agent,
  actor_id,
  actor_name,
  actor_username,
  actor_email,
  user_id,
  user_name,
  user_username,
  user_email,
  team_id,
  team_name,
  data,
  variables,
  line
FROM held
