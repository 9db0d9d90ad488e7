-- One row per line that may not be under events/, with the reason. The other columns are those of the view "events".
-- The lines here may look like anything: some have no id or no instant, and some are later versions of archived events.
-- Filter by dt, and by team if you can. dt is the UTC date of the line's own time if that is usable, otherwise the day
-- that a sweep was reading again, otherwise the day on which the run began.
SELECT
  team, dt, id, event_time, archived_at, seq,
  -- The reason is not stored; it follows from the line. An id or timestamp that occurs twice with different values is
  -- not usable. SQL sees only the first value, so it may show such a line as a revision, and only a person can tell the
  -- difference.
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
  action, message, ip, user_agent,
  actor_id, actor_name, actor_username, actor_email,
  user_id, user_name, user_username, user_email,
  team_id, team_name, data, variables, line
FROM held
