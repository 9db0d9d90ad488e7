/**
 * What S3 promises, in one place for the local server and the fault world: strongly consistent, keys in UTF-8 byte
 * order, and every bucket write-once as the deployed bucket's policy makes it. Each operation is one synchronous step:
 * it happens whole or not at all. Nothing here overwrites or deletes; only who owns the storage can.
 */
import { createHash } from 'node:crypto';

/** One bucket's bytes. */
export interface Storage {
  /** Every key with the prefix, in any order. */
  keys(prefix: string): readonly string[];
  stat(key: string): { readonly size: number; readonly modified: Date } | undefined;
  /** Only for a key that `stat` knows; half-open, within its size. */
  read(key: string, start: number, end: number): Buffer;
  /** Atomic: false where the key is taken, and never a partial object. */
  create(key: string, bytes: Buffer): boolean;
}

/** An S3 error answer; `code` is S3's own name for it. */
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

export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  readonly modified: Date;
  /** Opaque, as for objects encrypted with KMS: no hash of the content. */
  readonly etag: string;
}

interface ListQuery {
  readonly prefix: string;
  /** Exclusive. */
  readonly startAfter?: string;
  readonly maxKeys: number;
}

export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  /** The key after which the rest begins; undefined where there is none. */
  readonly next: string | undefined;
}

/** Half-open, as for `Buffer.subarray`: a negative start counts from the end, and `end` may lie beyond it. */
export interface RequestedRange {
  readonly start: number;
  readonly end: number;
}

/** Every operation throws `S3Error` where S3 answers with an error. */
export type S3Model = ReturnType<typeof s3Model>;

export function s3Model(buckets: ReadonlyMap<string, Storage>) {
  const bucketNamed = (name: string): Storage => {
    const storage = buckets.get(name);
    if (storage === undefined) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return storage;
  };
  const head = (bucket: string, key: string): ObjectInfo => {
    const info = infoOf(bucketNamed(bucket), checkKey(key));
    if (info === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    return info;
  };
  return {
    bucket: bucketNamed,
    head,
    list: (bucket: string, query: ListQuery): ListPage => listPage(bucketNamed(bucket), query),
    get: (bucket: string, key: string, range?: RequestedRange) => {
      const info = head(bucket, key);
      const { start, end } = range === undefined ? { start: 0, end: info.size } : clamp(range, info.size);
      return { info, start, bytes: bucketNamed(bucket).read(key, start, end) };
    },
    /** `createOnly` is `If-None-Match: *`. The bucket's policy denies any other put, also to a free key. */
    put: (bucket: string, key: string, write: { readonly bytes: Buffer; readonly createOnly: boolean }): ObjectInfo => {
      const storage = bucketNamed(bucket);
      if (!write.createOnly) throw new S3Error(403, 'AccessDenied', 'Access Denied: this bucket is write-once');
      if (!storage.create(checkKey(key), write.bytes)) {
        throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
      }
      return head(bucket, key);
    },
  };
}

/** Keeps everything in the map, which its owner may read and tamper with. */
export function memoryStorage(objects = new Map<string, Buffer>()): Storage {
  const modified = new Date(0);
  return {
    keys: (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)),
    stat: (key) => {
      const bytes = objects.get(key);
      return bytes && { size: bytes.length, modified };
    },
    read: (key, start, end) => Buffer.from(objects.get(key)?.subarray(start, end) ?? []),
    create: (key, bytes) => {
      if (objects.has(key)) return false;
      objects.set(key, Buffer.from(bytes));
      return true;
    },
  };
}

function listPage(storage: Storage, { prefix, startAfter = '', maxKeys }: ListQuery): ListPage {
  const after = Buffer.from(startAfter);
  const keys = storage
    .keys(prefix)
    // JavaScript orders strings by UTF-16 units, which differs beyond the basic plane.
    .map((key) => ({ key, bytes: Buffer.from(key) }))
    .filter(({ bytes }) => Buffer.compare(bytes, after) > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const page = keys.slice(0, maxKeys);
  // A file taken away by hand between the two looks is as if it had gone before.
  const objects = page.flatMap(({ key }) => infoOf(storage, key) ?? []);
  return { objects, next: keys.length > page.length ? page.at(-1)?.key : undefined };
}

function infoOf(storage: Storage, key: string): ObjectInfo | undefined {
  const found = storage.stat(key);
  if (found === undefined) return undefined;
  const etag = createHash('md5').update(`${key}\0${found.size}\0${found.modified.getTime()}`).digest('hex');
  return { key, etag: `"${etag}"`, ...found };
}

function clamp({ start, end }: RequestedRange, size: number): RequestedRange {
  // The last 0 bytes (-0) are no range that an object could satisfy.
  const first = Object.is(start, -0) ? size : start < 0 ? Math.max(0, size + start) : start;
  if (first >= size || end <= first) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start: first, end: Math.min(end, size) };
}

/** Stricter than S3: refuses what would leave a folder, or break the XML of a listing. */
function checkKey(key: string): string {
  if (Buffer.byteLength(key) > 1024) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
  const unsafe = key.split('/').some((name) => ['', '.', '..'].includes(name) || Buffer.byteLength(name) > 255);
  if (!unsafe && !/[\p{Cc}\p{Cs}\\]/u.test(key)) return key;
  throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
}
