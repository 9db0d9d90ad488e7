/**
 * The sweep: which older day a run reads again. Each day of the last week comes round at least daily and every day
 * the source keeps at least every twelve days, at one run an hour: of three turns one goes to the last week (7 days
 * x 3 h = 21 h) and two to the rest (172 days x 1.5 h = 10.75 days). The turn is in the manifests, so a lost run or a
 * slower schedule skips nothing.
 *
 * A date belongs to the same turns for as long as it is kept. Counting days back from today would skip one at every
 * midnight that passes within a round.
 */

import type { Sweep } from '../shared/manifest';
import { DAY_MS, dateOf, midnight } from '../shared/time';
import type { EventStanding } from './deduplicate';
import type { WalkEnd } from './walk';

const RECENT_DAYS = 7;
/** Of the 180 days that the source keeps, the oldest is never whole. */
const OLDER_DAYS = 179 - RECENT_DAYS;

/** The date for a turn, `YYYY-MM-DD`; undefined where the source keeps no whole older day. */
export function sweepDate(turn: number, now: Date, floor: Date): string | undefined {
  const yesterday = midnight(now, -1);
  const third = Math.floor(turn / 3);
  const date =
    turn % 3 === 0
      ? dateOfTurn(third, RECENT_DAYS, yesterday)
      : dateOfTurn(turn - third - 1, OLDER_DAYS, midnight(yesterday, -RECENT_DAYS));
  if (date >= floor) return dateOf(date);
  return yesterday >= floor ? dateOf(yesterday) : undefined;
}

/** Of the `days` dates up to the newest, the one that has this turn: of any `days` turns in a row, each date has one. */
function dateOfTurn(turn: number, days: number, newest: Date): Date {
  return midnight(newest, -((newest.getTime() / DAY_MS + turn) % days));
}

/** Compares what is served of a date with what the archive held of it when the sweep began. */
export function watchSweep(date: string, archived: ReadonlySet<string>) {
  const served = new Set<string>();
  let pages = 0;
  let isWhole = false;
  let late = 0;
  let changed = 0;
  let status: Sweep['status'] | 'not-begun' = 'failed';

  function see(standings: readonly EventStanding[], keptFrom: Date): void {
    pages += 1;
    isWhole = keptFrom.getTime() <= Date.parse(date);
    for (const event of standings) {
      if (event.date !== date || served.has(event.id)) continue;
      served.add(event.id);
      if (event.standing === 'new') late += 1;
      if (event.standing === 'revision') changed += 1;
    }
  }

  function end(walkEnd: WalkEnd): void {
    // A day that lies before the source's floor, or across it, was not served: nothing of it is missing.
    if (walkEnd === 'complete') status = isWhole ? 'complete' : 'partial';
    else status = pages > 0 ? 'partial' : 'not-begun';
  }

  /** What is missing is known only once the whole day was served. Null where there was no time to begin. */
  function result(): Sweep | null {
    if (status === 'not-begun') return null;
    const missing = status === 'complete' ? [...archived].filter((id) => !served.has(id)).length : 0;
    return { date, status, served: served.size, archived: archived.size, late, missing, changed };
  }

  return { date, see, end, result };
}

export type SweepWatch = ReturnType<typeof watchSweep>;
