/** Cases of stored objects that are removed, planted, damaged or left by a dead run, and of a wrong checkpoint item. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { PAYLOAD_TYPE } from '../../lambdas/shared/manifest';
import { batchPrefix, manifestKey } from '../../lambdas/shared/object-keys';
import { payloadHash } from '../support/stored';
import { failsWith, heals, namedCases, refuses } from './cases';
import { chainOf, diesAfterCreating, must } from './chain';
import type { Attribute, Item } from './checkpoint-model';
import { say, whenClean } from './endings';
import { event, HOUR, MINUTE, series, unfit } from './events';
import { patchedArchiver } from './mutations';
import { consultOracle } from './oracle';
import { type Run, TEAM } from './run';
import { archivedWorld, NOON, twoPerPage } from './steady';
import type { World } from './world';

/** The second run writes these in two segments. */
const second = [...series(200, NOON + 10 * MINUTE, 3, MINUTE), unfit(400, NOON + 10 * MINUTE, '{"id":400}')];
const more = [...second, event(500, NOON + 2.5 * HOUR)];

/** An attacker who may lift the lock removes the objects of a run. */
function removeWrittenBy(world: World, run: Run): void {
  for (const key of run.created) world.objects.delete(key);
}

const GARBAGE: readonly Attribute[] = [
  ...['1', ''].map((S) => ({ S })),
  ...['0', '-1', '1.5', '1e40'].map((N) => ({ N })),
  { BOOL: true },
];

/** The text of the number; `no number` for another type, and undefined without an attribute. */
function numberIn(attribute: Attribute | undefined): string | undefined {
  return attribute && ('N' in attribute ? attribute.N : 'no number');
}

