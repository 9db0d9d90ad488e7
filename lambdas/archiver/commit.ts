/**
 * Stage and commit: the batch's bytes are put where nothing reads them, then the manifest, create-only, makes them
 * part of the chain. The manifest's number is the fence: of any number of runs that want to write n+1, one does.
 */
import { signEnvelope } from '../shared/dsse';
import { Race } from '../shared/errors';
import {
  encodeManifest,
  FORMAT,
  latestOf,
  type Manifest,
  PAYLOAD_TYPE,
  type Retention,
  sha256,
} from '../shared/manifest';
import { batchKey, manifestKey } from '../shared/object-keys';
import type { Clock, ObjectStore, Signer } from '../shared/ports';
import { type SealedBatch, sealBatch } from './batch';
import type { Gathered } from './gather';
import type { Head } from './head';

export interface CommitOptions {
  readonly team: string;
  readonly runId: string;
  readonly scheduledTime: string;
  readonly codeVersion: string;
  readonly retention: Retention | null;
  /** Where the events come from. */
  readonly baseUrl: string;
  readonly store: ObjectStore;
  readonly signer: Signer;
  readonly clock: Clock;
}

/** A batch whose bytes are staged, and the manifest that would commit it. */
export interface Staged {
  readonly manifest: Manifest;
  readonly members: Buffer;
}

export async function stage(gathered: Gathered, head: Head | undefined, options: CommitOptions): Promise<Staged> {
  const seq = (head?.manifest.seq ?? 0) + 1;
  const sealed = sealBatch(gathered.draft, { team: options.team, seq });
  const key = batchKey(options.team, seq, options.runId);
  // Before anything is written: nothing the manifest lists is ever older than `finished`, so nothing expires sooner.
  const finished = options.clock.now();
  // `exists` is this very call, applied before its response was lost: the run's id is in the key.
  if (sealed.members.length > 0) await options.store.create(key, sealed.members, 'application/gzip');
  return {
    manifest: draw(gathered, sealed, { ...options, seq, key, finished, head }),
    members: sealed.members,
  };
}

/** Throws `Race` where another run has won the number; any other failure leaves open which it was, for the next run. */
export async function commit({ manifest }: Staged, options: CommitOptions): Promise<Head> {
  const payload = encodeManifest(manifest);
  const envelope = await signEnvelope(PAYLOAD_TYPE, payload, options.signer);
  const key = manifestKey(manifest.team, manifest.seq);
  if ((await options.store.create(key, envelope, 'application/json')) === 'exists') {
    // A lost response makes the retry meet its own object. ECDSA signatures differ each time: equal bytes are ours.
    const stored = await options.store.get(key);
    if (stored === undefined || !stored.equals(envelope)) throw new Race(`another run committed ${key}`);
  }
  return { manifest, hash: sha256(payload) };
}

interface Place {
  readonly seq: number;
  readonly key: string;
  readonly finished: Date;
  readonly head: Head | undefined;
}

function draw(gathered: Gathered, sealed: SealedBatch, options: CommitOptions & Place): Manifest {
  return {
    format: FORMAT,
    team: options.team,
    seq: options.seq,
    previous: options.head?.hash ?? null,
    run: {
      id: options.runId,
      scheduledTime: options.scheduledTime,
      walkStart: gathered.walkStart.toISOString(),
      finished: options.finished.toISOString(),
      codeVersion: options.codeVersion,
      reason: gathered.reason,
      source: new URL(options.baseUrl).origin,
    },
    start: gathered.start.toISOString(),
    window: { from: gathered.window.from.toISOString(), to: gathered.window.to.toISOString() },
    position: gathered.position.toISOString(),
    latest: latestOf(options.head?.manifest.latest ?? null, sealed.segments),
    counts: gathered.counts,
    gaps: gathered.gaps,
    sweeps: gathered.sweeps,
    sweepTurn: gathered.sweepTurn,
    sweptAt: gathered.sweptAt?.toISOString() ?? null,
    sourceTeams: gathered.sourceTeams,
    retention: options.retention,
    batch: sealed.members.length === 0 ? null : { key: options.key, bytes: sealed.members.length },
    segments: sealed.segments,
  };
}
