/**
 * The sweep: which older day a run reads again. Each day of the last week comes round at least daily and every day
 * the source keeps at least every twelve days, at one run an hour: of 24 turns, 7 go to the last week and 17 to the
 * rest (173 days / 17 a day = 10.2 days). The turn is in the manifests, so a lost run or a slower schedule skips nothing.
 *
 * Each round begins with its oldest day: days grow older between rounds, so a day comes round a little early rather
 * than late.
 */
import { dateOf, midnight } from '../shared/keys';
import type { Sweep } from '../shared/manifest';
import type { Admitted } from './intake';
import type { WalkEnd } from './walk';

const TURNS = 24;
const RECENT_DAYS = 7;

/** The date for a turn, `YYYY-MM-DD`; undefined where the source keeps no whole older day. */
export function sweepDate(turn: number, now: Date, floor: Date): string | undefined {
  const kept = Math.floor((midnight(now).getTime() - floor.getTime()) / 86_400_000);
  if (kept < 1) return undefined;
  return dateOf(midnight(now, -daysAgo(turn, kept)));
}

function daysAgo(turn: number, kept: number): number {
  const recent = Math.min(RECENT_DAYS, kept);
  const older = kept - recent;
  const recentTurns = recentTurnsBefore(turn);
  const isRecent = recentTurnsBefore(turn + 1) > recentTurns;
  if (isRecent || older === 0) return recent - ((isRecent ? recentTurns : turn) % recent);
  return kept - ((turn - recentTurns) % older);
}

/** Compares what is served of a date with what the archive held of it when the sweep began. */
export function watchSweep(date: string, archived: ReadonlySet<string>) {
  const served = new Set<string>();
  let pages = 0;
  let late = 0;
  let changed = 0;
  let status: Sweep['status'] | 'not-begun' = 'failed';

  function see(admitted: readonly Admitted[]): void {
    pages += 1;
    for (const event of admitted) {
      if (event.date !== date || served.has(event.id)) continue;
      served.add(event.id);
      if (event.standing === 'new') late += 1;
      if (event.standing === 'revision') changed += 1;
    }
  }

  function end(walkEnd: WalkEnd): void {
    status = walkEnd === 'complete' ? 'complete' : pages > 0 ? 'partial' : 'not-begun';
  }

  /** What is missing is known only once the whole day was served. Null where there was no time to begin. */
  function result(): Sweep | null {
    if (status === 'not-begun') return null;
    const missing = status === 'complete' ? [...archived].filter((id) => !served.has(id)).length : 0;
    return { date, status, served: served.size, archived: archived.size, late, missing, changed };
  }

  return { see, end, result };
}

/** How many of the turns before this one went to the last week: 7 of 24, evenly spread. */
function recentTurnsBefore(turn: number): number {
  return Math.floor((turn * RECENT_DAYS) / TURNS);
}
