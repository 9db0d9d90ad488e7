/**
 * The head: the newest manifest of a team's chain, found in S3 and verified. The position and the previous hash come from the
 * head. The item in DynamoDB is only a hint that tells from which number to list.
 */
import { IntegrityError } from '../shared/errors';
import type { Manifest } from '../shared/manifest';
import { manifestKey, manifestPrefix, seqOfManifestKey } from '../shared/object-keys';
import { openManifest } from '../shared/open-manifest';
import type { Hint, ObjectStore } from '../shared/ports';
import type { Run } from './run';

/** The manifest that the next one follows. */
export interface Head {
  readonly manifest: Manifest;
  /** SHA-256 of the payload's bytes. */
  readonly hash: string;
}

type Chain = Pick<Run, 'team' | 'store' | 'signer'>;

/** Returns undefined for a team without a manifest. Throws `IntegrityError` where S3 and the hint contradict each other. */
export async function findHead(chain: Chain, hint: Hint): Promise<Head | undefined> {
  const seq = await newestSeq(chain, checkHint(hint));
  return seq === 0 ? undefined : readHead(chain, seq);
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

async function newestSeq({ team, store }: Chain, hint: number | undefined): Promise<number> {
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
    'head-invalid',
    `${manifestKey(team, first + hole)} is missing from the chain; look for delete markers`,
  );
}

async function readHead({ team, store, signer }: Chain, seq: number): Promise<Head> {
  const key = manifestKey(team, seq);
  const bytes = await store.get(key);
  if (bytes === undefined) throw new IntegrityError('head-invalid', `${key} was listed but cannot be read`);
  const { manifest, sha256, problem, detail } = openManifest(bytes, signer.publicKey);
  if (manifest === undefined || problem !== undefined) {
    const why = detail === '' ? problem : `${problem}, ${detail}`;
    throw new IntegrityError('head-invalid', `${key} is not a manifest signed by this archive's key: ${why}`);
  }
  if (manifest.team !== team || manifest.seq !== seq) {
    throw new IntegrityError('head-invalid', `${key} holds a manifest of another team or another number`);
  }
  return { manifest, hash: sha256 };
}
