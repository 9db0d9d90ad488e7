/**
 * The body of a PutObject, every digest that came with it checked. The SDK frames only streams in chunks, and the
 * archiver puts none.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-model';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const digests: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'content-md5': (bytes) => createHash('md5').update(bytes).digest('base64'),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
  'x-amz-checksum-crc32': (bytes) => Buffer.from(crc32(bytes).toString(16).padStart(8, '0'), 'hex').toString('base64'),
};

/** Throws `S3Error`: `BadDigest`, `NotImplemented`. */
export function readBody(headers: Headers, body: Buffer): Buffer {
  if (String(headers['x-amz-content-sha256']).startsWith('STREAMING-')) throw unknown('a body in chunks');
  for (const [name, claimed] of Object.entries(headers)) {
    if (name !== 'content-md5' && !/^x-amz-checksum-(?!algorithm|type)/.test(name)) continue;
    const digest = digests[name];
    // A digest that nobody checked must not look checked.
    if (digest === undefined) throw unknown(name);
    if (digest(body) !== claimed) throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match`);
  }
  return body;
}

function unknown(what: string): S3Error {
  return new S3Error(501, 'NotImplemented', `${what} is not read here`);
}
