/**
 * A bucket as plain files, `<folder>/<key>`, so that a person can look in, and change a byte by hand. The folder is
 * all the state there is. A file appears under its key whole or not at all, and is never replaced: it is written
 * elsewhere and then linked, which the file system refuses where the name is taken, whichever process took it.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Storage } from './s3-model';

/** `uploads` must be on the same file system and outside `folder`; what a killed process left there is removed. */
export function folderStorage(folder: string, uploads: string): Storage {
  rmSync(uploads, { recursive: true, force: true });
  for (const needed of [folder, uploads]) mkdirSync(needed, { recursive: true });
  return {
    keys: (prefix) => keysUnder(folder, '', prefix),
    stat: (key) => {
      // Of the entry itself: a link is no object, neither listed nor served.
      const found = ifThere(() => lstatSync(join(folder, key)));
      return found?.isFile() ? { size: found.size, modified: found.mtime } : undefined;
    },
    read: (key, start, end) => readSlice(join(folder, key), start, end),
    create: (key, bytes) => createWhole(join(folder, key), join(uploads, randomUUID()), bytes),
  };
}

function keysUnder(folder: string, parent: string, prefix: string): string[] {
  const entries = ifThere(() => readdirSync(join(folder, parent), { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const key = `${parent}${entry.name}`;
    if (entry.isFile()) return key.startsWith(prefix) ? [key] : [];
    const within = `${key}/`;
    const relevant = entry.isDirectory() && (within.startsWith(prefix) || prefix.startsWith(within));
    return relevant ? keysUnder(folder, within, prefix) : [];
  });
}

function readSlice(file: string, start: number, end: number): Buffer {
  const slice = Buffer.alloc(end - start);
  const descriptor = openSync(file, 'r');
  try {
    return slice.subarray(0, readSync(descriptor, slice, 0, slice.length, start));
  } finally {
    closeSync(descriptor);
  }
}

function createWhole(target: string, upload: string, bytes: Buffer): boolean {
  // S3 could hold both `a` and `a/b`; where a folder cannot, this throws. The archive's keys never need it.
  mkdirSync(dirname(target), { recursive: true });
  try {
    writeFileSync(upload, bytes, { flag: 'wx' });
    linkSync(upload, target);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(upload, { force: true });
  }
}

/** What is not there, or was taken away by hand a moment ago, is no failure. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
