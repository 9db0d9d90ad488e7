/**
 * The story of a run: stage, commit, publish, checkpoint. Two sentences carry everything:
 *
 *   An object under `events/` or `quarantine/` is only ever written from a manifest that is already committed.
 *   Manifest n+1 is only put by a run that has seen n fully published and has read the archive up to n.
 *
 * Any line below may be the last one that is executed; what is then true is written beside it. Recovery never asks the
 * source again. DynamoDB is asked first and told last, and is never believed: the lease saves work, the checkpoint
 * saves a long LIST, and neither is needed for safety.
 */
import type { ArchiveInput, RunReport } from '../shared/contract';
import type { Retention } from '../shared/manifest';
import type { CheckpointStore, Clock, Logger, ObjectStore, Signer } from '../shared/ports';
import { parseDateOrInstant } from '../shared/time';
import type { BatchLimits } from './batch';
import { commit, stage } from './commit';
import { gather } from './gather';
import { findHead } from './head';
import { createLease } from './lease';
import { publishBatch, publishHead } from './publish';
import { addManifest, emptyReport } from './report';
import type { Source } from './source';

export interface World {
  readonly store: ObjectStore;
  readonly checkpoints: CheckpointStore;
  readonly source: Source;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RunSettings {
  /** A random UUID, never used again: it tells this run's writes from any other's. */
  readonly runId: string;
  readonly codeVersion: string;
  readonly lookbackHours: number;
  readonly batchLimits: BatchLimits;
  readonly retention: Retention | null;
}

/** Archives what is new. Throws a `Failure`, or `Race` where another run won. `held`: another run is at work. */
export async function archive(input: ArchiveInput, settings: RunSettings, world: World): Promise<RunReport | 'held'> {
  const { store, signer, logger } = world;
  const lease = createLease({ ...world, ...settings, team: input.team });
  const hint = await lease.take(); // Dies here: the lease ends by itself.
  if (hint === 'held') return 'held';
  try {
    let report = emptyReport;
    let head = await findHead({ team: input.team, hint, store, publicKey: signer.publicKey });
    if (head !== undefined) {
      const recovered = await publishHead(head.manifest, world); // Dies here: the next run publishes the rest.
      report = { ...report, recovered };
    }
    const batches = gather({
      ...input,
      ...settings,
      ...world,
      previous: head?.manifest,
      startDate: input.startDate === undefined ? undefined : parseDateOrInstant(input.startDate),
      acceptOtherTeam: input.acceptOtherTeam ?? false,
      onPage: async (claim, events) => {
        logger.debug('page', { events, claim: claim.toISOString() });
        await lease.keep();
      },
    });
    for await (const batch of batches) {
      logger.debug('stage', { seq: (head?.manifest.seq ?? 0) + 1 });
      const staged = await stage(batch, head, { ...input, ...settings, ...world }); // Dies here: unreferenced bytes under batches/.
      logger.debug('commit', { seq: staged.manifest.seq });
      head = await commit(staged, { ...input, ...settings, ...world }); // Dies here: committed or not; the next run sees which.
      logger.debug('publish', { seq: head.manifest.seq, segments: head.manifest.segments.length });
      await publishBatch(head.manifest, staged.members, store); // Dies here: the next run publishes from the staged bytes.
      logger.debug('checkpoint', { seq: head.manifest.seq });
      await lease.checkpoint(head, batch.last); // Dies here: the item is behind; the next run lists a little more.
      report = addManifest(report, head.manifest);
      logger.info('committed', {
        seq: head.manifest.seq,
        events: head.manifest.counts.events,
        position: head.manifest.position,
      });
    }
    return report;
  } catch (error) {
    await lease.free();
    throw error;
  }
}
