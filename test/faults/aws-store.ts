/** The real S3 adapter over the model of the bucket, through a client that answers as a client of the SDK does. */

import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../lambdas/shared/ports';
import { type S3Bucket, S3Error, type Storage, s3Bucket } from '../../local/s3-bucket';
import type { Method } from './faults';
import type { PortContext } from './ports';
import type { Scenario } from './scenario';
import { scenarios } from './scenarios';

/** Name and status of the error with which S3 answers an operation that the world makes fail. */
type AwsError = readonly [name: string, status: number];

/** The scenario of this name in a world whose store is the real S3 adapter. */
export function throughTheAdapter(name: string, error: AwsError = ['SlowDown', 503]): Scenario {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
  return { ...scenario, createStore: (context, storage) => createAwsStore(context, storage, error) };
}

function createAwsStore(context: PortContext, storage: Storage, awsError: AwsError): ObjectStore {
  const bucket = s3Bucket(storage);

  async function send(command: unknown): Promise<unknown> {
    const [method, step] = operationOf(command, bucket);
    try {
      return await context.perform({ method, step, failure: () => sdkError(...awsError) });
    } catch (error) {
      throw error instanceof S3Error ? sdkError(error.code, error.status) : error;
    }
  }

  const client: S3Client = Object.assign(Object.create(S3Client.prototype), { send });
  return context.program.createS3Store(client, 'archive');
}

function operationOf(command: unknown, bucket: S3Bucket): [Method, () => unknown] {
  if (command instanceof ListObjectsV2Command) return ['store.list', () => list(command.input, bucket)];
  if (command instanceof GetObjectCommand) return ['store.get', () => get(command.input, bucket)];
  if (command instanceof PutObjectCommand) return ['store.create', () => put(command.input, bucket)];
  throw new TypeError('the archiver does not send this command');
}

function list({ Prefix = '', StartAfter, ContinuationToken }: ListObjectsV2Command['input'], bucket: S3Bucket) {
  const startAfter = ContinuationToken ?? StartAfter ?? '';
  const { keys, next } = bucket.list({ prefix: Prefix, startAfter, maxKeys: 3 });
  const more = next === undefined ? {} : { NextContinuationToken: next };
  return { Contents: keys.map((Key) => ({ Key })), IsTruncated: next !== undefined, ...more };
}

function get({ Key = '', Range }: GetObjectCommand['input'], bucket: S3Bucket): object {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(Range ?? '') ?? [];
  const range = start === undefined ? undefined : { start: Number(start), end: Number(last) + 1 };
  const bytes = bucket.get(Key, range);
  return { Body: { transformToByteArray: async () => new Uint8Array(bytes) } };
}

function put({ Key = '', Body, IfNoneMatch }: PutObjectCommand['input'], bucket: S3Bucket): object {
  const bytes = Buffer.isBuffer(Body) ? Body : Buffer.alloc(0);
  bucket.put(Key, { bytes, createOnly: IfNoneMatch === '*' });
  return {};
}

function sdkError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
