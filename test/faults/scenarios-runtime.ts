/** Scenarios of the circumstances of a run: outages, deadlines, clocks, another team, the remains of a dead run. */
import { chainOf, diesAfterCreating, must, sum } from './chain';
import { DAY, event, HOUR, MINUTE, SECOND, series, text, unfit } from './events';
import type { Scenario } from './scenario';
import { hourly, NOON, new5, ONE, outage, scenario, small, steady, twoPerBatch, twoPerPage } from './steady';
import type { World } from './world';

/** One batch with a segment under events/ and a segment under quarantine/. */
const twoSegments = [...new5, unfit(400, NOON + 10 * MINUTE, '{"id":400}')];

/** One more event happens between the run with the wrong clock and the next run. */
const skewed = { ...twoPerPage, more: [...new5, event(300, ONE + 30 * MINUTE)] };

/** One event every nine days, for the time of an outage. */
const long = { more: series(200, NOON + 12 * HOUR, 20, 9 * DAY) };

const gapsOf = (world: World) => chainOf(world).flatMap(({ gaps }) => gaps);

/** The instant from which a run works again after the expiry. */
const REVIVED = NOON + 2 * HOUR + 500 * DAY;
const expiring = {
  settings: { retention: { mode: 'COMPLIANCE' as const, days: 400, expireAfterDays: 500 } },
  more: [...twoSegments, ...series(500, REVIVED - 20 * DAY, 4, 5 * DAY), event(600, REVIVED - MINUTE)],
};

export const runtimeScenarios: readonly Scenario[] = [
  scenario('an outage lasts 179 days', {
    ...long,
    history: outage(179 * DAY),
    check: (world) => must(gapsOf(world).length === 0, 'there is no gap'),
  }),
  scenario('an outage lasts 181 days', {
    ...long,
    history: outage(181 * DAY),
    check: (world) => {
      const [gap, ...others] = gapsOf(world);
      must(others.length === 0 && gap?.from === chainOf(world)[0]?.position, 'one gap begins at the last position');
    },
  }),
  scenario('an outage lasts 40 days, and the source keeps 30', {
    source: { retentionDays: 30 },
    more: series(200, NOON + DAY, 13, 3 * DAY),
    history: outage(40 * DAY),
    since: NOON + 10 * DAY + 3 * HOUR,
    check: (world) => must(gapsOf(world)[0]?.from === chainOf(world)[0]?.position, 'the gap begins at the position'),
  }),
  scenario('the time ends during the walk', {
    ...small,
    more: series(200, NOON, 20, SECOND),
    run: { timeoutMs: 4500 },
    mayFail: ['out-of-time', 'storage-unavailable', 'source-unavailable'],
  }),
  scenario('the time ends before the first page', { more: new5, run: { timeoutMs: 2000 }, fails: 'out-of-time' }),
  scenario('the clock is a day ahead', { ...skewed, run: { skewMs: DAY } }),
  scenario('the clock is a day behind', { ...skewed, run: { skewMs: -DAY } }),
  scenario('the clock is two days behind, and nothing is new', {
    run: { skewMs: -2 * DAY },
    check: (world) =>
      must(sum(world, ({ quarantined }) => quarantined['out-of-range']) === 0, 'no archived event is quarantined'),
  }),
  {
    name: 'the clock of the first run is a day ahead',
    start: NOON,
    events: [event(1, NOON - 179.5 * DAY), ...steady],
    run: { skewMs: DAY },
  },
  scenario('the walk crosses midnight without a lookback', {
    start: NOON + 12 * HOUR - HOUR - SECOND,
    ...twoPerPage,
    settings: { ...twoPerBatch, lookbackHours: 0 },
    more: [
      ...series(200, NOON + 11.5 * HOUR, 5, MINUTE),
      event(300, NOON + 12 * HOUR - SECOND),
      ...series(310, NOON + 12 * HOUR, 4, SECOND / 2),
    ],
  }),
  scenario('the head is half published', { more: twoSegments, history: halfPublished }),
  scenario('the head is half published, and the source no longer serves its events', {
    more: [
      ...twoSegments.filter(({ row }) => row >= 400),
      ...new5.map((e) => (e.row % 2 ? { ...e, removedAt: ONE + MINUTE } : e)),
      event(300, NOON + 30 * MINUTE, {
        later: [{ from: ONE + MINUTE, raw: text(300, NOON - HOUR, { note: 'moved' }) }],
      }),
    ],
    history: halfPublished,
  }),
  scenario('the head is half published, and all of it has expired', {
    ...expiring,
    history: expired(/^(batches|events|quarantine)\//),
    check: nothingOldIsNew,
  }),
  scenario('the head is half published, and only its staged bytes have not expired', {
    ...expiring,
    history: expired(/^(events|quarantine)\//),
    check: nothingOldIsNew,
  }),
  scenario('the checkpoint item is lost', {
    more: new5,
    history: async (world) => {
      await hourly(world);
      world.cell.item = undefined;
    },
  }),
  scenario('the checkpoint item is rolled back', {
    more: new5,
    history: async (world) => {
      await hourly(world);
      const { item } = world.cell;
      await hourly(world, 2);
      world.cell.item = item;
    },
  }),
  scenario('the checkpoint item claims a later position', {
    more: [...new5, event(300, ONE + 30 * MINUTE)],
    history: async (world) => {
      await hourly(world);
      world.cell.item = { ...world.cell.item, position: { S: new Date(NOON + 30 * DAY).toISOString() } };
    },
  }),
  scenario('the API key belongs to another team', {
    events: [
      ...steady.map((e) => ({ ...e, removedAt: ONE - MINUTE })),
      ...new5.map((e) => ({ ...e, raw: text(e.row, e.at ?? 0, { team: 8 }), visibleFrom: ONE - MINUTE })),
    ],
    fails: 'team-mismatch',
    clean: { input: { acceptOtherTeamId: '8' } },
  }),
];

/** A run dies after it has staged, committed and published one of two segments. */
async function halfPublished(world: World): Promise<void> {
  await hourly(world);
  await diesAfterCreating(world, 3);
}

/** The world stands still until the whole archive may have expired. Then the bucket deletes the objects named. */
function expired(names: RegExp): (world: World) => Promise<void> {
  return async (world) => {
    await halfPublished(world);
    world.advance(500 * DAY);
    for (const key of world.objects.keys()) if (names.test(key)) world.objects.delete(key);
  };
}

/** No later run writes a segment of a manifest whose time is over. */
function nothingOldIsNew(world: World): void {
  const revived = world.runs.slice(2);
  const old = revived.flatMap(({ created }) => created.filter((key) => /\/000000000[12]\./.test(key)));
  must(revived.length > 0 && old.length === 0, `published again: ${old.join(' ')}`);
}
