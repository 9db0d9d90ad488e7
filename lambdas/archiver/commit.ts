/**
 * Stage and commit: the batch's bytes are put where nothing reads them, then the manifest, create-only, makes them part of
 * the chain. The manifest's number is the fence: of any number of runs that want to write n+1, one does.
 */
import { signEnvelope } from '../shared/dsse';
import { Race } from '../shared/errors';
import { encodeManifest, FORMAT, latestOf, type Manifest, PAYLOAD_TYPE, sha256 } from '../shared/manifest';
import { batchKey, manifestKey } from '../shared/object-keys';
import { type Batch, type SealedBatch, sealBatch } from './batch';
import type { Head } from './head';
import { positionOf, windowOf } from './progress';
import type { Run } from './run';

/** A sealed batch whose bytes are staged, and the manifest that would commit it. */
export interface StagedBatch extends SealedBatch {
  readonly manifest: Manifest;
}

export async function stage(batch: Batch, head: Head | undefined, run: Run): Promise<StagedBatch> {
  const seq = (head?.manifest.seq ?? 0) + 1;
  const sealed = sealBatch(batch, { team: run.team, seq });
  const key = batchKey(run.team, seq, run.id);
  // Taken before anything is written: no object that the manifest lists is older than `finished`, so none expires sooner.
  const finished = run.clock.now();
  // `exists` is this very call, applied before its response was lost: the run's id is in the key.
  if (sealed.members.length > 0) await run.store.create(key, sealed.members, 'application/gzip');
  return { ...sealed, manifest: drawManifest(batch, sealed, { run, head, seq, key, finished }) };
}

/** Throws `Race` where another run has won the number. Any other failure leaves open which it was, for the next run. */
export async function commit({ manifest }: StagedBatch, { signer, store }: Run): Promise<Head> {
  const payload = encodeManifest(manifest);
  const envelope = await signEnvelope(PAYLOAD_TYPE, payload, signer);
  const key = manifestKey(manifest.team, manifest.seq);
  if ((await store.create(key, envelope, 'application/json')) === 'exists') {
    // A retry after a lost response meets its own object. ECDSA signatures differ each time, so equal bytes are ours.
    const stored = await store.get(key);
    if (stored === undefined || !stored.equals(envelope)) throw new Race(`another run committed ${key}`);
  }
  return { manifest, hash: sha256(payload) };
}

interface Circumstances {
  readonly run: Run;
  readonly head: Head | undefined;
  readonly seq: number;
  readonly key: string;
  readonly finished: Date;
}

function drawManifest(
  batch: Batch,
  { members, segments }: SealedBatch,
  { run, head, ...put }: Circumstances,
): Manifest {
  const { progress } = batch;
  const window = windowOf(progress);
  return {
    format: FORMAT,
    team: run.team,
    seq: put.seq,
    previous: head?.hash ?? null,
    run: {
      id: run.id,
      scheduledTime: run.scheduledTime,
      walkStart: progress.walkStart.toISOString(),
      finished: put.finished.toISOString(),
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
    retention: run.retention,
    batch: members.length === 0 ? null : { key: put.key, bytes: members.length },
    segments,
  };
}
