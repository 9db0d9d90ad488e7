/**
 * The manifest: the signed record of one batch, or of a run that found nothing new. Putting it is the commit. This is
 * archive format 1, of which `docs/format.md` is the normative text. A manifest is under lock once it is written, so a
 * later version may add fields and must not change or remove any.
 */
import { createHash, type KeyObject } from 'node:crypto';
import * as z from 'zod/mini';
import { verifyEnvelope } from './dsse';
import type { QuarantineReason } from './event';
import { retentionSchema } from './retention';
import { DAY_MS } from './time';

export const FORMAT = 'postman-audit-archive/1';
export const PAYLOAD_TYPE = 'application/vnd.postman-audit-archive.manifest.v1+json';

const text = z.string().check(z.minLength(1));
const count = z.int().check(z.minimum(0));
/** Lower-case hexadecimal. */
const sha256Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
/** ISO 8601 in UTC with milliseconds. */
const instant = z.string().check(z.refine(isInstant));
/** UTC date, `YYYY-MM-DD`. */
const date = z.string().check(z.refine((value) => isInstant(`${value}T00:00:00.000Z`)));
/** Half-open. */
const timeRange = z.object({ from: instant, to: instant });

const gap = z.object({ ...timeRange.shape, reason: z.literal('retention') });

/** What the run met since its previous manifest, or since its beginning for the run's first manifest. */
const counts = z.object({
  pages: count,
  requests: count,
  /** Events newly put under `events/`. */
  events: count,
  /** Of those, how many were older than the position when the run began. */
  late: count,
  /** Lines served again that the archive holds already. */
  known: count,
  /** Events served with a body other than the archived one, whether or not that body was kept. */
  revisions: count,
  /** Lines newly put under `quarantine/`, by reason. */
  quarantined: z.object({
    'no-id': count,
    'bad-timestamp': count,
    'out-of-range': count,
    oversize: count,
    revision: count,
  } satisfies Record<QuarantineReason, typeof count>),
});

/** An older day that was read again. */
const sweep = z.object({
  date,
  /**
   * `partial`: the time ended first, or the source no longer keeps the whole day; `failed`: the source did not answer.
   * In both cases nothing is said about missing events.
   */
  status: z.enum(['complete', 'partial', 'failed']),
  /** Distinct events of that date that the source served. */
  served: count,
  /** Events of that date that were in the archive when the sweep began. */
  archived: count,
  /** Of the served events, how many were new to the archive: they appeared later than the lookback. */
  late: count,
  /** Of the archived events, how many the source no longer serves. */
  missing: count,
  /** Of the served events, how many have another body than the archived one. */
  changed: count,
});

const segment = z.object({
  key: text,
  /** Of the gzip member in the batch object, in bytes. */
  offset: count,
  length: count,
  /** SHA-256 of the gzip member, which is also that of the published object. */
  objectSha256: sha256Hex,
  lines: count,
  /** Uncompressed size, and the identity of the content: SHA-256 of the uncompressed lines. */
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
    /** Why the batch was sealed: nothing more to fetch; the batch was full; or the time left was too short to go on. */
    reason: z.enum(['complete', 'batch-full', 'deadline']),
    /** Origin of the API that was asked, such as `https://api.getpostman.com`. */
    source: text,
  }),
  /** The instant from which this chain archives: decided by its first run, and the same in every manifest. */
  start: instant,
  /** What this run had read of the source when the batch was sealed. The next run goes on from it. */
  window: timeRange,
  /** The instant up to which the walk has come. It never goes back. */
  position: instant,
  /** The latest `last` of all segments of the chain so far; null while it has none. */
  latest: z.nullable(instant),
  counts,
  /** Time that no archive can hold any more: the source had forgotten it before it was asked. */
  gaps: z.array(gap),
  /** The older days that this run read again. */
  sweeps: z.array(sweep),
  /** How many sweeps this chain has begun. The number decides which day is next. */
  sweepTurn: count,
  /** Walk start of the run that began the chain's last sweep; null before the first sweep. */
  sweptAt: z.nullable(instant),
  /** Raw tokens of the team ids (`data.team.id`) met in this chain so far, sorted; at most 100. */
  sourceTeams: z.array(text),
  /** The bucket's default retention as the archiver's environment states it. */
  retention: z.nullable(retentionSchema),
  /** The staged object, or null for an empty batch. */
  batch: z.nullable(z.object({ key: text, bytes: count })),
  segments: z.array(segment),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Manifest = DeepReadonly<z.infer<typeof manifest>>;
