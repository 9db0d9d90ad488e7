import { sealBatch } from '../../lambdas/archiver/batch';
import { type Gathered, type GatherOptions, gather } from '../../lambdas/archiver/gather';
import { sweepDate } from '../../lambdas/archiver/sweep';
import type { Manifest } from '../../lambdas/shared/manifest';
import { segmentKey } from '../../lambdas/shared/object-keys';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { dateOf } from '../../lambdas/shared/time';
import { createSourceModel } from '../../local/postman/source-model';
import { type SourceSettings, sourceSettings } from '../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { aManifest } from '../support/manifest';
import { type MemoryStore, memoryStore } from '../support/memory-store';
import { API_KEY, modelServer, response, type Server, type SourceKit, sourceKit } from '../support/source-kit';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const now = new Date('2026-06-12T12:00:00.250Z');
/** The `Date` header tells whole seconds. */
const told = '2026-06-12T12:00:00.000Z';

interface Run {
  readonly batches: readonly Gathered[];
  readonly error: unknown;
  readonly kit: SourceKit;
  readonly store: MemoryStore;
  readonly pages: readonly { readonly claim: Date; readonly events: number }[];
}

interface RunOptions extends Partial<Omit<GatherOptions, 'store' | 'clock' | 'source'>> {
  readonly settings?: Partial<SourceSettings>;
  readonly store?: MemoryStore;
  readonly clock?: VirtualClock;
  readonly latencyMs?: number;
  /** Stands before the model. */
  readonly server?: (model: Server) => Server;
}

let published = 0;

/** Gathers, and publishes each batch before it asks for the next, as a run does. */
async function run(events: readonly SourceEvent[], options: RunOptions = {}): Promise<Run> {
  const {
    settings,
    store = memoryStore(),
    clock = virtualClock({ start: now.toISOString() }),
    latencyMs = 0,
    ...changes
  } = options;
  const model = createSourceModel(createTable(events), sourceSettings('reality', API_KEY, settings));
  const served = modelServer(model, clock);
  const kit = sourceKit(changes.server?.(served) ?? served, { clock, latencyMs });
  const batches: Gathered[] = [];
  const pages: { claim: Date; events: number }[] = [];
  const gathering = gather({
    team: 'main',
    previous: steady(),
    startDate: undefined,
    lookbackHours: 6,
    acceptOtherTeam: false,
    batchLimits: { events: 1000, bytes: 1e8 },
    source: kit.source,
    store,
    clock,
    onPage: async (claim, count) => void pages.push({ claim, events: count }),
    ...changes,
  });
  try {
    for await (const batch of gathering) {
      batches.push(batch);
      publish(batch, store);
    }
  } catch (error) {
    return { batches, error, kit, store, pages };
  }
  return { batches, error: undefined, kit, store, pages };
}

function publish(batch: Gathered, store: MemoryStore): void {
  published += 1;
  const { members, segments } = sealBatch(batch.draft, { team: 'main', seq: published });
  for (const { key, offset, length } of segments) store.objects.set(key, members.subarray(offset, offset + length));
}

/** A chain whose position is an hour ago; every turn of the sweep falls on a whole older day. */
function steady(changes: Partial<Manifest> = {}): Manifest {
  const { position = '2026-06-12T11:00:00.000Z' } = changes;
  const run = { ...aManifest().run, walkStart: position };
  const window = { from: position, to: position };
  const start = '2025-12-15T00:00:00.000Z';
  return aManifest({ start, run, window, position, sweepTurn: 0, sourceTeams: [], ...changes });
}

/** A chain too young for a sweep. */
const young = (changes: Partial<Manifest> = {}) => steady({ start: '2026-06-12T01:00:00.000Z', ...changes });

function event(row: number, timestamp: string, more: Partial<SourceEvent> = {}): SourceEvent {
  return { row, at: Date.parse(timestamp), raw: `{"id":${row},"timestamp":"${timestamp}"}`, ...more };
}

