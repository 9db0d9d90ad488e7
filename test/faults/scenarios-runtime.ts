/** Scenarios of when and where a run happens: outages, deadlines, clocks, other teams, another run's remains. */
import { chainOf, must } from './chain';
import { DAY, event, HOUR, MINUTE, SECOND, series, text, unfit } from './events';
import type { Scenario } from './scenario';
import { hourly, input, NOON, steady, twoPerBatch } from './steady';
import type { World } from './world';

const ONE = NOON + HOUR;
const new5 = series(200, NOON + 10 * MINUTE, 5, MINUTE);
const setup = { start: NOON, input, events: [...steady, ...new5] };

/** What goes to events/, and what goes to quarantine/. */
const twoSegments = { ...setup, events: [...setup.events, unfit(400, NOON + 10 * MINUTE, '{"id":400}')] };

/** One more event between the run with the wrong clock and the next. */
const skewed = { ...setup, source: { maxLimit: 2 }, events: [...setup.events, event(300, ONE + 30 * MINUTE)] };

/** The world stands still for that long after its first run. */
function outage(ms: number): (world: World) => Promise<void> {
  return async (world) => {
    await world.run();
    world.advance(ms);
  };
}

/** The events between, one every nine days. */
const long = series(200, NOON + 12 * HOUR, 20, 9 * DAY);

const gapsOf = (world: World) => chainOf(world).flatMap(({ gaps }) => gaps);

/** A run that dies between its commit and the end of its publishing. */
async function halfPublished(world: World): Promise<void> {
  await hourly(world);
  const dry = await world.fork().run();
  const creates = dry.operations.flatMap((method, index) => (method === 'store.create' ? [index + 1] : []));
  // Staged, committed, one of two segments published.
  const run = await world.run({ faults: [{ at: creates[2] ?? 0, mode: 'die-after' }] });
  must(run.isDead && run.created.length === 3, 'the run died while it published');
  world.advance(HOUR);
}

/** The world stands still until all that was archived may have expired; then the bucket deletes what is named so. */
function expired(names: RegExp): (world: World) => Promise<void> {
  return async (world) => {
    await halfPublished(world);
    world.advance(500 * DAY);
    for (const key of world.objects.keys()) if (names.test(key)) world.objects.delete(key);
  };
}

const REVIVED = NOON + 2 * HOUR + 500 * DAY;
const expiring = {
  ...twoSegments,
  settings: { retention: { mode: 'COMPLIANCE' as const, days: 400, expireAfterDays: 500 } },
  events: [...twoSegments.events, ...series(500, REVIVED - 20 * DAY, 4, 5 * DAY), event(600, REVIVED - MINUTE)],
};

/** What was never published, or is there no more, is not published as new. */
function nothingOldIsNew(world: World): void {
  const revived = world.runs.slice(2);
  const old = revived.flatMap(({ created }) => created.filter((key) => /\/000000000[12]\./.test(key)));
  must(revived.length > 0 && old.length === 0, `published again: ${old.join(' ')}`);
}

