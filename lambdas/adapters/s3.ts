/** The archive bucket. Every write is create-only; nothing here can overwrite or delete. */
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { ByteRange, ObjectStore } from '../shared/ports';
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
      throw awsFailure(error, `listing ${prefix}`);
    }
    return keys;
  }

  async function get(key: string, range?: ByteRange): Promise<Buffer | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const body = await openObject(client, { Bucket: bucket, Key: key }, range);
      try {
        return body && Buffer.from(await body.transformToByteArray());
      } catch (error) {
        // The SDK tries again until an answer begins, not until it has come whole.
        if (attempt === BODY_ATTEMPTS) throw awsFailure(error, `reading ${key}`);
      }
    }
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
            // A locked bucket wants a checksum, and S3 then refuses bytes that were damaged on the way.
            ChecksumAlgorithm: 'SHA256',
          }),
        );
        return 'created';
      } catch (error) {
        if (httpStatus(error) === 412) return 'exists';
        // 409: another conditional write of this key is under way; who won shows when it is over.
        if (httpStatus(error) !== 409 || attempt === CONFLICT_ATTEMPTS) throw awsFailure(error, `writing ${key}`);
        await new Promise((resolve) => setTimeout(resolve, CONFLICT_WAIT_MS * attempt));
      }
    }
  }

  return { list, get, create };
}

async function openObject(client: S3Client, object: { Bucket: string; Key: string }, range: ByteRange | undefined) {
  const Range = range && `bytes=${range.start}-${range.end - 1}`;
  try {
    return (await client.send(new GetObjectCommand({ ...object, Range }))).Body;
  } catch (error) {
    // A range beyond the object's end is as good as a missing object for whoever wants those bytes.
    if (errorName(error) === 'NoSuchKey' || httpStatus(error) === 416) return undefined;
    throw awsFailure(error, `reading ${object.Key}`);
  }
}