function archived(...events: readonly SourceEvent[]): MemoryStore {
  const store = memoryStore();
  for (const { row, at, raw } of events) {
    const key = segmentKey('events', 'main', dateOf(new Date(at ?? 0)), 1_000_000 + row);
    store.objects.set(key, compress(joinLines([Buffer.from(raw)])));
  }
  return store;
}

const idsOf = (batches: readonly Gathered[]) => batches.map(({ draft }) => draft.events.map(({ id }) => Number(id)));
const positions = ({ batches }: Run) => batches.map(({ position }) => position.toISOString());

describe('a steady run', () => {
  test('gathers what is new, and comes to where its walk began', async () => {
    const { batches, error } = await run([event(1, '2026-06-12T11:30:00.000Z'), event(2, told)], { previous: young() });
    expect(error).toBeUndefined();
    expect(idsOf(batches)).toEqual([[1, 2]]);
    expect(batches[0]).toMatchObject({
      reason: 'complete',
      last: true,
      position: new Date(told),
      walkStart: new Date(told),
      start: new Date('2026-06-12T01:00:00.000Z'),
      window: { from: new Date('2026-06-12T05:00:00.000Z'), to: new Date(told) },
      gaps: [],
      sweeps: [],
      sweepTurn: 0,
    });
    expect(batches[0]?.counts).toMatchObject({ pages: 1, requests: 1, events: 2, late: 0, known: 0 });
  });

  test('that finds nothing hands out one empty batch', async () => {
    const { batches } = await run([], { previous: young() });
    expect(idsOf(batches)).toEqual([[]]);
    expect(batches[0]).toMatchObject({ reason: 'complete', last: true, position: new Date(told) });
  });

  test('reads the lookback again: late events are counted, known ones too', async () => {
    const known = event(1, '2026-06-12T10:00:00.000Z');
    const events = [
      known,
      event(2, '2026-06-12T05:00:00.000Z'),
      event(3, '2026-06-12T11:00:00.000Z'),
      event(4, '2026-06-12T11:30:00.000Z'),
    ];
    const { batches } = await run(events, { previous: young(), store: archived(known) });
    expect(idsOf(batches)).toEqual([[2, 3, 4]]);
    expect(batches[0]?.counts).toMatchObject({ events: 3, late: 1, known: 1 });
  });

  test.each([0, 6, 72, 720])('asks back to the lookback of %d hours', async (lookbackHours) => {
    const begin = Date.parse('2026-06-12T11:00:00.000Z') - lookbackHours * HOUR_MS;
    const events = [event(1, new Date(begin).toISOString()), event(2, new Date(begin + 1000).toISOString())];
    const { batches, kit } = await run(events, { previous: young(), lookbackHours });
    expect(idsOf(batches).flat().toSorted()).toEqual([1, 2]);
    expect(Date.parse(kit.calls[0]?.url.searchParams.get('since') ?? '')).toBeLessThan(begin);
  });

  test('archives what is dated ahead, and does not follow it', async () => {
    const ahead = event(1, '2026-06-13T11:00:00.000Z', { visibleFrom: 0 });
    const tooFar = event(2, '2026-06-14T11:00:00.000Z', { visibleFrom: 0 });
    const { batches } = await run([ahead, tooFar], { previous: young() });
    expect(idsOf(batches)).toEqual([[1]]);
    expect(batches[0]?.counts.quarantined['out-of-range']).toBe(1);
    expect(batches[0]?.position).toEqual(new Date(told));
  });

  test("knows an event again that was archived under tomorrow's date, and is dated today now", async () => {
    const { batches } = await run([event(1, '2026-06-12T10:30:00.000Z')], {
      previous: young(),
      store: archived(event(1, '2026-06-13T08:00:00.000Z')),
    });
    expect(idsOf(batches)).toEqual([[]]);
    expect(batches[0]?.counts.revisions).toBe(1);
  });

  test('tells of every page', async () => {
    const events = Array.from({ length: 5 }, (_, n) => event(n, `2026-06-12T11:0${n}:00.000Z`));
    const { pages, kit } = await run(events, { previous: young(), settings: { maxLimit: 2 } });
    expect(pages.map(({ events: count }) => count)).toEqual([2, 2, 1]);
    expect(kit.calls).toHaveLength(3);
  });
});

