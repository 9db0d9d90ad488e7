/** Stories of a run and of what it keeps in AWS: crashes, other runs, a wrong checkpoint, planted objects, errors. */

import { gzipSync } from 'node:zlib';
import type { Ended } from '../support/lambda';
import type { Story, World } from '../support/scenario';
import { atFirst, type Call, type Fault, type Meddler, onceEach } from '../support/tap';
import { changesNothing } from './unchanged';

interface Moment {
  readonly at: string;
  readonly side: keyof Meddler;
}

/** Each moment at which a run is killed, and whether its manifest stands by then. */
const KILLS: readonly (Moment & { readonly isCommitted: boolean })[] = [
  { at: 'GET /audit/logs', side: 'after', isCommitted: false },
  { at: 'PUT batches', side: 'before', isCommitted: false },
  { at: 'PUT batches', side: 'after', isCommitted: false },
  { at: 'PUT manifests', side: 'before', isCommitted: false },
  { at: 'PUT manifests', side: 'after', isCommitted: true },
  { at: 'PUT events', side: 'before', isCommitted: true },
  { at: 'PUT events', side: 'after', isCommitted: true },
  { at: 'PUT quarantine', side: 'before', isCommitted: true },
  { at: 'SET seq', side: 'before', isCommitted: true },
  { at: 'SET seq', side: 'after', isCommitted: true },
];

async function killAt({ at, side, isCommitted }: (typeof KILLS)[number], world: World): Promise<void> {
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
  await world.leaseEnds();
  // A committed batch is published from the staged bytes, and not from the source.
  if (isCommitted) for (const event of events) source.drop(event);
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: isCommitted ? 0 : 4 } });
  expect(await run()).toMatchObject({ outcome: 'archived', recovered: 0, counts: { events: 0 } });
}

/** Each moment at which a run is stopped until the next run has ended, and what becomes of the stopped run. */
const NAPS: readonly (Moment & { readonly outcome: Ended['outcome'] })[] = [
  { at: 'SET leaseOwner', side: 'after', outcome: 'archived' },
  { at: 'LIST manifests', side: 'after', outcome: 'race' },
  { at: 'GET /audit/logs', side: 'after', outcome: 'race' },
  { at: 'PUT batches', side: 'before', outcome: 'race' },
  { at: 'PUT batches', side: 'after', outcome: 'race' },
  { at: 'PUT manifests', side: 'before', outcome: 'race' },
  { at: 'PUT manifests', side: 'after', outcome: 'archived' },
  { at: 'PUT events', side: 'before', outcome: 'archived' },
  { at: 'PUT events', side: 'after', outcome: 'archived' },
  { at: 'SET seq', side: 'before', outcome: 'archived' },
  { at: 'SET seq', side: 'after', outcome: 'archived' },
];

/** Stops a run at a call, plays another run from beginning to end, and wakes the first with its call under way. */
async function sleepThrough(world: World, naps: typeof NAPS, happen: () => void): Promise<void> {
  const [zombie, other] = [await world.lambda(), await world.another()];
  for (const { at, side, outcome } of naps) {
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
  ...['LIST manifests', 'GET manifests', 'LIST events', 'GET events'],
];

const SLOW = { status: 503, code: 'SlowDown' };
const CONFLICT = { status: 409, code: 'ConditionalRequestConflict' };

/** Calls that fail again and again, and the code by which the run fails. */
const LASTING: readonly (readonly [at: string, side: keyof Meddler, fault: Fault, code?: string])[] = [
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

const MANIFEST_2 = 'manifests/team=main/0000000002.json';

export const awsStories: readonly Story[] = [
  {
    name: 'a run that is killed at any of its calls is mended by the next run',
    play: async (world) => {
      // A first run, so that the next ones read what is archived.
      await world.run();
      for (const kill of KILLS) await killAt(kill, world);
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
      sleepThrough(world, [{ at: 'PUT manifests', side: 'after', outcome: 'race' }], () =>
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
    name: 'one error, reset or lost answer at each call to AWS is retried, and a run knows what it wrote itself',
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
    name: 'a call to AWS that fails for good fails the run by a code, and the next run mends it',
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
      const { source, owner, run, meddle } = world;
      source.happen(5, { hoursAgo: 1 });
      await run();
      source.happen(5);
      await owner.plant(MANIFEST_2, Buffer.from('{"payloadType":"","payload":"","signatures":[]}'));
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'head-invalid' });
      });
      await owner.remove(MANIFEST_2);

      // Planted at the moment of the commit, it is first a lost race and then no head.
      const plant = async ({ key }: Call) => {
        await owner.plant(key, Buffer.from('{}'));
        return undefined;
      };
      meddle({ before: atFirst('PUT manifests', plant) });
      expect(await run()).toMatchObject({ outcome: 'race' });
      expect(await run()).toMatchObject({ outcome: 'failed', code: 'head-invalid' });
      await owner.remove(MANIFEST_2);
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 5 } });

      const [event] = source.happen(1);
      const date = new Date(event?.at ?? 0).toISOString().slice(0, 10);
      const key = `events/team=main/dt=${date}/0000000003.ndjson.gz`;
      await owner.plant(key, gzipSync('{"id":7,"timestamp":"2026-01-01T00:00:00.000Z"}\n'));
      for (let again = 0; again < 2; again += 1) {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'segment-differs' });
      }
      await owner.remove(key);
      expect(await run()).toMatchObject({ outcome: 'archived' });
    },
  },
];
