/** The local S3 refuses these requests. The requests of the archiver are tested by object-store-contract.ts. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import type { LocalServer } from '../../local/server';
import { memoryStorage } from '../support/memory-storage';

const objects = new Map<string, Buffer>();
const bucket = s3Bucket(memoryStorage(objects));
let server: LocalServer;
beforeAll(async () => {
  server = await startS3Server({ name: 'archive', bucket });
});
beforeEach(() => objects.clear());
afterAll(() => server.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
const createOnly = { 'if-none-match': '*', 'x-amz-checksum-sha256': sha256('x') };

/** The status, and the code of the error. */
async function send(method: string, target: string, headers: Record<string, string> = {}, url = server.url) {
  const response = await fetch(`${url}${target}`, { method, headers, ...(method === 'PUT' && { body: 'x' }) });
  const [, code = ''] = /<Code>(.*)<\/Code>/.exec(await response.text()) ?? [];
  return `${response.status} ${code}`.trim();
}

/** Over a bare socket, because every HTTP client would tidy a path and complete a body first. */
async function sendRaw(request: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.end(request);
  return Buffer.concat(await socket.toArray()).toString();
}

test.each<[string, string, Record<string, string>]>([
  ['403 AccessDenied', 'has no If-None-Match', { 'x-amz-checksum-sha256': sha256('x') }],
  ['403 AccessDenied', 'has another condition', { ...createOnly, 'if-none-match': '"etag"' }],
  ['400 BadDigest', 'has no SHA-256', { 'if-none-match': '*' }],
  ['400 BadDigest', 'has the SHA-256 of another body', { ...createOnly, 'x-amz-checksum-sha256': sha256('y') }],
  ['501 NotImplemented', 'is a copy', { ...createOnly, 'x-amz-copy-source': 'archive/a' }],
])('the answer is %s to a put that %s', async (answer, _, headers) => {
  expect(await send('PUT', '/archive/a', headers)).toBe(answer);
  expect(objects.size).toBe(0);
});

test.each<[string, string, object?]>([
  ['DELETE', '/archive/a'],
  ['GET', '/archive/a?tagging'],
  ['GET', '/archive/a', { range: 'bytes=-2' }],
  ['PUT', '/archive/a?retention'],
  ['POST', '/archive?delete'],
  ['GET', '/archive?delimiter=/&list-type=2'],
  ['GET', '/archive'],
])('the operation %s %s is refused instead of being taken for another one', async (method, target, headers = {}) => {
  objects.set('a', Buffer.from('kept'));
  expect(await send(method, target, { ...createOnly, ...headers })).toBe('501 NotImplemented');
  expect(objects).toEqual(new Map([['a', Buffer.from('kept')]]));
});

test.each([
  '/archive/../outside',
  '/archive/a/%2e%2e/%2e%2e/b',
  '/archive//etc/passwd',
  '/archive/%zz',
])('the hostile path %s creates nothing', async (path) => {
  const headers = `Host: x\r\nIf-None-Match: *\r\nx-amz-checksum-sha256: ${sha256('x')}\r\nConnection: close`;
  const response = await sendRaw(`PUT ${path} HTTP/1.1\r\n${headers}\r\nContent-Length: 1\r\n\r\nx`);
  expect(response).toMatch(/^HTTP\/1.1 400 .*<Code>InvalidURI<\/Code>/s);
  expect(objects.size).toBe(0);
});

test('a body that is cut short creates nothing', async () => {
  await sendRaw(`PUT /archive/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\nonly this`);
  expect(objects.size).toBe(0);
});

test('a call that is signed with another access key is refused', async () => {
  objects.set('a', Buffer.from('secret'));
  const guarded = await startS3Server({ name: 'archive', bucket, accessKeyId: 'of-this-archive' });
  const signedBy = (key: string) => ({ authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/x` });
  expect(await send('GET', '/archive/a', {}, guarded.url)).toBe('403 InvalidAccessKeyId');
  expect(await send('GET', '/archive/a', signedBy('another'), guarded.url)).toBe('403 InvalidAccessKeyId');
  expect(await send('GET', '/archive/a', signedBy('of-this-archive'), guarded.url)).toBe('200');
  await guarded.close();
});
