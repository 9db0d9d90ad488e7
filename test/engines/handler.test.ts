/**
 * The bundled handler on foreign servers; only the source is ours. Objects are in versitygw, the checkpoint in DynamoDB
 * Local, the API key in the SSM of moto, and the KMS of moto signs. Then the archive is verified as an auditor does it,
 * with a copy of the bucket, the exported public key and the verify command.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { openFolder } from '../../cli/folder';
import { runVerify } from '../../cli/verify';
import type { Backend } from '../support/backend';
import { openWorld, type World } from '../support/scenario';
import { scratch } from '../support/scratch';
import { onceEach } from '../support/tap';
import { openAwsBackend } from './backend';
import { s3ClientOf } from './clients';
import { describeWith, stopServers } from './servers';

describeWith(['versitygw', 'dynamodb-local', 'moto'], 'the bundled handler', () => {
  let backend: Backend;
  let world: World;

  beforeAll(async () => {
    world = await openWorld({}, async () => {
      backend = await openAwsBackend();
      return backend;
    });
  }, 300_000);
  afterAll(async () => {
    await world.close();
    await stopServers();
  });

  test('the bundled handler archives all that the source keeps, and signs a manifest longer than KMS accepts', async () => {
    for (let day = 2; day < 32; day += 1) world.source.happen(1, { hoursAgo: 24 * day });
    world.source.happen(700, { hoursAgo: 30 });
    world.source.happen(20, { hoursAgo: 2 });
    expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 1, counts: { events: 750 } });
    const manifest = (await world.owner.objects()).get('manifests/team=main/0000000001.json');
    expect(manifest?.length).toBeGreaterThan(8000);
    world.source.happen(4, { tied: true });
    world.meddle({ after: onceEach(['PUT batches', 'PUT manifests', 'PUT events'], 'reset') });
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events: 4 } });
  });

  test('the bucket holds every event once, no object in two versions, and no version that can be deleted', async () => {
    await world.expectWhole();
    const s3 = s3ClientOf({ url: backend.urls.s3, credentials: backend.credentials });
    const { Versions = [], DeleteMarkers = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: backend.bucket }),
    );
    const objects = await world.owner.objects();
    expect(Versions.map(({ Key }) => Key).sort()).toEqual([...objects.keys()].sort());
    expect(DeleteMarkers).toEqual([]);
    for (const { Key, VersionId } of Versions) {
      const deleting = s3.send(new DeleteObjectCommand({ Bucket: backend.bucket, Key, VersionId }));
      await expect(deleting).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    }
    s3.destroy();
  });

  test('the verify command accepts the archive with the exported key', async () => {
    const folder = join(scratch, 'copy');
    for (const [key, bytes] of await world.owner.objects()) {
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), bytes);
    }
    const key = join(scratch, 'archive.pub.pem');
    writeFileSync(key, backend.kms?.publicKey.export({ type: 'spki', format: 'pem' }) ?? '');
    const said: string[] = [];
    expect(
      await runVerify(
        await openFolder(folder),
        { key, json: true },
        { print: (text) => said.push(text), now: new Date() },
      ),
    ).toBe(0);
    expect(JSON.parse(said.join(''))).toMatchObject({ clean: true, findings: [], teams: [{ team: 'main' }] });
  });
});