export const runtimeScenarios: readonly Scenario[] = [
  {
    name: 'an outage lasts 179 days',
    setup: { ...setup, events: [...steady, ...long] },
    history: outage(179 * DAY),
    check: (world) => must(gapsOf(world).length === 0, 'there is no gap'),
  },
  {
    name: 'an outage lasts 181 days',
    setup: { ...setup, events: [...steady, ...long] },
    history: outage(181 * DAY),
    check: (world) => {
      const [gap, ...others] = gapsOf(world);
      must(others.length === 0 && gap?.from === chainOf(world)[0]?.position, 'one gap, from the last position');
    },
  },
  {
    name: 'an outage lasts 40 days, and the source keeps 30',
    setup: { ...setup, source: { retentionDays: 30 }, events: [...steady, ...series(200, NOON + DAY, 13, 3 * DAY)] },
    history: outage(40 * DAY),
    since: NOON + 10 * DAY + 3 * HOUR,
    check: (world) => must(gapsOf(world)[0]?.from === chainOf(world)[0]?.position, 'the gap begins at the position'),
  },
  {
    name: 'the time ends during the walk',
    setup: {
      ...setup,
      source: { maxLimit: 2 },
      settings: twoPerBatch,
      events: [...steady, ...series(200, NOON, 20, SECOND)],
    },
    history: hourly,
    run: { timeoutMs: 4500 },
    mayFail: ['out-of-time', 'storage-unavailable', 'source-unavailable'],
  },
  {
    name: 'the time ends before the first page',
    setup,
    history: hourly,
    run: { timeoutMs: 2000 },
    fails: 'out-of-time',
  },
  { name: 'the clock is a day ahead', setup: skewed, history: hourly, run: { skewMs: DAY } },
  { name: 'the clock is a day behind', setup: skewed, history: hourly, run: { skewMs: -DAY } },
  {
    name: 'the clock of the first run is a day ahead',
    setup: { ...setup, input: {}, events: [event(1, NOON - 179.5 * DAY), ...steady] },
    run: { skewMs: DAY },
  },
  {
    name: 'the walk crosses midnight without a lookback',
    setup: {
      ...setup,
      start: NOON + 12 * HOUR - HOUR - SECOND,
      source: { maxLimit: 2 },
      settings: { ...twoPerBatch, lookbackHours: 0 },
      events: [
        ...steady,
        ...series(200, NOON + 11.5 * HOUR, 5, MINUTE),
        event(300, NOON + 12 * HOUR - SECOND, { visibleFrom: NOON + 12 * HOUR - SECOND }),
        ...series(310, NOON + 12 * HOUR, 4, SECOND / 2),
      ],
    },
    history: hourly,
  },
  { name: 'the head is half published', setup: twoSegments, history: halfPublished },
  {
    name: 'the head is half published, and the source no longer serves its events',
    setup: {
      ...setup,
      events: [
        ...twoSegments.events.filter(({ row }) => row < 200 || row >= 400),
        ...new5.map((e) => (e.row % 2 ? { ...e, removedAt: ONE + MINUTE } : e)),
        event(300, NOON + 30 * MINUTE, {
          later: [{ from: ONE + MINUTE, raw: text(300, NOON - HOUR, { note: 'moved' }) }],
        }),
      ],
    },
    history: halfPublished,
  },
  {
    name: 'the head is half published, and all of it has expired',
    setup: expiring,
    history: expired(/^(batches|events|quarantine)\//),
    check: nothingOldIsNew,
  },
  {
    name: 'the head is half published, and only its staged bytes have not expired',
    setup: expiring,
    history: expired(/^(events|quarantine)\//),
    check: nothingOldIsNew,
  },
  {
    name: 'the checkpoint item is lost',
    setup,
    history: async (world) => {
      await hourly(world);
      world.cell.item = undefined;
    },
  },
  {
    name: 'the checkpoint item is rolled back',
    setup,
    history: async (world) => {
      await hourly(world);
      const { item } = world.cell;
      await hourly(world);
      await hourly(world);
      world.cell.item = item;
    },
  },
  {
    name: 'the checkpoint item claims a later position',
    setup: { ...setup, events: [...setup.events, event(300, ONE + 30 * MINUTE)] },
    history: async (world) => {
      await hourly(world);
      world.cell.item = { ...world.cell.item, position: { S: new Date(NOON + 30 * DAY).toISOString() } };
    },
  },
  {
    name: 'the API key belongs to another team',
    setup: {
      ...setup,
      events: [
        ...steady.map((e) => ({ ...e, removedAt: ONE - MINUTE })),
        ...new5.map((e) => ({ ...e, raw: text(e.row, e.at ?? 0, { team: 8 }), visibleFrom: ONE - MINUTE })),
      ],
    },
    history: hourly,
    fails: 'team-mismatch',
    clean: { input: { acceptOtherTeam: true } },
  },
];
