/** One team's folders of an archive, and the copy of its evidence. Each object is read once from the source, and then from the copy. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { teamPrefixes } from '../../lambdas/shared/object-keys';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { MAX_OBJECT_BYTES } from '../../lambdas/verifier/member';
import { openFolder, pathOf } from '../folder';
import { inOrder } from '../in-order';
import type { Period } from './facts';
import { belongs } from './package-format';

/** An object may have 256 MB, and whoever can plant one can plant many. */
const COPIES_AT_ONCE = 8;

/** The team's keys are listed once, because a run may commit meanwhile. */
export async function ofTeam(reader: ArchiveReader, team: string): Promise<ArchiveReader> {
  const keys: string[] = [];
  for (const prefix of teamPrefixes(team)) for (const key of await reader.list(prefix)) keys.push(key);
  return {
    ...reader,
    list: async (prefix, startAfter = '') => keys.filter((key) => key.startsWith(prefix) && key > startAfter),
  };
}

/**
 * Copies the team's manifests and whatever lies in the partitions of the period into the folder, also what no manifest lists.
 * Returns a reader that takes from the copy what is there.
 */
export async function copyEvidence(source: ArchiveReader, folder: string, period: Period): Promise<ArchiveReader> {
  const wanted = (await source.list('')).filter((key) => belongs(key, period));
  const copied = new Set<string>();
  await mkdir(folder, { recursive: true });

  async function copy(key: string): Promise<Buffer | undefined> {
    const path = pathOf(folder, key);
    const bytes = await source.get(key, { start: 0, end: MAX_OBJECT_BYTES + 1 });
    // The verifier reports an object that is too large, and nothing needs its bytes.
    if (path === undefined || bytes === undefined || bytes.length > MAX_OBJECT_BYTES) return bytes;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    copied.add(key);
    return bytes;
  }

  for await (const _ of inOrder(wanted, copy, COPIES_AT_ONCE));
  const files = await openFolder(folder);
  return {
    ...source,
    async get(key, range) {
      if (copied.has(key)) return files.get(key, range);
      // A run may have published a segment after the keys were listed.
      return belongs(key, period) ? (await copy(key))?.subarray(range?.start, range?.end) : source.get(key, range);
    },
  };
}
