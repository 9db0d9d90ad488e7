/**
 * What the verifier sees of versions and locks, on moto: delete markers, versions on top of each other, and the lock of each
 * object. moto lets an owner shorten a lock, which AWS does not allow.
 */
import { DeleteObjectCommand, PutObjectCommand, PutObjectRetentionCommand, type S3Client } from '@aws-sdk/client-s3';
import { openFolders } from '../../lambdas/adapters/s3-versions';
import { DAY_MS } from '../../lambdas/shared/time';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, sampleBatches, testKey } from '../support/archive-builder';
import { keyOf, listed, shortened } from '../support/tampering';
import { createLockedBucket, s3ClientOf } from './clients';
import { describeWith, startMoto, stopServers } from './servers';

const PREFIXES = ['batches/', 'events/', 'quarantine/', 'manifests/'];
const retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const;

describeWith(['moto'], 'on moto', () => {
  let s3: S3Client;
  let buckets = 0;

  beforeAll(async () => {
    s3 = s3ClientOf(await startMoto());
  }, 120_000);
  afterAll(async () => {
    s3.destroy();
    await stopServers();
  });

  /** A bucket with the sample archive, each object locked for as long as its manifest promises. */
  async function archiveIn(days = 400): Promise<string> {
    buckets += 1;
    const Bucket = `versions-${buckets}`;
    await createLockedBucket(s3, Bucket);
    const now = Date.now();
    const amend = (manifest: Parameters<NonNullable<(typeof sampleBatches)[0]['amend']>>[0]) => ({
      ...manifest,
      retention,
    });
    const objects = await buildArchive({ batches: sampleBatches.map((batch) => ({ ...batch, amend })) });
    for (const [Key, Body] of objects) {
      const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(now + days * DAY_MS) } as const;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...lock, ChecksumAlgorithm: 'SHA256' }));
    }
    return Bucket;
  }

  async function verified(Bucket: string) {
    const folders = await openFolders(s3, Bucket, PREFIXES);
    const { findings } = await verify(folders, { publicKey: testKey, now: new Date() });
    return { said: shortened(findings), versions: folders.versions, writtenAt: folders.writtenAt(keyOf('M4')) };
  }

  test('an archive in its bucket is good, and has one version of each object', async () => {
    const { writtenAt, ...found } = await verified(await archiveIn());
    expect(found).toEqual({ said: [], versions: { hidden: [], several: [] } });
    expect(Date.now() - writtenAt.getTime()).toBeLessThan(DAY_MS);
  });

  test.each<[string, (Bucket: string) => Promise<unknown>, string, object]>([
    [
      'a segment under a delete marker is missing',
      (Bucket) => s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf('E2b') })),
      'segment-missing E2b',
      { hidden: [keyOf('E2b')], several: [] },
    ],
    [
      'a segment under a foreign version is not as committed',
      (Bucket) => s3.send(new PutObjectCommand({ Bucket, Key: keyOf('E2b'), Body: 'x', ChecksumAlgorithm: 'SHA256' })),
      'lock-weaker E2b, segment-malformed E2b',
      { hidden: [], several: [keyOf('E2b')] },
    ],
    [
      'an object whose lock ends earlier than its manifest promises is named',
      (Bucket) => {
        const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + DAY_MS) } as const;
        const asOwner = { BypassGovernanceRetention: true, Retention };
        return s3.send(new PutObjectRetentionCommand({ Bucket, Key: keyOf('B2'), ...asOwner }));
      },
      'lock-weaker B2',
      { hidden: [], several: [] },
    ],
  ])('%s', async (_, tamper, findings, versions) => {
    const bucket = await archiveIn();
    await tamper(bucket);
    const found = await verified(bucket);
    expect(found.said.sort()).toEqual(listed(findings).sort());
    expect(found.versions).toEqual(versions);
  });
});
