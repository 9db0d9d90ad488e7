import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectRetentionCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { LocalServer, ServerOptions } from '../../local/loopback';
import { memoryStorage, s3Model } from '../../local/s3-model';
import { startS3Server } from '../../local/s3-server';

const opened: { close(): Promise<void> | void }[] = [];

async function s3(options: ServerOptions = {}, { maxAttempts = 1 } = {}) {
  const objects = new Map<string, Buffer>();
  const server = await startS3Server(s3Model(new Map([['archive', memoryStorage(objects)]])), options);
  const client = clientOf(server, maxAttempts);
  opened.push({ close: () => client.destroy() }, server);
  const create = (key: string, body: PutObjectCommandInput['Body'] = key) =>
    client.send(new PutObjectCommand({ Bucket: 'archive', Key: key, Body: body, IfNoneMatch: '*' }));
  const text = async (key: string, range?: string) => {
    const answer = await client.send(new GetObjectCommand({ Bucket: 'archive', Key: key, Range: range }));
    return (await answer.Body?.transformToString()) ?? '';
  };
  return { objects, server, client, create, text };
}

/** Only the endpoint is told, as `AWS_ENDPOINT_URL_S3` does it: no path-style or checksum setting. */
function clientOf({ url }: LocalServer, maxAttempts = 1): S3Client {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new S3Client({ endpoint: url, region: 'us-east-1', credentials, maxAttempts });
}

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof S3ServiceException)) throw error ?? new Error('the call succeeded');
  return `${error.$metadata.httpStatusCode} ${error.name}`;
}

async function raw(url: string, method: string, headers: Record<string, string> = {}, body?: Buffer | string) {
  const init = { method, headers, ...(body !== undefined && { body }) };
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

describe('objects', () => {
  test('come back as they were put: empty, binary, large', async () => {
    const { client, create } = await s3();
    const large = Buffer.alloc(9_000_000, 'line of text\n');
    const bodies = { empty: Buffer.alloc(0), binary: Buffer.from([...Array(256).keys()]), large };
    for (const [key, body] of Object.entries(bodies)) {
      await create(key, body);
      const answer = await client.send(new GetObjectCommand({ Bucket: 'archive', Key: key }));
      const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? 'missing');
      expect(bytes.equals(body)).toBe(true);
      expect(answer.ContentLength).toBe(body.length);
    }
  });

  test('are found under keys that need every kind of escaping', async () => {
    const { client, create, text } = await s3();
    const keys = ['a b+c', 'events/team=x/dt=2026-01-01/1.gz', '&<>\'"', '%2e', 'ü/😀', '?#[]@!$()*,;:'].sort();
    for (const key of keys) await create(key);
    for (const key of keys) expect(await text(key)).toBe(key);
    const listed = await client.send(new ListObjectsV2Command({ Bucket: 'archive' }));
    expect(listed.Contents?.map(({ Key }) => Key).sort()).toEqual(keys);
  });

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ])('are served in part for %s', async (range, expected, contentRange) => {
    const { client, create } = await s3();
    await create('a', '0123456789');
    const answer = await client.send(new GetObjectCommand({ Bucket: 'archive', Key: 'a', Range: range }));
    expect(answer.$metadata.httpStatusCode).toBe(206);
    expect(answer.ContentRange).toBe(contentRange);
    expect(await answer.Body?.transformToString()).toBe(expected);
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('cannot be served for %s of ten bytes', async (range) => {
    const { create, text } = await s3();
    await create('a', '0123456789');
    expect(await failureOf(text('a', range))).toBe('416 InvalidRange');
  });

  test.each(['bytes=4-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-'])('are served whole for %s', async (range) => {
    const { create, text } = await s3();
    await create('a', '0123456789');
    expect(await text('a', range)).toBe('0123456789');
  });
});

describe('create-only', () => {
  test('twenty creates of one key at once: exactly one wins, and its bytes stay', async () => {
    const { create, text } = await s3();
    const outcomes = await Promise.allSettled([...Array(20).keys()].map((n) => create('manifests/1.json', `run ${n}`)));
    const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(await failureOf(Promise.reject(outcome.reason))).toBe('412 PreconditionFailed');
    }
    expect(await text('manifests/1.json')).toBe(`run ${winners[0]}`);
  });

  test('a put without the condition, a delete, a copy and a retention change are refused', async () => {
    const { client, create, objects } = await s3();
    await create('a', 'first');
    const about = { Bucket: 'archive', Key: 'a' };
    expect(await failureOf(client.send(new PutObjectCommand({ ...about, Body: 'x' })))).toBe('403 AccessDenied');
    expect(await failureOf(client.send(new DeleteObjectCommand(about)))).toBe('501 NotImplemented');
    const copy = new CopyObjectCommand({ Bucket: 'archive', Key: 'b', CopySource: 'archive/a' });
    expect(await failureOf(client.send(copy))).toBe('501 NotImplemented');
    const retention = new PutObjectRetentionCommand({ ...about, Retention: { Mode: 'GOVERNANCE' } });
    expect(await failureOf(client.send(retention))).toBe('501 NotImplemented');
    const onEtag = new PutObjectCommand({ ...about, Body: 'x', IfNoneMatch: '"etag"' });
    expect(await failureOf(client.send(onEtag))).toBe('501 NotImplemented');
    expect(objects).toEqual(new Map([['a', Buffer.from('first')]]));
  });
});

