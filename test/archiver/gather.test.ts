/**
 * The stories that only gathering can show: in which order it reads, commits and sweeps, and what ends it. How far a run has
 * come is in progress.test.ts, and the readings of the API are in walk.property.test.ts.
 */
import { type Batch, sealBatch } from '../../lambdas/archiver/batch';
import { gather } from '../../lambdas/archiver/gather';
import { positionOf } from '../../lambdas/archiver/progress';
import type { Run } from '../../lambdas/archiver/run';
import { datesOfTurn } from '../../lambdas/archiver/sweep-turns';
import { Race } from '../../lambdas/shared/errors';
import { isDated, readEvent } from '../../lambdas/shared/event';
import { latestOf, type Manifest } from '../../lambdas/shared/manifest';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { aManifest } from '../support/manifest';
import { memoryStore } from '../support/memory-store';
import { aChain, aRun, RUN_ID } from '../support/run';
import { API_KEY, modelServer, response, type Server, sourceKit } from '../support/source-kit';
import { createSourceModel, type SourceSettings, sourceSettings } from '../support/test-source';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

const now = new Date('2026-06-12T12:00:00.250Z');
/** The day whose turn it is in every run that sweeps here. */
const SWEPT = '2026-06-08';

interface Story extends Partial<Pick<Run, 'batchLimits' | 'lookbackHours' | 'startDate'>> {
  readonly previous: Manifest | undefined;
  /** What the manifest before the previous one lists. */
  readonly archived?: readonly SourceEvent[];
  readonly clock?: VirtualClock;
  readonly latencyMs?: number;
  readonly settings?: Partial<SourceSettings>;
  /** Wraps the model of the source. */
  readonly server?: (model: Server) => Server;
  /** The commit of the batch with that number fails. Numbers begin with 1. */
  readonly failedCommit?: number;
}

/** Gathers, and publishes each batch a moment after it was handed over, as a run does. */
async function gathered(events: readonly SourceEvent[], story: Story) {
  const { previous, archived = [], settings, latencyMs = 0, failedCommit, ...others } = story;
  const { server = (model: Server) => model, clock = clockWith(900_000), ...changes } = others;
  const model = createSourceModel(createTable(events), sourceSettings('reality', API_KEY, settings));
  const { source, calls } = sourceKit(server(modelServer(model, clock)), { clock, latencyMs });
  const store = memoryStore();
  const batches: Batch[] = [];
  const log: string[] = [];

  function publish(batch: Pick<Batch, 'events' | 'held'>, seq: number): Manifest['segments'] {
    const { members, segments } = sealBatch(batch, { team: 'main', seq });
    for (const { key, offset, length } of segments) store.objects.set(key, members.subarray(offset, offset + length));
    return segments;
  }

  const lines = archived.map(({ raw }) => readEvent(Buffer.from(raw)));
  const segments = publish({ events: lines.filter(isDated), held: [] }, 1);
  const latest = latestOf(null, segments);
  const before = { run: { ...aManifest().run, id: 'an earlier run' }, segments, latest };
  const manifests = previous === undefined ? [] : [before, { ...previous, latest }];
  const chain = await aChain(manifests, store);

  async function commitBatch(batch: Batch): Promise<void> {
    log.push('commit');
    await new Promise((resolve) => setImmediate(resolve));
    if (batches.length + 1 === failedCommit) throw new Race('another run committed it');
    batches.push(batch);
    const seq = manifests.length + batches.length;
    const manifest = aManifest({ seq, run: { ...aManifest().run, id: RUN_ID }, segments: publish(batch, seq) });
    chain.append({ manifest, hash: '' });
    log.push('published');
  }

  const run = aRun({ ...changes, source, clock, store });
  const gathering = gather(run, { chain, commitBatch, onPage: async () => void log.push('page') });
  const error: unknown = await gathering.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { batches, error, log, requests: calls.length };
}

