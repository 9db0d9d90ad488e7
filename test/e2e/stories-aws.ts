/** Stories of a run and of what it keeps in AWS: crashes, other runs, a wrong checkpoint, planted objects, errors. */

import { gzipSync } from 'node:zlib';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { dateOf } from '../../lambdas/shared/time';
import type { Ended } from '../support/lambda';
import type { Story, World } from '../support/scenario';
import { atFirst, type Call, type Fault, type Meddler, onceEach } from '../support/tap';
import { changesNothing } from './unchanged';

/** The name of a call, and whether something happens before or after the server has answered it. */
type Moment = readonly [at: string, side: keyof Meddler];

/** Each moment at which a run is killed, and whether its manifest stands by then. */
const KILLS: readonly (readonly [...Moment, isCommitted: boolean])[] = [
  ['GET /audit/logs', 'after', false],
  ['PUT batches', 'before', false],
  ['PUT batches', 'after', false],
  ['PUT manifests', 'before', false],
  ['PUT manifests', 'after', true],
  ['PUT events', 'before', true],
  ['PUT events', 'after', true],
  ['PUT quarantine', 'before', true],
  ['SET seq', 'before', true],
  ['SET seq', 'after', true],
];

/** Before the next run the source drops or edits the events and adds a late one. */
async function killAt(
  [at, side, isCommitted]: (typeof KILLS)[number],
  { isItemLost }: { readonly isItemLost: boolean },
  world: World,
): Promise<void> {
  const { source, run } = world;
  const events = source.happen(4, { hoursAgo: 1 });
  source.misbehave(`{"id":"${side} ${at}"}`);
  const lambda = await world.lambda();
  const kill = () => {
    lambda.signal('SIGKILL');
    return 'reset' as const;
  };
  world.meddle({ [side]: atFirst(at, kill) });
  expect(await run()).toMatchObject({ outcome: 'ended', detail: expect.stringContaining('SIGKILL') });
  await (isItemLost ? world.owner.setItem('deleted') : world.leaseEnds());
  // A committed batch is published from the staged bytes, and not from the source.
  for (const event of events) (isCommitted ? source.drop : source.edit)(event);
  source.happen(1, { hoursAgo: 0.2 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: isCommitted ? 1 : 5 } });
  expect(await run()).toMatchObject({ outcome: 'archived', recovered: 0, counts: { events: 0 } });
}

/** Each moment at which a run is stopped until the next run has ended, and what becomes of the stopped run. */
const NAPS: readonly (readonly [...Moment, outcome: Ended['outcome']])[] = [
  ['SET leaseOwner', 'after', 'archived'],
  ['LIST manifests', 'after', 'race'],
  ['GET /audit/logs', 'after', 'race'],
  ['PUT batches', 'before', 'race'],
  ['PUT batches', 'after', 'race'],
  ['PUT manifests', 'before', 'race'],
  ['PUT manifests', 'after', 'archived'],
  ['PUT events', 'before', 'archived'],
  ['PUT events', 'after', 'archived'],
  ['SET seq', 'before', 'archived'],
  ['SET seq', 'after', 'archived'],
];

