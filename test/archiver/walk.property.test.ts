import fc from 'fast-check';
import { walk } from '../../lambdas/archiver/walk';
import type { WalkPage } from '../../lambdas/archiver/window';
import { addMs, DAY_MS, later, midnight } from '../../lambdas/shared/time';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { API_KEY, modelServer, sourceKit } from '../support/source-kit';
import { createSourceModel, type Shape, type SourceSettings, sourceSettings } from '../support/test-source';
import { virtualClock } from '../support/virtual-clock';

const RUNS = 150;
const now = new Date('2026-06-12T12:00:00.250Z');

/** Every way in which a server may read the API. All combinations occur. */
const readings: fc.Arbitrary<Partial<SourceSettings>> = fc.record({
  bounds: fc.constantFrom('time', 'midnight', 'date'),
  since: fc.constantFrom('inclusive', 'exclusive', 'ignored'),
  until: fc.constantFrom('inclusive', 'exclusive'),
  order: fc.constantFrom('honoured', 'always-descending', 'descending-pages', 'by-id'),
  cursorPlace: fc.constantFrom('meta', 'top-level', 'both'),
  cursorType: fc.constantFrom('string', 'number'),
  cursorBase: fc.constantFrom(0n, 2n ** 53n, 2n ** 80n),
  cursorEnd: fc.constantFrom(null, 'null', '""'),
  pretty: fc.boolean(),
});
const pageSizes = fc
  .integer({ min: 1, max: 8 })
  .chain((maxLimit) =>
    fc.record({ maxLimit: fc.constant(maxLimit), overlap: fc.integer({ min: 0, max: maxLimit - 1 }) }),
  );
const shapes = fc.constantFrom<Shape>('contract', 'reality');

/** Whole seconds before `now`, many of them near midnights, with ties. */
function secondsAgo(days: number): fc.Arbitrary<number> {
  const sinceMidnight = Math.floor((now.getTime() - midnight(now).getTime()) / 1000);
  return fc.oneof(
    fc.integer({ min: -2 * 86_400, max: days * 86_400 }),
    fc.integer({ min: 0, max: 40 }),
    fc
      .tuple(fc.integer({ min: -2, max: days }), fc.integer({ min: -2, max: 2 }))
      .map(([day, second]) => sinceMidnight + day * 86_400 + second),
  );
}

interface Drawn {
  readonly row: number;
  readonly secondsAgo: number;
  /** Milliseconds after the beginning of the walk from which it is served; 0 for at once. */
  readonly visibleAfterMs: number;
  readonly undated: boolean;
}

function drawnEvents(days: number): fc.Arbitrary<readonly Drawn[]> {
  const event = fc.record({
    row: fc.integer({ min: 1, max: 5000 }),
    secondsAgo: secondsAgo(days),
    visibleAfterMs: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, fc.integer({ min: 1, max: 30_000 })),
    undated: fc.oneof({ arbitrary: fc.constant(false), weight: 9 }, fc.constant(true)),
  });
  return fc.uniqueArray(event, { selector: ({ row }) => row, maxLength: 60, size: 'max' });
}

function toSource({ row, secondsAgo: ago, visibleAfterMs, undated }: Drawn): SourceEvent {
  const at = Math.floor(now.getTime() / 1000) * 1000 - ago * 1000;
  const timestamp = undated ? 'null' : `"${new Date(at).toISOString()}"`;
  const raw = `{"id":${row},"timestamp":${timestamp},"data":{"note":"a b","list":[1,{}]}}`;
  const visibleFrom = visibleAfterMs === 0 ? {} : { visibleFrom: now.getTime() + visibleAfterMs };
  return { row, at: undated ? null : at, raw, ...visibleFrom };
}

/** The events of a source that reads the API in some way, and how many seconds before `now` the walk begins. */
function drawnWalks(eventDays: number, spanSeconds: fc.Arbitrary<number>) {
  return fc.record({
    shape: shapes,
    reading: readings,
    pageSize: pageSizes,
    drawn: drawnEvents(eventDays),
    spanSeconds,
    /** So many seconds before its beginning the walk asks first, but on the same date; undefined for the whole day. */
    sinceSeconds: fc.option(fc.oneof(fc.constant(0), fc.nat(86_400)), { nil: undefined }),
  });
}

type DrawnWalk = ReturnType<typeof drawnWalks> extends fc.Arbitrary<infer Value> ? Value : never;

