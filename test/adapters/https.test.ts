import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import { transport } from '../../lambdas/adapters/https';
import { TransportError } from '../../lambdas/shared/ports';
import { listenOnLoopback } from '../../local/server';

const KEY = 'PMAK-canary-0123456789abcdef';
const headers = { 'x-api-key': KEY, accept: 'application/json', 'user-agent': 'audit-archive-test/1' };
const limits = { timeoutMs: 5000, maxBytes: 1_000_000 };
const body = JSON.stringify({ trails: Array.from({ length: 500 }, (_, id) => ({ id, note: 'é\u2028' })) });

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serving(listener: RequestListener): Promise<string> {
  const { url, close } = await listenOnLoopback(createServer(listener));
  closers.push(close);
  return url;
}

function get(base: string, changes: Partial<typeof limits> = {}) {
  return transport.get(new URL(`${base}/audit/logs?cursor=5`), headers, { ...limits, ...changes });
}

/** The error of the request, after a check that it holds neither the API key nor anything that was received. */
async function failureOf(getting: Promise<unknown>): Promise<TransportError> {
  const error: unknown = await getting.then(
    () => 'no error',
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(TransportError);
  expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/canary|payload/);
  return error as TransportError;
}

test('a request sends its headers, and the whole response comes back', async () => {
  let seen: IncomingMessage | undefined;
  const base = await serving((request, response) => {
    seen = request;
    response.writeHead(200, { 'X-RateLimit-Reset': '5', Date: 'Fri, 12 Jun 2026 12:00:00 GMT' }).end(body);
  });
  const response = await get(base);
  expect(response.status).toBe(200);
  expect(String(response.body)).toBe(body);
  expect(response.headers.get('x-ratelimit-reset')).toBe('5');
  expect(response.headers.get('date')).toBe('Fri, 12 Jun 2026 12:00:00 GMT');
  expect(seen).toMatchObject({ method: 'GET', url: '/audit/logs?cursor=5' });
  expect(seen?.headers).toMatchObject(headers);
});

test.each([
  204, 304, 400, 401, 403, 404, 429, 500, 503, 599,
])('the status %d is a response and no error', async (status) => {
  const base = await serving((_request, response) =>
    response.writeHead(status).end([204, 304].includes(status) ? undefined : 'x'),
  );
  expect((await get(base)).status).toBe(status);
});

const notUtf8 = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0xff, 0x7d]);
const whole: readonly [string, RequestListener, Buffer][] = [
  ['compressed with gzip', (request, response) => encoded(request, response, 'gzip'), Buffer.from(body)],
  ['compressed with deflate', (request, response) => encoded(request, response, 'deflate'), Buffer.from(body)],
  ['sent in pieces within the time', (_request, response) => drip(response, 5), Buffer.from('     ')],
  [
    'not in the charset that it claims',
    (_request, response) => response.writeHead(200, { 'content-type': 'text/plain; charset=latin1' }).end(notUtf8),
    notUtf8,
  ],
  ['exactly as large as allowed', (_request, response) => response.end(Buffer.alloc(30_000)), Buffer.alloc(30_000)],
];

test.each(whole)('a body that is %s comes back as its bytes', async (_name, listener, expected) => {
  expect((await get(await serving(listener), { maxBytes: 30_000 })).body).toEqual(expected);
});

test.each([
  301, 302, 303, 307, 308,
])('a redirect with status %d is not followed, so the key goes nowhere else', async (status) => {
  let asked = 0;
  const other = await serving((_request, response) => {
    asked += 1;
    response.end('{}');
  });
  const base = await serving((_request, response) =>
    response.writeHead(status, { location: `${other}/audit/logs` }).end('moved'),
  );
  expect((await get(base)).status).toBe(status);
  expect(asked).toBe(0);
});

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
/** Bytes on the socket, because no HTTP server can be made to send such responses. */
const broken: readonly [string, (socket: Socket) => void][] = [
  ['is reset at once', (socket) => socket.resetAndDestroy()],
  ['is closed at once', (socket) => socket.end()],
  ['is reset in the head', (socket) => void socket.write('HTTP/1.1 200 O', () => socket.resetAndDestroy())],
  ['is closed in the head', (socket) => socket.end(`${OK}content-le`)],
  ['is reset in the body', (socket) => void socket.write(`${ofLength(99)}{"payload":`, () => socket.resetAndDestroy())],
  ['is closed one byte before its Content-Length', (socket) => socket.end(`${ofLength(14)}{"payload":1}`)],
  ['has no last chunk', (socket) => socket.end(`${CHUNKED}d\r\n{"payload":1}\r\n`)],
  ['has a chunk that is cut short', (socket) => socket.end(`${CHUNKED}ff\r\n{"payload":1}`)],
  ['has a malformed chunk', (socket) => socket.end(`${CHUNKED}zz\r\npayload\r\n`)],
  ['is not HTTP', (socket) => socket.end(`payload ${KEY}\r\n\r\n`)],
  ['has damaged gzip', (socket) => socket.end(`${OK}content-encoding: gzip\r\ncontent-length: 7\r\n\r\npayload`)],
];

