/** What the local S3 refuses. What it does for the archiver is in object-store-contract.ts. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { memoryStorage, s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import type { LocalServer } from '../../local/server';

const objects = new Map<string, Buffer>();
let server: LocalServer;
beforeAll(async () => {
  server = await startS3Server({ name: 'archive', bucket: s3Bucket(memoryStorage(objects)) });
});
beforeEach(() => objects.clear());
afterAll(() => server.close());

const digest = createHash('sha256').update('x').digest('base64');
const createOnly = { 'if-none-match': '*', 'x-amz-checksum-sha256': digest };

/** The status, and the code of the error. */
async function send(method: string, target: string, headers: Record<string, string> = {}, url = server.url) {
  const response = await fetch(`${url}${target}`, { method, headers, ...(method === 'PUT' && { body: 'x' }) });
  const [, code = ''] = /<Code>(.*)<\/Code>/.exec(await response.text()) ?? [];
  return `${response.status} ${code}`.trim();
}

test('a put creates an object only with If-None-Match: * and the SHA-256 of its bytes', async () => {
  const { 'if-none-match': _condition, ...unconditional } = createOnly;
  const { 'x-amz-checksum-sha256': _digest, ...unchecked } = createOnly;
  const damaged = { ...createOnly, 'x-amz-checksum-sha256': createHash('sha256').digest('base64') };
  expect(await send('PUT', '/archive/a', unconditional)).toBe('403 AccessDenied');
  expect(await send('PUT', '/archive/a', { ...createOnly, 'if-none-match': '"etag"' })).toBe('403 AccessDenied');
  expect(await send('PUT', '/archive/a', unchecked)).toBe('400 BadDigest');
  expect(await send('PUT', '/archive/a', damaged)).toBe('400 BadDigest');
  expect(objects.size).toBe(0);
  expect(await send('PUT', '/archive/a', createOnly)).toBe('200');
  expect(await send('PUT', '/archive/a', createOnly)).toBe('412 PreconditionFailed');
  expect(await send('GET', '/archive/a')).toBe('200');
});

test.each([
  ['DELETE', '/archive/a'],
  ['GET', '/archive/a?tagging'],
  ['GET', '/archive/a?versionId=1'],
  ['PUT', '/archive/b?acl'],
  ['PUT', '/archive/a?retention'],
  ['POST', '/archive?delete'],
  ['GET', '/archive?delimiter=/&list-type=2'],
  ['GET', '/archive'],
])('the operation %s %s is refused instead of being taken for another one', async (method, target) => {
  objects.set('a', Buffer.from('kept'));
  expect(await send(method, target, createOnly)).toBe('501 NotImplemented');
  expect(objects).toEqual(new Map([['a', Buffer.from('kept')]]));
});

test('a copy, and a range that the archiver never asks for, are refused', async () => {
  objects.set('a', Buffer.from('kept'));
  expect(await send('PUT', '/archive/b', { ...createOnly, 'x-amz-copy-source': 'archive/a' })).toBe(
    '501 NotImplemented',
  );
  expect(await send('GET', '/archive/a', { range: 'bytes=-2' })).toBe('501 NotImplemented');
});

// Over a bare socket, because every HTTP client would tidy such a path first.
test.each([
  '/archive/../outside',
  '/archive/a/%2e%2e/%2e%2e/b',
  '/archive//etc/passwd',
  '/archive/a%00b',
  '/archive/%zz',
  '/archive/a//b',
])('the hostile path %s creates nothing', async (path) => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  const headers = `Host: x\r\nIf-None-Match: *\r\nx-amz-checksum-sha256: ${digest}\r\nConnection: close`;
  socket.end(`PUT ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: 1\r\n\r\nx`);
  const response = Buffer.concat(await socket.toArray()).toString();
  expect(response).toMatch(/^HTTP\/1.1 400 .*<Code>InvalidURI<\/Code>/s);
  expect(objects.size).toBe(0);
});

test('a body that is cut short creates nothing', async () => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.end(`PUT /archive/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\nonly this`);
  await socket.toArray();
  expect(objects.size).toBe(0);
});

test('a call that is signed with another access key is refused', async () => {
  const bucket = s3Bucket(memoryStorage(new Map([['a', Buffer.from('secret')]])));
  const guarded = await startS3Server({ name: 'archive', bucket, accessKeyId: 'of-this-archive' });
  const signedBy = (key: string) => ({ authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/x` });
  expect(await send('GET', '/archive/a', {}, guarded.url)).toBe('403 InvalidAccessKeyId');
  expect(await send('GET', '/archive/a', signedBy('another'), guarded.url)).toBe('403 InvalidAccessKeyId');
  expect(await send('GET', '/archive/a', signedBy('of-this-archive'), guarded.url)).toBe('200');
  await guarded.close();
});
