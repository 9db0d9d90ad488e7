/** One team's folders of an archive, and the copy of its evidence. Each object is read once from the source, and then from the copy. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Anchor, decodeAnchor } from '../../lambdas/shared/anchor';
import { readSegmentKey, seqOfManifestKey } from '../../lambdas/shared/object-keys';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { MAX_OBJECT_BYTES } from '../../lambdas/verifier/member';
import { openFolder, pathOf } from '../folder';
import { inOrder } from '../in-order';
import type { Period } from './facts';

/** Manifests come last, because a run may be at work (see the verifier's `inventory.ts`). */
const FOLDERS = ['anchors', 'batches', 'events', 'quarantine', 'manifests'];

export function ofTeam(reader: ArchiveReader, team: string): ArchiveReader {
  return {
    ...reader,
    async list(prefix, startAfter) {
      const keys: string[] = [];
      for (const folder of FOLDERS.map((name) => `${name}/team=${team}/`))
        if (folder.startsWith(prefix)) for (const key of await reader.list(folder, startAfter)) keys.push(key);
      return keys;
    },
  };
}

/**
 * Copies the team's manifests and whatever lies in the partitions of the period into the folder, also what no manifest lists.
 * Returns a reader that takes from the copy what is there.
 */
export async function copyEvidence(source: ArchiveReader, folder: string, period: Period): Promise<ArchiveReader> {
  const keys = [...(await source.list('')), ...(await source.list('manifests/'))];
  const wanted = [...new Set(keys)].filter((key) => belongs(key, period));
  const copied = new Set<string>();
  await mkdir(folder, { recursive: true });
  const copying = inOrder(wanted, async (key) => {
    const path = pathOf(folder, key);
    const bytes = path && (await source.get(key, { start: 0, end: MAX_OBJECT_BYTES + 1 }));
    // The verifier reports an object that is too large, and nothing needs its bytes.
    if (path === undefined || bytes === undefined || bytes.length > MAX_OBJECT_BYTES) return;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    copied.add(key);
  });
  for await (const _ of copying);
  const copy = await openFolder(folder);
  return { ...source, get: (key, range) => (copied.has(key) ? copy : source).get(key, range) };
}

function belongs(key: string, { from, to }: Period): boolean {
  const [area = '', folder = ''] = key.split('/');
  if (area === 'manifests') return seqOfManifestKey(folder.replace('team=', ''), key) !== undefined;
  const date = readSegmentKey(key)?.date;
  return date !== undefined && from <= date && date <= to;
}

/** The team's anchors in order. What cannot be read as one is a finding of the verification. */
export async function readAnchors(source: ArchiveReader): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  for (const key of await source.list('anchors/')) {
    const bytes = await source.get(key);
    const anchor = bytes && decodeAnchor(key, bytes);
    if (anchor !== undefined) anchors.push(anchor);
  }
  return anchors;
}
