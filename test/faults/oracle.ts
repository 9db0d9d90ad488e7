/**
 * The oracle of the fault world: every archive at rest satisfies the common oracle, and the walk has read all that it
 * could read.
 */
import { lineTroubles, secretTroubles, type Trouble, verifierTroubles } from '../support/oracle';
import { chainOf } from './chain';
import { KEPT_MS, servedSince, type WorldEvent } from './events';
import type { Run } from './run';
import { Violation } from './witness';
import type { World } from './world';

/** Servers tell their time in whole seconds, and their clocks differ. */
const CLOCKS_DIFFER_MS = 3_000;

let calls = new Map<string, number>();

/** How often each test asked the oracle, by its full name. */
export function oracleCalls(): ReadonlyMap<string, number> {
  return calls;
}

export interface Expected {
  /** Older events cannot be in the archive. */
  readonly since?: number;
  /** The number of events that only the sweep can find. */
  readonly swept?: number | 'any';
}

/** Throws a `Violation` that names the first check that fails. */
export async function consultOracle(world: World, expected: Expected = {}): Promise<void> {
  const test = expect.getState().currentTestName ?? '';
  calls = calls.set(test, (calls.get(test) ?? 0) + 1);
  for (const trouble of troublesOf(world, expected)) throw new Violation(...trouble);
  for await (const trouble of verifierTroubles(world.objects, world.publicKey, new Date(world.now()))) {
    throw new Violation(...trouble);
  }
}

function* troublesOf(world: World, { since = 0, swept = 0 }: Expected): Generator<Trouble> {
  const { objects, eventOf } = world;
  yield* lineTroubles({ objects, eventOf, expected: expectedEvents(world, since) });
  if (swept !== 'any') yield* sweepTroubles(world, swept);
  yield* positionTroubles(world);
  yield* secretTroubles(objects);
}

/** Every event that the last good run could read: it was served before the run began, and the source still keeps it. */
function* expectedEvents(world: World, since: number): Generator<WorldEvent> {
  const { startedAt, endedAt } = lastThatEndedWell(world);
  const oldest = Math.max(since, world.now() - KEPT_MS);
  for (const event of world.setup.events) {
    if (servedSince(event, endedAt) <= startedAt && (event.at ?? since) >= oldest) yield event;
  }
}

/**
 * Days later the sweep would repair the mistakes of the walk. So the sweep may only find the events that it must find, and
 * events that appeared between the walk and the sweep of a run.
 */
function* sweepTroubles(world: World, swept: number): Generator<Trouble> {
  const sweeps = chainOf(world).flatMap(({ sweeps }) => sweeps);
  const found = sweeps.reduce((sum, { late }) => sum + late, 0);
  const dates = new Set(sweeps.map(({ date }) => date));
  const isWithinRun = (instant: number) =>
    world.runs.some(({ startedAt, endedAt }) => startedAt < instant && instant <= endedAt);
  const appeared = world.setup.events.filter(
    ({ at, visibleFrom = 0, restoredAt = 0 }) =>
      at != null &&
      dates.has(new Date(at).toISOString().slice(0, 10)) &&
      (isWithinRun(visibleFrom) || isWithinRun(restoredAt)),
  );
  if (found < swept || found > swept + appeared.length) {
    yield ['left-to-the-sweep', `the sweep found ${found} events`];
  }
}

/** The last run that ended well has read everything up to its own beginning, and its manifest says so. */
function* positionTroubles(world: World): Generator<Trouble> {
  const { position = 'nowhere' } = chainOf(world).at(-1) ?? {};
  const isRead = Date.parse(position) >= lastThatEndedWell(world).startedAt - CLOCKS_DIFFER_MS;
  if (!isRead) yield ['stuck', `the position is ${position}`];
}

/** The youngest run that ended well. An event that it did not read appeared later, or was removed before it came. */
function lastThatEndedWell({ runs }: World): Pick<Run, 'startedAt' | 'endedAt'> {
  const well = runs.filter(({ outcome }) => outcome?.kind === 'archived');
  return well.reduce((last, run) => (run.startedAt > last.startedAt ? run : last), { startedAt: 0, endedAt: 0 });
}
