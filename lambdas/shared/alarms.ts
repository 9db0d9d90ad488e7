/**
 * The alarms and the metrics, named once for the emitters, the alarms, the dashboard, the sections of `docs/runbook.md` and the
 * tests. A metric exists only because an alarm reads it: each costs more in a month than all requests to S3. What a run
 * counts is in its manifest, its log line and the view `manifests`.
 */

/** The id of an alarm is the anchor of its section in `docs/runbook.md`. `silent` exists once for each team. */
export const alarmIds = ['silent', 'gap', 'integrity', 'drift', 'unverified', 'unhandled'] as const;
export type AlarmId = (typeof alarmIds)[number];

export const METRIC_NAMESPACE = 'PostmanAuditArchive';

/** Every metric has the bucket as a dimension, because an account may hold several archives. Those of a team have both. */
export const dimensions = { bucket: 'bucket', team: 'team' } as const;

export const teamMetrics = {
  /** 1 for a run that did not fail, also before its API key is stored. A run that left the work to another run emits nothing. */
  succeeded: 'RunsSucceeded',
  /** Hours since the newest manifest was written. The verifier emits it daily. */
  manifestAge: 'ManifestAgeHours',
} as const;

/** The metrics of the whole archive. They are emitted only where there is something to tell, and their log lines name the team. */
export const archiveMetrics = {
  /** Time that was lost for ever, or will be soon. */
  gap: 'Gaps',
  /** What contradicts the chain, an anchor or a lock: 1 for a run that stopped, the number of findings for a verification. */
  integrity: 'IntegrityProblems',
  /** 1 for a run that met many lines unfit for `events/`: the source has probably changed their form. */
  drift: 'Drift',
  /** 1 for a verification after which every team has an anchor of this day, or of the day before where time sufficed for some only. */
  verified: 'Verified',
} as const;
