/** The scenarios: a source, a history, and the run that is broken. Each is as short as what it shows allows. */
import { DAY, event, HOUR, MINUTE, SECOND, series } from './events';
import type { Scenario } from './exhaustive';
import type { World } from './world';

/** A Tuesday noon; nothing depends on it. */
export const NOON = Date.UTC(2026, 2, 10, 12);

const hourly = async (world: World): Promise<void> => {
  await world.run();
  world.advance(HOUR);
};

const steady = series(100, NOON - 2 * HOUR, 3, 30 * MINUTE);
const startDate = new Date(NOON - DAY).toISOString();
const input = { startDate };

export const scenarios: readonly Scenario[] = [
  { name: 'first run', setup: { start: NOON, events: [event(1, NOON - 100 * DAY), ...steady] } },
  { name: 'nothing new', setup: { start: NOON, events: steady, input }, history: hourly },
  {
    name: 'next run',
    setup: { start: NOON, input, events: [...steady, ...series(200, NOON + 10 * MINUTE, 3, MINUTE)] },
    history: hourly,
  },
  {
    name: 'tie over a page',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 3 },
      events: [...steady, ...series(200, NOON + 10 * MINUTE, 8, 0)],
    },
    history: hourly,
  },
  {
    name: 'several batches',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 2 },
      settings: { batchLimits: { events: 2, bytes: 1e9 } },
      events: [...steady, ...series(200, NOON + 10 * MINUTE, 5, 10 * SECOND)],
    },
    history: hourly,
  },
];
