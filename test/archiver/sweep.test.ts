import fc from 'fast-check';
import { watchSweep } from '../../lambdas/archiver/sweep';
import { sweepDate, sweepsDue } from '../../lambdas/archiver/sweep-turns';
import { DAY_MS, dateOf, HOUR_MS, midnight } from '../../lambdas/shared/time';

const begin = new Date('2026-03-01T00:20:00.000Z');

interface Simulation {
  readonly days: number;
  readonly keptDays?: number;
  /** The start of the chain. Nothing older is swept. */
  readonly start?: Date;
  /** Whether there is a run at this hour. */
  readonly runs?: (hour: number) => boolean;
}

interface Longest {
  /** The longest wait of a date of the last week, in hours, since it was swept or since it ended. */
  readonly recentHours: number;
  /** The same of older dates, in days. */
  readonly olderDays: number;
}

/** Simulates one run an hour. Each run takes one turn. */
function simulate({ days, keptDays = 180, start = new Date(0), runs = () => true }: Simulation): Longest {
  const sweptAt = new Map<number, number>();
  const longest = { recentHours: 0, olderDays: 0 };
  let turn = 0;
  for (let at = begin.getTime(); at < begin.getTime() + days * DAY_MS; at += HOUR_MS) {
    if (!runs((at - begin.getTime()) / HOUR_MS)) continue;
    const keptFrom = Math.max(at - keptDays * DAY_MS + 60_000, start.getTime());
    const date = sweepDate(turn, new Date(at), new Date(keptFrom));
    if (date === undefined) continue;
    turn += 1;
    sweptAt.set(Date.parse(date), at);
    const today = Math.floor(at / DAY_MS) * DAY_MS;
    for (let day = today - DAY_MS; day >= keptFrom; day -= DAY_MS) {
      const waited = at - Math.max(sweptAt.get(day) ?? 0, day + DAY_MS, begin.getTime());
      if (day >= today - 7 * DAY_MS) longest.recentHours = Math.max(longest.recentHours, waited / HOUR_MS);
      else longest.olderDays = Math.max(longest.olderDays, waited / DAY_MS);
    }
  }
  return longest;
}

/** The chain begins that many days back, and grows. */
const chainOf = (days: number) => ({ days: 60, start: midnight(begin, -days) });

test.each<[string, Simulation]>([
  ['every kept day', { days: 60 }],
  ...[1, 7, 8, 30, 179].map((keptDays): [string, Simulation] => [
    `every day of the ${keptDays} that the source keeps`,
    { days: 30, keptDays },
  ]),
  ...[1, 100].map((days): [string, Simulation] => [
    `every day of a chain that begins ${days} days back`,
    chainOf(days),
  ]),
])('at one run an hour, %s is swept within twelve days, and each of the last seven days daily', (_name, simulation) => {
  const { recentHours, olderDays } = simulate(simulation);
  expect(recentHours).toBeLessThan(24);
  expect(olderDays).toBeLessThan(12);
});

test('runs that are missed delay the sweeps by as much, and skip no day', () => {
  const outages = fc.uniqueArray(fc.integer({ min: 0, max: 60 * 24 }), { maxLength: 120 });
  const property = fc.property(outages, fc.integer({ min: 0, max: 72 }), (missed, outageHours) => {
    const outage = { from: 400, to: 400 + outageHours };
    const runs = (hour: number) => !missed.includes(hour) && (hour < outage.from || hour >= outage.to);
    const { recentHours, olderDays } = simulate({ days: 60, runs });
    const lost = missed.length + outageHours;
    expect(recentHours).toBeLessThan(24 + lost);
    expect(olderDays).toBeLessThan(12 + lost / 24);
  });
  fc.assert(property, { numRuns: 10 });
});

