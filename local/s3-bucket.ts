/**
 * One bucket of S3 as the archive uses it: listings are complete and in UTF-8 byte order, and no object is ever replaced
 * or deleted, as the policy of the deployed bucket demands. The local server and the fault world share these operations;
 * each operation is one synchronous step. The local server keeps the objects in a folder.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Slice } from '../lambdas/shared/json';

/** Stores the objects of a bucket: in a folder, or in the tests in memory. */
export interface Storage {
  /** Every key with the prefix, in any order. */
  keys(prefix: string): readonly string[];
  /** Undefined where there is no such object. The caller must not change the bytes. */
  read(key: string): Buffer | undefined;
  /** Creates a complete object, or returns false where the key is taken. */
  create(key: string, bytes: Buffer): boolean;
}

/** An error response of S3; `code` is S3's own name of the error. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface ListQuery {
  readonly prefix: string;
  /** Only keys after this one are listed. */
  readonly startAfter?: string;
  readonly maxKeys: number;
}

export type S3Bucket = ReturnType<typeof s3Bucket>;

/** Every operation throws an `S3Error` where S3 answers with an error. */
export function s3Bucket(storage: Storage) {
  return {
    list: (query: ListQuery) => listPage(storage, query),
    /** The range may end beyond the end of the object. */
    get: (key: string, range?: Slice): Buffer => {
      const bytes = storage.read(checkKey(key));
      if (bytes === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
      const { start, end } = range ?? { start: 0, end: bytes.length };
      const isSatisfiable = range === undefined || (start < bytes.length && start < end);
      if (!isSatisfiable) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
      return Buffer.from(bytes.subarray(start, end));
    },
    /** `createOnly` stands for the header `If-None-Match: *`. The bucket's policy denies every other put. */
    put: (key: string, { bytes, createOnly }: { readonly bytes: Buffer; readonly createOnly: boolean }): void => {
      if (!createOnly) throw new S3Error(403, 'AccessDenied', 'Access Denied: this bucket is write-once');
      if (storage.create(checkKey(key), bytes)) return;
      throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    },
  };
}

/** `next` is the key after which the next page begins; undefined on the last page. */
function listPage(storage: Storage, { prefix, startAfter = '', maxKeys }: ListQuery) {
  const after = Buffer.from(startAfter);
  const keys = storage
    .keys(prefix)
    // JavaScript compares strings by UTF-16 units, which is another order for characters such as emoji.
    .map((key) => Buffer.from(key))
    .filter((key) => Buffer.compare(key, after) > 0)
    .sort(Buffer.compare)
    .map(String);
  const page = keys.slice(0, maxKeys);
  return { keys: page, next: keys.length > page.length ? page.at(-1) : undefined };
}

/** Stricter than S3: refuses keys that would lead out of a folder, or that XML 1.0 cannot hold. */
function checkKey(key: string): string {
  const isUnsafe = key.split('/').some((name) => ['', '.', '..'].includes(name)) || /[\p{Cc}\p{Cs}\\]/u.test(key);
  if (isUnsafe) throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  return key;
}

/**
 * Keeps each object as the plain file `<folder>/<key>`, which a person can read and change. A new object is written in
 * the folder `uploads` and then linked to its name: a crash leaves no partial object, and the file system refuses the
 * link where any process has taken the name. `uploads` must be on the same file system, outside of `folder`; it is
 * emptied at the start. A symbolic link is not an object, because it could lead out of the folder.
 */
export function folderStorage(folder: string, uploads: string): Storage {
  rmSync(uploads, { recursive: true, force: true });
  for (const needed of [folder, uploads]) mkdirSync(needed, { recursive: true });
  return {
    keys: (prefix) => filesIn(folder).filter((key) => key.startsWith(prefix)),
    read: (key) => {
      const file = join(folder, key);
      return existsSync(file) && lstatSync(file).isFile() ? readFileSync(file) : undefined;
    },
    create: (key, bytes) => createFile(join(folder, key), join(uploads, randomUUID()), bytes),
  };
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

function createFile(target: string, upload: string, bytes: Buffer): boolean {
  mkdirSync(dirname(target), { recursive: true });
  try {
    writeFileSync(upload, bytes, { flag: 'wx' });
    linkSync(upload, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(upload, { force: true });
  }
}
