/**
 * The way out of `docs/runbook.md`, rehearsed: each step is made needed once, and is done with the very lines of the runbook, by the
 * real AWS CLI. S3 is moto's, which creates an object over a delete marker, as AWS does. moto evaluates no bucket policy, so
 * `test/docs/runbook.test.ts` shows the line that exempts an administrator.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import type { Retention } from '../../lambdas/shared/retention';
import { dateOf } from '../../lambdas/shared/time';
import { handler } from '../../lambdas/verifier/handler';
import type { Backend } from '../support/backend';
import { openWorld, type World } from '../support/scenario';
import { scratch } from '../support/scratch';
import { manifestAt } from '../support/stored';
import { atFirst } from '../support/tap';
import { shellEnvironment } from './aws-cli';
import { openMotoBackend } from './backend';
import { dynamoDbClientOf, s3ClientOf } from './clients';
import { describeWith, REGION, stopServers } from './servers';

const text = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const blocks = [...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].map(([, block = '']) => block);

/** The only block that matches. */
function block(pattern: RegExp): string {
  const [found, ...others] = blocks.filter((each) => pattern.test(each));
  if (found === undefined || others.length > 0) throw new Error(`not exactly one block matches ${pattern}`);
  return found;
}

const lines = {
  asBreakGlass: block(/assume-role/),
  versions: block(/list-object-versions .*"\$KEY"/),
  markers: block(/list-object-versions .*DeleteMarkers/),
  hide: block(/delete-object .*"\$KEY"\n/),
  unhide: block(/delete-object .*"\$MARKER"/),
  fetch: block(/get-object .*"\$LISTED"/),
  cutOut: block(/get-object .*--range/),
  payloadHash: block(/jq -r \.payload genuine/),
  create: block(/put-object /),
  forget: block(/dynamodb delete-item/),
  newTable: block(/dynamodb create-table/),
};
const [M2, M3, M4, M5] = [2, 3, 4, 5].map((seq) => manifestKey('main', seq)) as [string, string, string, string];

