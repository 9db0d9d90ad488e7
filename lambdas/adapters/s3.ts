/** The archive bucket. Every write is create-only, so this adapter cannot overwrite or delete an object. */
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectRetentionCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Slice } from '../shared/json';
import type { LockReader, ObjectLock, ObjectStore } from '../shared/ports';
import { awsFailure, errorName, httpStatus } from './aws-errors';

const BODY_ATTEMPTS = 3;
const CONFLICT_ATTEMPTS = 5;
const CONFLICT_WAIT_MS = 100;

export function createS3Store(client: S3Client, bucket: string): ObjectStore {
  async function list(prefix: string, startAfter?: string): Promise<readonly string[]> {
    const keys: string[] = [];
    try {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, StartAfter: startAfter });
      for await (const page of pages) for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
    } catch (error) {
      throw awsFailure(error, `listing ${prefix || 'the bucket'}`);
    }
    return keys;
  }

  async function get(key: string, range?: Slice): Promise<Buffer | undefined> {
    return (await readObject(client, { Bucket: bucket, Key: key }, range))?.bytes;
  }

  async function create(key: string, body: Buffer, contentType: string): Promise<'created' | 'exists'> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentType: contentType,
            IfNoneMatch: '*',
            // A bucket with Object Lock requires a checksum. With it, S3 refuses bytes that were damaged in transit.
            ChecksumAlgorithm: 'SHA256',
          }),
        );
        return 'created';
      } catch (error) {
        if (httpStatus(error) === 412) return 'exists';
        // S3 answers 409 while another conditional write of this key is in progress. A retry shows which write won.
        if (httpStatus(error) !== 409 || attempt === CONFLICT_ATTEMPTS) throw awsFailure(error, `writing ${key}`);
        await new Promise((resolve) => setTimeout(resolve, CONFLICT_WAIT_MS * attempt));
      }
    }
  }

  return { list, get, create };
}

/** Throws a `Failure` where the caller may read an object and not its lock, which would then look as if it had none. */
export function createLockReader(client: S3Client, bucket: string): LockReader {
  const locks = new Map<string, ObjectLock>();
  let maySeeLocks = false;
  return {
    async get(key, range) {
      const object = await readObject(client, { Bucket: bucket, Key: key }, range);
      if (object?.lock !== undefined) locks.set(key, object.lock);
      else if (object !== undefined && !maySeeLocks) await refuseWithoutLocks(client, { Bucket: bucket, Key: key });
      maySeeLocks ||= object !== undefined;
      return object?.bytes;
    },
    lockOf: (key) => locks.get(key),
  };
}

async function refuseWithoutLocks(client: S3Client, object: ObjectName): Promise<void> {
  try {
    await client.send(new GetObjectRetentionCommand(object));
  } catch (error) {
    // Another error says that the object or the bucket has no lock.
    if (httpStatus(error) === 403)
      throw awsFailure(error, `reading the lock of ${object.Key}, which needs the right s3:GetObjectRetention`);
  }
}

interface ReadObject {
  readonly bytes: Buffer;
  /** Undefined where the version has none, or where the caller may not read it (`s3:GetObjectRetention`). */
  readonly lock: ObjectLock | undefined;
}

interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
}

/** Reads the newest version. Undefined where there is no such object, or where it is hidden by a delete marker. */
async function readObject(client: S3Client, object: ObjectName, range?: Slice): Promise<ReadObject | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const { Body, ...head } = (await openObject(client, object, range)) ?? {};
    try {
      return Body && { bytes: Buffer.from(await Body.transformToByteArray()), lock: lockOf(head) };
    } catch (error) {
      // The SDK does not retry once a response has begun, so a body that breaks off is retried here.
      if (attempt === BODY_ATTEMPTS) throw awsFailure(error, `reading ${object.Key}`);
    }
  }
}

async function openObject(client: S3Client, object: ObjectName, range: Slice | undefined) {
  const Range = range && `bytes=${range.start}-${range.end - 1}`;
  try {
    return await client.send(new GetObjectCommand({ ...object, Range }));
  } catch (error) {
    // S3 answers 416 where the range begins beyond the object's end. The wanted bytes are then missing too.
    if (errorName(error) === 'NoSuchKey' || httpStatus(error) === 416) return undefined;
    throw awsFailure(error, `reading ${object.Key}`);
  }
}

function lockOf({ ObjectLockMode: mode, ObjectLockRetainUntilDate: until }: Partial<GetObjectCommandOutput>) {
  return mode === undefined || until === undefined ? undefined : { mode, until };
}
