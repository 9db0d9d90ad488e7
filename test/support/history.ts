/**
 * The archive of one team over months and years, as hourly runs leave it behind: some events an hour, every tenth run empty, and
 * a quarantined line every day. It is verified day by day; the anchor of one day is all that the next one knows.
 */
import { type Anchor, decodeAnchor, encodeAnchor } from '../../lambdas/shared/anchor';
import type { Signer } from '../../lambdas/shared/ports';
import { addMs, HOUR_MS } from '../../lambdas/shared/time';
import { verifyDaily } from '../../lambdas/verifier/daily';
import type { DailyOptions } from '../../lambdas/verifier/daily-steps';
import { seqOfKey } from '../../lambdas/verifier/months';
import { type BatchSpec, buildArchive, eventLine, type Objects, testSigner, walkStartOf } from './archive-builder';

export const A_DAY = 24;

interface HistoryOptions {
  readonly signer?: Signer;
  readonly amend?: BatchSpec['amend'];
  /** Events of a run that finds any. */
  readonly events?: number;
}

export function buildHistory(
  days: number,
  { signer = testSigner, amend, events: some = 2 }: HistoryOptions = {},
): Promise<Objects> {
  const batches = Array.from({ length: days * A_DAY }, (_, i): BatchSpec => {
    const seq = i + 1;
    const at = addMs(walkStartOf(seq), -HOUR_MS / 2).toISOString();
    return {
      events: seq % 10 === 0 ? [] : Array.from({ length: some }, (_, n) => eventLine(seq * some + n, at)),
      ...(seq % A_DAY === 0 && { quarantine: [eventLine(`"odd ${seq}"`, 'never')] }),
      ...(amend && { amend }),
    };
  });
  return buildArchive({ batches, signer });
}

/** The archive as it was at the end of a day. */
export function onDay(objects: Objects, day: number): Objects {
  return new Map([...objects].filter(([key]) => numberOf(key) <= day * A_DAY));
}

/** The number of the manifest that the object belongs to. */
export function numberOf(key: string): number {
  return seqOfKey('main', key) ?? 0;
}

/** When the archive of that day is verified. */
export function nightAfter(day: number): Date {
  return addMs(walkStartOf(day * A_DAY), HOUR_MS / 2);
}

interface Options extends Partial<Pick<DailyOptions, 'anchor' | 'publicKey'>> {
  readonly now: Date;
  /** The time that the verification has, counted in steps. */
  readonly steps?: number;
}

/** One daily verification: what it found, the anchor that it would write, and the keys that it read. */
export async function verifyOn(objects: Objects, options: Options) {
  const { anchor, publicKey = testSigner.publicKey, now } = options;
  const read: string[] = [];
  const stored = [...objects.keys()].sort();
  let left = options.steps ?? Number.POSITIVE_INFINITY;
  const reader: DailyOptions['reader'] = {
    list: async (prefix) => stored.filter((key) => key.startsWith(prefix)),
    async get(key, range) {
      read.push(key);
      return objects.get(key)?.subarray(range?.start, range?.end);
    },
  };
  const daily = await verifyDaily({ reader, team: 'main', publicKey, now, anchor, hasTime: () => --left > 0 });
  const found = daily.findings
    .filter(({ severity }) => severity === 'finding')
    .map(({ code, object }) => `${code} ${object}`);
  const written = daily.anchor && encodeAnchor({ ...daily.anchor, versions: { hidden: 0, several: 0 } });
  return { ...daily, found, read, written, anchor: written && decodeAnchor(written.key, written.body) };
}

/** The verification of one day of the history. */
export function verifyDay(objects: Objects, day: number, anchor?: Anchor) {
  return verifyOn(onDay(objects, day), { now: nightAfter(day), anchor });
}

export const RETENTION = { mode: 'COMPLIANCE', days: 200, expireAfterDays: 200 } as const;

/** What is left of an archive once its bucket has deleted what was 200 days old on that day. */
export function expired(objects: Objects, day: number): Objects {
  const isKept = (key: string) => key.startsWith('manifests/') || numberOf(key) > (day - RETENTION.days) * A_DAY;
  return new Map([...objects].filter(([key]) => isKept(key)));
}

/**
 * How many objects a daily verification may read, LIST apart. The constant is a day of the history, because a round also covers
 * what is written while it lasts, and the manifest before each part.
 */
export function readsOfADay(stored: number, fresh: number): number {
  return stored / 30 + fresh + 80;
}