describeWith(['moto', 'dynamodb-local', 'awscli'], 'the runbook', () => {
  let backend: Backend;
  let world: World;
  let s3: S3Client;
  const logged: string[] = [];

  async function open(mode: Retention['mode']): Promise<void> {
    const retention = { mode, days: 400, expireAfterDays: null };
    const opening = async () => {
      backend = await openMotoBackend(retention);
      return backend;
    };
    world = await openWorld({ retention }, opening);
    s3 = s3ClientOf({ url: backend.urls.s3, credentials: backend.credentials });
  }
  afterEach(async () => {
    s3.destroy();
    await world.close();
  });
  afterAll(stopServers);

  /** Types a block of the runbook, and returns what it prints. */
  function type(line: string, variables: Readonly<Record<string, string>> = {}): string {
    const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', line], {
      cwd: scratch,
      encoding: 'utf8',
      env: {
        ...shellEnvironment({ url: backend.urls.s3, credentials: backend.credentials }),
        AWS_ENDPOINT_URL_DYNAMODB: backend.urls.dynamodb,
        BUCKET: backend.bucket,
        TABLE: backend.table,
        BREAK_GLASS: 'arn:aws:iam::123456789012:role/break-glass',
        ...variables,
      },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  }

  /** What the owner of the account, or a thief of his rights, can do. */
  const attacker = {
    hide: (Key: string) => s3.send(new DeleteObjectCommand({ Bucket: backend.bucket, Key })),
    put: (Key: string) =>
      s3.send(
        new PutObjectCommand({ Bucket: backend.bucket, Key, Body: gzipSync('{}\n'), ChecksumAlgorithm: 'SHA256' }),
      ),
    destroy: async (Key: string) => {
      for (const VersionId of await versionsOf(Key)) await destroyVersion(Key, VersionId);
    },
  };

  const destroyVersion = (Key: string, VersionId: string) =>
    s3.send(new DeleteObjectCommand({ Bucket: backend.bucket, Key, VersionId, BypassGovernanceRetention: true }));

  const listing = () => s3.send(new ListObjectVersionsCommand({ Bucket: backend.bucket }));

  async function keysLike(pattern: string): Promise<string[]> {
    const { Versions = [] } = await listing();
    return Versions.flatMap(({ Key = '' }) => (new RegExp(pattern).test(Key) ? [Key] : []));
  }

  /** Oldest last, as S3 lists them. */
  async function versionsOf(key: string): Promise<string[]> {
    const { Versions = [] } = await listing();
    return Versions.filter(({ Key }) => Key === key).map(({ VersionId = '' }) => VersionId);
  }

  /** One run that archives so many new events. Returns the keys of its segments. */
  async function archives(events: number): Promise<string[]> {
    world.source.happen(events);
    const run = await world.run();
    expect(run).toMatchObject({ outcome: 'archived', counts: { events } });
    return keysLike(`^events/.*/0*${run.seq}\\.`);
  }

  /** However often the archiver runs, it fails with this code and writes nothing. */
  async function stops(code: string): Promise<void> {
    const before = await listing();
    for (const _ of ['a run', 'the next run']) expect(await world.run()).toMatchObject({ outcome: 'failed', code });
    const { Versions, DeleteMarkers } = await listing();
    expect({ Versions, DeleteMarkers }).toEqual({ Versions: before.Versions, DeleteMarkers: before.DeleteMarkers });
  }

  /** The next run archives these new events and nothing else; then each event is there once, and the verifier finds nothing. */
  async function goesOn(events = 2): Promise<void> {
    world.source.happen(2);
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events } });
    expect(await world.troubles()).toEqual([]);
    expect(await verified()).toEqual([]);
  }

  /** Runs the deployed verifier. Returns what it found, and the versions that it told of. */
  async function verified(): Promise<string[]> {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: backend.urls.s3,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: backend.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: backend.credentials.secretAccessKey,
      ARCHIVE_BUCKET: backend.bucket,
      SIGNING_KEY: backend.kms?.key,
    });
    logged.length = 0;
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((chunk) => logged.push(...String(chunk).split('\n')) > 0);
    const { outcome } = await handler({}, { getRemainingTimeInMillis: () => 900_000 } as Context);
    jest.restoreAllMocks();
    const told = logged.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    const errors = told.filter(({ level }) => level === 'ERROR');
    expect(outcome).toBe(errors.length > 0 ? 'findings' : 'good');
    return errors.map(({ code, object }) => `${code} ${object}`);
  }

  test('an object planted under COMPLIANCE lock where the next segment must go cannot be deleted, and a marker over it is the way out', async () => {
    await open('COMPLIANCE');
    await archives(5);
    expect(await verified()).toEqual([]);
    const [event] = world.source.happen(3);
    const KEY = segmentKey('events', 'main', dateOf(new Date(event?.at ?? 0)), 2);
    await world.owner.plant(KEY, gzipSync('{"id":7,"timestamp":"2026-01-01T00:00:00.000Z"}\n'));
    await stops('object-unlisted');
    expect(await verified()).toEqual([`object-unlisted ${KEY}`]);
    const { Versions } = JSON.parse(type(lines.versions, { KEY }));
    const deleting = destroyVersion(KEY, Versions[0].VersionId);
    await expect(deleting).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });

    type(lines.asBreakGlass + lines.hide, { KEY });
    expect(await verified()).toEqual([]);
    expect(logged.join()).toContain(`"hidden":["${KEY}"]`);
    await goesOn(5);
    expect(logged.join()).toContain(`"several":["${KEY}"]`);
    expect(await versionsOf(KEY)).toEqual([expect.anything(), Versions[0].VersionId]);
  }, 120_000);

  test('step 1: markers over manifests and segments are removed, and a marker is put over what was planted', async () => {
    await open('COMPLIANCE');
    const [segment = ''] = await archives(3);
    await archives(3);
    await archives(3);
    for (const [KEY, code] of [
      [M3, 'checkpoint-ahead'],
      [M2, 'chain-broken'],
      [segment, 'segment-missing'],
    ] as const) {
      await attacker.hide(KEY);
      await stops(code);
      const { DeleteMarkers } = JSON.parse(type(lines.versions, { KEY }));
      if (KEY !== segment)
        expect(JSON.parse(type(lines.markers))).toEqual([[KEY, DeleteMarkers[0].VersionId, expect.anything()]]);
      type(lines.unhide, { KEY, MARKER: DeleteMarkers[0].VersionId });
    }
    await goesOn();
    await attacker.put(M5);
    await stops('chain-broken');
    type(lines.hide, { KEY: M5 });
    await goesOn();
  }, 120_000);

  test('step 2: a marker is put over a manifest that does not follow the one before', async () => {
    await open('COMPLIANCE');
    await archives(3);
    const segments = [...(await archives(3)), ...(await archives(3))];
    for (const key of [M2, M3, ...segments]) await attacker.hide(key);
    await world.owner.setItem('deleted');
    expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 6 } });
    const { DeleteMarkers } = JSON.parse(type(lines.versions, { KEY: M3 }));
    type(lines.unhide, { KEY: M3, MARKER: DeleteMarkers[0].VersionId });
    await stops('chain-broken');
    type(lines.hide, { KEY: M3 });
    await goesOn();
  }, 120_000);

  test('step 3: a segment and a manifest that were overlaid are copied back', async () => {
    await open('COMPLIANCE');
    const [segment = ''] = await archives(3);
    await archives(3);
    await attacker.put(segment);
    await stops('segment-differs');
    const [, LISTED = ''] = await versionsOf(segment);
    type(lines.fetch, { KEY: segment, LISTED });
    type(lines.hide, { KEY: segment });
    await stops('segment-missing');
    type(lines.create, { KEY: segment });
    await goesOn();

    await attacker.put(M2);
    await stops('chain-broken');
    const [, genuine = ''] = await versionsOf(M2);
    type(lines.fetch.split('\n')[0] ?? '', { KEY: M2, LISTED: genuine });
    const { previous } = manifestAt(await world.owner.objects(), M3) ?? {};
    expect(type(lines.payloadHash)).toBe(`${previous}  -\n`);
    type(lines.hide, { KEY: M2 });
    await stops('chain-broken');
    type(lines.create.replace('x-ndjson', 'json'), { KEY: M2 });
    await goesOn();
  }, 120_000);

  test('steps 2, 4 and 5: beyond a hole that cannot be closed the manifests, their segments and their anchors are given up', async () => {
    await open('GOVERNANCE');
    await archives(3);
    const given = [...(await archives(3)), ...(await archives(3)), ...(await archives(3))];
    expect(await verified()).toEqual([]);
    await attacker.destroy(M2);
    await stops('chain-broken');
    for (const KEY of [M3, M4]) type(lines.hide, { KEY });
    await stops('checkpoint-ahead');
    const item = await world.owner.item();
    type(lines.forget);
    await stops('object-unlisted');
    await world.owner.setItem(item ?? {});
    for (const KEY of given) type(lines.hide, { KEY });
    await stops('checkpoint-ahead');
    type(lines.forget);
    expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 9 } });

    const [batch] = await keysLike('^batches/.*/0000000004-');
    const ofAnchor = (code: string) => `${code} ${M4}`;
    const ofGivenUp = [ofAnchor('chain-truncated'), ofAnchor('manifest-missing')];
    expect((await verified()).sort()).toEqual([`chain-truncated ${batch}`, ...ofGivenUp]);
    await archives(2);
    expect((await verified()).sort()).toEqual(ofGivenUp);
    await archives(2);
    expect(await verified()).toEqual([ofAnchor('head-differs')]);
    const [anchor = ''] = await keysLike('^anchors/');
    type(lines.hide, { KEY: anchor });
    await goesOn();
  }, 120_000);

  test('a segment of which no version is left is cut out of its staged batch', async () => {
    await open('GOVERNANCE');
    const [KEY = ''] = await archives(3);
    await archives(3);
    await attacker.destroy(KEY);
    await stops('segment-missing');
    type(lines.cutOut, { KEY });
    type(lines.create, { KEY });
    await goesOn();
  }, 120_000);

  test('a batch that is gone before it was published is given up, and its events are read again', async () => {
    await open('GOVERNANCE');
    await archives(3);
    world.source.happen(3);
    const lambda = await world.lambda();
    const kill = () => {
      lambda.signal('SIGKILL');
      return 'reset' as const;
    };
    world.meddle({ before: atFirst('PUT events', kill) });
    expect(await world.run()).toMatchObject({ outcome: 'ended' });
    await world.leaseEnds();
    const [batch = ''] = await keysLike('^batches/.*/0000000002-');
    await attacker.destroy(batch);
    await stops('batch-unreadable');
    type(lines.hide, { KEY: M2 });
    await goesOn(5);
  }, 120_000);

  test('a table that was deleted is made anew, and the chain goes on from S3', async () => {
    await open('COMPLIANCE');
    await archives(3);
    const dynamodb = dynamoDbClientOf({ url: backend.urls.dynamodb, credentials: backend.credentials });
    await dynamodb.send(new DeleteTableCommand({ TableName: backend.table }));
    dynamodb.destroy();
    await stops('storage-refused');
    type(lines.newTable);
    await goesOn();
  }, 120_000);
});
