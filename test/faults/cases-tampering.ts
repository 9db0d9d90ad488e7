/** Cases of an attacker who can put and hide objects but cannot sign: what is planted, hidden or overlaid below a run. */

import { gzipSync } from 'node:zlib';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { cleanRuns, failsWith, heals, namedCases, refuses } from './cases';
import { chainOf, must } from './chain';
import { say } from './endings';
import { DAY, event, HOUR, MINUTE, series } from './events';
import { consultOracle } from './oracle';
import { type Run, TEAM } from './run';
import { archivedWorld, NOON } from './steady';
import { Violation } from './witness';
import type { World } from './world';

const DATE = '2026-03-10';
const second = series(200, NOON + 10 * MINUTE, 3, MINUTE);
const [real] = second;

function gzipOf(...lines: readonly string[]): Buffer {
  return gzipSync(lines.map((line) => `${line}\n`).join(''));
}

/** Every key at which an attacker may hope that the next runs read the object. */
const KEYS = [
  segmentKey('events', TEAM, DATE, 2),
  segmentKey('events', TEAM, DATE, 7),
  segmentKey('events', TEAM, '2026-03-09', 7),
  segmentKey('quarantine', TEAM, DATE, 2),
  segmentKey('quarantine', TEAM, DATE, 9_999_999_999),
  `events/team=${TEAM}/dt=${DATE}/anything.ndjson.gz`,
];

const CONTENTS = [
  gzipOf(real?.raw ?? ''),
  gzipOf(`{"id":200,"timestamp":"${new Date(NOON).toISOString()}"}`),
  Buffer.from('x'),
];

const LOUD = ['object-unlisted', 'segment-differs'];

function endsWellOrLoudly({ outcome, ...run }: Run): void {
  const isLoud = outcome?.kind === 'failed' && LOUD.includes(outcome.code);
  must(outcome?.kind === 'archived' || isLoud, `the run ends well or loudly, but it ended ${say({ outcome, ...run })}`);
}

async function untilLoud(world: World): Promise<Run> {
  for (let runs = 0; runs < 30; runs += 1) {
    const run = await world.run();
    world.advance(HOUR);
    if (run.outcome?.kind !== 'archived') return run;
  }
  throw new Violation('scenario', 'one of the runs fails, but all of them ended well');
}

