/**
 * What the deployed parts agree on: the handler's input, each function's environment, and the names of metrics. CDK,
 * the handlers, the local world and the tests all read it from here.
 */
import { jsonVariable, numberVariable, textVariable } from './env';
import { ConfigError } from './errors';
import type { Counts, Retention, Sweep } from './manifest';
import { TEAM_PATTERN } from './object-keys';
import { parseDateOrInstant } from './time';

/** The archiver's environment: what all teams have in common. What differs travels in each team's schedule input. */
export const archiverEnvironment = {
  bucket: textVariable('ARCHIVE_BUCKET'),
  table: textVariable('CHECKPOINT_TABLE'),
  /** A KMS key's ARN, or `file:` and the path of a PEM private key. */
  signingKey: textVariable('SIGNING_KEY'),
  lookbackHours: numberVariable('LOOKBACK_HOURS', 0, 720),
  maxRequestsPerMinute: numberVariable('MAX_REQUESTS_PER_MINUTE', 1, 100_000),
  retention: jsonVariable<Retention | null>('RETENTION', 'null or {"mode","days","expireAfterDays"}', isRetention),
};

/** What the archiver runs with, deployed and locally. Its peak is under half of it, whatever the backlog. */
export const ARCHIVER_MEMORY_MB = 512;

/** The handler's input. One schedule per team sends it; a person may send it by hand. */
export interface ArchiveInput {
  readonly team: string;
  /** ISO 8601, and as `Date` writes it once it is read. EventBridge Scheduler fills it in; recorded in the manifests. */
  readonly scheduledTime: string;
  /** Name of the SSM SecureString parameter that holds the team's API key. */
  readonly apiKeyParameter: string;
  /** `https://api.getpostman.com` unless the team is elsewhere. Plain http only to loopback. */
  readonly baseUrl: string;
  /** First run only: archive from here instead of from all that the source keeps. ISO 8601. */
  readonly startDate?: string;
  /** Deliberate override, once: go on although the key belongs to a Postman team this chain has never seen. */
  readonly acceptOtherTeam?: boolean;
}

/** What a run did, summed over its manifests. */
export interface RunReport {
  readonly manifests: number;
  /** Sequence number of the newest manifest; undefined where the run committed none. */
  readonly seq: number | undefined;
  readonly position: string | undefined;
  readonly counts: Counts;
  readonly gaps: number;
  readonly sweeps: readonly Sweep[];
  /** Segments that a dead run had left unpublished. */
  readonly recovered: number;
}

/** What the handler returns, and logs as the run's one summary line. */
export interface RunSummary extends Partial<RunReport> {
  readonly outcome: 'archived' | 'held' | 'race' | 'failed';
  readonly team: string;
  readonly runId: string;
  readonly throttled: number;
  readonly durationMs: number;
  readonly code?: string;
  /** Why, in a sentence. Not `message`: that is the log line's own, and would keep this one out of the log. */
  readonly detail?: string;
}

/** Throws `ConfigError` naming every bad field. Unknown fields are refused: a typo must not pass for a default. */
export function readArchiveInput(input: unknown): ArchiveInput {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError(
      'input-invalid',
      'input must be an object {"team","scheduledTime","apiKeyParameter","baseUrl"}',
    );
  }
  const fields = input as Readonly<Record<string, unknown>>;
  const checks: Readonly<Record<keyof ArchiveInput, (value: unknown) => string | undefined>> = {
    team: (v) => (typeof v === 'string' && TEAM_PATTERN.test(v) ? undefined : `team must match ${TEAM_PATTERN.source}`),
    scheduledTime: (v) => (isInstant(v) ? undefined : 'scheduledTime must be an ISO 8601 instant'),
    apiKeyParameter: (v) =>
      typeof v === 'string' && v.length > 0 ? undefined : 'apiKeyParameter must name a parameter',
    baseUrl: baseUrlProblem,
    startDate: (v) => (v === undefined || isInstant(v) ? undefined : 'startDate must be an ISO 8601 instant'),
    acceptOtherTeam: (v) =>
      v === undefined || typeof v === 'boolean' ? undefined : 'acceptOtherTeam must be a boolean',
  };
  const problems = Object.entries(checks).flatMap(([field, check]) => check(fields[field]) ?? []);
  const unknown = Object.keys(fields).filter((field) => !Object.hasOwn(checks, field));
  if (unknown.length > 0) problems.push(`unknown field ${unknown.map((name) => JSON.stringify(name)).join(', ')}`);
  if (problems.length > 0) throw new ConfigError('input-invalid', `input: ${problems.join('; ')}`);
  const { scheduledTime } = input as ArchiveInput;
  return {
    ...(input as ArchiveInput),
    scheduledTime: parseDateOrInstant(scheduledTime)?.toISOString() ?? scheduledTime,
  };
}

/** Undefined where the API key may be sent there: https to any host, plain http to loopback only. */
export function baseUrlProblem(value: unknown): string | undefined {
  const url = typeof value === 'string' ? tryUrl(value) : null;
  if (url === null) return 'baseUrl must be an absolute URL';
  // An empty query or fragment leaves no trace in the parsed URL, and would still swallow a path appended to the text.
  if (url.username !== '' || url.password !== '' || /[?#]/.test(url.href)) {
    return 'baseUrl must not hold credentials, a query or a fragment';
  }
  if (url.protocol === 'https:') return undefined;
  const loopback = ['localhost', '[::1]'].includes(url.hostname) || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  return url.protocol === 'http:' && loopback ? undefined : 'baseUrl must be https (plain http only to loopback)';
}

/** CloudWatch metrics, one constant for emitter, alarm and runbook. Dimension: `team`. */
export const METRIC_NAMESPACE = 'PostmanAuditArchive';
export const metricNames = {
  eventsArchived: 'EventsArchived',
  eventsLate: 'EventsLate',
  quarantined: 'Quarantined',
  revisions: 'Revisions',
  requests: 'Requests',
  throttled: 'Throttled',
  /** Seconds from the position to the end of the run. */
  positionLag: 'PositionLag',
  gaps: 'Gaps',
  sweepMissing: 'SweepMissing',
  sweepChanged: 'SweepChanged',
  /** 1 for a run that archived all there was, or as much as it had time for. One that left it to another has neither. */
  succeeded: 'RunsSucceeded',
  failed: 'RunsFailed',
} as const;

function isRetention(value: unknown): value is Retention | null {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { mode, days, expireAfterDays } = value as Readonly<Record<string, unknown>>;
  const isLock = (mode === 'GOVERNANCE' || mode === 'COMPLIANCE') && Number.isSafeInteger(days) && Number(days) > 0;
  // What is under lock cannot expire.
  return (
    isLock &&
    (expireAfterDays === null || (Number.isSafeInteger(expireAfterDays) && Number(expireAfterDays) >= Number(days)))
  );
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && parseDateOrInstant(value) !== undefined;
}

function tryUrl(value: string): URL | null {
  try {
    return new URL(value);
  } catch {
    return null;
  }
}
