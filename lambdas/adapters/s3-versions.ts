/**
 * Some folders of the bucket with their versions and locks, as the verifier reads them. The listing is taken once, and a delete
 * marker on top of an object hides it, as it does for every reader.
 */
import {
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { VersionedFolders } from '../shared/ports';
import { awsFailure } from './aws-errors';
import { createLockReader } from './s3';

/** The names below a prefix that end with the next slash, such as `team=main/` below `events/`. */
export async function listFolders(client: S3Client, bucket: string, prefix: string): Promise<readonly string[]> {
  const folders: string[] = [];
  try {
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, Delimiter: '/' });
    for await (const { CommonPrefixes = [] } of pages)
      for (const { Prefix = '' } of CommonPrefixes) folders.push(Prefix.slice(prefix.length));
  } catch (error) {
    throw awsFailure(error, `listing the folders below ${prefix || 'the bucket'}`);
  }
  return folders;
}

/** The versions of one key. */
interface Stored {
  versions: number;
  isHidden: boolean;
  writtenAt: number;
}

/** The folders are listed one after the other. */
export async function openFolders(
  client: S3Client,
  bucket: string,
  prefixes: readonly string[],
): Promise<VersionedFolders> {
  const stored = new Map<string, Stored>();
  for (const Prefix of prefixes) await addFolder({ Bucket: bucket, Prefix }, client, stored);
  const { get, lockOf } = createLockReader(client, bucket);
  const keys = [...stored].filter(([, { isHidden, versions }]) => !isHidden && versions > 0).map(([key]) => key);
  const matching = (wanted: (stored: Stored) => boolean) =>
    [...stored].flatMap(([key, its]) => (wanted(its) ? [key] : []));

  return {
    list: async (prefix, startAfter = '') => keys.filter((key) => key.startsWith(prefix) && key > startAfter),
    get,
    lockOf,
    versions: {
      hidden: matching(({ isHidden, versions }) => isHidden && versions > 0),
      several: matching(({ versions }) => versions > 1),
    },
    writtenAt: (key) => new Date(stored.get(key)?.writtenAt ?? 0),
  };
}

async function addFolder(folder: ListObjectVersionsCommandInput, client: S3Client, stored: Map<string, Stored>) {
  let next: Pick<ListObjectVersionsCommandInput, 'KeyMarker' | 'VersionIdMarker'> | undefined = {};
  while (next !== undefined) {
    const page: ListObjectVersionsCommandOutput = await client
      .send(new ListObjectVersionsCommand({ ...folder, ...next }))
      .catch((error: unknown) => {
        throw awsFailure(error, `listing the versions of ${folder.Prefix}`);
      });
    for (const { Key = '', IsLatest, LastModified } of page.Versions ?? []) {
      const before = stored.get(Key);
      const writtenAt = IsLatest ? (LastModified?.getTime() ?? 0) : (before?.writtenAt ?? 0);
      stored.set(Key, { versions: (before?.versions ?? 0) + 1, isHidden: before?.isHidden ?? false, writtenAt });
    }
    for (const { Key = '', IsLatest } of page.DeleteMarkers ?? []) {
      if (IsLatest) stored.set(Key, { versions: 0, writtenAt: 0, ...stored.get(Key), isHidden: true });
    }
    next = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker } : undefined;
  }
}
