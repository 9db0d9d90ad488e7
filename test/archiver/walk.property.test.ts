import fc from 'fast-check';
import { type TimeSpan, type WalkEnd, type WalkOptions, type WalkStep, walk } from '../../lambdas/archiver/walk';
import { later, midnight } from '../../lambdas/shared/time';
import { createSourceModel } from '../../local/postman/source-model';
import { type SourceSettings, sourceSettings } from '../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { API_KEY, modelServer, sourceKit } from '../support/source-kit';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

const RUNS = 150;
const DAY_MS = 86_400_000;
const now = new Date('2026-06-12T12:00:00.250Z');

/** Every way a server may read the API. All combinations occur. */
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
const pages = fc
  .integer({ min: 1, max: 8 })
  .chain((maxLimit) =>
    fc.record({ maxLimit: fc.constant(maxLimit), overlap: fc.integer({ min: 0, max: maxLimit - 1 }) }),
  );
const shape = fc.constantFrom<SourceSettings['shape']>('contract', 'reality');

/** Instants in whole seconds before `now`, thick around midnights, with ties. */
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
  /** Served from this long after the walk began; 0 for at once. */
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
  return {
    row,
    at: undated ? null : at,
    raw,
    ...(visibleAfterMs === 0 ? {} : { visibleFrom: now.getTime() + visibleAfterMs }),
  };
}

interface Walked {
  readonly steps: readonly WalkStep[];
  readonly end: WalkEnd;
  readonly requests: number;
}

async function walkModel(
  events: readonly SourceEvent[],
  settings: SourceSettings,
  { span, clock, options = {} }: { span: TimeSpan; clock: VirtualClock; options?: Partial<WalkOptions> },
): Promise<Walked> {
  const model = createSourceModel(createTable(events), settings);
  const kit = sourceKit(modelServer(model, clock), { clock, latencyMs: 400 });
  const floor = new Date(now.getTime() - 180 * DAY_MS + 60_000);
  const walking = walk(span, kit.source, { now: clock.now(), floor, reserveMs: 3000, ...options });
  const steps: WalkStep[] = [];
  for (;;) {
    const step = await walking.next();
    if (step.done) return { steps, end: step.value, requests: kit.calls.length };
    steps.push(step.value);
  }
}

function linesOf(steps: readonly WalkStep[]): Set<string> {
  return new Set(steps.flatMap(({ events }) => events.map(({ line }) => String(line))));
}

/** The claims that passed an event of the span before it was yielded. */
function hastyClaims(steps: readonly WalkStep[], expected: readonly SourceEvent[]): string[] {
  const yielded = new Set<string>();
  return steps.flatMap(({ events, claim }) => {
    for (const { line } of events) yielded.add(String(line));
    const passed = expected.filter(({ at, raw }) => at !== null && at < claim.getTime() && !yielded.has(raw));
    return passed.map(({ raw }) => `claimed ${claim.toISOString()} before ${raw}`);
  });
}

function within({ from, to }: TimeSpan): (event: SourceEvent) => boolean {
  return ({ at }) => at === null || (at >= from.getTime() && at < to.getTime());
}

const visibleAtOnce = ({ visibleFrom }: SourceEvent) => visibleFrom === undefined;

