/** The ports of the archiver over the models. Each call is one operation that can fail, and behaves as the adapter. */

import type { KeyObject } from 'node:crypto';
import type {
  ApiKeys,
  CheckpointStore,
  HttpResponse,
  ObjectStore,
  Signer,
  Transport,
  TransportLimits,
} from '../../lambdas/shared/ports';
import { type S3Bucket, S3Error, type Storage, s3Bucket } from '../../local/s3-bucket';
import type { SourceModel, TestAnswer } from '../support/test-source';
import { checkpointModel, type ItemCell } from './checkpoint-model';
import type { Method, Perform } from './faults';
import type * as program from './program';

export interface PortContext {
  readonly perform: Perform;
  readonly program: typeof program;
}

/** A few keys take several requests, between which other runs may write. */
const KEYS_PER_PAGE = 3;

/** A call to AWS, which fails as the adapters do. */
function performer({ perform, program }: PortContext) {
  return <T>(method: Method, step: () => T): Promise<T> => {
    const failure = () => new program.UpstreamError('storage-unavailable', `${method}: the fault world made it fail`);
    return perform({ method, step, failure });
  };
}

export function createStore(context: PortContext, storage: Storage): ObjectStore {
  const bucket = s3Bucket(storage);
  const perform = performer(context);

  async function list(prefix: string, startAfter = ''): Promise<readonly string[]> {
    const keys: string[] = [];
    for (let after: string | undefined = startAfter; after !== undefined; ) {
      const query = { prefix, startAfter: after, maxKeys: KEYS_PER_PAGE };
      const page: ReturnType<S3Bucket['list']> = await perform('store.list', () => bucket.list(query));
      keys.push(...page.keys);
      after = page.next;
    }
    return keys;
  }

  return {
    list,
    get: (key, range) => perform('store.get', () => unless([404, 416], undefined, () => bucket.get(key, range))),
    create: (key, bytes) =>
      perform('store.create', () =>
        unless<'created' | 'exists'>([412], 'exists', () => {
          bucket.put(key, { bytes, createOnly: true });
          return 'created';
        }),
      ),
  };
}

function unless<T>(statuses: readonly number[], instead: T, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof S3Error && statuses.includes(error.status)) return instead;
    throw error;
  }
}

export function createCheckpoints(context: PortContext, cell: ItemCell): CheckpointStore {
  const model = checkpointModel(cell);
  const perform = performer(context);
  return {
    acquire: (lease) => perform('checkpoints.acquire', () => model.acquire(lease)),
    save: (lease, checkpoint) => perform('checkpoints.save', () => model.save(lease, checkpoint)),
    release: (lease, outcome) => perform('checkpoints.release', () => model.release(lease, outcome)),
  };
}

/** As the SSM adapter, a process remembers a key until it is asked for a fresh one. */
export function createApiKeys(context: PortContext, parameter: () => string): ApiKeys {
  const perform = performer(context);
  let remembered: string | undefined;
  const read = (fresh: boolean) => {
    if (fresh || remembered === undefined) remembered = parameter();
    return remembered;
  };
  return { read: (_, fresh) => perform('apiKeys.read', () => read(fresh)) };
}

export function createSigner(context: PortContext, publicKey: KeyObject, signNow: (message: Buffer) => Buffer): Signer {
  const perform = performer(context);
  return { publicKey, sign: (message) => perform('signer.sign', () => signNow(message)) };
}

export interface TransportOptions {
  /** The source as it answers a request that arrives now. */
  readonly source: () => SourceModel;
  readonly now: () => Date;
  /** Lets virtual time pass without an answer. */
  readonly wait: (ms: number) => Promise<void>;
  readonly maxBodyBytes: number;
  /** Changes an answer on its way. */
  readonly mangle: Mangle;
}

/** The number counts answers from 1. */
export type Mangle = (answer: HttpResponse, number: number) => HttpResponse;

export function createTransport(context: PortContext, options: TransportOptions): Transport {
  const { TransportError } = context.program;
  let answers = 0;

  async function get(url: URL, headers: Readonly<Record<string, string>>, limits: TransportLimits) {
    const request = { path: url.pathname, query: url.searchParams, headers };
    const answer = await context.perform({
      method: 'transport.get',
      step: () => options.source().answer(request, options.now()),
      failure: () => new TransportError('network', 'ECONNRESET'),
    });
    if (answer.delivery === 'hang') {
      await options.wait(limits.timeoutMs);
      throw new TransportError('timeout', 'no whole response');
    }
    if (answer.delivery !== 'whole') throw new TransportError('network', 'ECONNRESET');
    if (answer.body.length > Math.min(limits.maxBytes, options.maxBodyBytes)) {
      throw new TransportError('too-large', 'the response is too large');
    }
    answers += 1;
    return options.mangle(received(answer), answers);
  }

  return { get };
}

function received({ status, headers, body }: TestAnswer): HttpResponse {
  return { status, headers: new Map(Object.entries(headers)), body };
}