/** Stops a run at a call, plays another run from beginning to end, and wakes the first with its call under way. */
async function sleepThrough(world: World, naps: typeof NAPS, happen: () => void): Promise<void> {
  const [zombie, other] = [await world.lambda(), await world.another()];
  for (const [at, side, outcome] of naps) {
    happen();
    const nap = async () => {
      zombie.signal('SIGSTOP');
      await world.leaseEnds();
      expect(await other.run()).toMatchObject({ outcome: 'archived' });
      zombie.signal('SIGCONT');
      return undefined;
    };
    world.meddle({ [side]: atFirst(at, nap) });
    expect({ at, side, ...(await zombie.run()) }).toMatchObject({ at, side, outcome });
    world.meddle({});
    await world.leaseEnds();
    expect(await other.run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
  }
}

const PUTS = ['PUT batches', 'PUT manifests', 'PUT events', 'PUT quarantine'];
const CALLS = [
  ...PUTS,
  ...['SET leaseOwner', 'SET seq', 'GetParameter'],
  ...['LIST manifests', 'GET manifests', 'LIST events', 'GET events', 'GET /audit/logs'],
];

const SLOW = { status: 503, code: 'SlowDown' };
const CONFLICT = { status: 409, code: 'ConditionalRequestConflict' };

/** Calls that keep failing, and the code with which the run fails. */
const LASTING: readonly (readonly [...Moment, fault: Fault, code?: string])[] = [
  ['PUT batches', 'before', SLOW, 'storage-unavailable'],
  ['PUT manifests', 'before', CONFLICT, 'storage-unavailable'],
  ['PUT manifests', 'before', { status: 403, code: 'AccessDenied' }, 'storage-refused'],
  ['PUT events', 'before', SLOW, 'storage-unavailable'],
  ['PUT events', 'before', { status: 404, code: 'NoSuchBucket' }, 'storage-refused'],
  ['GET events', 'before', 'reset', 'storage-unavailable'],
  ['LIST manifests', 'before', { status: 400, code: 'ExpiredToken' }, 'storage-refused'],
  ['SET leaseOwner', 'before', 'reset', 'storage-unavailable'],
  // The manifest is written and never answered, so only the next run can see that it stands.
  ['(PUT|GET) manifests', 'after', 'reset', 'storage-unavailable'],
  // The checkpoint is only a hint: the run ends well without it.
  ['SET seq', 'before', 'reset'],
];

const MANIFEST_2 = manifestKey('main', 2);

export const awsStories: readonly Story[] = [
  {
    name: 'a run that is killed at any of its calls is mended by the next run, with its checkpoint or without',
    play: async (world) => {
      // A first run, so that the next ones read what is archived.
      await world.run();
      for (const [number, kill] of KILLS.entries()) await killAt(kill, { isItemLost: number % 2 === 1 }, world);
    },
  },
  {
    name: 'a run that is stopped, and wakes up after the next one has committed, changes nothing any more',
    play: (world) => sleepThrough(world, NAPS, () => world.source.happen(5)),
  },
  {
    name: 'a run that has committed one of several batches, and then sleeps, loses the race for the next batch',
    source: { maxLimit: 10 },
    play: (world) =>
      sleepThrough(world, [['PUT manifests', 'after', 'race']], () =>
        world.source.happen(40, { hoursAgo: 3, bytes: 300_000 }),
      ),
  },
  {
    name: 'of two runs at once one has the lease and the other ends at once; a lease that has ended is taken',
    play: async ({ source, run, another, meddle, leaseEnds, owner }) => {
      source.happen(10);
      const second = await another();
      const meet = async () => {
        expect(await second.run()).toMatchObject({ outcome: 'held' });
        return undefined;
      };
      meddle({ before: atFirst('GET /audit/logs', meet) });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
      await owner.setItem({ leaseOwner: { S: 'another run' }, leaseUntil: { N: String(Date.now() + 50_000) } });
      expect(await run()).toMatchObject({ outcome: 'held' });
      await leaseEnds();
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2 });
    },
  },
  {
    name: 'one error, reset or lost answer at each call is retried, and a run knows what it wrote itself',
    play: async ({ source, run, meddle }) => {
      source.happen(2, { hoursAgo: 1 });
      await run();
      for (const [number, fault] of [SLOW, { status: 500, code: 'InternalError' }, 'reset' as const].entries()) {
        for (const side of ['before', 'after']) {
          source.happen(3);
          source.misbehave(`{"id":"${side} ${number}"}`);
          meddle({ [side]: onceEach(CALLS, fault) });
          expect(await run()).toMatchObject({ outcome: 'archived', manifests: 1, counts: { events: 3 } });
        }
      }
      source.happen(3);
      meddle({ before: onceEach(PUTS, CONFLICT) });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 3 } });
    },
  },
  {
    name: 'a call to AWS that keeps failing makes the run fail with a code, and the next run mends the archive',
    play: async ({ source, run, meddle, leaseEnds }) => {
      source.happen(5, { hoursAgo: 1 });
      await run();
      for (const [at, side, fault, code] of LASTING) {
        source.happen(5);
        meddle({ [side]: ({ name }: Call) => (new RegExp(`^${at}$`).test(name) ? fault : undefined) });
        const expected = code === undefined ? { outcome: 'archived' } : { outcome: 'failed', code };
        expect({ at, ...(await run()) }).toMatchObject({ at, ...expected });
        meddle({});
        await leaseEnds();
        expect(await run()).toMatchObject({ outcome: 'archived' });
        expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
      }
    },
  },
  {
    name: 'a checkpoint that is lost or rolled back costs nothing, and one that cannot be right stops the run',
    play: async (world) => {
      const { source, owner, run } = world;
      const lostOrOld = ['deleted', { seq: { N: '1' }, position: { S: '2020-01-01T00:00:00.000Z' } }] as const;
      await run();
      for (const [index, item] of lostOrOld.entries()) {
        await owner.setItem(item);
        source.happen(4);
        expect(await run()).toMatchObject({ outcome: 'archived', seq: index + 2, counts: { events: 4 } });
      }
      source.happen(4);
      for (const [seq, code] of [
        [{ N: '99' }, 'checkpoint-ahead'],
        [{ N: '4' }, 'checkpoint-ahead'],
        [{ S: 'two' }, 'checkpoint-garbage'],
        [{ NULL: true }, 'checkpoint-garbage'],
      ] as const) {
        await owner.setItem({ seq });
        await changesNothing(world, async () => {
          expect(await run()).toMatchObject({ outcome: 'failed', code });
        });
      }
      await owner.setItem('deleted');
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 4, counts: { events: 4 } });
    },
  },
  {
    name: 'a planted object is neither overwritten nor signed, and stops the archive until it is removed',
    play: async (world) => {
      const { source, owner, run } = world;
      source.happen(5, { hoursAgo: 1 });
      await run();
      source.happen(5);
      await owner.plant(MANIFEST_2, Buffer.from('{"payloadType":"","payload":"","signatures":[]}'));
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'chain-broken' });
      });
      await owner.remove(MANIFEST_2);
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 5 } });

      const [event] = source.happen(1);
      const key = segmentKey('events', 'main', dateOf(new Date(event?.at ?? 0)), 3);
      await owner.plant(key, gzipSync('{"id":7,"timestamp":"2026-01-01T00:00:00.000Z"}\n'));
      for (let again = 0; again < 2; again += 1) {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'object-unlisted' });
      }
      await owner.remove(key);
      expect(await run()).toMatchObject({ outcome: 'archived' });
    },
  },
];
