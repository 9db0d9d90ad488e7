/** Cases of when runs happen: at once, twice, with wrong clocks, with too little time, a hundred in a row. */
import { createRandom } from '../../local/postman/random';
import type { Case } from './cases';
import { chainOf, must, sum } from './chain';
import { say, whenClean, whenWoken } from './endings';
import { DAY, event, HOUR, MINUTE, SECOND, series, unfit } from './events';
import type { Method } from './faults';
import { consultOracle } from './oracle';
import type * as unpatched from './program';
import type { Run, RunOptions } from './run';
import { hourly, input, NOON, steady, twoPerBatch } from './steady';
import { createWorld, type World } from './world';

type Program = typeof unpatched | undefined;

const busy = [
  ...steady,
  ...series(200, NOON + 10 * MINUTE, 9, 3 * MINUTE),
  event(50, NOON - HOUR, { visibleFrom: NOON + HOUR + 5 * SECOND }),
  unfit(400, NOON + 15 * MINUTE, '{"id":400}'),
  ...series(300, NOON + HOUR, 5, 10 * SECOND),
];

async function busyWorld(program: Program): Promise<World> {
  const source = { maxLimit: 2 };
  const world = createWorld({
    start: NOON,
    input,
    source,
    settings: twoPerBatch,
    events: busy,
    ...(program && { program }),
  });
  await hourly(world);
  return world;
}

/** Any number of runs at once. Each ends as it should; a clean run follows; the oracle. */
async function together(world: World, runs: readonly RunOptions[]): Promise<readonly Run[]> {
  const started = runs.map((options) => world.start(options));
  await world.settle();
  for (const run of started) whenWoken(run, {});
  world.advance(HOUR);
  whenClean(await world.run());
  await consultOracle(world);
  return started;
}

/** Mostly quick; now and then so slow that a lease ends meanwhile. */
function restless(seed: string): () => number {
  const random = createRandom(seed);
  return () => (random.chance(0.07) ? random.below(3 * MINUTE) : 1 + random.below(400));
}

const SEEDS = 40;

async function overlapping(program: Program): Promise<void> {
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
}

/** Scheduler delivers at least once: the same trigger at the same instant, a second later, and an hour later. */
async function sameTriggerTwice(program: Program): Promise<void> {
  for (const delayMs of [0, 1, SECOND, HOUR]) {
    const world = await busyWorld(program);
    const trigger = { input: { scheduledTime: new Date(NOON + HOUR).toISOString() } };
    const runs = await together(world, [trigger, { ...trigger, delayMs }]);
    must(runs[0]?.outcome?.kind === 'archived', 'the first archives');
    must(runs[1]?.outcome?.kind === (delayMs < HOUR ? 'held' : 'archived'), `the second ended ${runs.map(say)}`);
  }
}

/** Clocks that differ by up to a day, also among runs at once: a lease that is stolen wastes work. */
async function wrongClocks(program: Program): Promise<void> {
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
}

/** Whatever time is left: a run commits what it has, or says that it had no time, and is never killed. */
async function littleTimeLeft(program: Program): Promise<void> {
  const base = await busyWorld(program);
  const latency = (method: Method): number => (method === 'transport.get' ? 900 : 10);
  for (let timeoutMs = 0; timeoutMs < 13 * SECOND; timeoutMs += 190) {
    const world = base.fork();
    const run = await world.run({ timeoutMs, latency });
    const isTold = run.outcome?.kind === 'failed' && run.outcome.code === 'out-of-time';
    must(isTold || run.outcome?.kind === 'archived', `with ${timeoutMs} ms the run ended ${say(run)}`);
    const over = world.now() - run.startedAt;
    must(timeoutMs < 3 * SECOND || over <= timeoutMs, `with ${timeoutMs} ms the run took ${over} ms`);
    must(!isTold || run.created.length === 0, 'a run that had no time wrote nothing');
    world.advance(HOUR);
    whenClean(await world.run());
    await consultOracle(world);
  }
}

/** 180 days, more than a run has time for: each run comes further, and nothing is left out. */
async function backfill(program: Program): Promise<void> {
  const old = series(1000, NOON - 179 * DAY, 120, 1.49 * DAY);
  const settings = { batchLimits: { events: 10, bytes: 1e9 } };
  const world = createWorld({
    start: NOON,
    source: { maxLimit: 2 },
    settings,
    events: old,
    ...(program && { program }),
  });
  let position = '';
  for (let runs = 1; ; runs += 1) {
    whenClean(await world.run({ timeoutMs: 6 * SECOND }));
    const last = chainOf(world).at(-1);
    if (last?.run.reason === 'complete') break;
    must((last?.position ?? '') > position, `run ${runs} comes further than ${position}`);
    position = last?.position ?? '';
    world.advance(HOUR);
  }
  must(world.runs.length > 5, 'it takes many runs');
  must(
    chainOf(world).every(({ gaps }) => gaps.length === 0),
    'there is no gap',
  );
  // A wish to archive a range once more finds everything there.
  world.advance(HOUR);
  whenClean(await world.run({ input: { startDate: new Date(NOON - 100 * DAY).toISOString() } }));
  must(sum(world, ({ events }) => events) === old.length, 'nothing is archived again');
  await consultOracle(world);
}

