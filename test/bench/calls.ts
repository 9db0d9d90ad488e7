/**
 * `npm run bench -- calls`: the calls of S3 that a run makes, in an archive of one year and of five, with few and with many
 * quarantined lines. They must not grow with the archive.
 */
import { datePrefix } from '../../lambdas/shared/object-keys';
import { addMs, DAY_MS, dateOf, HOUR_MS } from '../../lambdas/shared/time';
import { walkStartOf } from '../support/archive-builder';
import { A_DAY, buildHistory } from '../support/history';
import type { MemoryStore } from '../support/memory-store';
import type { Row } from './rows';
import { type SimulatedRun, simulate } from './simulation';

/**
 * The head, its segment, the seven manifests that are read back, the segments of the lookback, and the key that is looked at before
 * it is written. Besides, each segment of the swept day and its manifest.
 */
const GETS = 16;
/** The manifests, and three partitions of the swept day. */
const LISTS = 4;

export async function benchCalls(isFull: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const young = await callsAfter(365);
  const old = await callsAfter((isFull ? 5 : 2) * 365);
  for (const kind of ['steady', 'empty'] as const) {
    const [first, later] = [young[kind].calls, old[kind].calls];
    rows.push({
      what: `calls of a run that finds ${kind === 'steady' ? 'events' : 'nothing'}, year ${isFull ? 5 : 2} beside year 1`,
      figure: describe(later),
      yardstick: describe(first),
      ratios: [total(later) / total(first)],
      reach: 1,
    });
  }
  const { get, list } = old.steady.calls;
  const most = GETS + 2 * old.sweptSegments;
  rows.push({ what: 'GETs of a run', figure: `${get}`, yardstick: `${most}`, ratios: [get / most], reach: 1 });
  rows.push({ what: 'LISTs of a run', figure: `${list}`, yardstick: `${LISTS}`, ratios: [list / LISTS], reach: 1 });
  return rows;
}

/** One run that finds the events of an hour, and one that finds nothing. */
async function callsAfter(days: number) {
  const start = addMs(walkStartOf(days * A_DAY), HOUR_MS);
  const log = { events: 160, from: addMs(start, -HOUR_MS), to: addMs(start, HOUR_MS), text: { bytes: 400, noise: 0 } };
  const world = simulate({ log, start, startDate: walkStartOf(1), objects: await buildHistory(days) });
  await world.run(); // It finds no checkpoint, and so reads back all that the source still keeps.
  world.advanceTo(start.getTime() + HOUR_MS);
  const steady = await world.run();
  world.advanceTo(start.getTime() + 2 * HOUR_MS);
  return { steady, sweptSegments: segmentsOfSweep(steady, world.store), empty: await world.run() };
}

/** The segments that a sweep must read: those of its day, and the lines that were quarantined on the day after. */
function segmentsOfSweep({ manifests }: SimulatedRun, { keys }: MemoryStore): number {
  const dates = manifests.flatMap(({ sweeps }) => sweeps.map(({ date }) => date));
  const next = (date: string) => dateOf(addMs(new Date(date), DAY_MS));
  const prefixes = dates.flatMap((date) => [
    datePrefix('events', 'main', date),
    datePrefix('quarantine', 'main', date),
    datePrefix('quarantine', 'main', next(date)),
  ]);
  return prefixes.flatMap((prefix) => keys(prefix)).length;
}

function describe({ get, list, create }: SimulatedRun['calls']): string {
  return `${get} GET, ${list} LIST, ${create} PUT`;
}

function total({ get, list, create }: SimulatedRun['calls']): number {
  return get + list + create;
}
