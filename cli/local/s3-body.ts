/**
 * The body of a PutObject as the client meant it: the `aws-chunked` framing taken off, the length and every digest that
 * came with it checked.
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

/** Throws `S3Error`: `IncompleteBody`, `BadDigest`, `NotImplemented`. */
export function readBody(headers: Headers, body: Buffer): Buffer {
  const streaming = String(headers['x-amz-content-sha256']).startsWith('STREAMING-');
  const { bytes, trailers } = streaming ? readChunks(body) : { bytes: body, trailers: {} };
  if (streaming && Number(headers['x-amz-decoded-content-length']) !== bytes.length) throw incomplete();
  for (const [name, claimed] of Object.entries({ ...headers, ...trailers })) {
    if (name !== 'content-md5' && !/^x-amz-checksum-(?!algorithm|type)/.test(name)) continue;
    const digest = digests[name];
    // A digest that nobody checked must not look checked.
    if (digest === undefined) throw new S3Error(501, 'NotImplemented', `${name} is not checked here`);
    if (digest(bytes) !== claimed) throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match`);
  }
  return bytes;
}

/** `<hex size>[;extension]\r\n<bytes>\r\n`, again and again; size 0; then `name:value` lines. */
function readChunks(body: Buffer) {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const start = body.indexOf('\r\n', at) + 2;
    const size = /^([0-9a-f]{1,8})(?:;.*)?\r\n$/i.exec(body.toString('latin1', at, start))?.[1];
    if (size === undefined) throw incomplete();
    const end = start + Number.parseInt(size, 16);
    if (end === start) return { bytes: Buffer.concat(parts), trailers: readTrailers(body.toString('latin1', start)) };
    if (body.toString('latin1', end, end + 2) !== '\r\n') throw incomplete();
    parts.push(body.subarray(start, end));
    at = end + 2;
  }
}

function readTrailers(text: string): Readonly<Record<string, string>> {
  const fields = [...text.matchAll(/^([^:\r\n]+):(.*?)\r?$/gm)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name.trim().toLowerCase(), value.trim()]));
}

function incomplete(): S3Error {
  return new S3Error(400, 'IncompleteBody', 'The request body ended before it was complete');
}
