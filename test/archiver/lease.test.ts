import { createLease } from '../../lambdas/archiver/lease';
import type { Checkpoint, CheckpointStore, Lease } from '../../lambdas/shared/ports';
import { aManifest } from '../support/manifest';
import { aRun } from '../support/run';
import { recordedLogger } from '../support/source-kit';
import { virtualClock } from '../support/virtual-clock';

/** A lease whose table holds manifest 7, but for what a test changes. */
function leaseOf(changes: Partial<CheckpointStore> = {}) {
  const acquired: Lease[] = [];
  const saved: Checkpoint[] = [];
  const [logger, clock] = [recordedLogger(), virtualClock()];
  const checkpoints: CheckpointStore = {
    acquire: async (lease) => {
      acquired.push(lease);
      return changes.acquire?.(lease) ?? { seq: 7 };
    },
    save: async (lease, checkpoint) => {
      saved.push(checkpoint);
      return changes.save?.(lease, checkpoint) ?? 'saved';
    },
    release: async (lease, outcome) => changes.release?.(lease, outcome),
  };
  const lease = createLease(aRun({ id: 'run', checkpoints, clock, logger }));
  return { lease, logger, clock, acquired, saved };
}

const head = (seq: number) => ({ manifest: aManifest({ seq, position: '2026-06-12T11:00:00.000Z' }), hash: 'a' });
const fails = async () => Promise.reject(Object.assign(new Error('canary'), { name: 'ThrottlingException' }));

test('a lease ends by itself within a minute, before Lambda tries a crashed run again', async () => {
  const { lease, clock, acquired } = leaseOf();
  expect(await lease.take()).toEqual({ seq: 7 });
  const [taken] = acquired;
  expect(taken).toMatchObject({ team: 'main', runId: 'run', now: clock.now() });
  expect(Number(taken?.until) - Number(taken?.now)).toBeLessThan(60_000);
});

test('a long walk keeps its lease, and asks no more often than needed', async () => {
  const { lease, clock, acquired } = leaseOf();
  await lease.take();
  for (let page = 0; page < 100; page += 1) {
    clock.advance(1000);
    await lease.keep();
  }
  expect(acquired.length).toBeGreaterThanOrEqual(4);
  expect(acquired.length).toBeLessThanOrEqual(6);
  const gaps = acquired.slice(1).map(({ now }, index) => Number(acquired[index]?.until) - now.getTime());
  expect(Math.min(...gaps)).toBeGreaterThan(0);
});

test('the checkpoint moves from the number that was found to each number that is committed', async () => {
  const { lease, saved } = leaseOf();
  await lease.take();
  await lease.checkpoint(head(8), false);
  await lease.checkpoint(head(9), true);
  const position = new Date('2026-06-12T11:00:00.000Z');
  expect(saved).toEqual([
    { previousSeq: 7, seq: 8, position, release: false },
    { previousSeq: 8, seq: 9, position, release: true },
  ]);
});

test('after a checkpoint that was not saved, the next one still moves from the number that the item holds', async () => {
  const { lease, saved } = leaseOf({ save: fails });
  await lease.take();
  await lease.checkpoint(head(8), false);
  await lease.checkpoint(head(9), true);
  expect(saved.map(({ previousSeq, seq }) => [previousSeq, seq])).toEqual([
    [7, 8],
    [7, 9],
  ]);
});

test.each<[unknown]>([
  [undefined],
  [{ S: 'x' }],
])('the checkpoint expects no number where the item holds the seq %j', async (seq) => {
  const { lease, saved } = leaseOf({ acquire: async () => ({ seq }) });
  await lease.take();
  await lease.checkpoint(head(1), true);
  expect(saved[0]?.previousSeq).toBeUndefined();
});

/** Each row is an operation, how the table answers it, and the line of the log. */
test.each<['keep' | 'checkpoint' | 'free', Partial<CheckpointStore>, string]>([
  ['keep', { acquire: async () => 'held' }, 'lease not renewed {"reason":"held"}'],
  ['keep', { acquire: fails }, 'lease not renewed {"reason":"ThrottlingException"}'],
  ['checkpoint', { save: async () => 'refused' }, 'checkpoint not saved {"reason":"refused"}'],
  ['checkpoint', { save: fails }, 'checkpoint not saved {"reason":"ThrottlingException"}'],
  ['free', { release: fails }, 'lease not released {"reason":"ThrottlingException"}'],
])('an operation "%s" that the table refuses or fails is logged and stops nothing: %#', async (operation, changes, line) => {
  const { lease, logger, clock } = leaseOf(changes);
  clock.advance(30_000);
  await { keep: lease.keep, checkpoint: () => lease.checkpoint(head(8), true), free: () => lease.free('unexpected') }[
    operation
  ]();
  expect(logger.lines).toEqual([line]);
});
