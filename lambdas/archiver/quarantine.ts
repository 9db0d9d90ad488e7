/**
 * What is quarantined already. A line is quarantined once, however often it is served, and of an event whose body
 * keeps changing one later body is kept: so growth is bounded by the number of events, not of reads.
 */
import { areaPrefix, dateOf, datePrefix } from '../shared/keys';
import type { ObjectStore } from '../shared/ports';
import { type Held, heldIdentity } from './batch';
import { readSegment } from './known';

/**
 * Removes from `held` what the quarantine holds, and returns it. Reads oldest first, and stops when nothing is left to
 * look for: an event that drifts was quarantined soon after it was archived, so few objects are read.
 */
export async function dropQuarantined(
  held: Map<string, Held>,
  team: string,
  store: Pick<ObjectStore, 'list' | 'get'>,
): Promise<readonly Held[]> {
  if (held.size === 0) return [];
  const dropped: Held[] = [];
  const keys = await store.list(areaPrefix('quarantine', team), earliestKey(held, team));
  for (const key of keys) {
    if (held.size === 0) break;
    for await (const event of readSegment(store, key)) {
      const identity = heldIdentity(event);
      const found = held.get(identity);
      if (found === undefined) continue;
      held.delete(identity);
      dropped.push(found);
    }
  }
  return dropped;
}

/** A revision cannot have been met before its event's own date; anything else may have been met on any day. */
function earliestKey(held: Map<string, Held>, team: string): string | undefined {
  let earliest: Date | undefined;
  for (const { event, reason } of held.values()) {
    if (reason !== 'revision' || event.instant === undefined) return undefined;
    if (earliest === undefined || event.instant < earliest) earliest = event.instant;
  }
  // A future-dated event can be met a day before its date.
  return earliest && datePrefix('quarantine', team, dateOf(new Date(earliest.getTime() - 86_400_000)));
}
