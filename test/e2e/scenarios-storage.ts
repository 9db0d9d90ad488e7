/** What can happen to a run and to what it keeps: crashes, other runs, a lost or wrong checkpoint, trouble with AWS. */
import { gzipSync } from 'node:zlib';
import type { Scenario, World } from '../support/scenario';
import { atFirst, type Call, type Fault, type Meddler, onceEach } from '../support/tap';
import { changesNothing } from './unchanged';

interface Crash {
  readonly at: string;
  readonly side: keyof Meddler;
  /** By then the manifest stands. */
  readonly isCommitted: boolean;
}

const crashes: readonly Crash[] = [
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

async function survives({ at, side, isCommitted }: Crash, world: World): Promise<void> {
  const { source, run } = world;
  const old = [
    source.happen(4, { hoursAgo: 60 }),
    source.happen(4, { hoursAgo: 30 }),
    source.happen(4, { hoursAgo: 2 }),
  ];
  source.misbehave('{"id":1,"timestamp":"never"}');
  const lambda = await world.lambda();
  const kill = () => {
    lambda.signal('SIGKILL');
    return 'reset' as const;
  };
  world.meddle({ [side]: atFirst(at, kill) });
  expect(await run()).toMatchObject({ outcome: 'ended', detail: expect.stringContaining('SIGKILL') });

  await world.leaseEnds();
  // Recovery never asks the source again.
  if (isCommitted) for (const event of old.flat()) source.drop(event);
  const events = isCommitted ? 0 : 12;
  expect(await run()).toMatchObject({ outcome: 'archived', seq: isCommitted ? 2 : 1, counts: { events } });
  expect(await run()).toMatchObject({ outcome: 'archived', recovered: 0, counts: { events: 0 } });
}

export const crashing: readonly Scenario[] = crashes.map((crash) => ({
  name: `a run that is killed ${crash.side} ${crash.at}`,
  play: (world) => survives(crash, world),
}));

export const overlapping: readonly Scenario[] = [
  {
    name: 'two runs at once: one has the lease, the other ends, clean',
    play: async ({ source, run, another, meddle }) => {
      source.happen(10);
      const second = await another();
      meddle({
        before: atFirst('GET /audit/logs', async () => {
          expect(await second.run()).toMatchObject({ outcome: 'held' });
          return undefined;
        }),
      });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  ...['PUT batches', 'PUT manifests'].map(
    (at): Scenario => ({
      name: `a run that another overtakes at ${at} loses the race, and ends clean`,
      play: async ({ source, run, another, meddle, leaseEnds }) => {
        source.happen(10);
        const second = await another();
        meddle({
          before: atFirst(at, async () => {
            await leaseEnds();
            expect(await second.run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
            return undefined;
          }),
        });
        expect(await run()).toMatchObject({ outcome: 'race' });
        expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 0 } });
      },
    }),
  ),
  {
    name: 'four runs at once, with a lease that is deleted each time',
    play: async ({ source, owner, another, meddle, run }) => {
      source.happen(400, { hoursAgo: 2, tied: true });
      const lambdas = await Promise.all(Array.from({ length: 4 }, () => another()));
      meddle({
        before: async ({ name }) => {
          if (name === 'SET leaseOwner') await owner.setItem('deleted');
          return undefined;
        },
      });
      for (let round = 0; round < 3; round += 1) {
        source.happen(10);
        const ends = await Promise.all(lambdas.map((lambda) => lambda.run()));
        const outcomes = ends.map(({ outcome }) => outcome);
        expect(['archived', 'race', 'held']).toEqual(expect.arrayContaining(outcomes));
        expect(outcomes).toContain('archived');
      }
      meddle({});
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
    },
  },
  {
    name: 'a lease is waited for, and taken when it ends',
    play: async (world) => {
      const { source, owner, run, leaseEnds } = world;
      source.happen(10);
      await owner.setItem({ leaseOwner: { S: 'another run' }, leaseUntil: { N: String(Date.now() + 50_000) } });
      expect(await run()).toMatchObject({ outcome: 'held' });
      expect((await owner.objects()).size).toBe(0);
      await leaseEnds();
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'a lease of nonsense keeps nobody out',
    play: async ({ source, owner, run }) => {
      for (const leaseUntil of [{ N: String(Date.now() * 2) }, { S: 'tomorrow' }, { BOOL: true }]) {
        source.happen(3);
        await owner.setItem({ leaseOwner: { S: 'another run' }, leaseUntil });
        expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 3 } });
      }
    },
  },
];