describe.each([
  ['a steady run', 4, 4],
  ['a short backlog', 8, 10],
  ['a long backlog', 40, 40],
])('%s', (_name, spanDays, eventDays) => {
  const cases = fc.record({
    shape,
    reading: readings,
    page: pages,
    drawn: drawnEvents(eventDays),
    spanSeconds: fc.oneof(
      fc.integer({ min: 0, max: spanDays * 86_400 }),
      secondsAgo(spanDays).map((ago) => Math.max(0, ago)),
    ),
  });

  test('yields everything that the span holds, and claims nothing too early, under every reading', async () => {
    const property = fc.asyncProperty(cases, async ({ shape: kind, reading, page, drawn, spanSeconds }) => {
      const clock = virtualClock({ start: now.toISOString(), remainingMs: 3_600_000 });
      const span = { from: new Date(now.getTime() - spanSeconds * 1000), to: midnight(now, 3) };
      const settings = sourceSettings(kind, API_KEY, { ...reading, ...page });
      const events = drawn.map(toSource);
      const { steps, end } = await walkModel(events, settings, { span, clock });
      const expected = events.filter(within(span)).filter(visibleAtOnce);
      const yielded = linesOf(steps);
      expect(expected.filter(({ raw }) => !yielded.has(raw))).toEqual([]);
      expect(end).toBe('complete');
      expect(steps.at(-1)?.claim).toEqual(span.to);
      if (settings.order !== 'by-id') expect(hastyClaims(steps, expected)).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test('yields nothing that the source does not hold, byte for byte', async () => {
    const property = fc.asyncProperty(cases, async ({ shape: kind, reading, page, drawn, spanSeconds }) => {
      const clock = virtualClock({ start: now.toISOString(), remainingMs: 3_600_000 });
      const span = { from: new Date(now.getTime() - spanSeconds * 1000), to: midnight(now, 3) };
      const events = drawn.map(toSource);
      const { steps } = await walkModel(events, sourceSettings(kind, API_KEY, { ...reading, ...page }), {
        span,
        clock,
      });
      const served = new Set(events.map(({ raw }) => raw));
      expect([...linesOf(steps)].filter((line) => !served.has(line))).toEqual([]);
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

test('whatever time is left: what was claimed was yielded, and an ended walk says so', async () => {
  const property = fc.asyncProperty(
    fc.record({
      reading: readings,
      page: pages,
      drawn: drawnEvents(12),
      remainingMs: fc.integer({ min: 0, max: 30_000 }),
    }),
    async ({ reading, page, drawn, remainingMs }) => {
      const clock = virtualClock({ start: now.toISOString(), remainingMs });
      const span = { from: new Date(now.getTime() - 12 * DAY_MS), to: midnight(now, 3) };
      const settings = sourceSettings('reality', API_KEY, {
        ...reading,
        ...page,
        order: reading.order === 'by-id' ? 'honoured' : (reading.order ?? 'honoured'),
      });
      const events = drawn.map(toSource);
      const { steps, end } = await walkModel(events, settings, { span, clock });
      expect(hastyClaims(steps, events.filter(within(span)).filter(visibleAtOnce))).toEqual([]);
      expect(end === 'complete').toBe(steps.at(-1)?.claim.getTime() === span.to.getTime());
      expect(clock.remainingMs() > 2600 || steps.length === 0).toBe(true);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});

test('where the source keeps less than it is said to: everything it still serves is yielded, from a floor near the true one', async () => {
  const property = fc.asyncProperty(
    fc.record({
      reading: readings,
      page: pages,
      drawn: drawnEvents(30),
      retentionDays: fc.integer({ min: 2, max: 25 }),
    }),
    async ({ reading, page, drawn, retentionDays }) => {
      const clock = virtualClock({ start: now.toISOString(), remainingMs: 86_400_000 });
      const span = { from: new Date(now.getTime() - 30 * DAY_MS), to: midnight(now, 3) };
      const settings = sourceSettings('reality', API_KEY, { ...reading, ...page, retentionDays });
      const events = drawn.map(toSource);
      const { steps, end } = await walkModel(events, settings, { span, clock });
      const floor = steps.at(-1)?.floor ?? now;
      const isWholeDay = settings.bounds === 'date' && settings.since === 'exclusive';
      // Meanwhile the source goes on forgetting, and not all readings say so.
      const stillServed = new Date(clock.now().getTime() - retentionDays * DAY_MS);
      const askable = later(isWholeDay ? midnight(floor, 1) : floor, stillServed);
      const expected = events.filter(within({ from: askable, to: span.to })).filter(visibleAtOnce);
      const yielded = linesOf(steps);
      expect(end).toBe('complete');
      expect(expected.filter(({ raw }) => !yielded.has(raw))).toEqual([]);
      if (settings.since === 'ignored') return;
      const trueFloor = now.getTime() - retentionDays * DAY_MS;
      expect(floor.getTime()).toBeLessThanOrEqual(trueFloor + 10 * 60_000);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
});
