/**
 * Stage and commit. The batch object is written to a key that no query reads. Then the manifest makes it part of the chain.
 * The manifest is created only if its key is free, so of all runs that want to write manifest n+1 exactly one succeeds.
 */
import { signEnvelope } from '../shared/dsse';
import { IntegrityError, Race } from '../shared/errors';
import {
  encodeManifest,
  FORMAT,
  latestOf,
  type Manifest,
  PAYLOAD_TYPE,
  type SegmentEntry,
  sha256,
} from '../shared/manifest';
import { batchKey, manifestKey } from '../shared/object-keys';
import { addMs, earlier, MINUTE_MS } from '../shared/time';
import { unlisted } from './archived';
import { type Batch, sealBatch } from './batch';
import { readManifest, type SignedManifest } from './chain';
import { inParallel } from './parallel';
import { positionOf, windowOf } from './progress';
import type { Run } from './run';

const READERS = 8;
/** Lambda ends every run after so much time. */
const LONGEST_RUN_MS = 15 * MINUTE_MS;

/** The bytes of a batch object that is staged, and the manifest that commits it once it is written. */
export interface StagedBatch {
  readonly members: Buffer;
  readonly manifest: Manifest;
}

/** Throws `Race` or `IntegrityError` where a key that this batch would be published to is taken. */
export async function stage(batch: Batch, head: SignedManifest | undefined, run: Run): Promise<StagedBatch> {
  const { progress } = batch;
  const seq = (head?.manifest.seq ?? 0) + 1;
  const { members, segments } = sealBatch(batch, { team: run.team, seq });
  await refuseTakenKeys(segments, seq, run);
  const key = batchKey(run.team, seq, run.id);
  // The clock is read before any write. So each object that the manifest lists is younger than `finished`, and none expires
  // before the manifest says so. The source's clock limits the walk start, and so also a clock of this run that is ahead: otherwise
  // an object that the bucket deletes in time would count as missing.
  const finished = earlier(run.clock.now(), addMs(progress.walkStart, LONGEST_RUN_MS));
  // The run's id is in the key. So `exists` means that this call was applied before and its response was lost.
  if (members.length > 0) await run.store.create(key, members, 'application/gzip');
  const window = windowOf(progress);
  const manifest: Manifest = {
    format: FORMAT,
    team: run.team,
    seq,
    previous: head?.hash ?? null,
    run: {
      id: run.id,
      scheduledTime: run.scheduledTime,
      walkStart: progress.walkStart.toISOString(),
      finished: finished.toISOString(),
      codeVersion: run.codeVersion,
      reason: batch.reason,
      source: run.sourceOrigin,
    },
    start: progress.chainStart.toISOString(),
    window: { from: window.from.toISOString(), to: window.to.toISOString() },
    position: positionOf(progress).toISOString(),
    latest: latestOf(head?.manifest.latest ?? null, segments),
    counts: batch.counts,
    gaps: progress.gaps,
    sweeps: batch.sweeps,
    sweepTurn: progress.sweepTurn,
    sweptAt: progress.sweptAt?.toISOString() ?? null,
    sourceTeams: batch.sourceTeams,
    undated: batch.undated,
    retention: run.retention,
    batch: members.length === 0 ? null : { key, bytes: members.length },
    segments,
  };
  return { manifest, members };
}

/** A key is taken where another run has committed this number, or where somebody has planted an object. */
async function refuseTakenKeys(segments: readonly SegmentEntry[], seq: number, run: Run): Promise<void> {
  const taken: string[] = [];
  await inParallel(READERS, segments, async ({ key }) => {
    if ((await run.store.get(key)) !== undefined) taken.push(key);
  });
  const [key] = taken.sort();
  if (key === undefined) return;
  // The manifest is read after the keys. In the other order, the objects of a run that commits in between would look planted.
  if ((await readManifest(run, seq)) === undefined) throw unlisted(key);
  throw lostRace(manifestKey(run.team, seq));
}

/**
 * Throws `Race` where another run has written this number, and `IntegrityError` where a stranger has, or where somebody has
 * hidden what was there. After any other failure the manifest may or may not be written.
 */
export async function commit({ manifest }: StagedBatch, run: Run): Promise<SignedManifest> {
  const { signer, store } = run;
  const payload = encodeManifest(manifest);
  const envelope = await signEnvelope(PAYLOAD_TYPE, payload, signer);
  const key = manifestKey(manifest.team, manifest.seq);
  if ((await store.create(key, envelope, 'application/json')) === 'exists') {
    // A retry after a lost response finds the object that it wrote itself. Every ECDSA signature is different, so only this
    // run can have written equal bytes.
    const stored = await store.get(key);
    if (stored === undefined || !stored.equals(envelope)) {
      if ((await readManifest(run, manifest.seq)) === undefined) throw vanished(key);
      throw lostRace(key);
    }
  }
  return { manifest, hash: sha256(payload) };
}

function vanished(key: string): IntegrityError {
  return new IntegrityError(
    'chain-broken',
    `${key} was there when this run wanted to write it, and a moment later it was gone. This run writes nothing more. Look for a ` +
      'delete marker over this key and remove it, then run again',
  );
}

function lostRace(key: string): Race {
  return new Race(`another run committed ${key}`);
}