export const tamperingCases = namedCases({
  /** While the object lies there, a run may only archive everything or fail loudly. Once it is gone, nothing is missing. */
  async 'an object planted at any key at any time silences no event'(program) {
    const base = await archivedWorld(program, { more: [...second, event(500, NOON + 2.5 * HOUR)] });
    const { operations } = await base.fork().run();
    for (const key of KEYS) {
      for (const planted of CONTENTS) {
        // The moments between the look at a key, the commit and the publishing matter only for the key of the next segment.
        for (let at = 1; at <= operations.length; at += key === KEYS[0] ? 1 : 4) {
          const world = base.fork();
          const run = await world.run({ faults: [{ at, mode: 'freeze' }] });
          if (!world.objects.has(key)) world.objects.set(key, planted);
          world.wake(run);
          await world.settle();
          endsWellOrLoudly(run);
          const isListed = chainOf(world).some(({ segments }) => segments.some((segment) => segment.key === key));
          const isPlanted = isListed && world.objects.get(key)?.equals(planted);
          must(
            !isPlanted || run.outcome?.kind !== 'archived',
            `a run that ended well published ${key}, which was planted`,
          );
          world.advance(HOUR);
          endsWellOrLoudly(await world.run());
          world.advance(HOUR);
          if (world.objects.get(key)?.equals(planted)) world.objects.delete(key);
          await heals(world);
        }
      }
    }
  },

  /** What lies where the run would publish is found before anything is written. */
  async 'an object planted at the key of the next segment stops the archive and is never signed'(program) {
    for (const planted of CONTENTS) {
      const world = await archivedWorld(program, { more: second });
      const key = segmentKey('events', TEAM, DATE, 2);
      world.objects.set(key, planted);
      await refuses(world, 'object-unlisted');
      world.objects.delete(key);
      await heals(world);
    }
  },

  /** A sweep of the day meets the object, wherever its number lies. */
  async 'an object planted in an older day stops the sweep of that day'(program) {
    const late = event(300, NOON - DAY, { visibleFrom: NOON + 2 * HOUR });
    for (const area of ['events', 'quarantine'] as const) {
      const world = await archivedWorld(program, { input: { startDate: '2026-03-05' }, more: [late] });
      const key = segmentKey(area, TEAM, '2026-03-09', 77);
      world.objects.set(key, gzipOf(late.raw));
      const run = await untilLoud(world);
      failsWith(run, 'object-unlisted');
      world.objects.delete(key);
      await cleanRuns(world, 30);
      await consultOracle(world, { swept: 'any' });
    }
  },

  /** A hidden segment is not archived again. Once it is back, the archive is whole. */
  async 'a segment that is hidden or overlaid stops the run, and nothing is archived twice'(program) {
    for (const [change, code] of [
      [undefined, 'segment-missing'],
      [gzipOf('{}'), 'segment-differs'],
    ] as const) {
      const world = await archivedWorld(program, { more: second });
      await cleanRuns(world, 3);
      const key = chainOf(world)[1]?.segments[0]?.key ?? '';
      const listed = world.objects.get(key) ?? Buffer.alloc(0);
      if (change === undefined) world.objects.delete(key);
      else world.objects.set(key, change);
      await refuses(world, code);
      world.objects.set(key, listed);
      await heals(world);
    }
  },

  /** LIST does not show what was hidden, so a sweep that finds anything new reads the chain. */
  async 'a sweep archives nothing again that was only hidden'(program) {
    const old = series(300, NOON - 4 * DAY, 3, MINUTE);
    const world = await archivedWorld(program, { input: { startDate: '2026-03-05' }, more: old });
    // A missing segment of the head would be published again.
    await cleanRuns(world, 1);
    const hidden = chainOf(world)
      .flatMap(({ segments }) => segments)
      .find(({ key }) => key.includes('dt=2026-03-06'));
    const key = hidden?.key ?? '';
    const listed = world.objects.get(key) ?? Buffer.alloc(0);
    world.objects.delete(key);
    failsWith(await untilLoud(world), 'segment-missing');
    world.objects.set(key, listed);
    await heals(world);
  },

  /** The way out of `checkpoint-ahead` leaves segments of the removed manifests, which the next run finds before it writes. */
  async 'segments of removed manifests are found before anything is written'(program) {
    const world = await archivedWorld(program, { more: second });
    await world.run();
    world.advance(HOUR);
    world.objects.delete(manifestKey(TEAM, 2));
    await refuses(world, 'checkpoint-ahead');
    world.cell.item = undefined;
    await refuses(world, 'object-unlisted');
    for (const key of [...world.objects.keys()].filter((name) => /^events.*\/0000000002\./.test(name))) {
      world.objects.delete(key);
    }
    await heals(world);
  },

  /** The newest manifests and the item are removed, a run goes on from there, and the manifests come back. */
  async 'a run does not build on a fork of the chain'(program) {
    const world = await archivedWorld(program, { more: second });
    await cleanRuns(world, 2);
    const hidden = [2, 3].map((seq) => manifestKey(TEAM, seq));
    const kept = hidden.map((key) => [key, world.objects.get(key) ?? Buffer.alloc(0)] as const);
    const segments = [...world.objects].filter(([key]) => /^(events|quarantine).*\/000000000[23]\./.test(key));
    for (const [key] of [...kept, ...segments]) world.objects.delete(key);
    world.cell.item = undefined;
    await world.run();
    world.advance(HOUR);
    const [, [key, newest]] = kept as [unknown, readonly [string, Buffer]];
    world.objects.set(key, newest);
    for (const item of [undefined, world.cell.item]) {
      world.cell.item = item;
      await refuses(world, 'chain-broken');
    }
    world.objects.delete(key);
    await heals(world);
  },
});
