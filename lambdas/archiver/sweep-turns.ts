/**
 * The turns of the sweep: which older days a run reads again, one for each hour since the last sweep, whatever the schedule. So each day of
 * the last week is swept at least daily, and every day that the source keeps at least every twelve days. One of three turns goes
 * to the last week (7 days x 3 h = 21 h) and two go to the older days (172 days x 1.5 h = 10.75 days). Manifests record the turn,
 * so a lost run skips no day.
 *
 * Sweeps of days with many pages are spaced so that they read about two and a half days' worth of events a day. Then each day
 * of the last week is swept about every eight days, and every older day at least once before the source forgets it.
 *
 * A date keeps its turns for as long as the source keeps it. If days were counted back from today, each midnight within a
 * round would skip one of them.
 */
import { DAY_MS, dateOf, MINUTE_MS, midnight } from '../shared/time';
import { PAGE_LIMIT } from './source';

const RECENT_DAYS = 7;
/** The source keeps 180 days, but never the whole of the oldest one. */
const OLDER_DAYS = 179 - RECENT_DAYS;

/** At most so many days are swept in a run, and no further day once so many pages were read. */
export const MAX_SWEEPS = 24;
export const MAX_SWEPT_PAGES = 24;
/** A schedule fires a little early or late. */
const GRACE_MS = 5 * MINUTE_MS;
const DAYS_READ_A_DAY = 2.5;

/** The number of days that are due. `eventsADay` is an estimate of the size of a day. */
export function sweepsDue(sweptAt: Date | undefined, now: Date, eventsADay: number): number {
  if (sweptAt === undefined) return 1;
  const pages = Math.max(1, Math.ceil(eventsADay / PAGE_LIMIT));
  const pagesADay = Math.max(24, DAYS_READ_A_DAY * pages);
  const intervalMs = (DAY_MS * pages) / pagesADay;
  const elapsedMs = now.getTime() - sweptAt.getTime();
  if (elapsedMs + GRACE_MS < intervalMs) return 0;
  // Rounded up, because the time counts anew from this sweep: a remainder would be lost with each run.
  return Math.min(MAX_SWEEPS, Math.max(1, Math.ceil((elapsedMs - GRACE_MS) / intervalMs)));
}

/** The date for a turn, `YYYY-MM-DD`; undefined where the source keeps no whole older day. */
export function sweepDate(turn: number, now: Date, floor: Date): string | undefined {
  const yesterday = midnight(now, -1);
  const recentTurn = Math.floor(turn / 3);
  const date =
    turn % 3 === 0
      ? dateOfTurn(recentTurn, RECENT_DAYS, yesterday)
      : dateOfTurn(turn - recentTurn - 1, OLDER_DAYS, midnight(yesterday, -RECENT_DAYS));
  if (date >= floor) return dateOf(date);
  return yesterday >= floor ? dateOf(yesterday) : undefined;
}

/** The date of a turn, among the `days` dates up to the newest. In any `days` turns in a row, each date has one. */
function dateOfTurn(turn: number, days: number, newest: Date): Date {
  return midnight(newest, -((newest.getTime() / DAY_MS + turn) % days));
}
