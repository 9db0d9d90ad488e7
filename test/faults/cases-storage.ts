/** Cases of what is stored: removed, planted, damaged, left by a dead run; and a checkpoint that is not to be believed. */

import { generateKeyPairSync, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { PAYLOAD_TYPE } from '../../lambdas/shared/manifest';
import { batchPrefix, manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { payloadHash } from '../support/stored';
import type { Case } from './cases';
import { chainOf, must } from './chain';
import type { Attribute, Item } from './checkpoint-model';
import { say, whenClean } from './endings';
import { event, HOUR, MINUTE, series, unfit } from './events';
import { consultOracle } from './oracle';
import { loadPatched } from './patched-program';
import type * as unpatched from './program';
import { type Run, TEAM } from './run';
import { hourly, input, NOON, steady } from './steady';
import { createWorld, type World } from './world';

type Program = typeof unpatched | undefined;

const DATE = '2026-03-10';
/** Written by the second run: two segments. */
const second = [...series(200, NOON + 10 * MINUTE, 3, MINUTE), unfit(400, NOON + 10 * MINUTE, '{"id":400}')];
const events = [...steady, ...second, event(500, NOON + 2.5 * HOUR)];

function worldOf(program: Program, changes: object = {}): World {
  return createWorld({ start: NOON, input, events, ...(program && { program }), ...changes });
}

/** A run that must stop with that code, and write nothing. */
async function refuses(world: World, code: string): Promise<void> {
  const run = await world.run();
  must(run.outcome?.kind === 'failed' && run.outcome.code === code, `the run ended ${say(run)} instead of ${code}`);
  must(run.created.length === 0, `it wrote ${run.created.join(' ')}`);
  world.advance(HOUR);
}

async function heals(world: World): Promise<void> {
  const run = await world.run();
  whenClean(run);
  await consultOracle(world);
  world.advance(HOUR);
}

/** Dies when it has created so many objects: 1 staged, 2 committed, 3 one segment published. */
async function diesAfterCreating(world: World, objects: number): Promise<Run> {
  const dry = await world.fork().run();
  const creates = dry.operations.flatMap((method, index) => (method === 'store.create' ? [index + 1] : []));
  const run = await world.run({ faults: [{ at: creates[objects - 1] ?? 0, mode: 'die-after' }] });
  must(run.isDead && run.created.length === objects, `the run died after ${run.created.length} objects`);
  world.advance(HOUR);
  return run;
}

/** What nobody but this adversary can do in a locked bucket. */
function removeWrittenBy(world: World, run: Run): void {
  for (const key of run.created) world.objects.delete(key);
}

async function truncatedTail(program: Program): Promise<void> {
  const world = worldOf(program);
  await hourly(world);
  const newest = await world.run();
  world.advance(HOUR);
  removeWrittenBy(world, newest);
  await refuses(world, 'checkpoint-ahead');
  await refuses(world, 'checkpoint-ahead');
  // The operator's deliberate override.
  world.cell.item = undefined;
  await heals(world);
}

/** A run frozen over the removal must not write the evidence away when it wakes. */
async function truncatedUnderAFrozenRun(program: Program): Promise<void> {
  const world = worldOf(program, { source: { maxLimit: 2 } });
  await hourly(world);
  const zombie = await world.run({ timeoutMs: 24 * HOUR, faults: [{ at: 6, mode: 'freeze' }] });
  must(zombie.isFrozen, 'a run is frozen in its walk');
  world.advance(HOUR);
  const later = [await world.run(), await world.run()];
  for (const run of later) removeWrittenBy(world, run);
  world.wake(zombie);
  await world.settle();
  world.advance(HOUR);
  await refuses(world, 'checkpoint-ahead');
  world.cell.item = undefined;
  await heals(world);
}

const GARBAGE: readonly Attribute[] = [
  { S: '1' },
  { S: '' },
  { BOOL: true },
  { N: '0' },
  { N: '-1' },
  { N: '1.5' },
  { N: '1e40' },
];

async function garbageInTheItem(program: Program): Promise<void> {
  for (const seq of GARBAGE) {
    const world = worldOf(program);
    await hourly(world);
    world.cell.item = { ...world.cell.item, seq };
    await refuses(world, 'checkpoint-garbage');
    world.cell.item = undefined;
    await heals(world);
  }
}

async function garbageInTheLease(program: Program): Promise<void> {
  const leases: Item[] = [
    { leaseUntil: { S: 'tomorrow' }, leaseOwner: { N: '1' } },
    { leaseUntil: { N: '1e20' }, leaseOwner: { S: 'somebody' } },
    { leaseUntil: { N: '-5' } },
    { leaseOwner: { S: 'nobody' }, position: { BOOL: true } },
  ];
  for (const lease of leases) {
    const world = worldOf(program);
    await hourly(world);
    world.cell.item = { ...world.cell.item, ...lease };
    await heals(world);
  }
}

/** The item set to any number at any moment of a run: before each of its operations. */
async function anyNumberAtAnyMoment(program: Program): Promise<void> {
  const base = worldOf(program);
  await hourly(base);
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
}

/** The text of a number, of anything else too; undefined where there is nothing. */
function numberIn(attribute: Attribute | undefined): string | undefined {
  return attribute && ('N' in attribute ? attribute.N : 'no number');
}

async function plantedSegment(program: Program): Promise<void> {
  const line = '{"id":"planted","timestamp":"2026-03-10T12:11:00.000Z"}\n';
  for (const planted of [Buffer.from('planted'), gzipSync(line)]) {
    const world = worldOf(program);
    await hourly(world);
    const key = segmentKey('events', TEAM, DATE, 2);
    world.objects.set(key, planted);
    const run = await world.run();
    must(run.outcome?.kind === 'failed' && run.outcome.code === 'segment-differs', `the run ended ${say(run)}`);
    world.advance(HOUR);
    await refuses(world, 'segment-differs');
    // Whoever may lift the lock has removed it.
    world.objects.delete(key);
    await heals(world);
  }
}

async function plantedManifest(program: Program): Promise<void> {
  const world = worldOf(program);
  await hourly(world);
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
    await refuses(world, 'head-invalid');
  }
  world.objects.delete(key);
  await heals(world);
}

async function manifestPlantedMeanwhile(program: Program): Promise<void> {
  const world = worldOf(program);
  await hourly(world);
  const dry = await world.fork().run();
  const run = await world.run({ faults: [{ at: dry.operations.indexOf('signer.sign') + 1, mode: 'freeze' }] });
  world.objects.set(manifestKey(TEAM, 2), Buffer.from('{"planted":true}'));
  world.wake(run);
  await world.settle();
  must(run.outcome?.kind === 'race', `the run ended ${say(run)}`);
  world.objects.delete(manifestKey(TEAM, 2));
  world.advance(HOUR);
  await heals(world);
}

async function damagedStagedBytes(program: Program): Promise<void> {
  const world = worldOf(program);
  await hourly(world);
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
}

/** Everything committed is published, though nothing can be asked of the source any more. */
async function recoveryWithoutTheSource(program: Program): Promise<void> {
  for (const objects of [2, 3]) {
    const world = worldOf(program);
    await hourly(world);
    await diesAfterCreating(world, objects);
    world.changeSource({ fault: () => ({ status: 500 }) });
    const run = await world.run();
    must(run.outcome?.kind === 'failed' && run.outcome.code === 'source-unavailable', `the run ended ${say(run)}`);
    for (const { segments } of chainOf(world)) {
      for (const { key } of segments) must(world.objects.has(key), `${key} is published`);
    }
    world.changeSource({ fault: null });
    world.advance(HOUR);
    await heals(world);
  }
}

/** Recovery copies bytes: another zlib in between makes no difference to what is published. */
async function zlibUpgraded(program: Program): Promise<void> {
  const level = {
    file: 'shared/segment.ts',
    from: 'gzipSync(content, { level: 6 })',
    to: 'gzipSync(content, { level: 1 })',
  };
  const upgraded = await loadPatched([level]);
  for (const objects of [1, 2, 3]) {
    const world = worldOf(program);
    await hourly(world);
    await diesAfterCreating(world, objects);
    whenClean(await world.run({ program: upgraded }));
    await consultOracle(world);
  }
}

export const storageCases: readonly Case[] = [
  { name: 'a run stops at a chain whose newest manifests were removed', play: truncatedTail },
  {
    name: 'a run that was frozen while manifests were removed does not hide their removal',
    play: truncatedUnderAFrozenRun,
  },
  { name: 'garbage in the checkpoint item stops the run until the item is deleted', play: garbageInTheItem },
  { name: 'garbage in the lease does not stop a run', play: garbageInTheLease },
  { name: 'a checkpoint item that changes at any moment loses and repeats no event', play: anyNumberAtAnyMoment },
  {
    name: 'an object planted at the key of the next segment stops the archive and is never signed',
    play: plantedSegment,
  },
  { name: 'a planted manifest, or one of another number, is not accepted as head', play: plantedManifest },
  { name: 'a run loses the race when another writer puts the manifest', play: manifestPlantedMeanwhile },
  { name: 'damaged staged bytes are never published', play: damagedStagedBytes },
  {
    name: 'the batch that a dead run committed is published without asking the source',
    play: recoveryWithoutTheSource,
  },
  { name: 'zlib is upgraded between a crash and the recovery', play: zlibUpgraded },
];