/** The head of a chain whose last full walk and last sweep are an hour ago, and which is old enough for sweeps. */
function chain(changes: Partial<Manifest> = {}): Manifest {
  const { position = '2026-06-12T11:00:00.000Z' } = changes;
  const run = { ...aManifest().run, id: 'of the run before', walkStart: position };
  const options = { now, floor: new Date(0), areDaysLarge: false };
  const sweepTurn = [...new Array(21).keys()].find((turn) => datesOfTurn(turn, options)[0] === SWEPT) ?? Number.NaN;
  const window = { from: '2026-06-12T05:00:00.000Z', to: position };
  const start = '2026-01-01T00:00:00.000Z';
  const swept = { sweepTurn, sweptAt: position };
  return aManifest({ start, run, window, position, ...swept, sourceTeams: [], segments: [], ...changes });
}

/** A chain that is too young for a sweep. */
function youngChain(changes: Partial<Manifest> = {}): Manifest {
  return chain({ start: '2026-06-12T01:00:00.000Z', ...changes });
}

function clockWith(remainingMs: number): VirtualClock {
  return virtualClock({ start: now.toISOString(), remainingMs });
}

function event(row: number, timestamp: string, more = ''): SourceEvent {
  return { row, at: Date.parse(timestamp), raw: `{"id":${row},"timestamp":"${timestamp}"${more}}` };
}

/** One event a minute, from the minute of `begin` on. */
function minutely(count: number, begin: string): readonly SourceEvent[] {
  const at = (n: number) => new Date(Date.parse(begin) + n * 60_000).toISOString();
  return Array.from({ length: count }, (_, n) => event(n + 1, at(n)));
}

const idsOf = (batches: readonly Batch[]) => batches.map(({ events }) => events.map(({ id }) => Number(id)));
const fresh = event(1, '2026-06-12T11:30:00.000Z');

/** Lets the first request through, which is the walk's, and answers the others with this status. */
function failingAfterTheWalk(status: number): (model: Server) => Server {
  return (model) => (call, number) => (number === 1 ? model(call, number) : response(status));
}

describe('the walk', () => {
  const events = minutely(10, '2026-06-12T10:56:00.000Z');
  const small = { settings: { maxLimit: 2 }, batchLimits: { events: 4, bytes: 1e8 } };

  test('a full batch is committed and published before the next page is taken in', async () => {
    const { batches, log, requests } = await gathered(events, { previous: youngChain(), ...small });
    const full = ['page', 'page', 'commit', 'published'];
    expect(log).toEqual([...full, ...full, 'page', 'commit', 'published']);
    expect(batches.map(({ reason, isLast }) => `${reason} ${isLast}`)).toEqual([
      'batch-full false',
      'batch-full false',
      'complete true',
    ]);
    expect(batches.map(({ counts }) => counts.requests)).toEqual([2, 2, requests - 4]);
    // Late by the position at which the run began, in each of its batches.
    expect(batches.map(({ counts }) => counts.late)).toEqual([4, 0, 0]);
    expect(batches.map(({ progress }) => positionOf(progress).toISOString())).toEqual([
      '2026-06-12T11:00:00.000Z',
      '2026-06-12T11:03:00.000Z',
      '2026-06-12T12:00:00.000Z',
    ]);
  });

  test('a first run with a start date at noon counts nothing of that morning as late', async () => {
    const startDate = new Date('2026-06-12T12:00:00.000Z');
    const { batches } = await gathered(events, { previous: undefined, startDate });
    expect(batches).toMatchObject([{ counts: { events: 10, late: 0 } }]);
  });

  /** A source without order shows no progress before its window is finished. */
  function comesNoFurther(reason: 'deadline' | 'complete', archived: readonly SourceEvent[]) {
    const previous = youngChain({ run: { ...youngChain().run, reason } });
    const settings = { maxLimit: 2, order: 'always-descending' } as const;
    return gathered(events, { previous, settings, archived, clock: clockWith(9000), latencyMs: 1500 });
  }

  test('a resumed run that comes no further and finds nothing new fails', async () => {
    const { batches, error } = await comesNoFurther('deadline', events);
    expect(batches).toEqual([]);
    expect(error).toMatchObject({ code: 'out-of-time' });
  });

  test.each([
    ['a resumed run that comes no further commits the new events that it finds', 'deadline', []],
    [
      'a run that comes no further after a complete walk commits, so that the next run begins in mid-day',
      'complete',
      events,
    ],
  ] as const)('%s', async (_name, reason, archived) => {
    const { batches, error } = await comesNoFurther(reason, archived);
    expect(error).toBeUndefined();
    expect(batches).toMatchObject([{ reason: 'deadline', isLast: true }]);
    expect(batches[0]?.events.length === 0).toBe(reason === 'complete');
  });

  test('a run that the deadline interrupts commits what it has, and sweeps nothing', async () => {
    const story = { previous: chain(), settings: { maxLimit: 2 }, clock: clockWith(9000), latencyMs: 1500 };
    const { batches, error } = await gathered(events, story);
    expect(error).toBeUndefined();
    expect(batches).toMatchObject([{ reason: 'deadline', isLast: true, sweeps: [] }]);
    expect(batches[0]?.events.length).toBeGreaterThan(0);
    expect(story.clock.remainingMs()).toBeGreaterThan(3000);
  });
});