describe('errors', () => {
  test('have the names the SDK knows, and a request id', async () => {
    const { client, server, text } = await s3();
    expect(await failureOf(text('none'))).toBe('404 NoSuchKey');
    const other = new ListObjectsV2Command({ Bucket: 'other' });
    expect(await failureOf(client.send(other))).toBe('404 NoSuchBucket');
    const error = await client.send(other).catch((thrown: S3ServiceException) => thrown);
    expect(error.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    const { text: xml, headers } = await raw(`${server.url}/other?list-type=2`, 'GET');
    expect(xml).toContain(`<RequestId>${headers.get('x-amz-request-id')}</RequestId>`);
  });

  // Over a bare socket: every well-behaved client would tidy such a path first.
  test.each([
    '/archive/../outside',
    '/archive/a/%2e%2e/%2e%2e/b',
    '/archive//etc/passwd',
    '/archive/a%00b',
    '/archive/%zz',
    '/archive/a//b',
  ])('the hostile path %s reaches nothing', async (path) => {
    const { server, objects } = await s3();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.end(
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
    );
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1.1 400 .*<Code>InvalidURI<\/Code>/s);
    expect(objects.size).toBe(0);
  });

  test('other operations are refused instead of being taken for one of ours', async () => {
    const { server, create } = await s3();
    await create('a');
    for (const [method, path] of [
      ['GET', 'a?tagging'],
      ['GET', 'a?versionId=1'],
      ['PUT', 'b?acl'],
      ['POST', '?delete'],
      ['GET', '?delimiter=/&list-type=2'],
    ] as const) {
      const { status, text } = await raw(`${server.url}/archive/${path}`, method, { 'if-none-match': '*' });
      expect([status, text]).toEqual([501, expect.stringContaining('<Code>NotImplemented</Code>')]);
    }
  });

  test('calls signed with another access key are refused', async () => {
    const { create } = await s3({ accessKeyId: 'somebody' });
    expect(await failureOf(create('a'))).toBe('403 InvalidAccessKeyId');
    const welcome = await s3({ accessKeyId: 'local' });
    expect((await welcome.create('a')).$metadata.httpStatusCode).toBe(200);
  });
});

describe('listing', () => {
  test('2,345 keys come in byte order, once each, over pages of at most 1,000', async () => {
    const { client, objects } = await s3();
    const keys = [...Array(2345).keys()].map((n) => `manifests/${String(n).padStart(10, '0')}.json`);
    for (const key of [...keys].reverse()) objects.set(key, Buffer.from('x'));
    objects.set('events/other', Buffer.from('x'));
    const sizes: number[] = [];
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket: 'archive', Prefix: 'manifests/' })) {
      sizes.push(page.KeyCount ?? -1);
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(sizes).toEqual([1000, 1000, 345]);
    expect(listed).toEqual(keys);
  });

  test('starts after a key, there or not, and keeps to it over pages', async () => {
    const { client, objects } = await s3();
    for (const key of ['a/1', 'a/2', 'a/4', 'b/1']) objects.set(key, Buffer.from('x'));
    const keysAfter = async (StartAfter: string) => {
      const listed: (string | undefined)[] = [];
      const input = { Bucket: 'archive', Prefix: 'a/', StartAfter, MaxKeys: 1 };
      for await (const page of paginateListObjectsV2({ client }, input)) {
        listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
      }
      return listed;
    };
    expect(await keysAfter('a/1')).toEqual(['a/2', 'a/4']);
    expect(await keysAfter('a/3')).toEqual(['a/4']);
    expect(await keysAfter('a/9')).toEqual([]);
    expect(await keysAfter('A')).toEqual(['a/1', 'a/2', 'a/4']);
  });

  test('says that there is nothing', async () => {
    const { client } = await s3();
    const listed = await client.send(new ListObjectsV2Command({ Bucket: 'archive', Prefix: 'none/' }));
    expect([listed.KeyCount, listed.IsTruncated, listed.Contents]).toEqual([0, false, undefined]);
  });
});