test.each(broken)('a response that %s is an error, and never a shorter body', async (_name, answer) => {
  const base = await serving(({ socket }) => answer(socket));
  const failure = await failureOf(get(base));
  expect(failure.kind).toBe('network');
  expect(failure.message).toMatch(/^([A-Z][A-Z0-9_]+|the connection failed)$/);
});

test('a gzip body that is cut short never becomes valid JSON', async () => {
  const bytes = gzipSync(body).subarray(0, 300);
  const base = await serving((_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes),
  );
  const text = await get(base).then(
    (response) => String(response.body),
    () => '',
  );
  expect(() => JSON.parse(text)).toThrow();
});

test("a refused connection is an error with the operating system's code", async () => {
  const base = await serving((_request, response) => response.end());
  await closers[0]?.();
  expect(await failureOf(get(base))).toMatchObject({ kind: 'network', message: 'ECONNREFUSED' });
});

test('an API key that is not a valid header value is an error that does not contain the key', async () => {
  const base = await serving((_request, response) => response.end('{}'));
  await failureOf(transport.get(new URL(base), { 'x-api-key': `${KEY}\n${KEY}` }, limits));
});

const slow: readonly [string, number, RequestListener][] = [
  ['a server that never answers', 250, () => undefined],
  ['a server that sends only its head', 250, (_request, response) => response.writeHead(200).flushHeaders()],
  ['a server that never stops dripping', 250, (_request, response) => drip(response)],
  ['no time at all', 0, () => undefined],
  ['negative time', -5, () => undefined],
  ['a fraction of a millisecond', 0.3, () => undefined],
];

test.each(slow)('a request ends with a timeout for %s', async (_name, timeoutMs, listener) => {
  const base = await serving(listener);
  expect((await failureOf(get(base, { timeoutMs }))).kind).toBe('timeout');
});

const zeros = gzipSync(Buffer.alloc(50_000_000));
test.each<[string, RequestListener]>([
  ['as its length says', (_request, response) => response.end(Buffer.alloc(3000))],
  ['once it is unpacked', (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(zeros)],
  ['because it never ends', (_request, response) => flood(response)],
])('a body that is too large, %s, is an error, and its connection is closed', async (_name, listener) => {
  let closed = Promise.resolve();
  const base = await serving((request, response) => {
    closed = new Promise((resolve) => request.socket.on('close', () => resolve()));
    listener(request, response);
  });
  const message = expect.stringContaining('2000');
  expect(await failureOf(get(base, { maxBytes: 2000 }))).toMatchObject({ kind: 'too-large', message });
  await closed;
});

function ofLength(length: number): string {
  return `${OK}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
}

function encoded(request: IncomingMessage, response: ServerResponse, encoding: 'gzip' | 'deflate'): void {
  expect(request.headers['accept-encoding']).toContain(encoding);
  response.writeHead(200, { 'content-encoding': encoding });
  response.end(encoding === 'gzip' ? gzipSync(body) : deflateSync(body));
}

/** Writes a space again and again; without a number of pieces it never ends. */
function drip(response: ServerResponse, pieces = Number.POSITIVE_INFINITY): void {
  let left = pieces;
  const timer = setInterval(() => {
    response.write(' ');
    left -= 1;
    if (left === 0) response.end();
    if (left === 0) clearInterval(timer);
  }, 10);
  response.on('close', () => clearInterval(timer));
}

function flood(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
  };
  response.on('drain', more);
  more();
}
