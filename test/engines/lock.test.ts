/**
 * The lock protects objects that the adapter has written, on two foreign S3s. Each of them differs from AWS: versitygw
 * does not show a default retention, and creates no object over a delete marker; moto lets a retention be shortened.
 * Neither evaluates the condition that makes the deployed bucket create-only, which `test/infra` shows.
 */

import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createS3Store } from '../../lambdas/adapters/s3';
import type { ObjectStore } from '../../lambdas/shared/ports';
import { DAY_MS } from '../../lambdas/shared/time';
import { createLockedBucket, s3ClientOf } from './clients';
import { describeWith, startMoto, startVersitygw, stopServers } from './servers';

const Bucket = 'archive';
const Key = 'manifests/team=main/0000000001.json';

const denied = { $metadata: { httpStatusCode: 403 } };

let s3: S3Client;
let store: ObjectStore;

async function open(start: typeof startMoto): Promise<void> {
  s3 = s3ClientOf(await start());
  await createLockedBucket(s3, Bucket);
  store = createS3Store(s3, Bucket);
  await store.create(Key, Buffer.from('{}'), 'application/json');
}

async function close(): Promise<void> {
  s3.destroy();
  await stopServers();
}

async function versions() {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  return Versions.map(({ VersionId }) => VersionId);
}

function testLock(): void {
  test('a locked version cannot be deleted', async () => {
    const [VersionId] = await versions();
    await expect(s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))).rejects.toMatchObject(denied);
    expect(await versions()).toEqual([VersionId]);
  });

  test('an unconditional put adds a version and keeps the locked one', async () => {
    const before = await versions();
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'forged', ChecksumAlgorithm: 'SHA256' }));
    expect((await store.get(Key))?.toString()).toBe('forged');
    expect(await versions()).toEqual(expect.arrayContaining(before));
    expect(await store.create(Key, Buffer.from('{}'), 'application/json')).toBe('exists');
  });
}

describeWith(['versitygw'], 'on versitygw', () => {
  beforeAll(() => open(startVersitygw), 120_000);
  afterAll(close);
  testLock();

  test('the lock of an object cannot be shortened', async () => {
    const until = (days: number) => ({
      Mode: 'GOVERNANCE' as const,
      RetainUntilDate: new Date(Date.now() + days * DAY_MS),
    });
    const [VersionId] = await versions();
    const retention = { Bucket, Key, VersionId };
    await s3.send(new PutObjectRetentionCommand({ ...retention, Retention: until(400) }));
    const shortened = s3.send(new PutObjectRetentionCommand({ ...retention, Retention: until(1) }));
    await expect(shortened).rejects.toMatchObject(denied);
  });
});

describeWith(['moto'], 'on moto', () => {
  beforeAll(() => open(startMoto), 120_000);
  afterAll(close);
  testLock();

  test('every object is locked from its first moment', async () => {
    const key = 'events/team=main/dt=2026-06-12/0000000001.ndjson.gz';
    await store.create(key, Buffer.from('x'), 'application/x-ndjson');
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: key }));
    expect(head).toMatchObject({ ObjectLockMode: 'GOVERNANCE', ContentType: 'application/x-ndjson' });
    expect(Number(head.ObjectLockRetainUntilDate)).toBeGreaterThan(Date.now() + DAY_MS / 2);
  });

  test('a delete marker hides an object, and the next run can put it there again', async () => {
    const key = 'events/team=main/dt=2026-06-12/0000000002.ndjson.gz';
    await store.create(key, Buffer.from('x'), 'application/x-ndjson');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
    expect(await store.get(key)).toBeUndefined();
    expect(await store.list('events/')).not.toContain(key);
    expect(await store.create(key, Buffer.from('x'), 'application/x-ndjson')).toBe('created');
  });
});