/** Walks the drawn source, and tells what of it the walk had to yield and did not. */
async function walked(walkDrawn: DrawnWalk, changes: Partial<SourceSettings> = {}, remainingMs = 86_400_000) {
  const { shape, reading, pageSize, drawn, spanSeconds, sinceSeconds } = walkDrawn;
  const clock = virtualClock({ start: now.toISOString(), remainingMs });
  const span = { from: new Date(now.getTime() - spanSeconds * 1000), to: midnight(now, 3) };
  const settings = sourceSettings(shape, API_KEY, { ...reading, ...pageSize, ...changes });
  const events = drawn.map(toSource);
  const kit = sourceKit(modelServer(createSourceModel(createTable(events), settings), clock), {
    clock,
    latencyMs: 400,
  });
  const keptFrom = new Date(now.getTime() - 180 * DAY_MS + 60_000);
  const since =
    sinceSeconds === undefined ? undefined : later(midnight(span.from), addMs(span.from, -sinceSeconds * 1000));
  const walking = walk(span, kit.source, { now: clock.now(), keptFrom, reserveMs: 3000, since });
  const pages: WalkPage[] = [];
  let next = await walking.next();
  for (; !next.done; next = await walking.next()) pages.push(next.value);
  const yielded = new Set(pages.flatMap(({ events: served }) => served.map(({ line }) => String(line))));
  const expectedSince = (from: Date) =>
    events.filter(
      ({ at, visibleFrom }) =>
        visibleFrom === undefined && (at === null || (at >= from.getTime() && at < span.to.getTime())),
    );
  return {
    ...{ pages, clock, span, settings, events, yielded, end: next.value },
    missedSince: (from: Date) => expectedSince(from).filter(({ raw }) => !yielded.has(raw)),
    hastyClaims: () => hastyClaims(pages, expectedSince(span.from)),
  };
}

/** The claims that pass an event of the span before it was yielded. */
function hastyClaims(pages: readonly WalkPage[], expected: readonly SourceEvent[]): string[] {
  const yielded = new Set<string>();
  return pages.flatMap(({ events, claim }) => {
    for (const { line } of events) yielded.add(String(line));
    const passed = expected.filter(({ at, raw }) => at !== null && at < claim.getTime() && !yielded.has(raw));
    return passed.map(({ raw }) => `claimed ${claim.toISOString()} before ${raw}`);
  });
}

test.each([
  ['a steady walk', 4, 4],
  ['the walk of a short backlog', 8, 10],
  ['the walk of a long backlog', 40, 40],
])('%s yields what its span holds and nothing else, and claims nothing too early, under every reading', async (_name, spanDays, eventDays) => {
  const spanSeconds = fc.oneof(
    fc.integer({ min: 0, max: spanDays * 86_400 }),
    secondsAgo(spanDays).map((ago) => Math.max(0, ago)),
  );
  const property = fc.asyncProperty(drawnWalks(eventDays, spanSeconds), async (drawn) => {
    const { pages, end, span, settings, events, yielded, missedSince, hastyClaims: hasty } = await walked(drawn);
    expect(missedSince(span.from)).toEqual([]);
    // Byte for byte: nothing that the source does not hold.
    const held = new Set(events.map(({ raw }) => raw));
    expect([...yielded].filter((line) => !held.has(line))).toEqual([]);
    expect(end).toBe('complete');
    expect(pages.at(-1)?.claim).toEqual(span.to);
    if (settings.order !== 'by-id') expect(hasty()).toEqual([]);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test('a walk yields what it claims, and says when it is complete, whatever time is left', async () => {
  const drawnTime = fc.integer({ min: 0, max: 30_000 });
  const days = fc.constant(12 * 86_400);
  const property = fc.asyncProperty(drawnWalks(12, days), drawnTime, async (drawn, remainingMs) => {
    const order = drawn.reading.order === 'by-id' ? 'honoured' : (drawn.reading.order ?? 'honoured');
    const { pages, end, span, clock, hastyClaims: hasty } = await walked(drawn, { order }, remainingMs);
    expect(hasty()).toEqual([]);
    expect(end === 'complete').toBe(pages.at(-1)?.claim.getTime() === span.to.getTime());
    expect(clock.remainingMs() > 2600 || pages.length === 0).toBe(true);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test('a walk yields everything that is still served where the source keeps less than it is said to', async () => {
  const drawnDays = fc.integer({ min: 2, max: 25 });
  const days = fc.constant(30 * 86_400);
  const property = fc.asyncProperty(drawnWalks(30, days), drawnDays, async (drawn, retentionDays) => {
    const { pages, end, clock, settings, missedSince } = await walked(drawn, { retentionDays });
    const keptFrom = pages.at(-1)?.keptFrom ?? now;
    const isWholeDay = settings.bounds === 'date' && settings.since === 'exclusive';
    // The source goes on forgetting during the walk, and not every reading of the API says so.
    const stillServed = new Date(clock.now().getTime() - retentionDays * DAY_MS);
    expect(end).toBe('complete');
    expect(missedSince(later(isWholeDay ? midnight(keptFrom, 1) : keptFrom, stillServed))).toEqual([]);
    if (settings.since === 'ignored') return;
    const oldestKept = now.getTime() - retentionDays * DAY_MS;
    expect(keptFrom.getTime()).toBeLessThanOrEqual(oldestKept + 10 * 60_000);
  });
  await fc.assert(property, { numRuns: RUNS });
});
