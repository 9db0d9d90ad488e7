/**
 * The command line with which docs/retention.md lengthens the lock of what is stored, with the real AWS CLI, on versitygw. That only break
 * glass may do this is shown by `test/infra`. Unlike S3, versitygw does not tell the lock of an object with its bytes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { openFolders } from '../../lambdas/adapters/s3-versions';
import { addMs, DAY_MS } from '../../lambdas/shared/time';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, sampleBatches, testKey } from '../support/archive-builder';
import { scratch } from '../support/scratch';
import { anchorOf, keyOf, read } from '../support/tampering';
import { shellEnvironment } from './aws-cli';
import { createLockedBucket, s3ClientOf } from './clients';
import { describeWith, startVersitygw, stopServers, type Versitygw } from './servers';

const Bucket = 'archive';
const MODE = 'GOVERNANCE' as const;
const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);
/** What the manifests promise, and seven years. */
const [PROMISED, LONGER] = [400, 2557].map((days) => addMs(NOW, days * DAY_MS)) as [Date, Date];

const retentionPage = readFileSync(join(import.meta.dirname, '../../docs/retention.md'), 'utf8');
const [, section = ''] = /^## Lock what is stored for longer$(.*?)^##/ms.exec(retentionPage) ?? [];
const [, shown = ''] = /^ *```sh\n(.*?)^ *```$/ms.exec(section) ?? [];

describeWith(['versitygw', 'awscli'], 'the line that lengthens locks', () => {
  let server: Versitygw;
  let s3: S3Client;

  beforeAll(async () => {
    server = await startVersitygw();
    s3 = s3ClientOf(server);
    await createLockedBucket(s3, Bucket);
    const amend = (manifest: Parameters<NonNullable<(typeof sampleBatches)[0]['amend']>>[0]) => ({
      ...manifest,
      retention: { mode: MODE, days: 400, expireAfterDays: null } as const,
    });
    const objects = await buildArchive({ batches: sampleBatches.map((batch) => ({ ...batch, amend })) });
    const { key, body } = anchorOf(objects, 'M4');
    for (const [Key, Body] of objects.set(key, body)) await put(Key, Body);
    // A second version, and an object under a delete marker.
    await put(keyOf('E1a'), read(objects, 'E1a'));
    await put('events/team=main/dt=2026-03-09/planted', Buffer.of(1));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'events/team=main/dt=2026-03-09/planted' }));
  }, 120_000);
  afterAll(async () => {
    s3.destroy();
    await stopServers();
  });

  async function put(Key: string, Body: Buffer): Promise<void> {
    const lock = { ObjectLockMode: MODE, ObjectLockRetainUntilDate: PROMISED } as const;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...lock, ChecksumAlgorithm: 'SHA256' }));
  }

  /** Starts the line as docs/retention.md shows it, with another date and mode, in a process group of its own. */
  function start(until: Date) {
    const iso = `${until.toISOString().slice(0, 19)}Z`;
    const line = shown.replace(/UNTIL=\S+/, `UNTIL=${iso}`).replace(/MODE=\S+/, `MODE=${MODE}`);
    const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
      cwd: scratch,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...shellEnvironment(server), BUCKET: Bucket },
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk) => said.push(String(chunk)));
    const done = join(scratch, `locked-until-${iso}`);
    return {
      locked: () => (existsSync(done) ? readFileSync(done, 'utf8').split('\n').length - 1 : 0),
      kill: () => process.kill(-(child.pid ?? 0), 'SIGKILL'),
      end: once(child, 'close').then(([status]) => ({ status, said: said.join('') })),
    };
  }

  /** Of every version, until when it is locked. */
  async function locks() {
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const found = Versions.map(async ({ Key = '', VersionId }) => {
      const { Retention } = await s3.send(new GetObjectRetentionCommand({ Bucket, Key, VersionId }));
      return { Key, VersionId, until: Retention?.RetainUntilDate ?? NOW };
    });
    return Promise.all(found);
  }

  const untils = async () => [...new Set((await locks()).map(({ until }) => until.getTime()))];

  const puts = () => server.requests().filter(({ operation }) => operation === 'PutObjectRetention').length;

  test('a line that is interrupted goes on where it was, and in the end every version is locked for longer', async () => {
    const before = await locks();
    expect(await untils()).toEqual([PROMISED.getTime()]);
    const first = start(LONGER);
    while (first.locked() < 3) await sleep(20);
    first.kill();
    await first.end;
    const [locked, asked] = [first.locked(), puts()];
    expect(locked).toBeLessThan(before.length);

    expect(await start(LONGER).end).toEqual({ status: 0, said: '' });
    expect(await locks()).toEqual(before.map((version) => ({ ...version, until: LONGER })));
    expect(puts() - asked).toBe(before.length - locked);
  }, 120_000);

  test('the verifier finds the archive good under its longer locks', async () => {
    const areas = ['anchors/', 'batches/', 'events/', 'quarantine/', 'manifests/'];
    const stored = await locks();
    const lockOf = (key: string) => {
      const until = stored.find(({ Key }) => Key === key)?.until;
      return until && { mode: MODE, until };
    };
    const reader = { ...(await openFolders(s3, Bucket, areas)), lockOf };
    expect((await verify(reader, { publicKey: testKey, now: NOW })).findings).toEqual([]);
  });

  test('the line cannot shorten a lock: it stops at the first refusal', async () => {
    const { status, said } = await start(addMs(NOW, 30 * DAY_MS)).end;
    expect(status).toBeGreaterThan(0);
    expect(said).toContain('PutObjectRetention operation');
    expect(await untils()).toEqual([LONGER.getTime()]);
  }, 120_000);
});
