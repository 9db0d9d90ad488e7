/** Cases of what a claim is worth that a run makes before its walk is at its end: the source's order may be another. */

import type { Manifest } from '../../lambdas/shared/manifest';
import type { SourceSettings } from '../../local/postman/source-settings';
import type { Case } from './cases';
import { chainOf, must } from './chain';
import { whenClean } from './endings';
import { event, HOUR, MINUTE, SECOND, series, text, type WorldEvent } from './events';
import { consultOracle } from './oracle';
import type * as unpatched from './program';
import { input, NOON, steady, twoPerBatch } from './steady';
import { createWorld, type WorldSetup } from './world';

type Program = typeof unpatched | undefined;

/** Two days of backlog, many pages: more than the lookback holds. */
const hours = series(200, NOON + HOUR, 46, HOUR);
const OUTAGE = 48 * HOUR;

interface Backlog {
  readonly order: SourceSettings['order'];
  readonly events: readonly WorldEvent[];
  readonly settings?: WorldSetup['settings'];
  readonly shortestMs?: number;
}

/**
 * A run whose time ends after the first page, the second, the third and so on; then one with time enough. The witness
 * holds each manifest to its position, the oracle both runs to the events. Returns the heads of unfinished walks.
 */
async function endedAnywhere(
  program: Program,
  { order, events, settings = {}, shortestMs = 3500 }: Backlog,
): Promise<Manifest[]> {
  const setup = { start: NOON, input, settings, source: { maxLimit: 2, order }, events: [...steady, ...events] };
  const base = createWorld({ ...setup, ...(program && { program }) });
  await base.run();
  base.advance(OUTAGE);
  const heads: Manifest[] = [];
  for (let timeoutMs = shortestMs; timeoutMs < 10 * SECOND; timeoutMs += 200) {
    const world = base.fork();
    await world.run({ timeoutMs });
    heads.push(...chainOf(world).slice(-1));
    world.advance(HOUR);
    whenClean(await world.run());
    await consultOracle(world);
  }
  return heads.filter(({ run }) => run.reason === 'deadline');
}

/** Each page ascends: none of them shows that the next does not lie before it. */
async function newestPageFirst(program: Program): Promise<void> {
  for (const settings of [{}, twoPerBatch]) {
    const heads = await endedAnywhere(program, { order: 'descending-pages', events: hours, settings });
    must(heads.length > 10, 'time ends in many places');
    must(
      heads.every(({ position }) => Date.parse(position) === NOON),
      'nothing is claimed before all is read',
    );
  }
}

/** Filed as it happened, but its text tells of a later hour: the page after the one it ends disproves what it showed. */
async function filedUnderAnotherHour(program: Program): Promise<void> {
  const moved = hours.map((e, index) =>
    index === 8 ? { ...e, later: [{ from: 0, raw: text(e.row, (e.at ?? 0) + 30 * HOUR) }] } : e,
  );
  const heads = await endedAnywhere(program, { order: 'honoured', events: moved, shortestMs: 6 * SECOND });
  must(heads.length > 5, 'time ends in many places, all after the next page');
}

/** What is late comes after what is younger; a run that has come to the younger is not to forget it. */
async function lateInTheOrderOfIds(program: Program): Promise<void> {
  const late = event(224, NOON + 20 * HOUR, { visibleFrom: NOON + 24 * HOUR + 30 * MINUTE });
  const events = hours.map((e) => (e.row < late.row ? e : event(e.row + 1, e.at ?? 0)));
  for (const settings of [{}, twoPerBatch]) {
    const heads = await endedAnywhere(program, { order: 'by-id', events: [...events, late], settings });
    const between = heads.map(({ position }) => Date.parse(position)).filter((at) => at > NOON + 20 * HOUR);
    must(between.length > 0, 'a run ends between what is late and what is younger');
  }
}

export const orderCases: readonly Case[] = [
  { name: 'the source sends the newest page first, and the time ends anywhere', play: newestPageFirst },
  {
    name: 'an event is filed under another hour than its timestamp, and the time ends anywhere',
    play: filedUnderAnotherHour,
  },
  { name: 'the source sorts by id, an event is late, and the time ends anywhere', play: lateInTheOrderOfIds },
];
