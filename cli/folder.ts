/**
 * Reads a folder that holds a copy of the bucket as if it were the bucket. Only regular files inside the folder have
 * content. A symbolic link, a pipe or a device is listed, so that the verifier reports it, but is never opened or
 * followed.
 */

import { closeSync, existsSync, lstatSync, openSync, readdirSync, readSync, realpathSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import * as here from 'node:path';
import { nearest } from '../infra/nearest';
import type { Slice } from '../lambdas/shared/json';
import type { ObjectStore } from '../lambdas/shared/ports';

const AREAS = ['manifests', 'events', 'quarantine', 'batches', 'anchors'];

/** The key of a file below the root. Keys have `/` on every system. */
export function keyOf(root: string, path: string, paths: here.PlatformPath = here): string {
  const below = `${root}${paths.sep}`;
  const relative = path.startsWith(below) ? path.slice(below.length) : paths.relative(root, path);
  return relative.replaceAll(paths.sep, '/');
}

/** The file of a key, or undefined where the key names no place below the root. */
export function pathOf(root: string, key: string, paths: here.PlatformPath = here): string | undefined {
  const path = paths.join(root, key);
  const isBelow = path.startsWith(`${root}${paths.sep}`) && keyOf(root, path, paths) === key;
  return isBelow && !key.endsWith('/') && !key.includes('\0') ? path : undefined;
}

/** Throws an error if the folder does not exist. Both operations throw an error if something in it cannot be opened. */
export async function openFolder(path: string): Promise<Pick<ObjectStore, 'list' | 'get'>> {
  const root = await orUndefined(() => realpath(path));
  if (root === undefined || !(await stat(root)).isDirectory())
    throw new Error(
      `there is no folder at ${path}: give the folder that holds the copy of the bucket${similarPath(path)}`,
    );
  const below = await archivesBelow(root);
  if (below.length > 0) {
    const folders = below.map((folder) => here.join(path, folder)).join(' or ');
    throw new Error(`${path} is not an archive, but a folder above one: give ${folders}`);
  }
  const realFolders = new Set<string>();
  return {
    async list(prefix, startAfter = '') {
      const folder = here.join(root, prefix.slice(0, prefix.lastIndexOf('/') + 1));
      const keys = (await naming(folder, listFiles(folder))).map((path) => keyOf(root, path));
      return keys.filter((key) => key.startsWith(prefix) && key > startAfter).sort();
    },
    async get(key, range) {
      const path = pathOf(root, key);
      return path === undefined ? undefined : naming(path, readFile(path, range, realFolders));
    },
  };
}

/** The nearest folders with manifests, at most two levels down, where `root` itself has no object of an archive. */
async function archivesBelow(root: string): Promise<readonly string[]> {
  if (AREAS.some((area) => existsSync(here.join(root, area)))) return [];
  let folders = [''];
  for (let depth = 0; depth < 2; depth += 1) {
    const below = await Promise.all(folders.map(async (folder) => foldersIn(root, folder)));
    folders = below.flat();
    const archives = folders.filter((folder) => existsSync(here.join(root, folder, 'manifests')));
    if (archives.length > 0) return archives.sort();
  }
  return [];
}

async function foldersIn(root: string, folder: string): Promise<string[]> {
  const entries = await naming(root, readdir(here.join(root, folder), { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => here.join(folder, name));
}

/** The end of a sentence about a path that does not exist; empty if nothing with a similar name exists. */
export function similarPath(path: string): string {
  let missing = here.resolve(path);
  while (!existsSync(here.dirname(missing))) missing = here.dirname(missing);
  const parent = here.dirname(missing);
  const near = existsSync(missing) ? undefined : nearest(here.basename(missing), readdirSync(parent));
  const similar = near && here.join(parent, near, here.relative(missing, here.resolve(path)));
  if (similar === undefined || !existsSync(similar)) return '';
  return `; did you mean ${JSON.stringify(here.isAbsolute(path) ? similar : here.relative('.', similar))}?`;
}

async function listFiles(folder: string): Promise<string[]> {
  if ((await orUndefined(() => stat(folder))) === undefined) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => here.join(entry.parentPath, entry.name));
}

/**
 * Reads at once: an archive has many small files, and for those each turn through the thread pool costs more than the reading. The
 * real path of a folder is looked up once, and added to `realFolders`.
 */
async function readFile(path: string, range: Slice | undefined, realFolders: Set<string>) {
  const parent = here.dirname(path);
  const isReal = realFolders.has(parent) || (await orUndefined(async () => realpathSync.native(parent))) === parent;
  if (!isReal) return undefined;
  realFolders.add(parent);
  const file = lstatSync(path, { throwIfNoEntry: false });
  return file?.isFile() ? readRange(path, file.size, range) : undefined;
}

function readRange(path: string, size: number, range: Slice | undefined): Buffer {
  const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? size, size) };
  const bytes = Buffer.allocUnsafe(Math.max(end - start, 0));
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}

/** A file that is there and cannot be opened is neither missing nor good, so the verification must end. */
async function naming<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const { code, path: failed = path } = cause as NodeJS.ErrnoException;
    const advice =
      code === 'ENAMETOOLONG'
        ? 'move the copy to a folder with a shorter path'
        : 'make every file of the copy readable';
    throw new Error(`${failed} cannot be opened (${code}), so nothing was verified: ${advice}`, { cause });
  }
}

/** Returns undefined for a file that does not exist. Every other error is thrown. */
async function orUndefined<T>(find: () => Promise<T>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
}
