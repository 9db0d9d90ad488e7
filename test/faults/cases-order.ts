/** Cases of runs whose time ends before their walk does: their position must be right in every order of the source. */

import type { Manifest } from '../../lambdas/shared/manifest';
import type { SourceSettings } from '../support/test-source';
import { heals, namedCases, type Program } from './cases';
import { chainOf, must } from './chain';
import { event, HOUR, MINUTE, SECOND, series, text, type WorldEvent } from './events';
import { NOON, outage, small, steadyWorld, twoPerBatch } from './steady';
import type { WorldSetup } from './world';

/** A backlog of two days and many pages, longer than the lookback. */
const hours = series(200, NOON + HOUR, 46, HOUR);

interface Backlog {
  readonly order: SourceSettings['order'];
  readonly events: readonly WorldEvent[];
  readonly settings?: WorldSetup['settings'];
  readonly shortestMs?: number;
}

/**
 * The time of a run ends after the first page, the second, the third and so on. A run with enough time follows. The
 * witness compares each manifest with its position, the oracle compares the archive with the events. Returns the heads
 * of unfinished walks.
 */
async function endedAnywhere(
  program: Program,
  { order, events, settings = {}, shortestMs = 3500 }: Backlog,
): Promise<Manifest[]> {
  const base = steadyWorld(program, { settings, source: { maxLimit: 2, order }, more: events });
  await outage(48 * HOUR)(base);
  const heads: Manifest[] = [];
  for (let timeoutMs = shortestMs; timeoutMs < 10 * SECOND; timeoutMs += 200) {
    const world = base.fork();
    await world.run({ timeoutMs });
    heads.push(...chainOf(world).slice(-1));
    world.advance(HOUR);
    await heals(world);
  }
  return heads.filter(({ run }) => run.reason === 'deadline');
}

export const orderCases = namedCases({
  /** Each page ascends, and yet the next page lies before it. */
  async 'the source sends the newest page first, and the time ends anywhere'(program) {
    for (const settings of [{}, twoPerBatch]) {
      const heads = await endedAnywhere(program, { order: 'descending-pages', events: hours, settings });
      must(heads.length > 10, 'the time ends in many places');
      must(
        heads.every(({ position }) => Date.parse(position) === NOON),
        'the position stays until everything is read',
      );
    }
  },

  /** The text of an event tells of a later hour than the one it is filed under. Only the next page shows the mistake. */
  async 'an event is filed under another hour than its timestamp, and the time ends anywhere'(program) {
    const moved = hours.map((e, index) =>
      index === 8 ? { ...e, later: [{ from: 0, raw: text(e.row, (e.at ?? 0) + 30 * HOUR) }] } : e,
    );
    const heads = await endedAnywhere(program, { order: 'honoured', events: moved, shortestMs: 6 * SECOND });
    must(heads.length > 5, 'the time ends in many places after the next page');
  },

  /** The run forgets what it has committed, a page shows that it came too far, and an event of the forgotten time comes again. */
  async 'the source serves an event again that the run committed and forgot'(program) {
    const events = series(200, NOON + 11 * HOUR, 12, 10 * MINUTE).map((e) =>
      e.row === 208 ? { ...e, later: [{ from: 0, raw: text(e.row, NOON + 18 * HOUR + 20 * MINUTE) }] } : e,
    );
    const again = event(300, NOON + 12.75 * HOUR, { id: '200', raw: text(200, NOON + 11 * HOUR) });
    const world = steadyWorld(program, { ...small, more: [...events, again] });
    await outage(20 * HOUR)(world);
    await heals(world);
  },

  /** A late event comes after younger ones. A run that ends at a younger event must not skip the late one. */
  async 'the source sorts by id, an event is late, and the time ends anywhere'(program) {
    const late = event(224, NOON + 20 * HOUR, { visibleFrom: NOON + 24 * HOUR + 30 * MINUTE });
    const events = hours.map((e) => (e.row < late.row ? e : event(e.row + 1, e.at ?? 0)));
    for (const settings of [{}, twoPerBatch]) {
      const heads = await endedAnywhere(program, { order: 'by-id', events: [...events, late], settings });
      const between = heads.map(({ position }) => Date.parse(position)).filter((at) => at > NOON + 20 * HOUR);
      must(between.length > 0, 'a run ends between a younger event and the late one');
    }
  },
});
