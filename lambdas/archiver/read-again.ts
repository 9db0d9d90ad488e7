/**
 * The chain tells how much time a walk must read again. All answers come from manifests that the run reads anyhow.
 */
import type { Manifest } from '../shared/manifest';
import { addMs, DAY_MS, dateOf, HOUR_MS, later, midnight } from '../shared/time';
import type { Chain } from './chain';
import { FULL_WALK_AFTER_MS, SHORT_LOOKBACK_MS } from './progress';

/** How far beyond the lookback a full walk is looked for. Further back there is none only where the lookback was raised. */
const MARGIN_MS = 2 * HOUR_MS;

/**
 * Walk start of the last walk that read the whole lookback. Before it, minus the lookback, no new event can appear. The newest
 * walk counts even where it was interrupted, because the next one continues it. Where no such walk is found, the oldest
 * manifest within the lookback counts.
 */
export async function lastFullWalk(chain: Chain, lookbackHours: number): Promise<Date | undefined> {
  const head = chain.head()?.manifest;
  if (head === undefined) return undefined;
  const lookbackMs = lookbackHours * HOUR_MS;
  const oldest = addMs(new Date(head.run.walkStart), -lookbackMs - MARGIN_MS).toISOString();
  const isFull = (manifest: Manifest) =>
    (manifest === head || manifest.run.reason === 'complete') &&
    addMs(new Date(manifest.window.from), fullSpanMs(lookbackMs)) <= new Date(manifest.run.walkStart);
  const newer = await chain.readBackTo((manifest) => isFull(manifest) || manifest.run.walkStart < oldest);
  const found = (await chain.find(head.seq - newer.length)) ?? newer.at(-1);
  return found && new Date(found.run.walkStart);
}

/** A walk that reads a short time again, too, may read more than a short lookback, because it also reads what is new. */
function fullSpanMs(lookbackMs: number): number {
  if (lookbackMs <= SHORT_LOOKBACK_MS) return lookbackMs;
  return Math.max(lookbackMs, FULL_WALK_AFTER_MS + SHORT_LOOKBACK_MS);
}

/**
 * The instant from which a walk asks that must read from `bound` on: that of an archived event of the same day, not after the
 * bound, so that the source serves an event of that day whatever it does with the bound. Undefined where the walk must ask for
 * the whole day, because the archive holds no event of it.
 */
export async function provableSince(chain: Chain, bound: Date): Promise<Date | undefined> {
  const date = dateOf(bound);
  const manifests = await chain.readBackTo(({ latest }) => latest === null || latest < bound.toISOString());
  const ofDay = manifests
    .flatMap(({ segments }) => segments)
    .filter(({ key }) => key.startsWith('events/') && key.includes(`/dt=${date}/`));
  const before = await chain.find((chain.head()?.manifest.seq ?? 0) - manifests.length);
  const instants = [...ofDay.flatMap(({ first, last }) => [first, last]), before?.latest ?? ''].filter((instant) =>
    instant.startsWith(date),
  );
  const atOrBefore = instants.map((instant) => new Date(instant)).filter((instant) => instant <= bound);
  if (+bound === +midnight(bound) || instants.length === 0) return undefined;
  return atOrBefore.length === 0 ? bound : atOrBefore.reduce(later);
}

/** An estimate of the number of events of a day, from the manifests that the run has read. */
export function eventsADay(chain: Chain): number {
  const known = chain.known();
  const [head] = known;
  const oldest = known.at(-1);
  if (head === undefined || oldest === undefined) return 0;
  // The events of the oldest manifest lie before its position, and so outside the time between the two positions.
  const counted = head === oldest ? known : known.slice(0, -1);
  const from = head === oldest ? head.start : oldest.position;
  const events = counted.reduce((sum, { counts }) => sum + counts.events, 0);
  const days = Math.max(Date.parse(head.position) - Date.parse(from), HOUR_MS) / DAY_MS;
  return events / days;
}
