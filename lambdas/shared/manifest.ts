/**
 * The manifest: the signed record of one batch, or of a run that found nothing new. Writing the manifest is the commit. This
 * file implements archive format 1, and `docs/format.md` is its normative text. Manifests are locked once they are written, so a
 * later version may add fields and must not change or remove any.
 */
import { hash } from 'node:crypto';
import * as z from 'zod/mini';
import type { QuarantineReason } from './event';
import { tryParse } from './json';
import { MIN_EXPIRE_DAYS, retentionFields } from './retention';
import { DAY_MS, isCanonicalInstant } from './time';

export const FORMAT = 'postman-audit-archive/1';
export const PAYLOAD_TYPE = 'application/vnd.postman-audit-archive.manifest.v1+json';

const text = z.string().check(z.minLength(1));
const count = z.int().check(z.minimum(0));
/** Lower-case hexadecimal. */
const sha256Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
/** ISO 8601 in UTC with milliseconds. */
const instant = z.string().check(z.refine(isCanonicalInstant));
/** UTC date, `YYYY-MM-DD`. */
const date = z.string().check(z.refine((value) => isCanonicalInstant(`${value}T00:00:00.000Z`)));
/** Half-open. */
const timeRange = z.object({ from: instant, to: instant });

const gap = z.object({ ...timeRange.shape, reason: z.literal('retention') });

/** Counts since the run's previous manifest, or since the run began for its first manifest. */
const counts = z.object({
  pages: count,
  requests: count,
  /** New lines under `events/`. */
  events: count,
  /** How many of these new events were older than the position when the run began. */
  late: count,
  /** Served lines that the archive already holds. */
  known: count,
  /** Events that were served with a body other than the archived one, whether or not that body was kept. */
  revisions: count,
  /** New lines under `quarantine/`, by reason. */
  quarantined: z.object({
    'no-id': count,
    'bad-timestamp': count,
    'out-of-range': count,
    oversize: count,
    revision: count,
  } satisfies Record<QuarantineReason, typeof count>),
});

/** One sweep: an older day that was read again. */
const sweep = z.object({
  date,
  /**
   * `partial`: the time ended first, or the source no longer keeps the whole day. `failed`: the source did not answer. In both
   * cases `missing` is 0, because missing events are then unknown.
   */
  status: z.enum(['complete', 'partial', 'failed']),
  /** Distinct events of that date that the source served. */
  served: count,
  /** Events of that date that were in the archive when the sweep began. */
  archived: count,
  /** How many of the served events were new to the archive. They appeared later than the lookback. */
  late: count,
  /** How many of the archived events the source no longer serves. */
  missing: count,
  /** How many of the served events have another body than the archived one. */
  changed: count,
});

const segment = z.object({
  key: text,
  /** Offset and length of the gzip member in the batch object, in bytes. */
  offset: count,
  length: count,
  /** SHA-256 of the gzip member. The published object has the same bytes. */
  objectSha256: sha256Hex,
  lines: count,
  /** Size and SHA-256 of the uncompressed lines. This SHA-256 is the identity of the content. */
  bytes: count,
  sha256: sha256Hex,
  /** The earliest and the latest instant of the lines. A line without an instant in range counts as its walk start. */
  first: instant,
  last: instant,
});

