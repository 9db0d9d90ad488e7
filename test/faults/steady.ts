/** What most scenarios begin with: a team that has been archived for a while, once an hour. */
import { DAY, HOUR, MINUTE, series } from './events';
import type { World } from './world';

/** A Tuesday noon; nothing depends on it. */
export const NOON = Date.UTC(2026, 2, 10, 12);

/** Three events before the first run. */
export const steady = series(100, NOON - 2 * HOUR, 3, 30 * MINUTE);

/** A first run of a few requests. */
export const input = { startDate: new Date(NOON - DAY).toISOString() };

export const twoPerBatch = { batchLimits: { events: 2, bytes: 1e9 } };

export async function hourly(world: World): Promise<void> {
  await world.run();
  world.advance(HOUR);
}