export type SealReason = Manifest['run']['reason'];
export type TimeRange = DeepReadonly<z.infer<typeof timeRange>>;
export type Gap = DeepReadonly<z.infer<typeof gap>>;
export type Counts = DeepReadonly<z.infer<typeof counts>>;
export type Sweep = DeepReadonly<z.infer<typeof sweep>>;
export type SegmentEntry = DeepReadonly<z.infer<typeof segment>>;

export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

export function encodeManifest(value: Manifest): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/**
 * Reads a payload whose signature was good. A signed payload that is not a manifest of this format means that the key
 * signed something else, or a newer format, so it is never guessed at. Throws `ManifestError` naming the field.
 */
export function decodeManifest(payload: Buffer): Manifest {
  const decoded = z.safeParse(manifest, parseJson(payload));
  if (decoded.success) return decoded.data;
  const path = decoded.error.issues[0]?.path.join('.');
  throw new ManifestError(path ? `manifest field "${path}" is missing or malformed` : 'the manifest is no JSON object');
}

/** A manifest's object as far as it can be trusted. */
export interface OpenedManifest {
  /** Undefined where the payload is no manifest of this format. */
  readonly manifest: Manifest | undefined;
  /** Of the payload's bytes; empty where there is no payload. */
  readonly sha256: string;
  /** What is wrong with it; undefined for a manifest whose signature is good. */
  readonly problem: 'not-an-envelope' | 'newer-format' | 'other-key' | 'bad-signature' | 'no-manifest' | undefined;
  /** Why the payload is no manifest; empty otherwise. */
  readonly detail: string;
}

/**
 * Opens a stored manifest and checks its signature with the pinned key. The payload of a bad signature is decoded too, so
 * that the verifier can look for what else is wrong: nothing in it may be believed.
 */
export function openManifest(bytes: Buffer, publicKey: KeyObject): OpenedManifest {
  const opened = verifyEnvelope(bytes, PAYLOAD_TYPE, publicKey);
  const problem = opened.ok ? undefined : opened.problem;
  const { payload } = opened;
  if (payload === undefined) {
    return { manifest: undefined, sha256: '', problem: isNewer(bytes) ? 'newer-format' : problem, detail: '' };
  }
  try {
    return { manifest: decodeManifest(payload), sha256: sha256(payload), problem, detail: '' };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const detail = error.message;
    const cause = isNewer(payload) ? 'newer-format' : 'no-manifest';
    return { manifest: undefined, sha256: sha256(payload), problem: problem ?? cause, detail };
  }
}

/** The version stands in an envelope's payload type and in a payload's `format`. */
function isNewer(bytes: Buffer): boolean {
  const [, version] = /postman-audit-archive(?:\.manifest\.v|\/)(\d+)/.exec(bytes.toString('latin1')) ?? [];
  return Number(version ?? 1) > 1;
}

/** The latest instant of anything that the chain lists up to and with these segments. */
export function latestOf(previous: string | null, segments: readonly Pick<SegmentEntry, 'last'>[]): string | null {
  const instants = segments.map(({ last }) => last);
  return [...(previous === null ? [] : [previous]), ...instants].sort().at(-1) ?? null;
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

/** Lower-case hexadecimal. */
export function sha256(bytes: Buffer): string {
  return sha256Bytes(bytes).toString('hex');
}

export function sha256Bytes(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function isInstant(value: string): boolean {
  return !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value;
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    throw new ManifestError('the manifest payload is not JSON');
  }
}