const manifest = z.object({
  format: z.literal(FORMAT),
  team: text,
  /** Contiguous from 1. */
  seq: count.check(z.minimum(1)),
  /** SHA-256 of the previous manifest's payload bytes; null for the first. */
  previous: z.nullable(sha256Hex),
  run: z.object({
    id: text,
    scheduledTime: instant,
    walkStart: instant,
    finished: instant,
    codeVersion: text,
    /** Why the batch was sealed: everything was read, the batch was full, or the time left was too short. */
    reason: z.enum(['complete', 'batch-full', 'deadline']),
    /** Origin of the API that the run read, such as `https://api.getpostman.com`. */
    source: text,
  }),
  /** The instant from which this chain archives. Its first run decides it, and every manifest repeats it. */
  start: instant,
  /** The time that this run had read from the source when the batch was sealed. The next run continues from it. */
  window: timeRange,
  /** The instant up to which the walk has come. It never goes back. */
  position: instant,
  /** The latest `last` of all segments of the chain so far; null while it has none. */
  latest: z.nullable(instant),
  counts,
  /** Time that cannot be archived, because the source no longer kept it when it was read. */
  gaps: z.array(gap),
  /** The older days that this run read again. */
  sweeps: z.array(sweep),
  /** How many sweeps this chain has begun. The number decides which day is swept next. */
  sweepTurn: count,
  /** Walk start of the run that began the chain's last sweep; null before the first sweep. */
  sweptAt: z.nullable(instant),
  /** Raw tokens of the team ids (`data.team.id`) that the chain's events have named so far, sorted; at most 100. */
  sourceTeams: z.array(text),
  /**
   * Lines without an instant that runs have met of late, the latest first: the first 16 hexadecimal digits of the SHA-256 of the
   * line. No date leads to such a line, so this list tells the next run that quarantine holds it. Older manifests lack the list.
   */
  undated: z.optional(z.array(text)),
  /** The bucket's default retention, as the archiver's environment states it. */
  retention: z.nullable(z.object(retentionFields)),
  /** The batch object; null for an empty batch. */
  batch: z.nullable(z.object({ key: text, bytes: count })),
  segments: z.array(segment),
  /** Whether the signature must have the lower of its two values of `s`. Absent in the first manifests of format 1. */
  lowS: z.optional(z.boolean()),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Manifest = DeepReadonly<z.infer<typeof manifest>>;
export type TimeRange = DeepReadonly<z.infer<typeof timeRange>>;
export type Gap = DeepReadonly<z.infer<typeof gap>>;
export type Counts = DeepReadonly<z.infer<typeof counts>>;
export type Sweep = DeepReadonly<z.infer<typeof sweep>>;
export type SegmentEntry = DeepReadonly<z.infer<typeof segment>>;

export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** The bytes to be signed. They state that `signEnvelope` writes the lower `s`, so nobody can take that back. */
export function encodeManifest(value: Manifest): Buffer {
  return Buffer.from(JSON.stringify({ ...value, lowS: true }));
}

/**
 * Reads a payload. Throws `ManifestError`, which names the field, where the payload is not a manifest of this format. If its
 * signature is good, the key has signed something else or a newer format.
 */
export function decodeManifest(payload: Buffer): Manifest {
  const value = tryParse(payload.toString('utf8'));
  if (value === undefined) throw new ManifestError('the manifest payload is not JSON');
  const decoded = z.safeParse(manifest, value);
  if (decoded.success) return decoded.data;
  const path = decoded.error.issues[0]?.path.join('.');
  throw new ManifestError(
    path ? `manifest field "${path}" is missing or malformed` : 'the manifest is not a JSON object',
  );
}

/** The latest instant of all lines that the chain lists up to and including these segments. */
export function latestOf(previous: string | null, segments: readonly Pick<SegmentEntry, 'last'>[]): string | null {
  const instants = segments.map(({ last }) => last);
  return [...(previous === null ? [] : [previous]), ...instants].sort().at(-1) ?? null;
}

/**
 * Whether the bucket may have deleted the objects that the manifest lists. The manifest's own signed retention decides it,
 * and the lock must have ended. No other fact excuses a missing object. A shorter time than the configuration allows counts
 * as the shortest one: whoever can change the archiver's environment could have a retention of one day signed.
 */
export function mayHaveExpired({ run, retention }: Pick<Manifest, 'run' | 'retention'>, now: Date): boolean {
  if (retention === null || retention.expireAfterDays === null) return false;
  const days = Math.max(retention.expireAfterDays, retention.days, MIN_EXPIRE_DAYS);
  return now.getTime() >= Date.parse(run.finished) + days * DAY_MS;
}

/** Lower-case hexadecimal. */
export function sha256(bytes: Buffer | string): string {
  return hash('sha256', bytes);
}

export function sha256Bytes(bytes: Buffer | string): Buffer {
  return hash('sha256', bytes, 'buffer');
}