async function threeRuns({ source, run }: World): Promise<void> {
  for (const events of [5, 3, 2]) {
    source.happen(events);
    expect(await run()).toMatchObject({ outcome: 'archived', counts: { events } });
  }
  source.happen(4);
}

export const checkpoints: readonly Scenario[] = [
  {
    name: 'a checkpoint that was lost',
    play: async (world) => {
      await threeRuns(world);
      await world.owner.setItem('deleted');
      expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 4, counts: { events: 4 } });
    },
  },
  {
    name: 'a checkpoint that was rolled back',
    play: async (world) => {
      await threeRuns(world);
      await world.owner.setItem({ seq: { N: '1' }, position: { S: '2020-01-01T00:00:00.000Z' } });
      expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 4, counts: { events: 4 } });
    },
  },
  ...Object.entries({
    'checkpoint-ahead': [{ N: '99' }, { N: '4' }],
    'checkpoint-garbage': [{ S: 'two' }, { N: '0' }, { N: '-1' }, { N: '1.5' }, { NULL: true }, { M: {} }],
  } as const).map(
    ([code, values]): Scenario => ({
      name: `${code}: the run stops loudly, until the operator deletes the item`,
      play: async (world) => {
        await threeRuns(world);
        for (const seq of values) {
          await world.owner.setItem({ seq });
          await changesNothing(world, async () => {
            expect(await world.run()).toMatchObject({ outcome: 'failed', code });
          });
        }
        await world.owner.setItem('deleted');
        expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 4, counts: { events: 4 } });
      },
    }),
  ),
  {
    name: 'newest manifests that were taken away are missed, not healed away',
    play: async (world) => {
      const { owner, run } = world;
      await threeRuns(world);
      await run();
      await run();
      const newest = 'manifests/team=main/0000000005.json';
      const bytes = (await owner.objects()).get(newest) ?? Buffer.alloc(0);
      await owner.remove(newest);
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'checkpoint-ahead' });
      });
      await owner.plant(newest, bytes);
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 6 });
    },
  },
];

export const plants: readonly Scenario[] = [
  {
    name: 'an object planted where the next segment will stand is neither overwritten nor signed',
    play: async ({ source, owner, run }) => {
      source.happen(5, { hoursAgo: 1 });
      await run();
      const [event] = source.happen(1);
      const date = new Date(event?.at ?? 0).toISOString().slice(0, 10);
      const key = `events/team=main/dt=${date}/0000000002.ndjson.gz`;
      await owner.plant(key, gzipSync('{"id":7,"timestamp":"2026-01-01T00:00:00.000Z"}\n'));
      for (let again = 0; again < 2; again += 1) {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'segment-differs' });
      }
      await owner.remove(key);
      expect(await run()).toMatchObject({ outcome: 'archived' });
    },
  },
  {
    name: 'an object planted where the next manifest will stand stops the chain, loudly',
    play: async (world) => {
      const { source, owner, run } = world;
      source.happen(5, { hoursAgo: 1 });
      await run();
      const key = 'manifests/team=main/0000000002.json';
      await owner.plant(key, Buffer.from('{"payloadType":"","payload":"","signatures":[]}'));
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'head-invalid' });
      });
      await owner.remove(key);
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2 });
    },
  },
  {
    name: 'a manifest planted at the moment of the commit is a race lost, and then no head',
    play: async ({ source, owner, run, meddle }) => {
      source.happen(5, { hoursAgo: 1 });
      await run();
      source.happen(5);
      const plant = async ({ key }: Call) => {
        await owner.plant(key, Buffer.from('{}'));
        return undefined;
      };
      meddle({ before: atFirst('PUT manifests', plant) });
      expect(await run()).toMatchObject({ outcome: 'race' });
      expect(await run()).toMatchObject({ outcome: 'failed', code: 'head-invalid' });
      await owner.remove('manifests/team=main/0000000002.json');
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 5 } });
    },
  },
];

