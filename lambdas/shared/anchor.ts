/**
 * The anchor: what the verifier writes down after a verification without a finding. It lies under the same lock as the archive,
 * where the archiver may not write. The newest anchor of a team is all that the verifier remembers: the head that it verified,
 * the key, how far it has read the older chain again, and which keys were stored. `docs/format.md` describes the object.
 */
import * as z from 'zod/mini';
import { tryParse } from './json';
import { sha256 } from './manifest';
import { DAY_MS, isCanonicalInstant } from './time';

const ANCHOR_FORMAT = 'postman-audit-archive-anchor/1';
/** The whole chain is read again in so many days, unless the time of the verifier does not suffice. */
export const ROUND_DAYS = 30;

const count = z.int().check(z.minimum(0));
const sha256Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const instant = z.string().check(z.refine(isCanonicalInstant));

/** The number of keys, and the SHA-256 of these keys in the order of their bytes, each ended by a newline. */
const storedKeys = z.object({ count, sha256: sha256Hex });

const anchor = z.object({
  format: z.literal(ANCHOR_FORMAT),
  team: z.string(),
  /** Number of the newest manifest that was verified, and the SHA-256 of its payload bytes. */
  seq: count.check(z.minimum(1)),
  sha256: sha256Hex,
  /** SHA-256 of the public key (SPKI). The team's first anchor pins it. */
  keyid: sha256Hex,
  verifiedAt: instant,
  /** The older part of the chain that was read again: the manifests after `after` up to `through`, whose SHA-256 this is. */
  scope: z.object({ after: count, through: count, sha256: z.nullable(sha256Hex), roundBegan: instant }),
  /**
   * The stored keys by the calendar month in which the runs of their manifests finished. A month holds the manifests after the
   * month before up to `through`.
   */
  inventory: z.array(
    z.object({
      month: z.string().check(z.regex(/^\d{4}-\d{2}$/)),
      through: count,
      batches: storedKeys,
      events: storedKeys,
      manifests: storedKeys,
      quarantine: storedKeys,
    }),
  ),
  /** The sums of the manifests 1 to `seq`. The weekly mail compares them with those of a week before. */
  counts: z.object({
    runs: count,
    events: count,
    late: count,
    quarantined: count,
    gaps: count,
    latestGap: z.nullable(z.object({ from: instant, to: instant })),
  }),
  /** How many keys have a delete marker on top of a version, and how many have several versions. */
  versions: z.object({ hidden: count, several: count }),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Anchor = DeepReadonly<z.infer<typeof anchor>>;
export type Month = Anchor['inventory'][number];

export function anchorPrefix(team: string): string {
  return `anchors/team=${team}/`;
}

/**
 * One line of JSON and its key. The key holds a hash of the line, because a team whose chain does not grow is verified daily too
 * and each verification has an anchor of its own.
 */
export function encodeAnchor(value: Omit<Anchor, 'format'>): { readonly key: string; readonly body: Buffer } {
  const body = Buffer.from(`${JSON.stringify({ format: ANCHOR_FORMAT, ...value })}\n`);
  return { key: anchorKey(value, body), body };
}

/**
 * Undefined where the bytes are not an anchor of this format, or not the one that the key names. An anchor has no signature, so
 * the hash in its key is what shows a changed byte.
 */
export function decodeAnchor(key: string, body: Buffer): Anchor | undefined {
  const { success, data } = anchor.safeParse(tryParse(body.toString('utf8')));
  return success && anchorKey(data, body) === key ? data : undefined;
}

/** The sequence number in an anchor's key, or undefined where the key is not one of that team's anchors. */
export function seqOfAnchorKey(team: string, key: string): number | undefined {
  const prefix = anchorPrefix(team);
  const match = key.startsWith(prefix) ? /^(\d{10})-[0-9a-f]{16}\.json$/.exec(key.slice(prefix.length)) : null;
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Whole days since the round began. The verifications of two days are seldom exactly 24 hours apart. */
export function dayOfRound(at: Date, roundBegan: string): number {
  return Math.max(0, Math.round((at.getTime() - Date.parse(roundBegan)) / DAY_MS));
}

/**
 * In how many days the whole chain is read again, at the pace of the current round: 30, or more where the time of the verifier does
 * not suffice, or where nothing could be verified for some days.
 */
export function roundDays({ seq, verifiedAt, scope }: Pick<Anchor, 'seq' | 'verifiedAt' | 'scope'>): number {
  const days = dayOfRound(new Date(verifiedAt), scope.roundBegan) + 1;
  return scope.through === 0 ? ROUND_DAYS : Math.max(ROUND_DAYS, Math.ceil((days * seq) / scope.through));
}

function anchorKey({ team, seq }: Pick<Anchor, 'team' | 'seq'>, body: Buffer): string {
  return `${anchorPrefix(team)}${String(seq).padStart(10, '0')}-${sha256(body).slice(0, 16)}.json`;
}
