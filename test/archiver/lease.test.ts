import { createLease } from '../../lambdas/archiver/lease';
import type { Checkpoint, CheckpointStore, Hint, Lease } from '../../lambdas/shared/ports';
import { aManifest } from '../support/manifest';
import { aRun } from '../support/run';
import { recordedLogger } from '../support/source-kit';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

interface Table extends CheckpointStore {
  readonly acquired: Lease[];
  readonly saved: Checkpoint[];
  readonly released: Lease[];
}

function tableOf(changes: Partial<CheckpointStore> = {}): Table {
  const acquired: Lease[] = [];
  const saved: Checkpoint[] = [];
  const released: Lease[] = [];
  return {
    acquired,
    saved,
    released,
    async acquire(lease) {
      acquired.push(lease);
      return changes.acquire?.(lease) ?? { seq: 7 };
    },
    async save(lease, checkpoint) {
      saved.push(checkpoint);
      return changes.save?.(lease, checkpoint) ?? 'saved';
    },
    async release(lease) {
      released.push(lease);
      await changes.release?.(lease);
    },
  };
}

function leaseOf(table: CheckpointStore, clock: VirtualClock = virtualClock()) {
  const logger = recordedLogger();
  return { lease: createLease(aRun({ id: 'run', checkpoints: table, clock, logger })), logger, clock };
}

const head = (seq: number) => ({ manifest: aManifest({ seq, position: '2026-06-12T11:00:00.000Z' }), hash: 'a' });
const fails = async (): Promise<never> =>
  Promise.reject(Object.assign(new Error('canary'), { name: 'ThrottlingException' }));

test('a lease ends by itself within a minute, before Lambda tries a crashed run again', async () => {
  const table = tableOf();
  const { lease, clock } = leaseOf(table);
  expect(await lease.take()).toEqual({ seq: 7 });
  const [taken] = table.acquired;
  expect(taken).toMatchObject({ team: 'main', runId: 'run', now: clock.now() });
  expect(Number(taken?.until) - Number(taken?.now)).toBeLessThan(60_000);
});

test('a run is told that another run holds the lease', async () => {
  const { lease } = leaseOf(tableOf({ acquire: async () => 'held' }));
  expect(await lease.take()).toBe('held');
});

test('a run does not begin where the table cannot be asked', async () => {
  await expect(leaseOf(tableOf({ acquire: fails })).lease.take()).rejects.toThrow();
});

test('a long walk keeps its lease, and asks no more often than needed', async () => {
  const table = tableOf();
  const { lease, clock } = leaseOf(table);
  await lease.take();
  for (let page = 0; page < 100; page += 1) {
    clock.advance(1000);
    await lease.keep();
  }
  expect(table.acquired.length).toBeGreaterThanOrEqual(4);
  expect(table.acquired.length).toBeLessThanOrEqual(6);
  const gaps = table.acquired.slice(1).map(({ now }, index) => Number(table.acquired[index]?.until) - now.getTime());
  expect(Math.min(...gaps)).toBeGreaterThan(0);
});

test.each<[string, CheckpointStore['acquire']]>([
  ['was stolen', async () => 'held'],
  ['cannot be renewed', fails],
])('a lease that %s is logged and stops nothing, because the number of the manifest decides', async (_name, acquire) => {
  let first = true;
  const table = tableOf({
    acquire: async (lease): Promise<Hint | 'held'> => {
      if (!first) return acquire(lease);
      first = false;
      return { seq: 7 };
    },
  });
  const { lease, logger, clock } = leaseOf(table);
  await lease.take();
  clock.advance(30_000);
  await lease.keep();
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]).toMatch(/lease not renewed/);
  expect(logger.lines[0]).not.toContain('canary');
});

describe('the checkpoint', () => {
  test('the checkpoint moves from the number that was found to each number that is committed', async () => {
    const table = tableOf();
    const { lease } = leaseOf(table);
    await lease.take();
    await lease.checkpoint(head(8), false);
    await lease.checkpoint(head(9), true);
    const position = new Date('2026-06-12T11:00:00.000Z');
    expect(table.saved).toEqual([
      { previousSeq: 7, seq: 8, position, release: false },
      { previousSeq: 8, seq: 9, position, release: true },
    ]);
  });

  test.each<[unknown]>([
    [undefined],
    [{ S: 'x' }],
  ])('the checkpoint expects no number where the item holds the seq %j', async (seq) => {
    const table = tableOf({ acquire: async () => ({ seq }) });
    const { lease } = leaseOf(table);
    await lease.take();
    await lease.checkpoint(head(1), true);
    expect(table.saved[0]?.previousSeq).toBeUndefined();
  });

  test.each<[string, CheckpointStore['save']]>([
    ['is refused', async () => 'refused'],
    ['is throttled', fails],
  ])('a checkpoint that %s is logged and stops nothing', async (_name, save) => {
    const { lease, logger } = leaseOf(tableOf({ save }));
    await lease.take();
    await lease.checkpoint(head(8), true);
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatch(/checkpoint not saved/);
    expect(logger.lines[0]).not.toContain('canary');
  });

  test('after a checkpoint that was not saved, the next one still moves from the number that the item holds', async () => {
    const table = tableOf({ save: fails });
    const { lease } = leaseOf(table);
    await lease.take();
    await lease.checkpoint(head(8), false);
    await lease.checkpoint(head(9), true);
    expect(table.saved.map(({ previousSeq, seq }) => [previousSeq, seq])).toEqual([
      [7, 8],
      [7, 9],
    ]);
  });
});

test('a lease that cannot be released is logged and stops nothing', async () => {
  const table = tableOf({ release: fails });
  const { lease, logger } = leaseOf(table);
  await lease.free();
  expect(table.released).toHaveLength(1);
  expect(logger.lines).toEqual(['lease not released {"reason":"ThrottlingException"}']);
});
