/**
 * What must hold of every world at rest: what the oracle asks of every archive, and that the walk has read all that it
 * is there to read.
 */
import { lineTroubles, secretTroubles, type Trouble, verifierTroubles } from '../support/oracle';
import { chainOf } from './chain';
import { KEPT_MS, servedSince, type WorldEvent } from './events';
import type { Run } from './run';
import { Violation } from './witness';
import type { World } from './world';

/** Clocks tell whole seconds, and not all of them tell the same. */
const CLOCKS_DIFFER_MS = 3_000;

let calls = new Map<string, number>();

/** How often the oracle was asked, by the name of the test that asked. */
export function oracleCalls(): ReadonlyMap<string, number> {
  return calls;
}

export interface Expected {
  /** Older events cannot be in the archive. */
  readonly since?: number;
  /** How many events only the sweep can find. */
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

/** Every event that the last good run could read: served since before it began, and still kept by the source. */
function* expectedEvents(world: World, since: number): Generator<WorldEvent> {
  const { startedAt, endedAt } = lastThatEndedWell(world);
  const oldest = Math.max(since, world.now() - KEPT_MS);
  for (const event of world.setup.events) {
    if (servedSince(event, endedAt) <= startedAt && (event.at ?? since) >= oldest) yield event;
  }
}

/**
 * Days later the sweep would heal what the walk forgets. So the sweep may find no more events than it must, apart from
 * those that appeared while a run was between its walk and its sweep.
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

/** Events that this run did not read appeared after it began, or were gone before it came to them. */
function lastThatEndedWell({ runs }: World): Pick<Run, 'startedAt' | 'endedAt'> {
  const well = runs.filter(({ outcome }) => outcome?.kind === 'archived');
  return well.reduce((last, run) => (run.startedAt > last.startedAt ? run : last), { startedAt: 0, endedAt: 0 });
}
