/**
 * The REST protocol of S3, path style, for the three operations that the archiver uses. Everything else is refused, so
 * that no request is mistaken for another one.
 */
import { createHash } from 'node:crypto';
import type { Slice } from '../lambdas/shared/json';
import { type S3Bucket, S3Error } from './s3-bucket';
import { isSignedBy, type LocalRequest, type LocalResponse, type LocalServer, startServer } from './server';

interface S3ServerOptions {
  /** The only bucket that exists. */
  readonly name: string;
  readonly bucket: S3Bucket;
  readonly accessKeyId?: string;
}

const MAX_KEYS = 1000;
const LIST_PARAMETERS = ['list-type', 'prefix', 'start-after', 'continuation-token', 'max-keys'];

export function startS3Server({ name, bucket, accessKeyId }: S3ServerOptions): Promise<LocalServer> {
  return startServer((request) => {
    try {
      if (!isSignedBy(accessKeyId, request)) {
        throw new S3Error(403, 'InvalidAccessKeyId', 'This server was started for another access key');
      }
      return respond(request, name, bucket);
    } catch (error) {
      if (error instanceof S3Error) return errorResponse(error.status, error.code, error.message);
      return errorResponse(500, 'InternalError', String(error));
    }
  });
}

/** The path is not read by `URL`, which would resolve `..` before the bucket can refuse the key. */
function respond(request: LocalRequest, name: string, bucket: S3Bucket): LocalResponse {
  const [, asked = '', path = '', search = ''] = /^\/([^/?]*)\/?([^?]*)\??(.*)$/s.exec(request.target) ?? [];
  if (asked !== name) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  const query = new URLSearchParams(search);
  query.delete('x-id');
  if (request.method === 'GET' && path === '' && isList(query)) return listObjects(bucket, query);
  const isPlain = path !== '' && query.size === 0 && request.headers['x-amz-copy-source'] === undefined;
  if (isPlain && request.method === 'GET') return getObject(bucket, decodeKey(path), request);
  if (isPlain && request.method === 'PUT') return putObject(bucket, decodeKey(path), request);
  throw new S3Error(501, 'NotImplemented', 'The local S3 does not implement this operation');
}

function isList(query: URLSearchParams): boolean {
  return query.get('list-type') === '2' && [...query.keys()].every((parameter) => LIST_PARAMETERS.includes(parameter));
}

/** A path that cannot be decoded becomes a key that the bucket refuses. */
function decodeKey(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

function listObjects(bucket: S3Bucket, query: URLSearchParams): LocalResponse {
  const token = query.get('continuation-token');
  const { keys, next } = bucket.list({
    prefix: query.get('prefix') ?? '',
    startAfter: token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString(),
    maxKeys: Math.min(Number(query.get('max-keys') ?? MAX_KEYS), MAX_KEYS),
  });
  const more = next === undefined ? '' : element('NextContinuationToken', Buffer.from(next).toString('base64url'));
  const contents = keys.map((key) => `<Contents>${element('Key', key)}</Contents>`).join('');
  return xmlResponse(200, 'ListBucketResult', element('IsTruncated', next !== undefined) + more + contents);
}

function getObject(bucket: S3Bucket, key: string, { headers }: LocalRequest): LocalResponse {
  const range = readRange(headers.range);
  const body = bucket.get(key, range);
  if (range === undefined) return { status: 200, headers: {}, body };
  const contentRange = `bytes ${range.start}-${range.start + body.length - 1}/*`;
  return { status: 206, headers: { 'content-range': contentRange }, body };
}

function readRange(header: string | undefined): Slice | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  if (first === undefined)
    throw new S3Error(501, 'NotImplemented', 'Only ranges with a first and a last byte are read');
  return { start: Number(first), end: Number(last) + 1 };
}

/** The archiver sends the SHA-256 of every object. A put without it is refused, as a body that was damaged is. */
function putObject(bucket: S3Bucket, key: string, { headers, body }: LocalRequest): LocalResponse {
  if (createHash('sha256').update(body).digest('base64') !== headers['x-amz-checksum-sha256']) {
    throw new S3Error(400, 'BadDigest', 'The x-amz-checksum-sha256 is missing or does not match the body');
  }
  bucket.put(key, { bytes: body, createOnly: headers['if-none-match'] === '*' });
  return { status: 200, headers: {}, body: '' };
}

function errorResponse(status: number, code: string, message: string): LocalResponse {
  return xmlResponse(status, 'Error', element('Code', code) + element('Message', message));
}

function xmlResponse(status: number, name: string, content: string): LocalResponse {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<${name}>${content}</${name}>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

function element(name: string, value: string | boolean): string {
  const text = String(value).replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<${name}>${text}</${name}>`;
}
