/**
 * The turns of the sweep: which older days a run reads again, and when.
 *
 * - Where a day has few pages, a turn is due for each hour and page. One of three turns is for the last week (7 days x 3 h = 21 h),
 *   and two are for the older days (172 days x 1.5 h = 10.75 days).
 * - Where a day has many pages, a turn is due every 15 hours, and every turn is also for a day of the last week: 7 days x 15 h =
 *   4.4 days, 172 days x 22.5 h = 161 days. These are about two and a half days' worth of events a day. Turns come sooner where
 *   24 pages a day allow it.
 *
 * A turn is for the same dates in both cases, but for the day of the last week that the first case leaves out. So no date is
 * skipped where the size of the days changes for a while. Manifests record the turn, so a lost run skips none either.
 *
 * A date keeps its turns for as long as the source keeps it. If days were counted back from today, each midnight within a
 * round would skip one of them.
 */
import { DAY_MS, dateOf, HOUR_MS, midnight } from '../shared/time';
import { PAGE_LIMIT } from './source';

const RECENT_DAYS = 7;
/** The source keeps 180 days, but never the whole of the oldest one. */
const OLDER_DAYS = 179 - RECENT_DAYS;
/** With more pages than this, one turn in three comes to each day of the last week less often than every five days. */
const MAX_SMALL_PAGES = 5;
const MAX_INTERVAL_HOURS = 15;
/** A turn is for one day or for two where days are large, of three turns for five. */
const LARGE_DAYS_A_TURN = 5 / 3;

/** How often a turn is due, and what a run reads at most. */
export interface SweepPace {
  readonly areDaysLarge: boolean;
  readonly intervalMs: number;
  /** After an outage more turns are due. */
  readonly maxTurns: number;
  /** No further turn begins once so many pages were read: some days are larger than the estimate. */
  readonly maxPages: number;
}

/** `eventsADay` is an estimate. */
export function sweepPace(eventsADay: number): SweepPace {
  const pages = Math.max(1, Math.ceil(eventsADay / PAGE_LIMIT));
  if (pages > MAX_SMALL_PAGES) {
    const hours = Math.min(MAX_INTERVAL_HOURS, pages * LARGE_DAYS_A_TURN);
    return { areDaysLarge: true, intervalMs: hours * HOUR_MS, maxTurns: 2, maxPages: Number.POSITIVE_INFINITY };
  }
  return { areDaysLarge: false, intervalMs: pages * HOUR_MS, maxTurns: 24, maxPages: 24 };
}

/**
 * The number of turns that are due: one for each interval of the clock that has begun since the last sweep. If the time since the
 * last sweep were divided instead, each run would lose the remainder.
 */
export function turnsDue(sweptAt: Date | undefined, now: Date, { intervalMs, maxTurns }: SweepPace): number {
  if (sweptAt === undefined) return 1;
  const intervalsUntil = (instant: Date) => Math.floor(instant.getTime() / intervalMs);
  return Math.min(maxTurns, Math.max(0, intervalsUntil(now) - intervalsUntil(sweptAt)));
}

export interface TurnOptions {
  readonly now: Date;
  /** No older date is swept. */
  readonly floor: Date;
  readonly areDaysLarge: boolean;
}

/** The dates of a turn, `YYYY-MM-DD`: one or two, or none where the source keeps no whole older day. */
export function datesOfTurn(turn: number, { now, floor, areDaysLarge }: TurnOptions): readonly string[] {
  const yesterday = midnight(now, -1);
  const isForOlder = turn % 3 !== 0;
  const olderTurn = turn - Math.floor(turn / 3) - 1;
  const dates = [
    // The older day comes first: where the time of runs ends with the first day, the last week has turns of its own.
    ...(isForOlder ? [dateOfTurn(olderTurn, OLDER_DAYS, midnight(yesterday, -RECENT_DAYS))] : []),
    ...(isForOlder && !areDaysLarge ? [] : [dateOfTurn(turn, RECENT_DAYS, yesterday)]),
  ];
  const kept = dates.filter((date) => date >= floor);
  return (kept.length > 0 || yesterday < floor ? kept : [yesterday]).map(dateOf);
}

/** The date of a turn, among the `days` dates up to the newest. In any `days` turns in a row, each date has one. */
function dateOfTurn(turn: number, days: number, newest: Date): Date {
  return midnight(newest, -((newest.getTime() / DAY_MS + turn) % days));
}
