/** The world in which most scenarios and cases begin: a team that has been archived for a while, once an hour. */
import { DAY, HOUR, MINUTE, series, type WorldEvent } from './events';
import type * as unpatched from './program';
import type { Scenario } from './scenario';
import { createWorld, type World, type WorldSetup } from './world';

/** A Tuesday noon. No test depends on the date. */
export const NOON = Date.UTC(2026, 2, 10, 12);

/** The instant at which the broken run begins in most scenarios. */
export const ONE = NOON + HOUR;

/** Three events that happen before the first run. */
export const steady = series(100, NOON - 2 * HOUR, 3, 30 * MINUTE);

/** Five events that happen between the first run and the second. */
export const new5 = series(200, NOON + 10 * MINUTE, 5, MINUTE);

/** A start date that leaves few requests to the first run. */
export const input = { startDate: daysBefore(1) };

export const perBatch = (events: number) => ({ batchLimits: { events, bytes: 1e9 } });
export const twoPerBatch = perBatch(2);
export const twoPerPage = { source: { maxLimit: 2 } };
/** With these settings a few events fill several pages and several batches. */
export const small = { ...twoPerPage, settings: twoPerBatch };

interface Changes extends Partial<WorldSetup> {
  /** Events beside the steady ones. */
  readonly more?: readonly WorldEvent[];
}

/** A scenario whose broken run is the second run, one hour after the first. */
export function scenario(name: string, changes: Partial<Scenario> & Changes): Scenario {
  return { name, history: hourly, ...steadySetup(changes) };
}

/** The same world for a case, in which the given program runs. */
export function steadyWorld(program: typeof unpatched | undefined, changes: Changes = {}): World {
  return createWorld({ ...steadySetup(changes), ...(program && { program }) });
}

/** The same, archived an hour ago. */
export async function archivedWorld(program: typeof unpatched | undefined, changes: Changes = {}): Promise<World> {
  const world = steadyWorld(program, changes);
  await hourly(world);
  return world;
}

function steadySetup<C extends Changes>({ more = [], ...changes }: C) {
  return { start: NOON, input, events: [...steady, ...more], ...changes };
}

export async function hourly(world: World, runs = 1): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    await world.run();
    world.advance(HOUR);
  }
}

/** A history of one run and a time in which nothing runs. */
export function outage(ms: number): (world: World) => Promise<void> {
  return async (world) => {
    await world.run();
    world.advance(ms);
  };
}

export function daysBefore(days: number): string {
  return new Date(NOON - days * DAY).toISOString();
}
