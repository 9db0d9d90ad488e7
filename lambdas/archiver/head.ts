/**
 * The head: the newest manifest of a team's chain, found in S3 and verified. The position and the previous hash come from the
 * head. The item in DynamoDB is only a hint that tells from which number to list.
 */
import { IntegrityError } from '../shared/errors';
import { manifestKey, manifestPrefix, seqOfManifestKey } from '../shared/object-keys';
import type { Hint, ObjectStore } from '../shared/ports';
import { addMs, DAY_MS } from '../shared/time';
import { type Chain, createChain, type ManifestReader, readManifest } from './chain';
import { SOURCE_KEEPS_DAYS } from './progress';
import type { Run } from './run';

/**
 * The chain of the team. Every manifest from the hinted one to the head is read and must name the one before it; without a
 * hint, or with a hint that lies far back, all manifests of events that the source still keeps. Otherwise a run could build
 * on a fork that lies below what it reads. Throws `IntegrityError` where S3 and the hint contradict each other.
 */
export async function openChain(run: ManifestReader & Pick<Run, 'clock'>, hint: Hint): Promise<Chain> {
  const hinted = checkHint(hint);
  const seq = await newestSeq(run, hinted);
  if (seq === 0) return createChain(run, undefined);
  const head = await readManifest(run, seq);
  if (head === undefined) {
    throw new IntegrityError('chain-broken', `${manifestKey(run.team, seq)} was listed but cannot be read`);
  }
  const chain = createChain(run, head);
  const keptFrom = addMs(run.clock.now(), -SOURCE_KEEPS_DAYS * DAY_MS).toISOString();
  await chain.readBackTo(({ seq: number, latest, run: { finished } }) =>
    hinted === undefined ? (latest ?? '') < keptFrom : number <= hinted || finished < keptFrom,
  );
  return chain;
}

/** Returns undefined where there is no item. Any value that the archiver never writes is garbage. */
function checkHint({ seq }: Hint): number | undefined {
  if (seq === undefined) return undefined;
  if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 1) return seq;
  throw new IntegrityError(
    'checkpoint-garbage',
    'the checkpoint item holds a "seq" that no run writes; find out who wrote it, then delete the item: the next run ' +
      'continues from S3',
  );
}

async function newestSeq({ team, store }: ManifestReader, hint: number | undefined): Promise<number> {
  if (hint !== undefined) {
    const seqs = await listSeqs(team, store, hint);
    if (seqs[0] === hint) return contiguous(team, seqs, hint);
  }
  const seqs = await listSeqs(team, store, 1);
  const newest = contiguous(team, seqs, 1);
  // The checkpoint is the only evidence that newer manifests existed and were removed. A new manifest would destroy it.
  if (hint !== undefined && hint > newest) {
    throw new IntegrityError(
      'checkpoint-ahead',
      `the checkpoint names manifest ${hint}, but the chain in S3 ends at ${newest}: the newest manifests were removed or ` +
        'hidden, or the item belongs to another archive. Nothing was written. Look for delete markers. Delete the item only ' +
        'if the archive is to continue from the chain in S3',
    );
  }
  return newest;
}

async function listSeqs(team: string, store: ObjectStore, from: number): Promise<readonly number[]> {
  const keys = await store.list(manifestPrefix(team), manifestKey(team, from - 1));
  return keys.flatMap((key) => seqOfManifestKey(team, key) ?? []);
}

function contiguous(team: string, seqs: readonly number[], first: number): number {
  const hole = seqs.findIndex((seq, index) => seq !== first + index);
  if (hole === -1) return first + seqs.length - 1;
  throw new IntegrityError(
    'chain-broken',
    `${manifestKey(team, first + hole)} is missing from the chain; look for delete markers`,
  );
}
