/**
 * What the daily verification costs on simulated archives of one and of five years, and how many objects one run of the function
 * can verify. The calls are counted and the CPU time is measured; the time that S3 takes is assumed. A day that reads more than
 * the promise says, or an object that is not read in thirty days, is an error.
 */
import { type Anchor, ROUND_DAYS } from '../../lambdas/shared/anchor';
import type { Objects } from '../support/archive-builder';
import { buildHistory, nightAfter, onDay, readsOfADay, verifyOn } from '../support/history';

const YEARS = [1, 5];
/** About 2,000 events a day. */
const EVENTS_AN_HOUR = 80;
/** How long S3 takes to answer, with the work of the SDK: a GET of a small object, and a page of 1,000 versions. */
const ASSUMED_MS = { get: 40, page: 300 };
/** A function with 1,024 MB has 0.58 of a processor. */
const PROCESSOR_SHARE = 1024 / 1769;
/** The function's longest time, without the two minutes that it keeps for its last step and the anchor. */
const RUN_MS = (900 - 120) * 1000;

interface Day {
  readonly stored: number;
  readonly reads: number;
  /** The most that the promise allows. */
  readonly most: number;
  readonly cpuMs: number;
}

export async function benchDaily(): Promise<void> {
  console.log(
    `\nThe daily verification. Assumed: ${ASSUMED_MS.get} ms for a GET, ${ASSUMED_MS.page} ms for a page of LIST.`,
  );
  console.log('| years | objects | GETs a day, at most | allowed | CPU seconds a day | objects in one run |');
  console.log('| ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const years of YEARS) {
    const days = await verifyAMonth(await buildHistory(years * 365, { events: EVENTS_AN_HOUR }), years * 365);
    const worst = days.reduce((a, b) => (b.reads > a.reads ? b : a));
    const cpuMs = days.map((day) => day.cpuMs).sort((a, b) => a - b)[days.length >> 1] ?? 0;
    const cells = [
      worst.stored,
      worst.reads,
      Math.floor(worst.most),
      (cpuMs / 1000).toFixed(1),
      capacity(worst, cpuMs),
    ];
    console.log(`| ${[years, ...cells].map((cell) => cell.toLocaleString('en')).join(' | ')} |`);
  }
}

/** Verifies the last thirty days of the history. */
async function verifyAMonth(whole: Objects, last: number): Promise<Day[]> {
  const days: Day[] = [];
  const unread = new Set(whole.keys());
  const start = last - ROUND_DAYS;
  let anchor: Anchor | undefined = (await verifyOn(onDay(whole, start), { now: nightAfter(start) })).anchor;
  for (let day = start + 1; day <= last; day += 1) {
    const objects = onDay(whole, day);
    const before = process.cpuUsage();
    const { anchor: next, read, isComplete } = await verifyOn(objects, { anchor, now: nightAfter(day) });
    const { user, system } = process.cpuUsage(before);
    const most = readsOfADay(objects.size, objects.size - onDay(whole, day - 1).size);
    if (!isComplete || next === undefined || read.length > most)
      throw new Error(`day ${day} read ${read.length} objects`);
    days.push({ stored: objects.size, reads: read.length, most, cpuMs: (user + system) / 1000 });
    for (const key of read) unread.delete(key);
    anchor = next;
  }
  if (unread.size > 0) throw new Error(`${unread.size} objects were not read in ${ROUND_DAYS} days`);
  return days;
}

/** The number of objects, to the next ten thousand, for which the time of one run suffices. Each part of it grows with them. */
function capacity({ stored, reads }: Day, cpuMs: number): number {
  const msOfADay = reads * ASSUMED_MS.get + (stored / 1000) * ASSUMED_MS.page + cpuMs / PROCESSOR_SHARE;
  return Math.floor((RUN_MS / msOfADay) * (stored / 10_000)) * 10_000;
}
