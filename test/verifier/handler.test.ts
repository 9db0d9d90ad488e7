/** A team that cannot be verified, which no server can be made to show. `test/engines/verifier.test.ts` shows everything else. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambdas/verifier/handler';
import { buildArchive, sampleBatches, testSigner } from '../support/archive-builder';
import { scratch } from '../support/scratch';

test('a team that cannot be verified fails the run, and the other teams are verified all the same', async () => {
  const objects = await buildArchive({ team: 'well', batches: sampleBatches });
  const publicKey = join(scratch, 'archive.pub.pem');
  writeFileSync(publicKey, testSigner.publicPem);
  Object.assign(process.env, {
    ARCHIVE_BUCKET: 'archive',
    SIGNING_KEY: `file:${publicKey}`,
    AWS_REGION: 'eu-central-1',
  });
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);

  const s3 = mockClient(S3Client);
  const teams = ['ill', 'well'].map((team) => ({ Prefix: `manifests/team=${team}/` }));
  s3.on(ListObjectsV2Command).resolves({});
  s3.on(ListObjectsV2Command, { Prefix: 'manifests/' }).resolves({ CommonPrefixes: teams });
  s3.on(ListObjectVersionsCommand).callsFake(async ({ Prefix = '' }) => {
    if (Prefix === 'events/team=ill/') throw Object.assign(new Error(), { name: 'AccessDenied' });
    const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix)).sort();
    return { Versions: keys.map((Key) => ({ Key, IsLatest: true, LastModified: new Date() })) };
  });
  s3.on(GetObjectCommand).callsFake(async ({ Key = '' }) => ({
    Body: { transformToByteArray: async () => objects.get(Key) },
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: new Date('2099-01-01'),
  }));
  s3.on(PutObjectCommand).resolves({});

  const running = handler({}, { getRemainingTimeInMillis: () => 900_000 } as Context);
  await expect(running).rejects.toThrow(
    /^not every team could be verified: ill: storage-refused: listing the versions of/,
  );
  const anchors = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.Key);
  expect(anchors).toEqual([expect.stringMatching(/^anchors\/team=well\/0000000004-[0-9a-f]{16}\.json$/)]);
});
