/** Cases of runs that overlap, repeat, have wrong clocks or too little time, and of hundreds of runs in a row. */
import { createRandom } from '../../local/postman/random';
import { cleanRuns, heals, namedCases, type Program } from './cases';
import { chainOf, must, sum } from './chain';
import { say, whenClean, whenWoken } from './endings';
import { DAY, event, HOUR, MINUTE, SECOND, series, text, unfit } from './events';
import type { Method } from './faults';
import { consultOracle } from './oracle';
import type { Run, RunOptions } from './run';
import { archivedWorld, daysBefore, input, NOON, outage, perBatch, small, steadyWorld, twoPerPage } from './steady';
import { createWorld, type World } from './world';

const busy = [
  ...series(200, NOON + 10 * MINUTE, 9, 3 * MINUTE),
  event(50, NOON - HOUR, { visibleFrom: NOON + HOUR + 5 * SECOND }),
  unfit(400, NOON + 15 * MINUTE, '{"id":400}'),
  ...series(300, NOON + HOUR, 5, 10 * SECOND),
];

function busyWorld(program: Program): Promise<World> {
  return archivedWorld(program, { ...small, more: busy });
}

/** Several runs overlap, and each may only end as a run that was frozen. A clean run follows, and the oracle. */
async function together(world: World, runs: readonly RunOptions[]): Promise<readonly Run[]> {
  const started = runs.map((options) => world.start(options));
  await world.settle();
  for (const run of started) whenWoken(run, {});
  world.advance(HOUR);
  await heals(world);
  return started;
}

/** Most operations are quick. A few are so slow that a lease ends meanwhile. */
function restless(seed: string): () => number {
  const random = createRandom(seed);
  return () => (random.chance(0.07) ? random.below(3 * MINUTE) : 1 + random.below(400));
}

const SEEDS = 40;

/** Runs of a limited time, one an hour, until one is complete. Each run before it advances the position. */
async function advancesUntilComplete(world: World, timeoutMs: number): Promise<void> {
  for (let position = ''; ; world.advance(HOUR)) {
    whenClean(await world.run({ timeoutMs }));
    const last = chainOf(world).at(-1);
    if (last?.run.reason === 'complete') return;
    must((last?.position ?? '') > position, `the run advances the position ${position}`);
    position = last?.position ?? '';
  }
}

