/**
 * The manifest: the signed record of one batch, or of a run that found nothing new, and the commit itself. Archive
 * format 1; `docs/format.md` is the normative text. Once written it is under lock, so a field is only ever added.
 */
import { createHash } from 'node:crypto';
import type { QuarantineReason } from './event';

export const FORMAT = 'postman-audit-archive/1';
export const PAYLOAD_TYPE = 'application/vnd.postman-audit-archive.manifest.v1+json';

const DAY_MS = 86_400_000;

/** Why the batch was sealed: nothing more to fetch; the batch was full; or the time left was too short to go on. */
export type SealReason = 'complete' | 'batch-full' | 'deadline';

/** All instants are ISO 8601 strings in UTC with milliseconds; all hashes are lower-case hex SHA-256. */
export interface Manifest {
  readonly format: typeof FORMAT;
  readonly team: string;
  /** Contiguous from 1. */
  readonly seq: number;
  /** SHA-256 of the previous manifest's payload bytes; null for the first. */
  readonly previous: string | null;
  readonly run: {
    readonly id: string;
    readonly scheduledTime: string;
    readonly walkStart: string;
    readonly finished: string;
    readonly codeVersion: string;
    readonly reason: SealReason;
  };
  /** The instant from which this chain archives: decided by its first run, and the same in every manifest. */
  readonly start: string;
  /** What this run had read of the source when the batch was sealed, half-open. The next run goes on from it. */
  readonly window: TimeRange;
  /** The instant up to which the walk has come. Never goes back. */
  readonly position: string;
  readonly counts: Counts;
  /** What no archive can hold any more: the source had forgotten it before it was asked. */
  readonly gaps: readonly Gap[];
  /** The older day this run read again, or null where it came to none. */
  readonly sweep: Sweep | null;
  /** How many sweeps this chain has begun: it decides which day is next. */
  readonly sweepTurn: number;
  /** Raw tokens of the team ids (`data.team.id`) met in this chain so far, sorted; at most 100. */
  readonly sourceTeams: readonly string[];
  /** The bucket's default retention as the archiver was told it, or null where there is none. */
  readonly retention: Retention | null;
  /** The staged object, or null for an empty batch. */
  readonly batch: { readonly key: string; readonly bytes: number } | null;
  readonly segments: readonly SegmentEntry[];
}

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

export interface Gap extends TimeRange {
  readonly reason: 'retention';
}

export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly days: number;
  /** The bucket deletes what a manifest lists after so many days; null where it never does. Manifests stay. */
  readonly expireAfterDays: number | null;
}

/** What the run met since its previous manifest (for a run's first manifest: since it began). */
export interface Counts {
  readonly pages: number;
  readonly requests: number;
  /** Events newly put under `events/`. */
  readonly events: number;
  /** Of those, how many were older than the position when the run began. */
  readonly late: number;
  /** Served again, and already in the archive with the same body. */
  readonly known: number;
  /** Served with a body other than the one archived, whether or not that body was kept. */
  readonly revisions: number;
  /** Lines newly put under `quarantine/`. */
  readonly quarantined: Readonly<Record<QuarantineReason, number>>;
}

export interface Sweep {
  /** UTC date, `YYYY-MM-DD`. */
  readonly date: string;
  /**
   * `partial`: the time ended first, or the source no longer keeps the whole day; `failed`: the source did not answer.
   * Neither compares what is missing.
   */
  readonly status: 'complete' | 'partial' | 'failed';
  /** Distinct events of that date that the source served. */
  readonly served: number;
  /** Events of that date already in the archive. */
  readonly archived: number;
  /** New to the archive: later than the lookback. */
  readonly late: number;
  /** In the archive, and no longer served. */
  readonly missing: number;
  /** Served with another body than the archived one. */
  readonly changed: number;
}

export interface SegmentEntry {
  readonly key: string;
  /** Of the gzip member in the batch object, in bytes. */
  readonly offset: number;
  readonly length: number;
  readonly lines: number;
  /** Uncompressed size, and the identity of the content: SHA-256 of the uncompressed lines. */
  readonly bytes: number;
  readonly sha256: string;
  /** Instants of the first and the last line; null under `quarantine/`. */
  readonly first: string | null;
  readonly last: string | null;
}

