import fc from 'fast-check';
import { sweepDate, watchSweep } from '../../lambdas/archiver/sweep';
import { dateOf, midnight } from '../../lambdas/shared/time';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const begin = new Date('2026-03-01T00:20:00.000Z');

interface Simulation {
  readonly days: number;
  readonly keptDays?: number;
  /** The chain begins then: nothing older is swept. */
  readonly start?: Date;
  /** Whether the run of this hour takes place. */
  readonly runs?: (hour: number) => boolean;
}

interface Longest {
  /** Hours that any date of the last week, and days that any older one, has waited since it was swept or ended. */
  readonly recentHours: number;
  readonly olderDays: number;
}

/** One run an hour; each takes one turn. */
function simulate({ days, keptDays = 180, start = new Date(0), runs = () => true }: Simulation): Longest {
  const sweptAt = new Map<number, number>();
  const longest = { recentHours: 0, olderDays: 0 };
  let turn = 0;
  for (let at = begin.getTime(); at < begin.getTime() + days * DAY_MS; at += HOUR_MS) {
    if (!runs((at - begin.getTime()) / HOUR_MS)) continue;
    const floor = Math.max(at - keptDays * DAY_MS + 60_000, start.getTime());
    const date = sweepDate(turn, new Date(at), new Date(floor));
    if (date === undefined) continue;
    turn += 1;
    sweptAt.set(Date.parse(date), at);
    const today = Math.floor(at / DAY_MS) * DAY_MS;
    for (let day = today - DAY_MS; day >= floor; day -= DAY_MS) {
      const waited = at - Math.max(sweptAt.get(day) ?? 0, day + DAY_MS, begin.getTime());
      if (day >= today - 7 * DAY_MS) longest.recentHours = Math.max(longest.recentHours, waited / HOUR_MS);
      else longest.olderDays = Math.max(longest.olderDays, waited / DAY_MS);
    }
  }
  return longest;
}

describe('at one run an hour', () => {
  test('each of the last seven days comes round at least daily, every kept day at least every twelve days', () => {
    const { recentHours, olderDays } = simulate({ days: 60 });
    expect(recentHours).toBeLessThan(24);
    expect(olderDays).toBeLessThan(12);
  });

  test.each([1, 2, 6, 7, 8, 9, 30, 90, 120, 179])('so it is where the source keeps %d days', (keptDays) => {
    const { recentHours, olderDays } = simulate({ days: 30, keptDays });
    expect(recentHours).toBeLessThan(24);
    expect(olderDays).toBeLessThan(12);
  });

  test.each([0, 1, 10, 100])('so it is for a chain that begins %d days back and grows', (daysBack) => {
    const { recentHours, olderDays } = simulate({ days: 60, start: midnight(begin, -daysBack) });
    expect(recentHours).toBeLessThan(24);
    expect(olderDays).toBeLessThan(12);
  });
});

test('runs that are missed delay the round by as much, and skip nothing', () => {
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

test('every turn is a whole day that is over, and still kept', () => {
  const property = fc.property(
    fc.nat(200_000),
    fc.date({ min: new Date('2026-01-01'), max: new Date('2060-01-01'), noInvalidDate: true }),
    fc.integer({ min: 0, max: 180 * DAY_MS }),
    (turn, now, keptMs) => {
      const floor = new Date(now.getTime() - keptMs);
      const date = sweepDate(turn, now, floor);
      if (date === undefined) return expect(midnight(now, -1) < floor).toBe(true);
      expect(Date.parse(date)).toBeGreaterThanOrEqual(floor.getTime());
      expect(Date.parse(date)).toBeLessThan(midnight(now).getTime());
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test('a date has the same turns all the time that it is kept', () => {
  const noon = new Date('2026-06-12T12:00:00Z');
  const floor = midnight(noon, -179);
  for (let turn = 1; turn < 300; turn += 1) {
    if (turn % 3 === 0) continue;
    const date = sweepDate(turn, noon, floor);
    const next = sweepDate(turn, midnight(noon, 1), midnight(floor, 1));
    if (date !== dateOf(floor)) expect(next).toBe(date);
  }
});

test('there is nothing to sweep before the first whole day', () => {
  const now = new Date('2026-06-12T12:00:00Z');
  for (let turn = 0; turn < 50; turn += 1) {
    expect(sweepDate(turn, now, new Date('2026-06-11T00:00:00.001Z'))).toBeUndefined();
    expect(sweepDate(turn, now, new Date('2026-06-11T00:00:00.000Z'))).toBe('2026-06-11');
    expect(sweepDate(turn, now, now)).toBeUndefined();
  }
});

describe('what a sweep saw', () => {
  const date = '2026-06-01';
  const floor = new Date('2026-06-01T00:00:00.000Z');
  const admitted = (id: string, standing: 'new' | 'known' | 'revision', on = date) => ({ id, date: on, standing });

  test('is compared with the archive once the whole day was served', () => {
    const watch = watchSweep(date, new Set(['a', 'b', 'c', 'd']));
    watch.see([admitted('a', 'known'), admitted('b', 'revision')], floor);
    watch.see([admitted('e', 'new')], floor);
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

  test('counts an event once, however often it is served, and none of another date', () => {
    const watch = watchSweep(date, new Set(['a']));
    watch.see(
      [admitted('a', 'revision'), admitted('a', 'revision'), admitted('b', 'new'), admitted('b', 'known')],
      floor,
    );
    watch.see([admitted('a', 'revision'), admitted('z', 'new', '2026-06-02')], floor);
    watch.end('complete');
    expect(watch.result()).toMatchObject({ served: 2, late: 1, changed: 1, missing: 0 });
  });

  test('says nothing of what is missing where the time ended first', () => {
    const watch = watchSweep(date, new Set(['a', 'b']));
    watch.see([admitted('a', 'known')], floor);
    watch.end('deadline');
    expect(watch.result()).toMatchObject({ status: 'partial', served: 1, missing: 0 });
  });

  test('says nothing of what is missing where the source no longer keeps the whole day', () => {
    const unserved = watchSweep(date, new Set(['a', 'b']));
    unserved.end('complete');
    expect(unserved.result()).toMatchObject({ status: 'partial', served: 0, archived: 2, missing: 0 });
    const cut = watchSweep(date, new Set(['a', 'b']));
    cut.see([admitted('a', 'known')], floor);
    cut.see([], new Date('2026-06-01T00:00:00.001Z'));
    cut.end('complete');
    expect(cut.result()).toMatchObject({ status: 'partial', served: 1, missing: 0 });
  });

  test('is nothing at all where there was no time to begin', () => {
    const watch = watchSweep(date, new Set(['a']));
    watch.end('deadline');
    expect(watch.result()).toBeNull();
  });

  test('is a failed sweep until it ends', () => {
    const watch = watchSweep(date, new Set(['a', 'b']));
    watch.see([admitted('a', 'known')], floor);
    expect(watch.result()).toMatchObject({ status: 'failed', served: 1, missing: 0 });
  });
});