describe('the position', () => {
  const dateHeader =
    (date: string) =>
    (model: Server): Server =>
    (call, number) => {
      const answer = model(call, number);
      return { ...answer, headers: new Map(answer.headers).set('date', date) };
    };

  test("is the source's time where our clock runs ahead", async () => {
    const server = dateHeader('Fri, 12 Jun 2026 11:40:00 GMT');
    const { batches } = await run([], { previous: young(), server });
    expect(batches[0]).toMatchObject({
      position: new Date('2026-06-12T11:40:00Z'),
      walkStart: new Date('2026-06-12T11:40:00Z'),
    });
  });

  test("is ours where the source's clock runs ahead, or tells nothing", async () => {
    for (const date of ['Sat, 13 Jun 2026 11:40:00 GMT', 'soon', '']) {
      const { batches } = await run([], { previous: young(), server: dateHeader(date) });
      expect(batches[0]?.position).toEqual(now);
    }
  });

  test('never goes back', async () => {
    const position = '2026-06-12T18:00:00.000Z';
    const { batches, error } = await run([event(1, '2026-06-12T13:00:00.000Z')], { previous: young({ position }) });
    expect(error).toBeUndefined();
    expect(batches.map((batch) => batch.position.toISOString())).toEqual([position]);
    expect(idsOf(batches)).toEqual([[1]]);
  });

  test('stops at the last event that was seen to follow its predecessors, where the time ends', async () => {
    const events = Array.from({ length: 9 }, (_, n) => event(n, `2026-06-12T11:0${n}:00.000Z`));
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 9000 });
    const { batches, error } = await run(events, {
      previous: steady(),
      settings: { maxLimit: 2 },
      clock,
      latencyMs: 1500,
    });
    expect(error).toBeUndefined();
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({ reason: 'deadline', last: true, sweeps: [], sweepTurn: 0 });
    const last = batches[0]?.draft.events.at(-1)?.instant;
    expect(batches[0]?.position).toEqual(last);
    expect(clock.remainingMs()).toBeGreaterThan(3000);
  });

  test('stays where a source without order leaves a window unfinished', async () => {
    const events = Array.from({ length: 9 }, (_, n) => event(n, `2026-06-12T11:0${n}:00.000Z`));
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 9000 });
    const settings = { maxLimit: 2, order: 'always-descending' } as const;
    const { batches } = await run(events, { previous: young(), settings, clock, latencyMs: 1500 });
    expect(batches[0]?.reason).toBe('deadline');
    expect(batches[0]?.draft.events.length).toBeGreaterThan(0);
    expect(batches[0]?.position).toEqual(new Date('2026-06-12T11:00:00.000Z'));
  });

  test('is taken back where a later page disproves the order, and reading goes on from there', async () => {
    const minutes = [10, 20, 30, 15, 16, 17, 18, 19, 21];
    const events = minutes.map((minute, n) => event(n, `2026-06-12T11:${minute}:00.000Z`));
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 10_000 });
    const settings = { maxLimit: 1, order: 'by-id' } as const;
    const { batches, pages } = await run(events, { previous: young(), settings, clock, latencyMs: 1000 });
    const claims = pages.map(({ claim }) => claim.toISOString());
    expect(claims.slice(1, 4)).toEqual([
      '2026-06-12T11:20:00.000Z',
      '2026-06-12T11:30:00.000Z',
      '2026-06-12T05:00:00.000Z',
    ]);
    expect(batches[0]).toMatchObject({
      reason: 'deadline',
      position: new Date('2026-06-12T11:00:00.000Z'),
      window: { to: new Date('2026-06-12T05:00:00.000Z') },
    });
  });

  function comesNoFurther(previous: Manifest) {
    const events = Array.from({ length: 9 }, (_, n) => event(n, `2026-06-12T11:0${n}:00.000Z`));
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 9000 });
    const settings = { maxLimit: 2, order: 'always-descending' } as const;
    return run(events, { previous, settings, clock, latencyMs: 1500, store: archived(...events) });
  }

  test('that comes no further and finds nothing new is no success', async () => {
    const { batches, error } = await comesNoFurther(young({ run: { ...young().run, reason: 'deadline' } }));
    expect(batches).toEqual([]);
    expect(error).toMatchObject({ code: 'out-of-time', message: expect.stringContaining('more time') });
  });

  test('that comes no further after a walk that was finished lets the next run begin in mid-day', async () => {
    const { batches, error } = await comesNoFurther(young());
    expect(batches).toMatchObject([{ reason: 'deadline', last: true, counts: { events: 0 } }]);
    expect(error).toBeUndefined();
  });
});