/** A day of more than one run can fetch, after an outage: every run comes further, and the position never stands still. */
async function longDay(program: Program): Promise<void> {
  const events = [...steady, ...series(1000, NOON + 3 * HOUR, 150, SECOND)];
  const settings = { batchLimits: { events: 6, bytes: 1e9 } };
  const source = { maxLimit: 2 };
  for (const bounds of ['time', 'midnight', 'date'] as const) {
    // Where bounds are dates, and exclusive, only the whole day can be asked for.
    for (const since of bounds === 'date' ? (['inclusive'] as const) : (['inclusive', 'exclusive'] as const)) {
      const world = createWorld({
        start: NOON,
        input,
        source: { ...source, bounds, since },
        settings,
        events,
        ...(program && { program }),
      });
      await world.run();
      world.advance(2 * DAY);
      await comesFurtherEachRun(world, bounds === 'time' ? 9 * SECOND : 25 * SECOND);
    }
  }
}

async function comesFurtherEachRun(world: World, timeoutMs: number): Promise<void> {
  for (let position = ''; ; ) {
    whenClean(await world.run({ timeoutMs }));
    const last = chainOf(world).at(-1);
    if (last?.run.reason === 'complete') break;
    must((last?.position ?? '') > position, `a run comes further than ${position}`);
    position = last?.position ?? '';
    world.advance(HOUR);
  }
  whenClean(await world.run());
  await consultOracle(world);
}

/**
 * As much again within the lookback, which is read again by every run: it takes until the lookback has passed it, and
 * is then gone on with. Late events are found all the same.
 */
async function burst(program: Program): Promise<void> {
  const events = [
    ...steady,
    ...series(1000, NOON + 10 * MINUTE, 150, SECOND),
    ...series(2000, NOON + 2 * HOUR, 10, HOUR),
    event(50, NOON + 11 * MINUTE, { visibleFrom: NOON + 6 * HOUR }),
  ];
  const settings = { batchLimits: { events: 6, bytes: 1e9 } };
  const world = createWorld({
    start: NOON,
    input,
    source: { maxLimit: 2 },
    settings,
    events,
    ...(program && { program }),
  });
  await hourly(world);
  for (let runs = 0; runs < 16; runs += 1) {
    whenClean(await world.run({ timeoutMs: 9 * SECOND }));
    world.advance(HOUR);
  }
  must(chainOf(world).at(-1)?.run.reason === 'complete', 'it is over');
  await consultOracle(world);
}

/** Ten days late: the sweep comes by within twelve days of hourly runs. */
async function tenDaysLate(program: Program): Promise<void> {
  const late = [
    event(50, NOON - 30 * DAY, { visibleFrom: NOON + HOUR }),
    event(51, NOON - 10 * DAY, { visibleFrom: NOON + HOUR }),
  ];
  const startDate = new Date(NOON - 60 * DAY).toISOString();
  const world = createWorld({
    start: NOON,
    input: { startDate },
    events: [...steady, ...late],
    ...(program && { program }),
  });
  for (let runs = 0; runs < 12 * 24; runs += 1) {
    whenClean(await world.run());
    world.advance(HOUR);
  }
  must(sum(world, (counts) => counts.late) === 2, 'both are counted as late');
  await consultOracle(world, { swept: 2 });
}

/** Removed and edited long ago: the archive stays, and the sweep counts. */
async function sweptAndChanged(program: Program): Promise<void> {
  const from = NOON + HOUR;
  const old = series(500, NOON - 3 * DAY, 4, MINUTE).map((e) => {
    if (e.row === 500) return { ...e, removedAt: from };
    return e.row === 501 ? { ...e, later: [{ from, raw: e.raw.replace('"note":""', '"note":"edited"') }] } : e;
  });
  const startDate = new Date(NOON - 5 * DAY).toISOString();
  const world = createWorld({
    start: NOON,
    input: { startDate },
    events: [...steady, ...old],
    ...(program && { program }),
  });
  for (let runs = 0; runs < 30; runs += 1) {
    whenClean(await world.run());
    world.advance(HOUR);
  }
  const swept = chainOf(world)
    .filter(({ run }) => Date.parse(run.walkStart) > from)
    .flatMap(({ sweeps }) => sweeps.filter(({ date }) => date === '2026-03-07'));
  must(swept.length > 0, 'the day came round');
  must(
    swept.every(({ missing, changed }) => missing === 1 && changed === 1),
    'what is gone and what differs is counted',
  );
  must(sum(world, (counts) => counts.quarantined.revision) === 1, 'one later body is kept');
  await consultOracle(world);
}

export const runCases: readonly Case[] = [
  { name: 'of two to ten runs at once one commits, and the others end without an error', play: overlapping },
  { name: 'the same trigger arrives twice, at once or later', play: sameTriggerTwice },
  { name: 'clocks are wrong by up to a day while runs overlap', play: wrongClocks },
  { name: 'a run with little time stops before its deadline and loses nothing', play: littleTimeLeft },
  { name: 'a backfill of 180 days takes many runs, and archiving a range again adds nothing', play: backfill },
  { name: 'every run advances the position through a day that is longer than a run', play: longDay },
  { name: 'a burst longer than a run is complete once the lookback has passed it', play: burst },
  { name: 'the sweep finds events that are ten days late', play: tenDaysLate },
  { name: 'the sweep counts events that were removed or edited, and the archive keeps them', play: sweptAndChanged },
];
