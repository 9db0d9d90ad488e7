/** Answers that no server can be made to give. The contract in `object-store-contract.ts` shows everything else. */
import {
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { createLockReader, createS3Store } from '../../lambdas/adapters/s3';

const s3 = mockClient(S3Client);
const store = createS3Store(new S3Client({ region: 'us-east-1' }), 'archive');
const key = 'events/team=main/dt=2026-06-12/0000000001.ndjson.gz';

beforeEach(() => s3.reset());

function awsError(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, message: `${name}!`, $fault: 'client', $metadata: { httpStatusCode } });
}

test('a list that fails on a later page is an error, and never a shorter list', async () => {
  s3.on(ListObjectsV2Command)
    .resolvesOnce({ Contents: [{ Key: 'a' }], NextContinuationToken: 'next', IsTruncated: true })
    .rejects(awsError('InternalError', 500));
  await expect(store.list('')).rejects.toMatchObject({ code: 'storage-unavailable' });
});

test('get asks again if the body breaks off, and after three times it is an error and never a shorter object', async () => {
  const cut = { transformToByteArray: () => Promise.reject(new Error('the connection was reset')) } as never;
  const whole = { transformToByteArray: async () => Buffer.from('bytes') } as never;
  s3.on(GetObjectCommand).resolvesOnce({ Body: cut }).resolvesOnce({ Body: cut }).resolvesOnce({ Body: whole });
  expect(await store.get(key)).toEqual(Buffer.from('bytes'));
  s3.on(GetObjectCommand).resolves({ Body: cut });
  await expect(store.get(key)).rejects.toMatchObject({ code: 'storage-unavailable' });
});

test('a caller who may not see locks gets an error, and never an object that looks as if it had no lock', async () => {
  const Body = { transformToByteArray: async () => Buffer.from('bytes') } as never;
  const reader = () => createLockReader(new S3Client({ region: 'us-east-1' }), 'archive');
  s3.on(GetObjectCommand).resolves({ Body });
  s3.on(GetObjectRetentionCommand).rejects(awsError('AccessDenied', 403));
  await expect(reader().get(key)).rejects.toMatchObject({
    code: 'storage-refused',
    message: expect.stringContaining('s3:GetObjectRetention'),
  });

  s3.on(GetObjectRetentionCommand).rejects(awsError('NoSuchObjectLockConfiguration', 404));
  const unlocked = reader();
  expect(await unlocked.get(key)).toEqual(Buffer.from('bytes'));
  expect(unlocked.lockOf(key)).toBeUndefined();

  const until = new Date('2027-01-01T00:00:00Z');
  s3.on(GetObjectCommand).resolves({ Body, ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until });
  await unlocked.get(key);
  expect(unlocked.lockOf(key)).toEqual({ mode: 'COMPLIANCE', until });
});

test('create sends a create-only request with a checksum and without a content encoding', async () => {
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

test('create waits until another conditional write of the same key has ended, and gives up after five conflicts', async () => {
  const conflict = awsError('ConditionalRequestConflict', 409);
  s3.on(PutObjectCommand)
    .rejectsOnce(conflict)
    .rejectsOnce(conflict)
    .rejectsOnce(awsError('PreconditionFailed', 412))
    .rejects(conflict);
  const create = () => store.create(key, Buffer.from('x'), 'application/gzip');
  expect(await create()).toBe('exists');
  expect(s3.commandCalls(PutObjectCommand)).toHaveLength(3);
  await expect(create()).rejects.toMatchObject({ code: 'storage-unavailable' });
  expect(s3.commandCalls(PutObjectCommand)).toHaveLength(3 + 5);
});
