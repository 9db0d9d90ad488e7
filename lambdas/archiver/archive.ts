/**
 * The story of a run: stage, commit, publish, checkpoint. The protocol rests on two rules:
 *
 *   An object under `events/` or `quarantine/` is only ever written from a manifest that is already committed.
 *   Manifest n+1 is only written by a run that has seen n fully published and has read the archive up to n.
 *
 * A run may crash at any line below. The comment beside a line says what is true after a crash there. Recovery never asks the
 * source again. The item in DynamoDB is read first and written last, and it is only a hint: the lease avoids double work, the
 * checkpoint avoids a long LIST, and safety needs neither.
 */
import type { Batch } from './batch';
import { commit, stage } from './commit';
import { gather } from './gather';
import type { Met } from './gathering';
import { openChain } from './head';
import { createLease } from './lease';
import { publishBatch, publishHead } from './publish';
import type { Run } from './run';

export interface Archived {
  /** How many segments an earlier run had left unpublished. */
  readonly recovered: number;
  readonly met: Met;
}

/**
 * Archives all new events. Throws a `Failure`, or `Race` where another run won. `held`: another run holds the lease.
 * `not-configured`: nothing was ever archived, and nobody has stored the API key yet.
 */
export async function archive(run: Run): Promise<Archived | 'held' | 'not-configured'> {
  const { store, logger } = run;
  const lease = createLease(run);
  const hint = await lease.take(); // After a crash here the lease expires.
  if (hint === 'held') return 'held';
  try {
    const chain = await openChain(run, hint);
    const head = chain.head();
    // The schedule fires as soon as it is deployed, before anybody can have stored the key.
    if (head === undefined && !(await run.source.hasApiKey())) {
      await lease.free();
      return 'not-configured';
    }
    if (head !== undefined) run.onHead(head.manifest);
    const recovered = head === undefined ? 0 : await publishHead(head.manifest, run); // Crash: the next run publishes the rest.

    async function commitBatch(batch: Batch): Promise<void> {
      logger.debug('stage', { seq: (chain.head()?.manifest.seq ?? 0) + 1 });
      const staged = await stage(batch, chain.head(), run); // Crash: a batch object that no manifest lists is left.
      logger.debug('commit', { seq: staged.manifest.seq });
      const committed = await commit(staged, run); // Crash: the next run sees whether it is committed.
      chain.append(committed);
      const { manifest } = committed;
      run.onCommitted(manifest);
      logger.debug('publish', { seq: manifest.seq, segments: manifest.segments.length });
      await publishBatch(manifest, staged.members, store); // Crash: the next run publishes the staged bytes.
      logger.debug('checkpoint', { seq: manifest.seq });
      await lease.checkpoint(committed, batch.isLast); // Crash: the next run lists a few keys more.
    }

    const met = await gather(run, {
      chain,
      commitBatch,
      onPage: async ({ claim, events }) => {
        logger.debug('page', { events: events.length, claim: claim.toISOString() });
        await lease.keep();
      },
    });
    return { recovered, met };
  } catch (error) {
    await lease.free();
    throw error;
  }
}