export const storageCases = namedCases({
  async 'a run stops at a chain whose newest manifests were removed'(program) {
    const world = await archivedWorld(program, { more });
    const newest = await world.run();
    world.advance(HOUR);
    removeWrittenBy(world, newest);
    await refuses(world, 'checkpoint-ahead');
    await refuses(world, 'checkpoint-ahead');
    // The operator deletes the item deliberately.
    world.cell.item = undefined;
    await heals(world);
  },

  /** A run that was frozen during the removal must not save a lower checkpoint when it wakes. */
  async 'a run that was frozen while manifests were removed does not hide their removal'(program) {
    const world = await archivedWorld(program, { ...twoPerPage, more });
    const zombie = await world.run({ timeoutMs: 24 * HOUR, faults: [{ at: 6, mode: 'freeze' }] });
    must(zombie.isFrozen, 'a run is frozen during its walk');
    world.advance(HOUR);
    const later = [await world.run(), await world.run()];
    for (const run of later) removeWrittenBy(world, run);
    world.wake(zombie);
    await world.settle();
    world.advance(HOUR);
    await refuses(world, 'checkpoint-ahead');
    world.cell.item = undefined;
    await heals(world);
  },

  async 'garbage in the checkpoint item stops the run until the item is deleted'(program) {
    for (const seq of GARBAGE) {
      const world = await archivedWorld(program, { more });
      world.cell.item = { ...world.cell.item, seq };
      await refuses(world, 'checkpoint-garbage');
      world.cell.item = undefined;
      await heals(world);
    }
  },

  async 'garbage in the lease does not stop a run'(program) {
    const leases: Item[] = [
      { leaseUntil: { S: 'tomorrow' }, leaseOwner: { N: '1' } },
      { leaseUntil: { N: '1e20' }, leaseOwner: { S: 'somebody' } },
      { leaseUntil: { N: '-5' } },
      { leaseOwner: { S: 'nobody' }, position: { BOOL: true } },
    ];
    for (const lease of leases) {
      const world = await archivedWorld(program, { more });
      world.cell.item = { ...world.cell.item, ...lease };
      await heals(world);
    }
  },

  /** Before each operation of a run the item is deleted, or set to an older number, a later number or garbage. */
  async 'a checkpoint item that changes at any moment loses and repeats no event'(program) {
    const base = await archivedWorld(program, { more });
    const { operations } = await base.fork().run();
    for (let at = 1; at <= operations.length; at += 1) {
      for (const item of [undefined, { seq: { N: '1' } }, { seq: { N: '7' } }, { seq: { S: 'x' } }]) {
        const world = base.fork();
        const run = await world.run({ faults: [{ at, mode: 'freeze' }] });
        world.cell.item = item;
        world.wake(run);
        await world.settle();
        must(run.outcome?.kind === 'archived' || (at === 1 && run.created.length === 0), `the run ended ${say(run)}`);
        world.advance(HOUR);
        if (!['1', '2', undefined].includes(numberIn(world.cell.item?.seq))) world.cell.item = undefined;
        await heals(world);
      }
    }
  },

  async 'a planted manifest, or one of another number, is not accepted as head'(program) {
    const world = await archivedWorld(program, { more });
    const key = manifestKey(TEAM, 2);
    const [first] = chainOf(world);
    const forged = Buffer.from(
      JSON.stringify({ ...first, seq: 2, previous: payloadHash(world.objects, manifestKey(TEAM, 1)) }),
    );
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signer = { publicKey, sign: async (message: Buffer) => sign('sha256', message, privateKey) };
    const planted = [
      Buffer.from('{"planted":true}'),
      world.objects.get(manifestKey(TEAM, 1)) ?? Buffer.alloc(0),
      await signEnvelope(PAYLOAD_TYPE, forged, signer),
    ];
    for (const bytes of planted) {
      world.objects.set(key, bytes);
      await refuses(world, 'chain-broken');
    }
    world.objects.delete(key);
    await heals(world);
  },

  async 'an unsigned object that is put at the key of the manifest during the run is an alarm, not a race'(program) {
    const world = await archivedWorld(program, { more });
    const dry = await world.fork().run();
    const run = await world.run({ faults: [{ at: dry.operations.indexOf('signer.sign') + 1, mode: 'freeze' }] });
    world.objects.set(manifestKey(TEAM, 2), Buffer.from('{"planted":true}'));
    world.wake(run);
    await world.settle();
    failsWith(run, 'chain-broken');
    world.objects.delete(manifestKey(TEAM, 2));
    world.advance(HOUR);
    await heals(world);
  },

  async 'damaged staged bytes are never published'(program) {
    const world = await archivedWorld(program, { more });
    await diesAfterCreating(world, 2);
    const key = [...world.objects.keys()].find((name) => name.startsWith(`${batchPrefix(TEAM)}0000000002-`)) ?? '';
    const staged = world.objects.get(key) ?? Buffer.alloc(0);
    for (const damage of [staged.subarray(0, 20), Buffer.alloc(staged.length, 1), undefined]) {
      if (damage === undefined) world.objects.delete(key);
      else world.objects.set(key, damage);
      await refuses(world, 'batch-unreadable');
    }
    world.objects.set(key, staged);
    await heals(world);
  },

  /** All that was committed is published, although the source does not answer any more. */
  async 'the batch that a dead run committed is published without asking the source'(program) {
    for (const objects of [2, 3]) {
      const world = await archivedWorld(program, { more });
      await diesAfterCreating(world, objects);
      world.changeSource({ fault: () => ({ status: 500 }) });
      const run = await world.run();
      failsWith(run, 'source-unavailable');
      for (const { key } of chainOf(world).flatMap(({ segments }) => segments)) {
        must(world.objects.has(key), `${key} is published`);
      }
      world.changeSource({ fault: null });
      world.advance(HOUR);
      await heals(world);
    }
  },

  /** Recovery copies the staged bytes, so that another version of zlib changes no published object. */
  async 'zlib is upgraded between a crash and the recovery'(program) {
    const level = (digit: number) => `{ level: ${digit}, memLevel: 9 }`;
    const upgraded = await patchedArchiver([{ file: 'shared/segment.ts', from: level(6), to: level(1) }]);
    for (const objects of [1, 2, 3]) {
      const world = await archivedWorld(program, { more });
      await diesAfterCreating(world, objects);
      whenClean(await world.run({ program: upgraded }));
      await consultOracle(world);
    }
  },
});
