/**
 * The archive bucket in memory: the archiver's port over the one model of S3. It notes every call and can let any of
 * them fail. Tests may read its map and tamper with it.
 */
import { memoryStorage, S3Error, s3Model } from '../../cli/local/s3-model';
import type { ObjectStore } from '../../lambdas/shared/ports';

export type Operation = 'list' | 'get' | 'create';

export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, Buffer>;
  /** `list events/...`, `get manifests/...`, `create batches/...`, in order. */
  readonly calls: string[];
  keys(prefix?: string): readonly string[];
}

export interface MemoryStoreOptions {
  readonly objects?: ReadonlyMap<string, Buffer>;
  /** Called before every call; the caller gets the error that it throws. */
  readonly before?: (operation: Operation, key: string) => void;
}

export function memoryStore({ objects: initial = new Map(), before }: MemoryStoreOptions = {}): MemoryStore {
  const objects = new Map(initial);
  const model = s3Model(new Map([['archive', memoryStorage(objects)]]));
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
      const page = model.list('archive', { prefix, startAfter, maxKeys: Number.POSITIVE_INFINITY });
      return page.objects.map(({ key }) => key);
    },
    async get(key, range) {
      note('get', key);
      return answer(() => model.get('archive', key, range).bytes, { 404: undefined, 416: undefined });
    },
    async create(key, bytes) {
      note('create', key);
      const put = () => model.put('archive', key, { bytes, createOnly: true }) && ('created' as const);
      return answer(put, { 412: 'exists' as const });
    },
  };
}

/** Turns an error status into the answer that the port has for it, and throws any other error. */
function answer<T, U>(operation: () => T, meanings: Readonly<Record<number, U>>): T | U {
  try {
    return operation();
  } catch (error) {
    if (error instanceof S3Error && error.status in meanings) return meanings[error.status] as U;
    throw error;
  }
}
