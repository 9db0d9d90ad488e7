/**
 * The archive bucket in memory: the archiver's port over the same operations that the local S3 has. Every call is
 * recorded, any call can be made to fail, and a test may read and change the map of objects.
 */

import type { ObjectStore } from '../../lambdas/shared/ports';
import { S3Error, s3Bucket } from '../../local/s3-bucket';
import { memoryStorage } from './memory-storage';

export type Operation = 'list' | 'get' | 'create';

export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, Buffer>;
  /** `list events/...`, `get manifests/...`, `create batches/...`, in order. */
  readonly calls: string[];
  keys(prefix?: string): readonly string[];
}

export interface MemoryStoreOptions {
  readonly objects?: ReadonlyMap<string, Buffer>;
  /** Called before every call of the port. The caller receives the error that it throws. */
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

/** Turns the error statuses that the port has a result for into that result, and throws every other error. */
function answer<T, U>(operation: () => T, meanings: Readonly<Record<number, U>>): T | U {
  try {
    return operation();
  } catch (error) {
    if (error instanceof S3Error && error.status in meanings) return meanings[error.status] as U;
    throw error;
  }
}
