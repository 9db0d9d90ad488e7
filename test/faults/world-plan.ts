/**
 * Random worlds as plain values: what the source holds and how it speaks, and what happens, step by step. fast-check
 * draws them, and makes a failing one as small as it can.
 */
import fc from 'fast-check';
import type { Fault } from './faults';

export interface EventPlan {
  /** Of its timestamp, from the world's noon. */
  readonly minute: number;
  readonly second: number;
  readonly kind: 'plain' | 'undated' | 'without id' | 'ahead';
  /** Of the lookback: 0 is in time, 1 as late as may be. */
  readonly lateness: number;
  readonly fate: 'stays' | 'removed' | 'flaps' | 'edited' | 'moved';
  /** Minutes from its becoming visible until its fate. */
  readonly fateAfter: number;
}

export interface RunPlan {
  readonly delayMs: number;
  readonly skewMs: number;
  readonly timeoutMs: number;
  readonly faults: readonly Fault[];
  /** Of its latencies. */
  readonly seed: number;
}

export type StepPlan =
  | { readonly kind: 'runs'; readonly runs: readonly RunPlan[] }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'wake' }
  | { readonly kind: 'item'; readonly becomes: 'lost' | 'older' | 'ahead' | 'garbage' | 'leased' }
  /** Of so many requests, one is answered like that. */
  | { readonly kind: 'source'; readonly every: number; readonly trouble: Trouble };

export type Trouble = 'well' | 'reset' | 'truncate' | 'cut-body' | 'invalid-json' | 'empty-page' | 429 | 500 | 410;

export interface WorldPlan {
  readonly source: {
    readonly bounds: 'time' | 'midnight' | 'date';
    readonly since: 'inclusive' | 'exclusive' | 'ignored';
    readonly until: 'inclusive' | 'exclusive';
    readonly order: 'honoured' | 'always-descending' | 'descending-pages' | 'by-id';
    readonly cursorPlace: 'meta' | 'top-level' | 'both';
    readonly cursorType: 'string' | 'number';
    readonly pretty: boolean;
    readonly maxLimit: number;
    readonly overlap: number;
  };
  readonly lookbackHours: number;
  readonly batchEvents: number;
  /** How far back the first run goes; null for all that the source keeps. */
  readonly startDays: number | null;
  readonly events: readonly EventPlan[];
  readonly steps: readonly StepPlan[];
}

const eventPlan: fc.Arbitrary<EventPlan> = fc.record({
  // Every bound is cut to a midnight by somebody: what lies around one is worth more.
  minute: fc.oneof(
    fc.integer({ min: -2 * 24 * 60, max: 16 * 60 }),
    fc.integer({ min: -800, max: -700 }),
    fc.integer({ min: 640, max: 730 }),
    fc.integer({ min: 715, max: 721 }),
  ),
  // Few different ones, so that ties are common.
  second: fc.constantFrom(0, 0, 0, 59),
  kind: often('plain', 'undated', 'without id', 'ahead'),
  lateness: fc.constantFrom(0, 0, 0, 0.2, 0.5, 1),
  fate: often('stays', 'removed', 'flaps', 'edited', 'moved'),
  fateAfter: fc.integer({ min: 1, max: 300 }),
});

const fault: fc.Arbitrary<Fault> = fc.record({
  at: fc.integer({ min: 1, max: 45 }),
  mode: fc.constantFrom('before', 'after', 'lost', 'die-before', 'die-after', 'freeze'),
  forGood: fc.constantFrom(false, false, false, true),
});

const runPlan: fc.Arbitrary<RunPlan> = fc.record({
  delayMs: fc.integer({ min: 0, max: 90_000 }),
  skewMs: fc.constantFrom(0, 0, 0, 0, 300_000, -300_000, 86_400_000, -86_400_000),
  timeoutMs: fc.constantFrom(5_000, 9_000, 60_000, 900_000, 900_000),
  faults: fc.array(fault, { maxLength: 2 }),
  seed: fc.nat(),
});

const stepPlan: fc.Arbitrary<StepPlan> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('runs' as const),
      runs: fc.array(runPlan, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('item' as const),
      becomes: fc.constantFrom('lost', 'older', 'ahead', 'garbage', 'leased'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('source' as const),
      every: fc.integer({ min: 1, max: 6 }),
      trouble: often<Trouble>('well', 'reset', 'truncate', 'cut-body', 'invalid-json', 'empty-page', 429, 500, 410),
    }),
  },
);

export const worldPlan: fc.Arbitrary<WorldPlan> = fc.record({
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
  startDays: fc.constantFrom(3, 3, 3, null),
  events: fc.array(eventPlan, { maxLength: 24 }),
  steps: fc.array(stepPlan, { minLength: 1, maxLength: 8 }),
});

/** The first as often as all others together. */
function often<const T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(fc.constant(first), fc.constantFrom(...others));
}