describe('uploads', () => {
  test('a stream, which comes in chunks, is refused', async () => {
    const { client, objects } = await s3();
    const input = { Bucket: 'archive', Key: 'a', IfNoneMatch: '*', ContentLength: 1, Body: Readable.from(['x']) };
    expect(await failureOf(client.send(new PutObjectCommand(input)))).toBe('501 NotImplemented');
    expect(objects.size).toBe(0);
  });

  test.each([
    'CRC32',
    'SHA256',
  ] as const)('a body that differs from the client’s %s is refused', async (ChecksumAlgorithm) => {
    const { client, objects } = await s3();
    const wrong =
      ChecksumAlgorithm === 'CRC32'
        ? { ChecksumCRC32: 'AAAAAA==' }
        : { ChecksumSHA256: createHash('sha256').digest('base64') };
    const input = { Bucket: 'archive', Key: 'a', Body: 'x', IfNoneMatch: '*', ChecksumAlgorithm, ...wrong };
    expect(await failureOf(client.send(new PutObjectCommand(input)))).toBe('400 BadDigest');
    expect(objects.size).toBe(0);
  });

  test('a digest that nobody can check is refused', async () => {
    const { server, objects } = await s3();
    const headers = { 'if-none-match': '*', 'x-amz-checksum-crc64nvme': 'AAAA' };
    expect((await raw(`${server.url}/archive/a`, 'PUT', headers, 'x')).status).toBe(501);
    expect(objects.size).toBe(0);
  });

  test('a body cut short leaves nothing', async () => {
    const calls: string[] = [];
    const { server, objects } = await s3({ observe: ({ operation }) => calls.push(operation) });
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write('PUT /archive/a HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\nonly this');
    await once(socket, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
    await raw(`${server.url}/archive/b`, 'GET');
    expect([objects.size, calls]).toEqual([0, ['GetObject']]);
  });
});

describe('watching and breaking', () => {
  test('every call is seen with its name, key and status', async () => {
    const seen: string[] = [];
    const { client, create, text } = await s3({
      observe: ({ method, operation, bucket, key, status }) =>
        seen.push(`${method} ${operation} ${bucket} ${key} ${status}`),
    });
    await create('a/b c');
    await failureOf(create('a/b c'));
    await text('a/b c', 'bytes=0-0');
    await failureOf(text('none'));
    await client.send(new ListObjectsV2Command({ Bucket: 'archive', Prefix: 'a/' }));
    expect(seen).toEqual([
      'PUT PutObject archive a/b c 200',
      'PUT PutObject archive a/b c 412',
      'GET GetObject archive a/b c 206',
      'GET GetObject archive none 404',
      'GET ListObjectsV2 archive a/ 200',
    ]);
  });

  test.each([
    [503, 'SlowDown'],
    [409, 'ConditionalRequestConflict'],
    [500, 'InternalError'],
    [403, 'AccessDenied'],
  ])('a call can fail with %d %s before it is applied', async (status, code) => {
    const { create, objects } = await s3({ before: async () => ({ status, code }) });
    expect(await failureOf(create('a'))).toBe(`${status} ${code}`);
    expect(objects.size).toBe(0);
  });

  test('a call can be applied and its answer lost', async () => {
    const { create, objects } = await s3({ after: async () => 'reset' });
    await expect(create('a')).rejects.toThrow('ECONNRESET');
    expect(objects.get('a')?.toString()).toBe('a');
  });

  test('the SDK’s own retry after a lost answer meets itself as 412', async () => {
    const seen: unknown[] = [];
    const { create } = await s3(
      {
        observe: ({ status }) => seen.push(status),
        after: async () => (seen.length === 0 ? { status: 503, code: 'SlowDown' } : undefined),
      },
      { maxAttempts: 2 },
    );
    expect(await failureOf(create('a'))).toBe('412 PreconditionFailed');
    expect(seen).toEqual([503, 412]);
  });

  test('a call can be held back while others pass', async () => {
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const { create, text } = await s3({ before: async ({ key }) => (key === 'slow' ? held : undefined) });
    const slow = create('slow');
    await create('quick');
    expect(await failureOf(text('none'))).toBe('404 NoSuchKey');
    release();
    await slow;
    expect(await text('quick')).toBe('quick');
  });

  test('a bug in a hook is an error answer, not a hanging call', async () => {
    const { create } = await s3({ before: () => Promise.reject(new Error('bug')) });
    expect(await failureOf(create('a'))).toBe('500 InternalError');
  });
});

test('close ends idle and busy connections, and frees the port', async () => {
  const { server, create } = await s3({
    before: ({ key }) => (key === 'never' ? new Promise(() => {}) : Promise.resolve(undefined)),
  });
  await create('a');
  const hanging = create('never').catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.close();
  expect(await hanging).toBeInstanceOf(Error);
  await expect(fetch(server.url)).rejects.toThrow();
});
