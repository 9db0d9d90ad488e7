/**
 * The stored keys of a team by month, as anchors hold them. Two equal months hold the same keys, so a month that has not changed
 * since the anchor lacks no object and has none too many. No manifest has to be read for that.
 */
import { createHash } from 'node:crypto';
import { type Month, seqOfAnchorKey } from '../shared/anchor';
import { readSegmentKey, seqOfManifestKey } from '../shared/object-keys';
import { seqOfBatchKey } from './inventory';

const AREAS = ['batches', 'events', 'manifests', 'quarantine'] as const;

/** A month with the number of its last manifest, as the steps of a verification came to it. */
export type MonthBounds = Pick<Month, 'month' | 'through'>;

/** The bounds of the months once the chain has come to `head`. */
export function monthsUpTo(
  known: readonly MonthBounds[],
  head: { readonly seq: number; readonly finished: string },
): readonly MonthBounds[] {
  const newest = known.at(-1);
  if (newest !== undefined && newest.through >= head.seq) return known;
  // A clock that goes back to the month before does not reopen that month.
  const month = [newest?.month ?? '', head.finished.slice(0, 7)].sort().at(-1) ?? '';
  const earlier = newest?.month === month ? known.slice(0, -1) : known;
  return [...earlier, { month, through: head.seq }];
}

/** The keys that are stored for each of the months. The keys of each area are sorted. */
export function storedMonths(team: string, keys: readonly string[], bounds: readonly MonthBounds[]): readonly Month[] {
  const months = bounds.map((bound) => ({
    ...bound,
    hashes: AREAS.map(() => ({ count: 0, hash: createHash('sha256') })),
  }));
  for (const key of keys) {
    const seq = seqOfKey(team, key);
    const month = seq === undefined ? undefined : months.find(({ through }) => seq <= through);
    const stored = month?.hashes[AREAS.findIndex((area) => key.startsWith(`${area}/`))];
    if (stored === undefined) continue;
    stored.count += 1;
    stored.hash.update(`${key}\n`);
  }
  return months.map(({ hashes, ...bound }) => {
    const [batches, events, manifests, quarantine] = hashes.map(({ count, hash }) => ({
      count,
      sha256: hash.digest('hex'),
    }));
    if (!batches || !events || !manifests || !quarantine) throw new RangeError('a month has four areas');
    return { ...bound, batches, events, manifests, quarantine };
  });
}

/** The number of the manifest that the object belongs to; undefined where the key names none. */
export function seqOfKey(team: string, key: string): number | undefined {
  return (
    readSegmentKey(key)?.seq ?? seqOfManifestKey(team, key) ?? seqOfBatchKey(team, key) ?? seqOfAnchorKey(team, key)
  );
}

export function isSameMonth(a: Month, b: Month): boolean {
  return AREAS.every((area) => a[area].count === b[area].count && a[area].sha256 === b[area].sha256);
}
