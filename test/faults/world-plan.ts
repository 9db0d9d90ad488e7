/**
 * Random worlds as plain values: the events and the behaviour of the source, and what happens, step by step. fast-check
 * draws them, and makes a failing one as small as it can.
 */
import fc from 'fast-check';
import type { Fault } from './faults';

type Trouble = 'well' | 'reset' | 'truncate' | 'cut-body' | 'invalid-json' | 'empty-page' | 429 | 500 | 410;
type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;

export type EventPlan = Drawn<typeof eventPlan>;
export type RunPlan = Drawn<typeof runPlan>;
export type StepPlan = Drawn<typeof stepPlan>;
export type WorldPlan = Drawn<typeof worldPlan>;

const eventPlan = fc.record({
  // Minutes and seconds from the world's noon to the timestamp. A source may cut bounds to midnight, so that instants
  // around a midnight are drawn often.
  minute: fc.oneof(
    fc.integer({ min: -2 * 24 * 60, max: 16 * 60 }),
    fc.integer({ min: -800, max: -700 }),
    fc.integer({ min: 640, max: 730 }),
    fc.integer({ min: 715, max: 721 }),
  ),
  // With few different seconds many events share an instant.
  second: fc.constantFrom(0, 0, 0, 59),
  kind: often('plain', 'undated', 'without id', 'ahead'),
  // A share of the lookback: 0 is in time, 1 is as late as an event may be.
  lateness: fc.constantFrom(0, 0, 0, 0.2, 0.5, 1),
  fate: often('stays', 'removed', 'flaps', 'edited', 'moved'),
  // Minutes from the moment at which the event becomes visible.
  fateAfter: fc.integer({ min: 1, max: 300 }),
});

const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.integer({ min: 1, max: 45 }),
  mode: fc.constantFrom('before', 'after', 'lost', 'die-before', 'die-after', 'freeze'),
  forGood: fc.constantFrom(false, false, false, true),
});

const runPlan = fc.record({
  delayMs: fc.integer({ min: 0, max: 90_000 }),
  skewMs: fc.constantFrom(0, 0, 0, 0, 300_000, -300_000, 86_400_000, -86_400_000),
  timeoutMs: fc.constantFrom(5_000, 9_000, 60_000, 900_000, 900_000),
  faults: fc.array(fault, { maxLength: 2 }),
  /** Its latencies are drawn from this seed. */
  seed: fc.nat(),
});

const runs = fc.record({
  kind: fc.constant('runs' as const),
  runs: fc.array(runPlan, { minLength: 1, maxLength: 3 }),
});
const wait = fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 500 }) });
const wake = fc.record({ kind: fc.constant('wake' as const) });
const item = fc.record({
  kind: fc.constant('item' as const),
  becomes: fc.constantFrom('lost', 'older', 'ahead', 'garbage', 'leased'),
});
/** One of so many requests is answered with the trouble. */
const source = fc.record({
  kind: fc.constant('source' as const),
  every: fc.integer({ min: 1, max: 6 }),
  trouble: often<Trouble>('well', 'reset', 'truncate', 'cut-body', 'invalid-json', 'empty-page', 429, 500, 410),
});

const stepPlan = fc.oneof(
  { weight: 4, arbitrary: runs },
  { weight: 3, arbitrary: wait },
  { weight: 1, arbitrary: wake },
  { weight: 1, arbitrary: item },
  { weight: 1, arbitrary: source },
);

export const worldPlan = fc.record({
  source: fc.record({
    bounds: fc.constantFrom('time', 'midnight', 'date'),
    since: often('inclusive', 'exclusive', 'ignored'),
    until: fc.constantFrom('inclusive', 'exclusive'),
    order: often('honoured', 'always-descending', 'descending-pages', 'by-id'),
    cursorPlace: fc.constantFrom('meta', 'top-level', 'both'),
    cursorType: fc.constantFrom('string', 'number'),
    pretty: fc.boolean(),
    maxLimit: fc.integer({ min: 2, max: 7 }),
    overlap: fc.constantFrom(0, 0, 1),
  }),
  lookbackHours: fc.constantFrom(0, 1, 6, 6),
  batchEvents: fc.constantFrom(1, 2, 3, 5, 1000),
  // The first run starts so many days back, or with all that the source keeps.
  startDays: fc.constantFrom(3, 3, 3, null),
  events: fc.array(eventPlan, { maxLength: 24 }),
  steps: fc.array(stepPlan, { minLength: 1, maxLength: 8 }),
});

/** Draws the first value as often as all others together. */
function often<const T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(fc.constant(first), fc.constantFrom(...others));
}
