/**
 * S3's REST protocol, path style, as far as the archive and its readers speak it with the real AWS SDK. Semantics are
 * the model's; this file only translates. What it does not know it refuses, so no request is taken for another one.
 */
import { type Answer, type Call, type LocalServer, listen, type Request, type ServerOptions } from './loopback';
import { readBody } from './s3-body';
import { type ObjectInfo, type RequestedRange, S3Error, type S3Model } from './s3-model';

/** By method, what the path names, and the sub-resource asked for. */
const operations: Readonly<Record<string, string>> = {
  'PUT object': 'PutObject',
  'GET object': 'GetObject',
  'GET bucket list-type': 'ListObjectsV2',
};
/** Query parameters that do not choose another operation. */
const plainParameters = ['x-id', 'prefix', 'start-after', 'continuation-token', 'max-keys'];
const MAX_KEYS = 1000;

export function startS3Server(model: S3Model, options: ServerOptions = {}): Promise<LocalServer> {
  const answer = (request: Request, call: Call) => {
    try {
      return respond(model, request, call);
    } catch (error) {
      if (error instanceof S3Error) return refuse(request, error);
      throw error;
    }
  };
  return listen({ describe, answer, refuse }, options);
}

/** The path is not read by `URL`, which would resolve `..` before the model can refuse it. */
function describe({ method, target, headers }: Request): Call {
  const [, bucket = '', path = ''] = /^\/([^/?]*)\/?([^?]*)/.exec(target) ?? [];
  const query = queryOf(target);
  const subresources = [...query.keys()].filter((name) => !plainParameters.includes(name));
  const copies = headers['x-amz-copy-source'] === undefined ? [] : ['copy'];
  const asked = [method, path === '' ? 'bucket' : 'object', ...subresources, ...copies].join(' ');
  const key = path === '' ? (query.get('prefix') ?? '') : decoded(path);
  return { method, operation: operations[asked] ?? asked, bucket, key };
}

function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(target.split(/\?(.*)/s)[1]);
}

/** What cannot be decoded becomes a key that the model refuses. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '\0';
  }
}

function respond(model: S3Model, request: Request, { operation, bucket = '', key = '' }: Call): Answer {
  if (operation === 'PutObject') return putObject(model, request, { bucket, key });
  if (operation === 'GetObject') return getObject(model, rangeOf(request.headers.range), { bucket, key });
  if (operation === 'ListObjectsV2') return listObjects(model, bucket, queryOf(request.target));
  throw new S3Error(501, 'NotImplemented', `The local S3 does not implement ${operation}`);
}

function putObject(model: S3Model, request: Request, { bucket, key }: { bucket: string; key: string }): Answer {
  const condition = request.headers['if-none-match'];
  if (condition !== undefined && condition !== '*') {
    throw new S3Error(501, 'NotImplemented', 'If-None-Match takes only * on a put');
  }
  const bytes = readBody(request.headers, request.body);
  const { etag } = model.put(bucket, key, { bytes, createOnly: condition === '*' });
  return answerWith(200, { etag });
}

function getObject(
  model: S3Model,
  range: RequestedRange | undefined,
  { bucket, key }: { bucket: string; key: string },
): Answer {
  const { info, start, bytes } = model.get(bucket, key, range);
  const headers = { ...headersOf(info), 'content-length': String(bytes.length) };
  if (range === undefined) return answerWith(200, headers, bytes);
  const contentRange = `bytes ${start}-${start + bytes.length - 1}/${info.size}`;
  return answerWith(206, { ...headers, 'content-range': contentRange }, bytes);
}

/** As in S3, a range that cannot be read, or more than one, is as none. */
function rangeOf(header = ''): RequestedRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (first === '') return last === '' ? undefined : { start: -Number(last), end: Number.POSITIVE_INFINITY };
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last) + 1;
  return Number(first) < end ? { start: Number(first), end } : undefined;
}

function headersOf({ etag, modified, size }: ObjectInfo): Readonly<Record<string, string>> {
  return {
    etag,
    'accept-ranges': 'bytes',
    'content-length': String(size),
    'content-type': 'binary/octet-stream',
    'last-modified': modified.toUTCString(),
  };
}

function listObjects(model: S3Model, bucket: string, query: URLSearchParams): Answer {
  const prefix = query.get('prefix') ?? '';
  const asked = Number(query.get('max-keys') ?? MAX_KEYS);
  if (!Number.isInteger(asked) || asked < 0) throw new S3Error(400, 'InvalidArgument', 'max-keys is no number');
  const maxKeys = Math.min(asked, MAX_KEYS);
  const token = query.get('continuation-token');
  const startAfter = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const { objects, next } = model.list(bucket, { prefix, startAfter, maxKeys });
  return xml(200, 'ListBucketResult', {
    Name: bucket,
    Prefix: prefix,
    MaxKeys: maxKeys,
    KeyCount: objects.length,
    IsTruncated: next !== undefined,
    ...(next !== undefined && { NextContinuationToken: Buffer.from(next).toString('base64url') }),
    Contents: objects.map(({ key, size, etag, modified }) => ({
      Key: key,
      LastModified: modified.toISOString(),
      ETag: etag,
      Size: size,
    })),
  });
}

function refuse(request: Request, { status, code, message }: { status: number; code: string; message: string }) {
  return xml(status, 'Error', { Code: code, Message: message, RequestId: request.id });
}

function answerWith(status: number, headers: Readonly<Record<string, string>>, body: Buffer = Buffer.alloc(0)): Answer {
  return { status, headers, body };
}

function xml(status: number, name: string, content: object): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${element(name, content)}`);
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

/** An array repeats its element. */
function element(name: string, content: unknown): string {
  if (Array.isArray(content)) return content.map((item) => element(name, item)).join('');
  const children = typeof content === 'object' && content !== null ? Object.entries(content) : undefined;
  const inner = children?.map(([child, value]) => element(child, value)).join('') ?? escapeXml(String(content));
  return `<${name}>${inner}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
