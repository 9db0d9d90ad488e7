import fc from 'fast-check';
import { watchSweep } from '../../lambdas/archiver/sweep';
import { datesOfTurn, sweepPace, turnsDue } from '../../lambdas/archiver/sweep-turns';
import { DAY_MS, dateOf, HOUR_MS, midnight } from '../../lambdas/shared/time';

const begin = new Date('2026-03-01T00:20:00.000Z');

interface Simulation {
  readonly days: number;
  readonly keptDays?: number;
  /** The start of the chain. Nothing older is swept. */
  readonly start?: Date;
  readonly minutes?: number;
  /** The estimated size of a day, at a run. */
  readonly eventsADay?: (at: number) => number;
  /** Whether the run that begins after so many hours is not missed. */
  readonly runs?: (hour: number) => boolean;
}

interface Longest {
  /** The longest wait of a date of the last week, in hours, since it was swept or since it ended. */
  readonly recentHours: number;
  /** The same of older dates, in days. */
  readonly olderDays: number;
  /** How many days a day were swept. */
  readonly sweptADay: number;
}

/** Simulates the runs of a schedule. */
function simulate({ days, keptDays = 180, start = new Date(0), minutes = 60, ...more }: Simulation): Longest {
  const { eventsADay = () => 0, runs = () => true } = more;
  const sweptOn = new Map<number, number>();
  let [turn, swept, recentHours, olderDays] = [0, 0, 0, 0];
  let sweptAt: Date | undefined;
  const waited = (day: number, at: number) => at - Math.max(sweptOn.get(day) ?? 0, day + DAY_MS, begin.getTime());
  for (let at = begin.getTime(); at < begin.getTime() + days * DAY_MS; at += minutes * 60_000) {
    if (!runs((at - begin.getTime()) / HOUR_MS)) continue;
    const keptFrom = Math.max(at - keptDays * DAY_MS + 60_000, start.getTime());
    const pace = sweepPace(eventsADay(at));
    const today = Math.floor(at / DAY_MS) * DAY_MS;
    for (let due = turnsDue(sweptAt, new Date(at), pace); due > 0; due -= 1) {
      const dates = datesOfTurn(turn, { now: new Date(at), floor: new Date(keptFrom), ...pace });
      if (dates.length === 0) break;
      turn += 1;
      swept += dates.length;
      sweptAt = new Date(at);
      for (const date of dates) {
        const day = Date.parse(date);
        if (day < today - 7 * DAY_MS) olderDays = Math.max(olderDays, waited(day, at) / DAY_MS);
        sweptOn.set(day, at);
      }
    }
    for (let day = today - DAY_MS; day >= Math.max(keptFrom, today - 7 * DAY_MS); day -= DAY_MS)
      recentHours = Math.max(recentHours, waited(day, at) / HOUR_MS);
    const forgotten = Math.ceil(keptFrom / DAY_MS) * DAY_MS;
    if (keptDays > 8 && forgotten <= today - 8 * DAY_MS)
      olderDays = Math.max(olderDays, waited(forgotten, at) / DAY_MS);
  }
  return { recentHours, olderDays, sweptADay: swept / days };
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

test.each([
  15, 25, 40, 50, 90, 110, 360, 720, 1440,
])('at a run every %d minutes, each day of one page is swept within twelve days, and the last week daily', (minutes) => {
  const { recentHours, olderDays, sweptADay } = simulate({ days: 60, minutes });
  expect(recentHours).toBeLessThanOrEqual(24);
  expect(olderDays).toBeLessThan(12);
  expect(sweptADay).toBeLessThanOrEqual(24.1);
});

/** Every older day is swept within 172 days, so once more before the source forgets it. */
test.each([
  15, 60, 110, 1440,
])('at a run every %d minutes, large days of the last week are swept within five days, and older ones once more', (minutes) => {
  for (const pages of [5, 6, 9, 700]) {
    const { recentHours, olderDays, sweptADay } = simulate({ days: 350, minutes, eventsADay: () => pages * 300 });
    expect(recentHours).toBeLessThanOrEqual(5 * 24);
    expect(olderDays).toBeLessThan(172);
    expect(sweptADay).toBeLessThanOrEqual(Math.max(24.1 / pages, 2.7));
  }
});

test('no day is skipped where the size of the days changes for a while', () => {
  const sizes = fc.array(fc.constantFrom(0, 1500, 2000, 200_000), { minLength: 50, maxLength: 50 });
  const property = fc.property(sizes, fc.integer({ min: 1, max: 300 }), (changing, hours) => {
    const eventsADay = (at: number) => changing[Math.floor(at / (hours * HOUR_MS)) % changing.length] ?? 0;
    const { recentHours, olderDays } = simulate({ days: 350, minutes: 360, eventsADay });
    expect(recentHours).toBeLessThan(8 * 24);
    expect(olderDays).toBeLessThan(172);
  });
  fc.assert(property, { numRuns: 20 });
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

test('every turn is for whole days that are over and still kept, and for none where no such day is left', () => {
  const property = fc.property(
    fc.nat(200_000),
    fc.date({ min: new Date('2026-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 180 * DAY_MS }),
    fc.boolean(),
    (turn, now, keptMs, areDaysLarge) => {
      const floor = new Date(now.getTime() - keptMs);
      const dates = datesOfTurn(turn, { now, floor, areDaysLarge });
      expect(dates.length === 0).toBe(midnight(now, -1) < floor);
      expect(new Set(dates).size).toBe(dates.length);
      for (const date of dates) {
        expect(Date.parse(date)).toBeGreaterThanOrEqual(floor.getTime());
        expect(Date.parse(date)).toBeLessThan(midnight(now).getTime());
      }
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test('an older date has the same turns as long as it is kept, however large the days are', () => {
  const noon = new Date('2026-06-12T12:00:00Z');
  const floor = midnight(noon, -179);
  for (let turn = 1; turn < 300; turn += 1) {
    if (turn % 3 === 0) continue;
    const [date] = datesOfTurn(turn, { now: noon, floor, areDaysLarge: false });
    const next = { now: midnight(noon, 1), floor: midnight(floor, 1), areDaysLarge: true };
    if (date !== dateOf(floor)) expect(datesOfTurn(turn, next)[0]).toBe(date);
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

test.each([
  ['in the same hour', '12:01', '12:59', 0, 0],
  ['in the next hour', '12:59', '13:01', 0, 1],
  ['after a day', '12:00', '36:00', 0, 24],
  ['after a month', '12:00', '732:00', 0, 24],
  ['after four hours where a day has two pages', '12:00', '16:00', 301, 2],
  ['after 15 hours where a day has nine pages', '12:00', '27:00', 2700, 1],
  ['after a month where a day has a million events', '12:00', '732:00', 1e6, 2],
  ['where the clock goes back', '12:30', '10:00', 0, 0],
])('%s, as many turns are due as intervals of the clock have begun', (_name, swept, now, eventsADay, due) => {
  const instant = (time: string) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    return new Date(Date.UTC(2026, 5, 12, hours, minutes));
  };
  expect(turnsDue(instant(swept), instant(now), sweepPace(eventsADay))).toBe(due);
});
