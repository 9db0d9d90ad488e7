/** The real S3 adapter in the fault world: over the same model, through a client that answers as the SDK's does. */

import {
  GetObjectCommand,
  type GetObjectCommandInput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import type { createS3Store } from '../../lambdas/adapters/s3';
import type { ObjectStore } from '../../lambdas/shared/ports';
import { type S3Bucket, S3Error, type Storage, s3Bucket } from '../../local/s3-bucket';
import type { Method } from './faults';
import type { PortContext } from './ports';

const BUCKET = 'archive';

export interface AwsStoreOptions {
  readonly createS3Store: typeof createS3Store;
  /** Name and status of the error that S3 answers, where the world makes an operation fail. */
  readonly error: readonly [name: string, status: number];
}

export function createAwsStore(context: PortContext, storage: Storage, options: AwsStoreOptions): ObjectStore {
  const bucket = s3Bucket(storage);

  async function send(command: unknown): Promise<unknown> {
    const [method, step] = operationOf(command, bucket);
    try {
      return await context.perform({ method, step, failure: () => sdkError(...options.error) });
    } catch (error) {
      throw error instanceof S3Error ? sdkError(error.code, error.status) : error;
    }
  }

  const client: S3Client = Object.assign(Object.create(S3Client.prototype), { send });
  return options.createS3Store(client, BUCKET);
}

function operationOf(command: unknown, bucket: S3Bucket): [Method, () => unknown] {
  if (command instanceof ListObjectsV2Command) return ['store.list', () => list(command.input, bucket)];
  if (command instanceof GetObjectCommand) return ['store.get', () => get(command.input, bucket)];
  if (command instanceof PutObjectCommand) return ['store.create', () => put(command.input, bucket)];
  throw new TypeError('the archiver has no use for this command');
}

function list(
  { Prefix = '', StartAfter = '', ContinuationToken }: ListObjectsV2CommandInput,
  bucket: S3Bucket,
): object {
  const { keys, next } = bucket.list({ prefix: Prefix, startAfter: ContinuationToken ?? StartAfter, maxKeys: 3 });
  const more = next === undefined ? {} : { NextContinuationToken: next };
  return { Contents: keys.map((Key) => ({ Key })), IsTruncated: next !== undefined, ...more };
}

function get({ Key = '', Range }: GetObjectCommandInput, bucket: S3Bucket): object {
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(Range ?? '') ?? [];
  const range = start === undefined ? undefined : { start: Number(start), end: Number(last) + 1 };
  const bytes = bucket.get(Key, range);
  return { Body: { transformToByteArray: async () => new Uint8Array(bytes) } };
}

function put({ Key = '', Body, IfNoneMatch }: PutObjectCommandInput, bucket: S3Bucket): object {
  const bytes = Buffer.isBuffer(Body) ? Body : Buffer.alloc(0);
  bucket.put(Key, { bytes, createOnly: IfNoneMatch === '*' });
  return {};
}

function sdkError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