const PUTS = ['PUT batches', 'PUT manifests', 'PUT events', 'PUT quarantine'];
const UPDATES = ['SET leaseOwner', 'SET seq'];

export const trouble: readonly Scenario[] = [
  {
    name: 'SlowDown, conflicts, errors, resets and lost answers, once at each call to AWS',
    play: async ({ source, run, meddle }) => {
      const calls = [
        ...PUTS,
        ...UPDATES,
        'GetParameter',
        'LIST manifests',
        'GET manifests',
        'LIST events',
        'GET events',
      ];
      const errors = [
        { status: 503, code: 'SlowDown' },
        { status: 500, code: 'InternalError' },
      ];
      source.happen(2, { hoursAgo: 1 });
      await run();
      for (const fault of [...errors, 'reset'] as const) {
        for (const side of ['before', 'after']) {
          source.happen(3);
          source.misbehave(`{"id":"${side} ${typeof fault === 'string' ? fault : fault.code}"}`);
          meddle({ [side]: onceEach(calls, fault) });
          expect(await run()).toMatchObject({ outcome: 'archived', manifests: 1, counts: { events: 3 } });
        }
      }
      source.happen(3);
      meddle({ before: onceEach(PUTS, { status: 409, code: 'ConditionalRequestConflict' }) });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 3 } });
    },
  },
  ...[
    { at: 'PUT batches', fault: { status: 503, code: 'SlowDown' }, code: 'storage-unavailable' },
    { at: 'PUT manifests', fault: { status: 409, code: 'ConditionalRequestConflict' }, code: 'storage-unavailable' },
    { at: 'PUT manifests', fault: { status: 403, code: 'AccessDenied' }, code: 'storage-refused' },
    { at: 'PUT events', fault: { status: 503, code: 'SlowDown' }, code: 'storage-unavailable' },
    { at: 'PUT events', fault: { status: 404, code: 'NoSuchBucket' }, code: 'storage-refused' },
    { at: 'GET events', fault: 'reset', code: 'storage-unavailable' },
    { at: 'LIST manifests', fault: { status: 400, code: 'ExpiredToken' }, code: 'storage-refused' },
    { at: 'SET leaseOwner', fault: 'reset', code: 'storage-unavailable' },
  ].map(
    ({ at, fault, code }): Scenario => ({
      name: `${at} fails for good with ${typeof fault === 'string' ? fault : fault.code}: so does the run, and the next one mends it`,
      play: async ({ source, run, meddle }) => {
        source.happen(5, { hoursAgo: 1 });
        await run();
        source.happen(5);
        meddle({ before: ({ name }) => (name === at ? (fault as Fault) : undefined) });
        expect(await run()).toMatchObject({ outcome: 'failed', code });
        meddle({});
        expect(await run()).toMatchObject({ outcome: 'archived' });
        expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
      },
    }),
  ),
  {
    name: 'PUT manifests is applied each time and never answered: the next run sees the commit',
    play: async ({ source, run, meddle, leaseEnds }) => {
      source.happen(5, { hoursAgo: 1 });
      meddle({ after: ({ name }) => (/^(PUT|GET) manifests$/.test(name) ? 'reset' : undefined) });
      expect(await run()).toMatchObject({ outcome: 'failed', code: 'storage-unavailable' });
      meddle({});
      await leaseEnds();
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, recovered: 1, counts: { events: 0 } });
    },
  },
  {
    name: 'the checkpoint cannot be saved: a hint, so the run goes on, and the next one lists a little more',
    play: async ({ source, run, meddle, leaseEnds }) => {
      for (let again = 0; again < 2; again += 1) {
        source.happen(5);
        meddle({ before: ({ name }) => (name === 'SET seq' ? 'reset' : undefined) });
        expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 5 } });
        await leaseEnds();
      }
      meddle({});
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 3, counts: { events: 0 } });
    },
  },
];
