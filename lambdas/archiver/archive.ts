/**
 * The story of a run: stage, commit, publish, checkpoint. Two sentences carry everything:
 *
 *   An object under `events/` or `quarantine/` is only ever written from a manifest that is already committed.
 *   Manifest n+1 is only put by a run that has seen n fully published and has read the archive up to n.
 *
 * A run may die at any line below; what is true then is written beside the line. Recovery never asks the source again.
 * DynamoDB is asked first and told last, and is never believed: the lease saves work, the checkpoint saves a long LIST, and
 * neither is needed for safety.
 */
import type { Batch } from './batch';
import { commit, stage } from './commit';
import { gather } from './gather';
import { findHead } from './head';
import { createLease } from './lease';
import { publishBatch, publishHead } from './publish';
import type { Run } from './run';

export interface Archived {
  /** Segments that an earlier run had left unpublished. */
  readonly recovered: number;
}

/** Archives what is new. Throws a `Failure`, or `Race` where another run won. `held`: another run is at work. */
export async function archive(run: Run): Promise<Archived | 'held'> {
  const { store, logger } = run;
  const lease = createLease(run);
  const hint = await lease.take(); // The run dies here: its lease ends by itself.
  if (hint === 'held') return 'held';
  try {
    let head = await findHead(run, hint);
    const recovered = head === undefined ? 0 : await publishHead(head.manifest, run); // Here: the next run publishes the rest.

    async function commitBatch(batch: Batch): Promise<void> {
      logger.debug('stage', { seq: (head?.manifest.seq ?? 0) + 1 });
      const staged = await stage(batch, head, run); // Here: unreferenced bytes are left under batches/.
      logger.debug('commit', { seq: staged.manifest.seq });
      head = await commit(staged, run); // Here: it is committed or not; the next run sees which.
      run.onCommitted(head.manifest);
      logger.debug('publish', { seq: head.manifest.seq, segments: head.manifest.segments.length });
      await publishBatch(head.manifest, staged.members, store); // Here: the next run publishes from the staged bytes.
      logger.debug('checkpoint', { seq: head.manifest.seq });
      await lease.checkpoint(head, batch.isLast); // Here: the item is behind; the next run lists a little more.
    }

    await gather(run, {
      previous: head?.manifest,
      commitBatch,
      onPage: async ({ claim, events }) => {
        logger.debug('page', { events: events.length, claim: claim.toISOString() });
        await lease.keep();
      },
    });
    return { recovered };
  } catch (error) {
    await lease.free();
    throw error;
  }
}
