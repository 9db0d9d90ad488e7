import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { createS3Store } from '../../lambdas/adapters/s3';
import { ConfigError, UpstreamError } from '../../lambdas/shared/errors';

const s3 = mockClient(S3Client);
const store = createS3Store(new S3Client({ region: 'us-east-1' }), 'archive');
const key = 'events/team=main/dt=2026-06-12/0000000001.ndjson.gz';

beforeEach(() => s3.reset());

function awsError(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, message: `${name}!`, $fault: 'client', $metadata: { httpStatusCode } });
}

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:443`), { code });
}

function body(bytes: () => Promise<Uint8Array>): NonNullable<GetObjectCommandOutput['Body']> {
  return { transformToByteArray: bytes } as unknown as NonNullable<GetObjectCommandOutput['Body']>;
}

/** What only the operator can mend, and what may pass. */
const refusals: readonly [string, number][] = [
  ['AccessDenied', 403],
  ['InvalidAccessKeyId', 403],
  ['SignatureDoesNotMatch', 403],
  ['InvalidObjectState', 403],
  ['AnythingElseThatIsForbidden', 403],
  ['NoSuchBucket', 404],
  ['ExpiredToken', 400],
  ['KMS.DisabledException', 400],
  ['AuthorizationHeaderMalformed', 400],
  ['PermanentRedirect', 301],
];
const troubles: readonly [string, number][] = [
  ['SlowDown', 503],
  ['ServiceUnavailable', 503],
  ['InternalError', 500],
  ['RequestTimeout', 400],
  ['BadDigest', 400],
];

const operations = {
  list: { command: ListObjectsV2Command, call: () => store.list('manifests/team=main/') },
  get: { command: GetObjectCommand, call: () => store.get(key) },
  create: { command: PutObjectCommand, call: () => store.create(key, Buffer.from('x'), 'application/gzip') },
} as const;

describe.each(Object.entries(operations))('%s', (_name, { command, call }) => {
  test.each(refusals)('tells the operator of %s', async (name, status) => {
    s3.on(command as typeof PutObjectCommand).rejects(awsError(name, status));
    const error: unknown = await call().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'storage-refused', message: expect.stringContaining(name) });
    expect((error as Error).cause).toMatchObject({ name });
  });

  test.each(troubles)('leaves %s to the next run', async (name, status) => {
    s3.on(command as typeof PutObjectCommand).rejects(awsError(name, status));
    const error: unknown = await call().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ code: 'storage-unavailable', message: expect.stringContaining(name) });
  });

  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'ECONNRESET',
    'ETIMEDOUT',
  ])('names a connection that failed: %s', async (code) => {
    s3.on(command as typeof PutObjectCommand).rejects(systemError(code));
    await expect(call()).rejects.toMatchObject({ code: 'storage-unavailable', message: expect.stringContaining(code) });
  });

  test('names the key', async () => {
    s3.on(command as typeof PutObjectCommand).rejects(awsError('AccessDenied', 403));
    await expect(call()).rejects.toThrow(command === ListObjectsV2Command ? 'manifests/team=main/' : key);
  });
});

describe('list', () => {
  test('follows the pages to the end, in order', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: 'a' }, { Key: 'b' }], NextContinuationToken: 'next', IsTruncated: true })
      .resolvesOnce({ Contents: [{ Key: 'c' }] });
    expect(await store.list('', '0')).toEqual(['a', 'b', 'c']);
    const calls = s3.commandCalls(ListObjectsV2Command).map(({ args }) => args[0].input);
    expect(calls[0]).toMatchObject({ Bucket: 'archive', Prefix: '', StartAfter: '0' });
    expect(calls[1]).toMatchObject({ ContinuationToken: 'next' });
  });

  test('of nothing is empty', async () => {
    s3.on(ListObjectsV2Command).resolves({});
    expect(await store.list('manifests/team=main/')).toEqual([]);
  });

  test('that breaks off on a later page is no shorter list', async () => {
    s3.on(ListObjectsV2Command)
      .resolvesOnce({ Contents: [{ Key: 'a' }], NextContinuationToken: 'next', IsTruncated: true })
      .rejects(awsError('InternalError', 500));
    await expect(store.list('')).rejects.toMatchObject({ code: 'storage-unavailable' });
  });
});

describe('get', () => {
  test('reads the whole object', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(async () => Buffer.from('bytes')) });
    expect(await store.get(key)).toEqual(Buffer.from('bytes'));
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'archive',
      Key: key,
      Range: undefined,
    });
  });

  test('reads an empty object as one', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(async () => new Uint8Array()) });
    expect(await store.get(key)).toEqual(Buffer.alloc(0));
  });

  test('reads a half-open range', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(async () => Buffer.from('bytes')) });
    await store.get(key, { start: 10, end: 15 });
    expect(s3.commandCalls(GetObjectCommand)[0]?.args[0].input).toMatchObject({ Range: 'bytes=10-14' });
  });

  test.each([
    ['NoSuchKey', 404],
    ['InvalidRange', 416],
  ])('answers %s with nothing', async (name, status) => {
    s3.on(GetObjectCommand).rejects(awsError(name, status));
    expect(await store.get(key, { start: 10, end: 15 })).toBeUndefined();
  });

  test('that breaks off in the body is no shorter object', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body(async () => Promise.reject(systemError('ECONNRESET'))) });
    await expect(store.get(key)).rejects.toMatchObject({ code: 'storage-unavailable' });
  });

  test('asks again where the answer did not come whole', async () => {
    const cut = body(() => Promise.reject(systemError('ECONNRESET')));
    const whole = body(async () => Buffer.from('bytes'));
    s3.on(GetObjectCommand).resolvesOnce({ Body: cut }).resolvesOnce({ Body: cut }).resolves({ Body: whole });
    expect(await store.get(key)).toEqual(Buffer.from('bytes'));
  });
});

describe('create', () => {
  test('is create-only, with a checksum and without an encoding', async () => {
    s3.on(PutObjectCommand).resolves({});
    expect(await store.create(key, Buffer.from('x'), 'application/x-ndjson')).toBe('created');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'archive',
      Key: key,
      Body: Buffer.from('x'),
      ContentType: 'application/x-ndjson',
      IfNoneMatch: '*',
      ChecksumAlgorithm: 'SHA256',
    });
  });

  test('tells that the key is taken, without trying again', async () => {
    s3.on(PutObjectCommand).rejects(awsError('PreconditionFailed', 412));
    expect(await store.create(key, Buffer.from('x'), 'application/gzip')).toBe('exists');
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(1);
  });

  test('waits for another conditional write of the key to end', async () => {
    s3.on(PutObjectCommand)
      .rejectsOnce(awsError('ConditionalRequestConflict', 409))
      .rejectsOnce(awsError('ConditionalRequestConflict', 409))
      .rejectsOnce(awsError('PreconditionFailed', 412));
    expect(await store.create(key, Buffer.from('x'), 'application/gzip')).toBe('exists');
  });

  test('gives up on conflicts that do not end', async () => {
    s3.on(PutObjectCommand).rejects(awsError('ConditionalRequestConflict', 409));
    const creating = store.create(key, Buffer.from('x'), 'application/gzip');
    await expect(creating).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect(s3.commandCalls(PutObjectCommand)).toHaveLength(5);
  });
});

test('what is thrown that is no error has no name', async () => {
  s3.on(GetObjectCommand).callsFake(() => Promise.reject('canary'));
  await expect(store.get(key)).rejects.toMatchObject({
    code: 'storage-unavailable',
    message: expect.stringContaining('unknown error'),
  });
});
