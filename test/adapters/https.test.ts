import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import { createTransport } from '../../lambdas/adapters/https';
import { TransportError } from '../../lambdas/shared/ports';

const KEY = 'PMAK-canary-0123456789abcdef';
const headers = { 'x-api-key': KEY, accept: 'application/json', 'user-agent': 'audit-archive-test/1' };
const limits = { timeoutMs: 5000, maxBytes: 1_000_000 };
const body = JSON.stringify({ trails: Array.from({ length: 500 }, (_, id) => ({ id, note: 'é\u2028' })) });

const transport = createTransport();
const servers: { close(): unknown; closeAllConnections?(): void }[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function listening(server: Server | ReturnType<typeof createRawServer>): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serving = (listener: RequestListener) => listening(createServer(listener));

/** Bytes on a socket, for what no HTTP server can be made to send. */
async function raw(answer: (socket: Socket) => void): Promise<string> {
  const server = createRawServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  return listening(server);
}

function get(base: string, changes: Partial<typeof limits> = {}) {
  return transport.get(new URL(`${base}/audit/logs?cursor=5`), headers, { ...limits, ...changes });
}

async function failureOf(base: string, changes: Partial<typeof limits> = {}): Promise<TransportError> {
  const error: unknown = await get(base, changes).then(
    () => 'no error',
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(TransportError);
  const everything = inspect(error, { depth: null, showHidden: true });
  expect(everything).not.toContain('canary');
  expect(everything).not.toContain('payload');
  return error as TransportError;
}

describe('a whole response', () => {
  test('comes back as it was sent', async () => {
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
    200, 204, 304, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 599,
  ])('may have any status: %d', async (status) => {
    const base = await serving((_request, response) =>
      response.writeHead(status).end([204, 304].includes(status) ? undefined : 'x'),
    );
    expect((await get(base)).status).toBe(status);
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('may be encoded: %s', async (encoding, encode) => {
    const base = await serving((request, response) => {
      expect(request.headers['accept-encoding']).toContain(encoding);
      response.writeHead(200, { 'content-encoding': encoding }).end(encode(body));
    });
    expect(String((await get(base)).body)).toBe(body);
  });

  test('may come in pieces, cut anywhere', async () => {
    const base = await serving((_request, response) => {
      const bytes = Buffer.from(body);
      for (let at = 0; at < bytes.length; at += 997) response.write(bytes.subarray(at, at + 997));
      response.end();
    });
    expect(String((await get(base)).body)).toBe(body);
  });

  test('is bytes, whatever charset it claims', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0xff, 0x7d]);
    const base = await serving((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json; charset=latin1' }).end(bytes),
    );
    expect((await get(base)).body).toEqual(bytes);
  });

  test('may be exactly as large as is allowed', async () => {
    const base = await serving((_request, response) => response.end(Buffer.alloc(1000)));
    expect((await get(base, { maxBytes: 1000 })).body).toHaveLength(1000);
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('%d is not followed, and the key goes nowhere else', async (status) => {
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
});

describe('no whole response', () => {
  const head = (length: number) =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const broken: readonly [string, (socket: Socket) => void][] = [
    ['reset at once', (socket) => socket.resetAndDestroy()],
    ['closed at once', (socket) => socket.end()],
    ['reset in the head', (socket) => void socket.write('HTTP/1.1 200 O', () => socket.resetAndDestroy())],
    ['closed in the head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le')],
    ['reset in the body', (socket) => void socket.write(`${head(1000)}{"payload":`, () => socket.resetAndDestroy())],
    ['closed before its Content-Length', (socket) => socket.end(`${head(1000)}{"payload":1}`)],
    ['closed one byte short', (socket) => socket.end(`${head(14)}{"payload":1}`)],
    [
      'chunks without an end',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nd\r\n{"payload":1}\r\n'),
    ],
    [
      'a chunk cut short',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{"payload":1}'),
    ],
    [
      'a malformed chunk',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\npayload\r\n'),
    ],
    ['no HTTP', (socket) => socket.end(`payload ${KEY}\r\n\r\n`)],
    [
      'damaged gzip',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 7\r\n\r\npayload`),
    ],
  ];

  test.each(broken)('%s is an error, never a shorter body', async (_name, answer) => {
    const failure = await failureOf(await raw(answer));
    expect(failure.kind).toBe('network');
    expect(failure.message).toMatch(/^([A-Z][A-Z0-9_]+|the connection failed)$/);
  });

  test('gzip that is cut short is no JSON', async () => {
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

  test("nobody listening is an error with the system's code", async () => {
    const base = await serving((_request, response) => response.end());
    const [server] = servers.splice(0) as Server[];
    server?.close();
    expect(await failureOf(base)).toMatchObject({ kind: 'network', message: 'ECONNREFUSED' });
  });

  test("an unknown host is an error with the system's code", async () => {
    const failure = await failureOf('http://source.invalid');
    expect(failure.kind).toBe('network');
  });

  test('a key that is no header value is an error that does not hold it', async () => {
    const base = await serving((_request, response) => response.end('{}'));
    const getting = transport.get(new URL(base), { 'x-api-key': `${KEY}\n${KEY}` }, limits);
    const error: unknown = await getting.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransportError);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
  });
});

describe('time', () => {
  const slow: readonly [string, RequestListener][] = [
    ['never answers', () => undefined],
    ['sends its head and nothing else', (_request, response) => response.writeHead(200).flushHeaders()],
    ['drips', (_request, response) => drip(response)],
  ];

  test.each(slow)('ends for a server that %s', async (_name, listener) => {
    const base = await serving(listener);
    const started = performance.now();
    const failure = await failureOf(base, { timeoutMs: 250 });
    expect(failure.kind).toBe('timeout');
    expect(performance.now() - started).toBeLessThan(2500);
  });

  test.each([0, -5, 0.3])('of %d ms is no time, and no crash', async (timeoutMs) => {
    const base = await serving(() => undefined);
    expect((await failureOf(base, { timeoutMs })).kind).toBe('timeout');
  });

  test('is for the whole response: what drips fast enough arrives', async () => {
    const base = await serving((_request, response) => {
      let pieces = 0;
      const timer = setInterval(() => {
        response.write('x');
        pieces += 1;
        if (pieces < 5) return;
        clearInterval(timer);
        response.end();
      }, 10);
    });
    expect(String((await get(base)).body)).toBe('xxxxx');
  });

  function drip(response: ServerResponse): void {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  }
});

describe('a body that is too large', () => {
  test.each<[string, RequestListener]>([
    ['told by its length', (_request, response) => response.end(Buffer.alloc(3000))],
    ['in endless chunks', (_request, response) => flood(response)],
    [
      'packed small',
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    ],
  ])('%s is not read to its end', async (_name, listener) => {
    const failure = await failureOf(await serving(listener), { maxBytes: 2000 });
    expect(failure).toMatchObject({ kind: 'too-large', message: expect.stringContaining('2000') });
  });

  function flood(response: ServerResponse): void {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  }

  test('does not keep its connection', async () => {
    let closed = false;
    const base = await serving((request, response) => {
      request.socket.on('close', () => {
        closed = true;
      });
      flood(response);
    });
    await failureOf(base, { maxBytes: 2000 });
    for (let wait = 0; wait < 100 && !closed; wait += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(closed).toBe(true);
  });
});
