/**
 * The archive bucket in memory: the archiver's port over the one model of S3. Every call is noted, and any of them can
 * be made to fail; the map may be read and tampered with.
 */

import type { ObjectStore } from '../../lambdas/shared/ports';
import { memoryStorage, S3Error, s3Bucket } from '../../local/s3-bucket';

export type Operation = 'list' | 'get' | 'create';

export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, Buffer>;
  /** `list events/...`, `get manifests/...`, `create batches/...`, in order. */
  readonly calls: string[];
  keys(prefix?: string): readonly string[];
}

export interface MemoryStoreOptions {
  readonly objects?: ReadonlyMap<string, Buffer>;
  /** Asked before every call; what it throws is what the caller meets. */
  readonly before?: (operation: Operation, key: string) => void;
}

export function memoryStore({ objects: initial = new Map(), before }: MemoryStoreOptions = {}): MemoryStore {
  const objects = new Map(initial);
  const bucket = s3Bucket(memoryStorage(objects));
  const calls: string[] = [];

  function note(operation: Operation, key: string): void {
    calls.push(`${operation} ${key}`);
    before?.(operation, key);
  }

  return {
    objects,
    calls,
    keys: (prefix = '') => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    async list(prefix, startAfter = '') {
      note('list', prefix);
      return bucket.list({ prefix, startAfter, maxKeys: Number.POSITIVE_INFINITY }).keys;
    },
    async get(key, range) {
      note('get', key);
      return answer(() => bucket.get(key, range), { 404: undefined, 416: undefined });
    },
    async create(key, bytes) {
      note('create', key);
      const put = () => {
        bucket.put(key, { bytes, createOnly: true });
        return 'created' as const;
      };
      return answer(put, { 412: 'exists' as const });
    },
  };
}

/** An error status that the port has an answer for; any other is thrown. */
function answer<T, U>(operation: () => T, meanings: Readonly<Record<number, U>>): T | U {
  try {
    return operation();
  } catch (error) {
    if (error instanceof S3Error && error.status in meanings) return meanings[error.status] as U;
    throw error;
  }
}