test('every turn is a whole day that is over and that is still kept', () => {
  const property = fc.property(
    fc.nat(200_000),
    fc.date({ min: new Date('2026-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 180 * DAY_MS }),
    (turn, now, keptMs) => {
      const keptFrom = new Date(now.getTime() - keptMs);
      const date = sweepDate(turn, now, keptFrom);
      if (date === undefined) return expect(midnight(now, -1) < keptFrom).toBe(true);
      expect(Date.parse(date)).toBeGreaterThanOrEqual(keptFrom.getTime());
      expect(Date.parse(date)).toBeLessThan(midnight(now).getTime());
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test('a date has the same turns as long as it is kept', () => {
  const noon = new Date('2026-06-12T12:00:00Z');
  const keptFrom = midnight(noon, -179);
  for (let turn = 1; turn < 300; turn += 1) {
    if (turn % 3 === 0) continue;
    const date = sweepDate(turn, noon, keptFrom);
    const next = sweepDate(turn, midnight(noon, 1), midnight(keptFrom, 1));
    if (date !== dateOf(keptFrom)) expect(next).toBe(date);
  }
});

describe('a sweep', () => {
  const date = '2026-06-01';
  const keptFrom = new Date('2026-06-01T00:00:00.000Z');
  type Standing = 'new' | 'known' | 'revision';
  const stands = (id: string, standing: Standing, on = date) => ({ id, date: on, standing });

  test('a sweep compares a day with the archive once the whole day was served', () => {
    const watch = watchSweep(date, new Set(['a', 'b', 'c', 'd']));
    watch.see([stands('a', 'known'), stands('b', 'revision')], keptFrom);
    watch.see([stands('e', 'new')], keptFrom);
    watch.end('complete');
    expect(watch.result()).toEqual({
      date,
      status: 'complete',
      served: 3,
      archived: 4,
      late: 1,
      missing: 2,
      changed: 1,
    });
  });

  test('a sweep counts an event once, however often it is served, and no event of another date', () => {
    const watch = watchSweep(date, new Set(['a']));
    watch.see([stands('a', 'revision'), stands('a', 'revision'), stands('b', 'new'), stands('b', 'known')], keptFrom);
    watch.see([stands('a', 'revision'), stands('z', 'new', '2026-06-02')], keptFrom);
    watch.end('complete');
    expect(watch.result()).toMatchObject({ served: 2, late: 1, changed: 1, missing: 0 });
  });

  const later = new Date('2026-06-01T00:00:00.001Z');
  test.each<[string, readonly Date[], 'complete' | 'deadline' | undefined, object | null]>([
    ['is partial where the time ended first', [keptFrom], 'deadline', { status: 'partial', served: 1, missing: 0 }],
    ['is partial where the source served nothing', [], 'complete', { status: 'partial', served: 0, missing: 0 }],
    ['is partial where the source lost a part', [keptFrom, later], 'complete', { status: 'partial', missing: 0 }],
    ['has no result where no time was left to begin', [], 'deadline', null],
    ['has failed unless it ends', [keptFrom], undefined, { status: 'failed', served: 1, missing: 0 }],
  ])('a sweep %s, and then calls nothing missing', (_name, pages, end, expected) => {
    const watch = watchSweep(date, new Set(['a', 'b']));
    for (const kept of pages) watch.see([stands('a', 'known')], kept);
    if (end !== undefined) watch.end(end);
    if (expected === null) expect(watch.result()).toBeNull();
    else expect(watch.result()).toMatchObject(expected);
  });
});

const anHour = 60;
test.each([
  ['before an hour has passed', 54, 0, 0],
  ['at a schedule that fires a little early', 56, 0, 1],
  ['after an hour and a half', 90, 0, 2],
  ['after two hours', 120, 0, 2],
  ['after a day', 24 * anHour, 0, 24],
  ['after a month', 30 * 24 * anHour, 0, 24],
  ['after two hours where a day has 3,000 events', 120, 3000, 0],
  ['after ten hours where a day has 3,000 events', 10 * anHour, 3000, 2],
  ['after ten hours where a day has a million events', 10 * anHour, 1e6, 2],
])('%s, sweeps are due as the time since the last one says', (_name, minutes, eventsADay, due) => {
  const now = new Date('2026-06-12T12:00:00.000Z');
  expect(sweepsDue(new Date(now.getTime() - minutes * 60_000), now, eventsADay)).toBe(due);
});

test.each([
  15, 25, 40, 50, 60, 90, 110, 360, 1440,
])('a schedule of %d minutes begins at least one sweep an hour, as far as 24 in a run allow', (minutes) => {
  let sweptAt = new Date('2026-06-12T12:00:00.000Z');
  let sweeps = 0;
  const runs = Math.floor((30 * 24 * 60) / minutes);
  for (let run = 1; run <= runs; run += 1) {
    const now = new Date(Date.parse('2026-06-12T12:00:00.000Z') + run * minutes * 60_000);
    const due = sweepsDue(sweptAt, now, 0);
    if (due > 0) sweptAt = now;
    sweeps += due;
  }
  expect(sweeps).toBeGreaterThanOrEqual(30 * 24 * 0.95);
});
