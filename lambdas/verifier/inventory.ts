/**
 * All stored keys, sorted by team. Manifests are listed last, because a run may be at work in the bucket: each segment that
 * the first listing shows was committed before, so the second listing shows its manifest. A segment that is published
 * meanwhile is therefore never reported as unlisted.
 */
import { seqOfAnchorKey } from '../shared/anchor';
import { batchPrefix, seqOfManifestKey, TEAM_PATTERN } from '../shared/object-keys';
import type { ObjectLock, ObjectStore } from '../shared/ports';
import type { AddFinding } from './findings';

export interface ArchiveReader extends Pick<ObjectStore, 'list' | 'get'> {
  /** The lock of an object that `get` has read; undefined where it has none. A copy has no locks, so its reader lacks this. */
  lockOf?(key: string): ObjectLock | undefined;
}

/** The keys in one team's folders. The verifier removes each key that a manifest lists. */
export interface TeamFolder {
  readonly team: string;
  /** The numbers of the team's manifests, in order. */
  readonly seqs: readonly number[];
  /** Keys under `events/` and `quarantine/`, and keys under `manifests/` that do not name a manifest. */
  readonly unlisted: Set<string>;
  readonly anchors: string[];
  /** Keys of batch objects. A crashed run leaves a batch object that no manifest lists. */
  readonly staged: Set<string>;
}

const TEAM_KEY = /^(anchors|batches|events|manifests|quarantine)\/team=([^/]+)\//;
const BATCH_NAME = /^(\d{10})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.gz$/;

/** Files that desktop systems leave in a copy. Athena does not read names that begin with a dot. */
export const JUNK_NAME = /(?:^|\/)(?:\.[^/]*|Thumbs\.db|desktop\.ini)$/;

export interface Inventory {
  readonly teams: readonly TeamFolder[];
  readonly objects: number;
}

export async function listKeys(reader: ArchiveReader): Promise<readonly string[]> {
  const stored = (await reader.list('')).filter((key) => !key.startsWith('manifests/'));
  return [...stored, ...(await reader.list('manifests/'))];
}

export async function takeInventory(reader: ArchiveReader, addFinding: AddFinding): Promise<Inventory> {
  const keys = await listKeys(reader);
  const teams = new Map<string, TeamFolder & { readonly seqs: number[] }>();

  for (const key of keys) {
    if (JUNK_NAME.test(key)) {
      addFinding('object-unknown', key);
      continue;
    }
    const [, area, team = ''] = TEAM_KEY.exec(key) ?? [];
    if (area === undefined || !TEAM_PATTERN.test(team)) {
      addFinding(/^(events|manifests|quarantine)\//.test(key) ? 'object-unlisted' : 'object-unknown', key);
      continue;
    }
    const folder = teams.get(team) ?? { ...emptyFolder(team), seqs: [] };
    teams.set(team, folder);
    const seq = seqOfManifestKey(team, key);
    if (seq !== undefined) folder.seqs.push(seq);
    else if (seqOfAnchorKey(team, key) !== undefined) folder.anchors.push(key);
    else if (area === 'anchors') addFinding('object-unknown', key);
    else if (area !== 'batches') folder.unlisted.add(key);
    else if (seqOfBatchKey(team, key) !== undefined) folder.staged.add(key);
    else addFinding('object-unknown', key);
  }
  for (const { seqs } of teams.values()) seqs.sort((a, b) => a - b);
  return { teams: [...teams.values()].sort((a, b) => (a.team < b.team ? -1 : 1)), objects: keys.length };
}

export function emptyFolder(team: string): TeamFolder {
  return { team, seqs: [], anchors: [], unlisted: new Set(), staged: new Set() };
}

/** The sequence number in a batch object's key, or undefined where the key is not one of that team's batches. */
export function seqOfBatchKey(team: string, key: string): number | undefined {
  const prefix = batchPrefix(team);
  const match = key.startsWith(prefix) ? BATCH_NAME.exec(key.slice(prefix.length)) : null;
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Returns the object's bytes, or the reason why they were not read. */
export async function readObject(
  reader: Pick<ArchiveReader, 'get'>,
  key: string,
  maxBytes: number,
): Promise<Buffer | 'missing' | 'object-too-large'> {
  const bytes = await reader.get(key, { start: 0, end: maxBytes + 1 });
  if (bytes === undefined) return 'missing';
  return bytes.length > maxBytes ? 'object-too-large' : bytes;
}