describe('the sweep', () => {
  const { sweepTurn } = chain();
  const inSweptDay = minutely(12, `${SWEPT}T10:00:00.000Z`);
  const small = { settings: { maxLimit: 3 }, batchLimits: { events: 5, bytes: 1e8 } };

  test('a sweep finds what came too late for any lookback, what is gone and what has changed', async () => {
    const [gone, changed] = [event(11, `${SWEPT}T10:00:00.000Z`), event(12, `${SWEPT}T11:00:00.000Z`)];
    const late = event(13, `${SWEPT}T23:59:59.000Z`);
    const { batches, requests } = await gathered([fresh, event(12, `${SWEPT}T11:00:00.000Z`, ',"edited":true'), late], {
      previous: chain(),
      archived: [gone, changed],
    });
    expect(idsOf(batches)).toEqual([[1, 13]]);
    const sweep = { date: SWEPT, status: 'complete', served: 2, archived: 2, late: 1, missing: 1, changed: 1 };
    expect(batches).toMatchObject([{ sweeps: [sweep], isLast: true, progress: { sweepTurn: sweepTurn + 1 } }]);
    expect(batches[0]?.counts).toMatchObject({ late: 1, revisions: 1 });
    expect(requests).toBe(2);
  });

  test('a batch that is full during a sweep is committed, and the last batch of the run tells the sweep', async () => {
    const { batches } = await gathered(inSweptDay, { previous: chain(), ...small });
    expect(idsOf(batches).flat()).toHaveLength(12);
    expect(batches.map(({ isLast, sweeps }) => [isLast, sweeps.map(({ late }) => late)])).toEqual([
      [false, []],
      [false, []],
      [true, [12]],
    ]);
    const positions = batches.map(({ progress }) => positionOf(progress).toISOString());
    expect(positions).toEqual(new Array(3).fill('2026-06-12T12:00:00.000Z'));
    expect(batches.map(({ progress }) => progress.sweepTurn)).toEqual([sweepTurn, sweepTurn, sweepTurn + 1]);
  });

  test('a commit that fails during a sweep is thrown at once, and nothing is read or committed after it', async () => {
    const { batches, error, log } = await gathered(inSweptDay, { previous: chain(), ...small, failedCommit: 1 });
    expect(error).toBeInstanceOf(Race);
    expect(batches).toEqual([]);
    // The first page is the walk's, and is empty.
    expect(log).toEqual(['page', 'page', 'page', 'commit']);
  });

  test('a source that fails during a sweep fails the run, but only after the commit of what the walk found', async () => {
    const { batches, error, log } = await gathered([fresh], { previous: chain(), server: failingAfterTheWalk(500) });
    expect(log).toEqual(['page', 'commit', 'published']);
    expect(idsOf(batches)).toEqual([[1]]);
    expect(batches).toMatchObject([
      { isLast: false, sweeps: [{ status: 'failed', missing: 0 }], progress: { sweepTurn: sweepTurn + 1 } },
    ]);
    expect(error).toMatchObject({ code: 'source-unavailable' });
  });

  test('an API key that is refused during a sweep ends the run at once', async () => {
    const { log, error } = await gathered([fresh], { previous: chain(), server: failingAfterTheWalk(401) });
    expect(log).toEqual(['page']);
    expect(error).toMatchObject({ code: 'api-key-refused' });
  });

  test.each([
    ['with less than half a minute left, a run does not begin a sweep', 29_000, 0],
    ['a sweep without the time for one page leaves its turn to the next run', 50_000, 19_000],
  ])('%s', async (_name, remainingMs, latencyMs) => {
    const story = { previous: chain(), clock: clockWith(remainingMs), latencyMs };
    const { batches, error } = await gathered([fresh], story);
    expect(error).toBeUndefined();
    expect(idsOf(batches)).toEqual([[1]]);
    expect(batches).toMatchObject([{ reason: 'complete', isLast: true, sweeps: [], progress: { sweepTurn } }]);
  });

  test('a sweep that runs out of time is partial, and what it found is committed', async () => {
    const story = { previous: chain(), settings: { maxLimit: 1 }, clock: clockWith(42_000), latencyMs: 5000 };
    const { batches } = await gathered(inSweptDay, story);
    expect(batches).toMatchObject([{ reason: 'complete', sweeps: [{ status: 'partial', missing: 0 }] }]);
    expect(batches[0]?.events.length).toBeGreaterThan(0);
  });

  describe('where days are large', () => {
    const turns = { now, floor: new Date('2026-01-01T00:00:00.000Z'), areDaysLarge: true };
    const [older, recent] = datesOfTurn(4, turns);
    const counts = { ...aManifest().counts, events: 10_000_000 };
    const previous = chain({ counts, sweepTurn: 4, sweptAt: '2026-06-11T21:00:00.250Z' });

    test('a turn is for an older day and a day of the last week', async () => {
      const { batches } = await gathered([fresh], { previous });
      const dates = batches.flatMap(({ sweeps }) => sweeps.map(({ date }) => date));
      expect(dates).toEqual([older, recent]);
      expect(batches.map(({ progress }) => progress.sweepTurn)).toEqual([5]);
    });

    test('a turn counts although its time ends with the first day, so that no run begins it for ever', async () => {
      const served = minutely(12, `${older}T10:00:00.000Z`);
      const story = { previous, settings: { maxLimit: 1 }, clock: clockWith(42_000), latencyMs: 5000 };
      const { batches } = await gathered(served, story);
      expect(batches.flatMap(({ sweeps }) => sweeps)).toMatchObject([{ date: older, status: 'partial' }]);
      expect(batches.at(-1)?.progress.sweepTurn).toBe(5);
    });
  });

  test.each([
    3, 4,
  ])('where the source keeps %d days, nothing of the swept day is called missing', async (retentionDays) => {
    const [gone, kept] = [event(11, `${SWEPT}T10:00:00.000Z`), event(12, `${SWEPT}T20:00:00.000Z`)];
    const story = { previous: chain(), archived: [gone, kept], settings: { retentionDays }, lookbackHours: 1 };
    const { batches, error } = await gathered([kept], story);
    expect(error).toBeUndefined();
    expect(batches).toMatchObject([{ sweeps: [{ date: SWEPT, status: 'partial', missing: 0 }] }]);
  });
});