export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(JSON.stringify(manifest));
}

/**
 * Whether the bucket may have deleted what the manifest lists: as its own signed retention says, and never before the
 * lock ended. Nothing else excuses an object that is missing.
 */
export function mayHaveExpired({ run, retention }: Pick<Manifest, 'run' | 'retention'>, now: Date): boolean {
  if (retention === null || retention.expireAfterDays === null) return false;
  const days = Math.max(retention.expireAfterDays, retention.days);
  return now.getTime() >= Date.parse(run.finished) + days * DAY_MS;
}

/** Lower-case hex. */
export function sha256(bytes: Buffer): string {
  return sha256Bytes(bytes).toString('hex');
}

export function sha256Bytes(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/**
 * Reads a payload whose signature was good. A signed payload that is not a manifest of this format means that the
 * key signed something else, or a newer format: it is never guessed at. Throws `ManifestError` naming the field.
 */
export function decodeManifest(payload: Buffer): Manifest {
  const value = parse(payload);
  for (const [path, holds] of Object.entries(SHAPE)) {
    if (!holds(at(value, path))) throw new ManifestError(`manifest field "${path}" is missing or malformed`);
  }
  return value as Manifest;
}

type Check = (value: unknown) => boolean;

const text: Check = (v) => typeof v === 'string' && v.length > 0;
const count: Check = (v) => Number.isSafeInteger(v) && Number(v) >= 0;
const hash: Check = (v) => typeof v === 'string' && /^[0-9a-f]{64}$/.test(v);
const instant: Check = (v) => typeof v === 'string' && !Number.isNaN(Date.parse(v)) && new Date(v).toISOString() === v;
const date: Check = (v) => typeof v === 'string' && instant(`${v}T00:00:00.000Z`);
const orNull =
  (check: Check): Check =>
  (v) =>
    v === null || check(v);
const oneOf =
  (...values: readonly unknown[]): Check =>
  (v) =>
    values.includes(v);
const listOf =
  (check: Check): Check =>
  (v) =>
    Array.isArray(v) && v.every(check);
const recordOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (v) =>
    typeof v === 'object' && v !== null && Object.entries(fields).every(([name, check]) => check(at(v, name)));

const range = { from: instant, to: instant };

const SHAPE: Readonly<Record<keyof Manifest, Check>> = {
  format: oneOf(FORMAT),
  team: text,
  seq: (v) => count(v) && Number(v) >= 1,
  previous: orNull(hash),
  run: recordOf({
    id: text,
    scheduledTime: instant,
    walkStart: instant,
    finished: instant,
    codeVersion: text,
    reason: oneOf('complete', 'batch-full', 'deadline'),
  }),
  start: instant,
  window: recordOf(range),
  position: instant,
  counts: recordOf({
    pages: count,
    requests: count,
    events: count,
    late: count,
    known: count,
    revisions: count,
    quarantined: recordOf({
      'no-id': count,
      'bad-timestamp': count,
      'out-of-range': count,
      oversize: count,
      revision: count,
    } satisfies Record<QuarantineReason, Check>),
  }),
  gaps: listOf(recordOf({ ...range, reason: oneOf('retention') })),
  sweep: orNull(
    recordOf({
      date,
      status: oneOf('complete', 'partial', 'failed'),
      served: count,
      archived: count,
      late: count,
      missing: count,
      changed: count,
    }),
  ),
  sweepTurn: count,
  sourceTeams: listOf(text),
  retention: orNull(recordOf({ mode: oneOf('GOVERNANCE', 'COMPLIANCE'), days: count, expireAfterDays: orNull(count) })),
  batch: orNull(recordOf({ key: text, bytes: count })),
  segments: listOf(
    recordOf({
      key: text,
      offset: count,
      length: count,
      lines: count,
      bytes: count,
      sha256: hash,
      first: orNull(instant),
      last: orNull(instant),
    }),
  ),
};

function at(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    throw new ManifestError('manifest payload is not JSON');
  }
}
