/**
 * The lease and the checkpoint: one DynamoDB item per team. Both are hints. A lease that is lost, stolen or granted twice only
 * wastes work, because the manifest's number alone decides which run commits. So once a run holds the lease, no error of
 * DynamoDB stops it.
 */
import type { Hint, Lease, RunOutcome } from '../shared/ports';
import type { SignedManifest } from './chain';
import type { Run } from './run';

/** Longer than a page and a commit take, and shorter than the minute after which Lambda first retries a crashed run. */
const LEASE_MS = 55_000;
const RENEW_AFTER_MS = 20_000;

export function createLease({ team, id: runId, checkpoints, clock, logger }: Run) {
  let takenAt = clock.now();
  let savedSeq: number | undefined;

  function current(): Lease {
    const now = clock.now();
    return { team, runId, now, until: new Date(now.getTime() + LEASE_MS) };
  }

  function acquire(): Promise<Hint | 'held'> {
    takenAt = clock.now();
    return checkpoints.acquire(current());
  }

  async function take(): Promise<Hint | 'held'> {
    const hint = await acquire();
    if (hint !== 'held' && typeof hint.seq === 'number') savedSeq = hint.seq;
    return hint;
  }

  async function keep(): Promise<void> {
    if (clock.now().getTime() - takenAt.getTime() < RENEW_AFTER_MS) return;
    // The returned `seq` is not used. A run that was suspended would otherwise overwrite the only evidence of newer manifests
    // that were removed meanwhile.
    await asHint('lease not renewed', acquire);
  }

  async function checkpoint({ manifest }: SignedManifest, release: boolean): Promise<void> {
    const position = new Date(manifest.position);
    await asHint('checkpoint not saved', async () => {
      const saved = await checkpoints.save(current(), { previousSeq: savedSeq, seq: manifest.seq, position, release });
      savedSeq = manifest.seq;
      return saved;
    });
  }

  async function free(outcome: RunOutcome): Promise<void> {
    await asHint('lease not released', () => checkpoints.release(current(), outcome));
  }

  async function asHint(message: string, update: () => Promise<unknown>): Promise<void> {
    try {
      const answer = await update();
      if (answer === 'held' || answer === 'refused') logger.warn(message, { reason: answer });
    } catch (error) {
      logger.warn(message, { reason: error instanceof Error ? error.name : 'unknown' });
    }
  }

  return { take, keep, checkpoint, free };
}