export const runCases = namedCases({
  async 'of two to ten runs at once one commits, and the others end without an error'(program) {
    const base = await busyWorld(program);
    const ends = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const random = createRandom(`overlap ${seed}`);
      const runs = Array.from({ length: 2 + (seed % 9) }, (_, index) => ({
        delayMs: random.below(2 * MINUTE),
        latency: restless(`${seed}/${index}`),
        timeoutMs: HOUR,
      }));
      for (const run of await together(base.fork(), runs)) ends.add(say(run));
    }
    must(ends.has('race') && ends.has('held') && ends.has('archived'), `runs were ${[...ends].join(', ')}`);
  },

  /** Scheduler may deliver a trigger twice: at the same instant, a second later or an hour later. */
  async 'the same trigger arrives twice, at once or later'(program) {
    for (const delayMs of [0, 1, SECOND, HOUR]) {
      const world = await busyWorld(program);
      const trigger = { input: { scheduledTime: new Date(NOON + HOUR).toISOString() } };
      const runs = await together(world, [trigger, { ...trigger, delayMs }]);
      must(runs[0]?.outcome?.kind === 'archived', 'the first run archives');
      must(runs[1]?.outcome?.kind === (delayMs < HOUR ? 'held' : 'archived'), `the runs ended ${runs.map(say)}`);
    }
  },

  /** A wrong clock can steal a lease. That wastes work, and must do no other harm. */
  async 'clocks are wrong by up to a day while runs overlap'(program) {
    const base = await busyWorld(program);
    const skews = [-DAY, -HOUR, -2 * SECOND, 0, 2 * SECOND, 30 * MINUTE, DAY];
    for (const [index, skewMs] of skews.entries()) {
      for (const other of skews) {
        const latency = restless(`${skewMs}/${other}`);
        await together(base.fork(), [
          { skewMs, timeoutMs: HOUR },
          { skewMs: other, delayMs: index * 3 * SECOND, latency, timeoutMs: HOUR },
        ]);
      }
    }
  },

  /** However little time a run has, it commits what it has read or fails with out-of-time. It never overruns. */
  async 'a run with little time stops before its deadline and loses nothing'(program) {
    const base = await busyWorld(program);
    const latency = (method: Method): number => (method === 'transport.get' ? 900 : 10);
    for (let timeoutMs = 0; timeoutMs < 13 * SECOND; timeoutMs += 190) {
      const world = base.fork();
      const run = await world.run({ timeoutMs, latency });
      const isTold = run.outcome?.kind === 'failed' && run.outcome.code === 'out-of-time';
      must(isTold || run.outcome?.kind === 'archived', `a run of ${timeoutMs} ms ended ${say(run)}`);
      const over = world.now() - run.startedAt;
      must(timeoutMs < 3 * SECOND || over <= timeoutMs, `a run of ${timeoutMs} ms took ${over} ms`);
      must(!isTold || run.created.length === 0, 'a run without time writes nothing');
      world.advance(HOUR);
      await heals(world);
    }
  },

  /** A request that hangs shortly before the deadline must not cost the pages before it. */
  async 'a source that hangs while the time ends does not undo what the run has read'(program) {
    const base = await archivedWorld(program, { ...twoPerPage, more: busy });
    for (let timeoutMs = 5 * SECOND; timeoutMs < 60 * SECOND; timeoutMs += 5 * SECOND) {
      const world = base.fork();
      world.changeSource({ fault: (request) => (request > 3 ? 'hang' : undefined) });
      whenClean(await world.run({ timeoutMs }));
      const last = chainOf(world).at(-1);
      must(
        last?.run.reason === 'deadline' && last.counts.events > 0,
        `a run of ${timeoutMs} ms commits what it has read`,
      );
      world.changeSource({ fault: null });
      world.advance(HOUR);
      await heals(world);
    }
  },

  /** 180 days are more than one run has time for. Each run advances the position, and leaves no gap. */
  async 'a backfill of 180 days takes many runs, and archiving a range again adds nothing'(program) {
    const old = series(1000, NOON - 179 * DAY, 120, 1.49 * DAY);
    const world = steadyWorld(program, { ...twoPerPage, input: {}, settings: perBatch(10), events: old });
    await advancesUntilComplete(world, 6 * SECOND);
    must(world.runs.length > 5, 'the backfill takes many runs');
    const gaps = chainOf(world).flatMap((manifest) => manifest.gaps);
    must(gaps.length === 0, 'there is no gap');
    world.advance(HOUR);
    whenClean(await world.run({ input: { startDate: daysBefore(100) } }));
    must(sum(world, ({ events }) => events) === old.length, 'no event is archived a second time');
    await consultOracle(world);
  },

  /** After an outage one day holds more events than a run can fetch. */
  async 'every run advances the position through a day that is longer than a run'(program) {
    const more = series(1000, NOON + 3 * HOUR, 150, SECOND);
    for (const bounds of ['time', 'midnight', 'date'] as const) {
      // If bounds are dates, and both are excluded, a request can only ask for the whole day.
      for (const since of bounds === 'date' ? (['inclusive'] as const) : (['inclusive', 'exclusive'] as const)) {
        const world = steadyWorld(program, { source: { maxLimit: 2, bounds, since }, settings: perBatch(6), more });
        await outage(2 * DAY)(world);
        await advancesUntilComplete(world, bounds === 'time' ? 9 * SECOND : 25 * SECOND);
        await heals(world);
      }
    }
  },

  /** Each run reads the lookback again, and the burst within it is longer than a run. Late events are still found. */
  async 'a burst longer than a run is complete once the lookback has passed it'(program) {
    const more = [
      ...series(1000, NOON + 10 * MINUTE, 150, SECOND),
      ...series(2000, NOON + 2 * HOUR, 10, HOUR),
      event(50, NOON + 11 * MINUTE, { visibleFrom: NOON + 6 * HOUR }),
    ];
    const world = await archivedWorld(program, { ...twoPerPage, settings: perBatch(6), more });
    await cleanRuns(world, 16, 9 * SECOND);
    must(chainOf(world).at(-1)?.run.reason === 'complete', 'the last run is complete');
    await consultOracle(world);
  },

  /** Hourly runs sweep every day of two months within twelve days. */
  async 'the sweep finds events that are ten days late'(program) {
    const late = [30, 10].map((days) => event(80 - days, NOON - days * DAY, { visibleFrom: NOON + HOUR }));
    const world = steadyWorld(program, { input: { startDate: daysBefore(60) }, more: late });
    await cleanRuns(world, 12 * 24);
    must(sum(world, (counts) => counts.late) === 2, 'both events are counted as late');
    await consultOracle(world, { swept: 2 });
  },

  /** One event was removed and one was edited three days ago. */
  async 'the sweep counts events that were removed or edited, and the archive keeps them'(program) {
    const from = NOON + HOUR;
    const old = series(500, NOON - 3 * DAY, 4, MINUTE).map((e) => {
      if (e.row === 500) return { ...e, removedAt: from };
      return e.row === 501 ? { ...e, later: [{ from, raw: e.raw.replace('"note":""', '"note":"edited"') }] } : e;
    });
    const world = steadyWorld(program, { input: { startDate: daysBefore(5) }, more: old });
    await cleanRuns(world, 30);
    const swept = chainOf(world)
      .filter(({ run }) => Date.parse(run.walkStart) > from)
      .flatMap(({ sweeps }) => sweeps.filter(({ date }) => date === '2026-03-07'));
    must(swept.length > 0, 'the day is swept');
    const areCounted = swept.every(({ missing, changed }) => missing === 1 && changed === 1);
    must(areCounted, 'one missing and one changed event are counted');
    must(sum(world, (counts) => counts.quarantined.revision) === 1, 'one later body is kept');
    await consultOracle(world);
  },

  /** The first run met the lines, so they lie under its own date. Days later a sweep reads the day that the source files them under. */
  async 'a sweep reads lines without a date that the first run met days before'(program) {
    const filed = NOON - 2 * DAY;
    const more = [unfit(500, filed, '{"id":500}'), unfit(501, filed, '{"note":"neither"}')];
    const world = steadyWorld(program, { input: { startDate: daysBefore(8) }, more });
    await cleanRuns(world, 4 * 24);
    const swept = chainOf(world)
      .filter(({ run }) => Date.parse(run.walkStart) > NOON + 3 * DAY)
      .some(({ sweeps }) => sweeps.some(({ date }) => date === '2026-03-08'));
    must(swept, 'the day of the lines is swept when their partition is days old');
    await consultOracle(world);
  },

  /** The source moves the only event to a later hour. After some hours, the runs read the quarantined body and not the first. */
  async 'a revision stays one when its first body is read no more'(program) {
    const moved = { from: NOON + 10 * MINUTE, raw: text(1, NOON + 5 * MINUTE) };
    const events = [event(1, NOON - 2 * HOUR, { later: [moved] })];
    const world = createWorld({ start: NOON, input, events, ...(program && { program }) });
    await cleanRuns(world, 9);
    await consultOracle(world);
  },

  /** Each event is late by up to the lookback. A lookback of half an hour is shorter than the time that other walks read. */
  async 'runs in short intervals read the whole lookback once an hour and leave no late event to the sweep'(program) {
    // A walk asks from an archived event before its bound, so it would find some late events by chance.
    const onTime = series(700, NOON, 114, 10 * MINUTE);
    for (const [lookbackHours, interval] of [
      [6, 15 * MINUTE],
      [0.5, 30 * MINUTE],
    ] as const) {
      const late = Array.from({ length: 20 }, (_, n) => {
        const at = NOON + n * 37 * MINUTE;
        return event(600 + n, at, { visibleFrom: at + lookbackHours * HOUR - (n % 5) * 6 * MINUTE });
      });
      const world = steadyWorld(program, { more: [...late, ...onTime], settings: { lookbackHours } });
      for (let at = 0; at < 19 * HOUR; at += interval) {
        whenClean(await world.run());
        world.advance(interval);
      }
      const lengths = chainOf(world).map(({ run, window }) => Date.parse(run.walkStart) - Date.parse(window.from));
      must(lengths.filter((ms) => ms >= 6 * HOUR).length <= 20, 'a run reads the whole lookback once an hour');
      await consultOracle(world);
    }
  },
});
