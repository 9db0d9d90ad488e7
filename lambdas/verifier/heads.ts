/**
 * The claims about heads: the manifests that saved heads and anchors name are still there, and still the same. Nothing else can show
 * that the newest manifests of a chain were removed.
 */
import { type Anchor, decodeAnchor } from '../shared/anchor';
import { keyId } from '../shared/dsse';
import { manifestKey } from '../shared/object-keys';
import type { Link, LinkContext } from './chain';
import type { AddFinding } from './findings';
import { type ArchiveReader, readObject, seqOfBatchKey, type TeamFolder } from './inventory';
import type { SavedHead } from './tally';

/** An anchor holds some hundred bytes for each month. */
const MAX_ANCHOR_BYTES = 1024 * 1024;

/** The hashes that saved heads and anchors state for a manifest, by its number. */
export type StatedHashes = ReadonlyMap<number, ReadonlySet<string>>;

interface HeadContext {
  readonly folder: TeamFolder;
  readonly headSeq: number;
  readonly stated: StatedHashes;
  readonly addFinding: AddFinding;
}

/** Returns undefined where there is no such object, or where it is not the anchor that its key names. */
export async function readAnchor(reader: Pick<ArchiveReader, 'get'>, key: string): Promise<Anchor | undefined> {
  const bytes = await readObject(reader, key, MAX_ANCHOR_BYTES);
  return Buffer.isBuffer(bytes) ? decodeAnchor(key, bytes) : undefined;
}

/** The heads that the anchors state. A range reads those of its own manifests, and those beyond the newest manifest. */
export async function anchoredHeads({
  folder,
  publicKey,
  reader,
  addFinding,
}: LinkContext): Promise<readonly SavedHead[]> {
  const heads: SavedHead[] = [];
  for (const key of folder.anchors) {
    const anchor = await readAnchor(reader, key);
    if (anchor === undefined) {
      addFinding('anchor-unreadable', key);
      continue;
    }
    // An attacker may sign the whole chain anew with another key, and give the auditor that key.
    if (anchor.keyid !== keyId(publicKey)) addFinding('signature-other-key', key);
    heads.push(anchor);
  }
  return heads;
}

/** An archive has an anchor of every day, so nobody may go through all of them for each manifest. */
export function hashesByNumber(heads: readonly SavedHead[]): StatedHashes {
  const stated = new Map<number, Set<string>>();
  for (const { seq, sha256 } of heads) stated.set(seq, (stated.get(seq) ?? new Set()).add(sha256));
  return stated;
}

export function isTheSavedHead(link: Link, { stated, addFinding }: HeadContext): void {
  const isOther = [...(stated.get(link.seq) ?? [])].some((sha256) => sha256 !== link.sha256);
  if (isOther) addFinding('head-differs', link.key);
}

/** A run stages batch n+1 only when manifest n is there. So a batch further beyond the head proves that the tail was cut off. */
export function nothingWasCutOff({ folder, headSeq, stated, addFinding }: HeadContext): void {
  const beyond = [...folder.staged].filter((key) => (seqOfBatchKey(folder.team, key) ?? 0) > headSeq + 1);
  for (const key of beyond) folder.staged.delete(key);
  const newest = beyond.sort().at(-1);
  if (headSeq > 0 && newest !== undefined) addFinding('chain-truncated', newest, `the chain ends at ${headSeq}`);
  for (const seq of stated.keys()) {
    if (seq > headSeq) addFinding('chain-truncated', manifestKey(folder.team, seq), `the chain ends at ${headSeq}`);
  }
}