test('without time for a single page there is nothing to commit, and that is said', async () => {
  const { batches, error } = await run([], { clock: virtualClock({ start: now.toISOString(), remainingMs: 3400 }) });
  expect(batches).toEqual([]);
  expect(error).toMatchObject({ code: 'out-of-time' });
});

describe('a draft that is full', () => {
  const hourly = Array.from({ length: 40 }, (_, n) =>
    event(n + 1, new Date(Date.parse('2026-06-10T00:00:00.000Z') + n * HOUR_MS).toISOString()),
  );
  const previous = young({ position: '2026-06-10T00:00:00.000Z', start: '2026-06-12T00:00:00.000Z' });
  const settings = { maxLimit: 5 };

  test('is handed out, and the walk goes on', async () => {
    const { batches, kit } = await run(hourly, { previous, settings, batchLimits: { events: 10, bytes: 1e8 } });
    expect(batches.map(({ reason, last }) => `${reason} ${last}`)).toEqual([
      ...new Array(4).fill('batch-full false'),
      'complete true',
    ]);
    expect(idsOf(batches).map((ids) => ids.length)).toEqual([10, 10, 10, 10, 0]);
    expect(batches.map(({ counts }) => counts.requests).reduce((sum, n) => sum + n)).toBe(kit.calls.length);
    expect(batches.every(({ walkStart }) => walkStart.toISOString() === told)).toBe(true);
  });

  test('claims no more than it holds', async () => {
    const outcome = await run(hourly, { previous, settings, batchLimits: { events: 10, bytes: 1e8 } });
    const lastEvents = outcome.batches.map(({ draft }) => draft.events.at(-1)?.instant.toISOString());
    expect(positions(outcome).slice(0, 3)).toEqual(lastEvents.slice(0, 3));
    expect(positions(outcome).at(-1)).toBe(told);
  });

  test('is full by its bytes as well', async () => {
    const { batches } = await run(hourly, { previous, settings, batchLimits: { events: 1000, bytes: 400 } });
    expect(batches.length).toBeGreaterThan(3);
    expect(idsOf(batches).flat()).toHaveLength(40);
  });

  test.each([
    'always-descending',
    'by-id',
  ] as const)('of a source whose order is %s loses and repeats nothing', async (order) => {
    const { batches } = await run(hourly, {
      previous,
      settings: { ...settings, order, overlap: 2 },
      batchLimits: { events: 7, bytes: 1e8 },
    });
    expect(
      idsOf(batches)
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual(hourly.map(({ row }) => row));
  });

  test('counts late events by the position at which the run began', async () => {
    const { batches } = await run(hourly, {
      previous: young({ position: '2026-06-10T06:00:00.000Z' }),
      settings,
      batchLimits: { events: 10, bytes: 1e8 },
    });
    expect(batches.map(({ counts }) => counts.late)).toEqual([6, 0, 0, 0, 0]);
  });

  test('does not forget what the lookback may bring again under another date', async () => {
    const moved = event(99, '2026-06-12T10:00:00.000Z');
    const { batches } = await run([...hourly, moved], {
      previous,
      settings,
      lookbackHours: 72,
      batchLimits: { events: 10, bytes: 1e8 },
      store: archived(event(99, '2026-06-09T10:00:00.000Z')),
    });
    expect(idsOf(batches).flat()).toHaveLength(40);
    expect(batches.at(-1)?.counts.revisions).toBe(1);
  });

  test('of nothing but revisions that are quarantined already ends', async () => {
    const drift = (raw: string, request: number) => raw.replace('}', `,"read":${request}}`);
    const store = memoryStore();
    const first = await run(hourly, { previous, settings, store });
    expect(idsOf(first.batches).flat()).toHaveLength(40);
    const options = { previous, settings: { ...settings, drift }, store, batchLimits: { events: 10, bytes: 1e8 } };
    const second = await run(hourly, options);
    const third = await run(hourly, options);
    const revisions = ({ batches }: Run) => batches.reduce((sum, { counts }) => sum + counts.quarantined.revision, 0);
    expect([revisions(second), revisions(third)]).toEqual([40, 0]);
    expect(idsOf(third.batches).flat()).toEqual([]);
  });
});

describe('what the source no longer keeps', () => {
  const keptFrom = new Date(Date.parse(told) - 180 * DAY_MS + 60_000).toISOString();

  test('is a gap after an outage', async () => {
    const previous = steady({ position: '2025-12-01T00:00:00.000Z', start: '2025-11-01T00:00:00.000Z' });
    const { batches, error } = await run([event(1, '2026-06-12T10:00:00.000Z')], { previous });
    expect(error).toBeUndefined();
    expect(batches.flatMap(({ gaps }) => gaps)).toEqual([
      { from: '2025-12-01T00:00:00.000Z', to: keptFrom, reason: 'retention' },
    ]);
    expect(batches[0]?.window.from.toISOString()).toBe(keptFrom);
    expect(batches.at(-1)?.position).toEqual(new Date(told));
  });

  test('is told once, in however many batches the run goes on', async () => {
    const previous = steady({ position: '2025-12-01T00:00:00.000Z', start: '2025-11-01T00:00:00.000Z' });
    const events = Array.from({ length: 9 }, (_, n) => event(n, `2026-06-0${n + 1}T10:00:00.000Z`));
    const { batches } = await run(events, {
      previous,
      settings: { maxLimit: 2 },
      batchLimits: { events: 2, bytes: 1e8 },
    });
    expect(batches.length).toBeGreaterThan(2);
    expect(batches.map(({ gaps }) => gaps.length)).toEqual([1, ...new Array(batches.length - 1).fill(0)]);
  });

  test('is none after an outage of 179 days', async () => {
    const late = event(1, '2025-12-15T12:00:00.000Z');
    const previous = steady({ position: '2025-12-15T11:00:00.000Z', start: '2025-11-01T00:00:00.000Z' });
    const { batches } = await run([late], { previous });
    expect(batches.flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(idsOf(batches).flat()).toEqual([1]);
  });

  test('is none on a first run, which begins where the source does', async () => {
    const { batches } = await run([event(1, '2026-06-01T10:00:00.000Z')], {
      previous: undefined,
      settings: { retentionDays: 90 },
    });
    const [batch] = batches;
    expect(batches.flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(batch?.start.getTime()).toBeGreaterThanOrEqual(now.getTime() - 90 * DAY_MS);
    expect(batch?.start.getTime()).toBeLessThanOrEqual(now.getTime() - 90 * DAY_MS + 300_000);
    expect(batch?.window.from).toEqual(batch?.start);
  });

  test('is a gap on a first run that was asked for more', async () => {
    const startDate = new Date('2025-06-01T00:00:00.000Z');
    const { batches } = await run([], { previous: undefined, startDate });
    expect(batches[0]).toMatchObject({
      start: startDate,
      gaps: [{ from: '2025-06-01T00:00:00.000Z', to: keptFrom, reason: 'retention' }],
    });
  });

  test('is one gap for the time between, wherever the source turns out to begin', async () => {
    const previous = steady({ position: '2026-01-01T00:00:00.000Z' });
    const { batches } = await run([event(1, '2026-06-12T10:00:00.000Z')], {
      previous,
      settings: { retentionDays: 90 },
    });
    const gaps = batches.flatMap((batch) => batch.gaps);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.from).toBe('2026-01-01T00:00:00.000Z');
    expect(gaps[0]?.to).toBe(batches[0]?.window.from.toISOString());
  });

  test('while a first run goes on, once something was committed, is a gap as well', async () => {
    const begin = new Date(Date.parse(told) - 180 * DAY_MS + 60_000);
    const events = Array.from({ length: 16 }, (_, n) =>
      event(n + 1, new Date(begin.getTime() + 60_000 + n * 1000).toISOString()),
    );
    // No order, no claim; and each page takes so long that the source forgets where the walk began.
    const outcome = await run(events, {
      previous: undefined,
      settings: { maxLimit: 2, order: 'always-descending' },
      batchLimits: { events: 2, bytes: 1e8 },
      latencyMs: 8000,
      clock: virtualClock({ start: now.toISOString(), remainingMs: 9_000_000 }),
    });
    expect(outcome.error).toBeUndefined();
    const [first, ...others] = outcome.batches;
    const moved = others.find(({ window }) => first !== undefined && window.from > first.window.from);
    expect(first?.position).toEqual(first?.start);
    expect(moved?.gaps).toEqual([
      { from: first?.position.toISOString(), to: moved?.window.from.toISOString(), reason: 'retention' },
    ]);
    expect(outcome.batches.every(({ start }) => start.getTime() === first?.start.getTime())).toBe(true);
  });
});

describe('a first run', () => {
  test('archives all that the source keeps, and counts nothing as late', async () => {
    const events = [
      event(1, '2025-12-14T13:00:00.000Z'),
      event(2, '2026-03-01T00:00:00.000Z'),
      event(3, '2026-06-12T11:59:00.000Z'),
    ];
    const { batches } = await run(events, { previous: undefined });
    expect(idsOf(batches)).toEqual([[1, 2, 3]]);
    expect(batches[0]?.counts.late).toBe(0);
    expect(batches[0]?.start.toISOString()).toBe(batches[0]?.window.from.toISOString());
  });

  test('with a start date archives from there', async () => {
    const events = [event(1, '2026-06-01T23:59:59.000Z'), event(2, '2026-06-10T00:00:00.000Z')];
    const startDate = new Date('2026-06-05T00:00:00.000Z');
    const { batches } = await run(events, { previous: undefined, startDate });
    expect(idsOf(batches).flat()).toEqual([2]);
    expect(batches[0]).toMatchObject({ start: startDate, gaps: [] });
  });

  test('with a start date at noon counts nothing of that morning as late', async () => {
    const startDate = new Date('2026-06-05T12:00:00.000Z');
    const { batches } = await run([event(1, '2026-06-05T10:00:00.000Z')], { previous: undefined, startDate });
    expect(batches[0]?.counts.late).toBe(0);
  });

  test('with a start date in the future is refused', async () => {
    const { batches, error } = await run([], { previous: undefined, startDate: new Date('2026-06-12T12:00:01.000Z') });
    expect(batches).toEqual([]);
    expect(error).toMatchObject({ code: 'input-invalid' });
  });

  test('of a clock that is a day ahead leaves nothing out', async () => {
    const first = event(1, new Date(Date.parse(told) - 180 * DAY_MS + 120_000).toISOString());
    const clock = virtualClock({ start: new Date(now.getTime() + DAY_MS).toISOString() });
    const behind = virtualClock({ start: now.toISOString() });
    const model = createSourceModel(createTable([first]), sourceSettings('reality', API_KEY));
    const { batches } = await run([], { previous: undefined, clock, server: () => modelServer(model, behind) });
    expect(idsOf(batches).flat()).toEqual([1]);
  });
});

describe('the sweep', () => {
  const swept = '2026-06-08';
  /** The turn that falls on the swept date. */
  const sweepTurn = [...new Array(21).keys()].find((turn) => sweepDate(turn, now, new Date(0)) === swept) ?? Number.NaN;

  function sweepRun(events: readonly SourceEvent[], options: RunOptions = {}) {
    return run(events, { previous: steady({ sweepTurn, start: '2026-01-01T00:00:00.000Z' }), ...options });
  }

  test("reads one older day again, and ends with the run's last batch", async () => {
    const known = event(1, `${swept}T10:00:00.000Z`);
    const { batches, kit } = await sweepRun([known, event(2, '2026-06-12T11:30:00.000Z')], {
      store: archived(known),
    });
    expect(idsOf(batches)).toEqual([[2]]);
    expect(batches[0]?.sweeps[0]).toEqual({
      date: swept,
      status: 'complete',
      served: 1,
      archived: 1,
      late: 0,
      missing: 0,
      changed: 0,
    });
    expect(batches[0]).toMatchObject({
      last: true,
      reason: 'complete',
      sweepTurn: sweepTurn + 1,
      position: new Date(told),
    });
    expect(kit.calls.length).toBe(2);
  });

  test('finds what came later than any lookback, what is gone and what has changed', async () => {
    const [gone, changed] = [event(1, `${swept}T10:00:00.000Z`), event(2, `${swept}T11:00:00.000Z`)];
    const edited = { ...changed, raw: changed.raw.replace('}', ',"edited":true}') };
    const late = event(3, `${swept}T23:59:59.000Z`);
    const { batches } = await sweepRun([edited, late], { store: archived(gone, changed) });
    expect(batches[0]?.sweeps[0]).toEqual({
      date: swept,
      status: 'complete',
      served: 2,
      archived: 2,
      late: 1,
      missing: 1,
      changed: 1,
    });
    expect(idsOf(batches)).toEqual([[3]]);
    expect(batches[0]?.counts).toMatchObject({ late: 1, revisions: 1, quarantined: { revision: 1 } });
  });

  test('that fails keeps nothing from the archive: the batch is handed out, then the run fails', async () => {
    let calls = 0;
    const server =
      (model: Server): Server =>
      (call, number) => {
        calls = number;
        return number === 1 ? model(call, number) : response(500);
      };
    const { batches, error } = await run([event(1, '2026-06-12T11:30:00.000Z')], {
      previous: steady({ start: '2026-01-01T00:00:00.000Z' }),
      server,
    });
    expect(calls).toBeGreaterThan(2);
    expect(idsOf(batches)).toEqual([[1]]);
    expect(batches[0]).toMatchObject({
      last: false,
      position: new Date(told),
      sweepTurn: 1,
      sweeps: [{ status: 'failed', missing: 0 }],
    });
    expect(error).toMatchObject({ code: 'source-unavailable' });
  });

  test('that must not fail so is not hidden: a refused key ends the run at once', async () => {
    const server =
      (model: Server): Server =>
      (call, number) =>
        number === 1 ? model(call, number) : response(401);
    const { batches, error } = await run([], { previous: steady({ start: '2026-01-01T00:00:00.000Z' }), server });
    expect(batches).toEqual([]);
    expect(error).toMatchObject({ code: 'api-key-refused' });
  });

  test('without time keeps its turn', async () => {
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 9000 });
    const { batches } = await run([], {
      previous: steady({ start: '2026-01-01T00:00:00.000Z' }),
      clock,
      latencyMs: 3000,
    });
    expect(batches[0]).toMatchObject({ sweeps: [], sweepTurn: 0, reason: 'complete', last: true });
  });

  test('that runs out of time compares nothing', async () => {
    const events = Array.from({ length: 20 }, (_, n) => event(n + 1, `${swept}T10:00:00.000Z`));
    const { batches } = await sweepRun(events, {
      settings: { maxLimit: 2 },
      latencyMs: 5000,
      store: archived(event(99, `${swept}T10:00:00.000Z`)),
      clock: virtualClock({ start: now.toISOString(), remainingMs: 42_000 }),
    });
    expect(batches.at(-1)?.sweeps[0]).toMatchObject({ status: 'partial', missing: 0 });
    expect(batches.at(-1)?.draft.events.length).toBeGreaterThan(0);
  });

  test('is left to the next run where the time is short: what the walk found comes first', async () => {
    const events = [event(1, '2026-06-12T11:30:00.000Z'), event(2, `${swept}T10:00:00.000Z`)];
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 29_000 });
    const { batches, error } = await sweepRun(events, { clock });
    expect(error).toBeUndefined();
    expect(idsOf(batches)).toEqual([[1]]);
    expect(batches[0]).toMatchObject({ reason: 'complete', sweeps: [], sweepTurn });
  });

  test('of a day that the source no longer keeps does not call its events missing', async () => {
    const known = event(1, `${swept}T10:00:00.000Z`);
    const outcome = await sweepRun([], { store: archived(known), settings: { retentionDays: 3 }, lookbackHours: 1 });
    expect(outcome.error).toBeUndefined();
    expect(outcome.batches.at(-1)?.sweeps[0]).toMatchObject({ date: swept, missing: 0 });
    expect(outcome.batches.at(-1)?.sweeps[0]?.status).not.toBe('complete');
    expect(outcome.batches.at(-1)?.sweepTurn).toBe(sweepTurn + 1);
  });

  test('of a day that the source keeps in part does not call the rest missing', async () => {
    const known = event(1, `${swept}T10:00:00.000Z`);
    const still = event(2, `${swept}T20:00:00.000Z`);
    const outcome = await sweepRun([still], {
      store: archived(known, still),
      settings: { retentionDays: 4 },
      lookbackHours: 1,
    });
    expect(outcome.batches.at(-1)?.sweeps[0]).toMatchObject({ date: swept, missing: 0, served: 1, status: 'partial' });
  });

  test('goes on where a batch is full in its middle', async () => {
    const events = Array.from({ length: 12 }, (_, n) => event(n + 1, `${swept}T10:00:${n + 10}.000Z`));
    const { batches } = await sweepRun(events, { settings: { maxLimit: 3 }, batchLimits: { events: 5, bytes: 1e8 } });
    expect(idsOf(batches).flat()).toHaveLength(12);
    expect(batches.map(({ last }) => last)).toEqual([...new Array(batches.length - 1).fill(false), true]);
    expect(batches.map(({ sweeps }) => sweeps[0]?.late ?? null)).toEqual([
      ...new Array(batches.length - 1).fill(null),
      12,
    ]);
    expect(new Set(batches.map(({ position }) => position.toISOString()))).toEqual(new Set([told]));
  });
});

test('a team that the chain has never met ends the run before anything is handed out', async () => {
  const stranger = event(1, '2026-06-12T11:30:00.000Z', {
    raw: '{"id":1,"timestamp":"2026-06-12T11:30:00.000Z","data":{"team":{"id":9}}}',
  });
  const { batches, error } = await run([stranger], { previous: young({ sourceTeams: ['7'] }) });
  expect(batches).toEqual([]);
  expect(error).toMatchObject({ code: 'team-mismatch' });
});

test('an archive that cannot be read ends the run before anything is handed out', async () => {
  const store = memoryStore({
    before: (operation) => {
      if (operation === 'list') throw new Error('no answer');
    },
  });
  const { batches, error } = await run([event(1, '2026-06-12T11:30:00.000Z')], { previous: young(), store });
  expect(batches).toEqual([]);
  expect(error).toMatchObject({ message: 'no answer' });
});
