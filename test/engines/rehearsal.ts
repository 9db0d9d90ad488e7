/**
 * A rehearsal of the runbook: the real handlers on moto and DynamoDB Local, an attacker, and a person who types the lines of
 * `docs/runbook.md` into a shell.
 */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { handler } from '../../lambdas/verifier/handler';
import type { Backend } from '../support/backend';
import { openWorld } from '../support/scenario';
import { scratch } from '../support/scratch';
import { shellEnvironment } from './aws-cli';
import { openMotoBackend } from './backend';
import { s3ClientOf } from './clients';
import { REGION } from './servers';

export type Rehearsal = Awaited<ReturnType<typeof openRehearsal>>;

export async function openRehearsal(mode: 'COMPLIANCE' | 'GOVERNANCE') {
  const retention = { mode, days: 400, expireAfterDays: null };
  const backend = await openMotoBackend(retention);
  const world = await openWorld({ retention }, async () => backend);
  const stored = storedIn(backend);
  const { verified, logged } = verifierOf(backend);

  /** One run that archives so many new events. Returns the keys of its segments. */
  async function archives(events: number): Promise<string[]> {
    world.source.happen(events);
    const run = await world.run();
    expect(run).toMatchObject({ outcome: 'archived', counts: { events } });
    return stored.keysLike(`^events/.*/0*${run.seq}\\.`);
  }

  /** However often the archiver runs, it fails with this code and writes nothing. */
  async function stops(code: string): Promise<void> {
    const before = await stored.listing();
    for (const _ of ['a run', 'the next run']) expect(await world.run()).toMatchObject({ outcome: 'failed', code });
    expect(await stored.listing()).toEqual(before);
  }

  /** The next run archives so many events, two of them new; then each is there once, and the verifier finds nothing. */
  async function goesOn(events = 2): Promise<void> {
    world.source.happen(2);
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events } });
    expect(await world.troubles()).toEqual([]);
    expect(await verified()).toEqual([]);
  }

  return {
    ...stored,
    world,
    backend,
    archives,
    stops,
    goesOn,
    verified,
    logged,
    type: (line: string, variables: Readonly<Record<string, string>> = {}) => typeLine(backend, line, variables),
    close: async () => {
      stored.close();
      await world.close();
    },
  };
}

/** The bucket with all versions, and what the owner of the account, or a thief of his rights, can do there. */
function storedIn({ urls, credentials, bucket: Bucket }: Backend) {
  const s3 = s3ClientOf({ url: urls.s3, credentials });

  async function listing() {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    return { Versions, DeleteMarkers };
  }

  /** The newest comes first. */
  async function versionsOf(key: string): Promise<string[]> {
    return (await listing()).Versions.filter(({ Key }) => Key === key).map(({ VersionId = '' }) => VersionId);
  }

  async function keysLike(pattern: string): Promise<string[]> {
    const { Versions } = await listing();
    return Versions.flatMap(({ Key = '' }) => (new RegExp(pattern).test(Key) ? [Key] : []));
  }

  const destroyVersion = (Key: string, VersionId: string) =>
    s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: true }));

  const attacker = {
    hide: (Key: string) => s3.send(new DeleteObjectCommand({ Bucket, Key })),
    put: (Key: string) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body: gzipSync('{}\n'), ChecksumAlgorithm: 'SHA256' })),
    destroyVersion,
    destroy: async (Key: string) => {
      for (const VersionId of await versionsOf(Key)) await destroyVersion(Key, VersionId);
    },
  };
  return { listing, versionsOf, keysLike, attacker, close: () => s3.destroy() };
}

/** Types a block of the runbook into a shell, and returns what it prints. */
function typeLine(
  { urls, credentials, bucket, table }: Backend,
  line: string,
  variables: Readonly<Record<string, string>>,
): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', line], {
    cwd: scratch,
    encoding: 'utf8',
    env: {
      ...shellEnvironment({ url: urls.s3, credentials }),
      AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
      BUCKET: bucket,
      TABLE: table,
      BREAK_GLASS: 'arn:aws:iam::123456789012:role/break-glass',
      ...variables,
    },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

function verifierOf({ urls, credentials, bucket, kms }: Backend) {
  const lines: string[] = [];

  /** Runs the handler of the verifier. Returns what it found. */
  async function verified(): Promise<string[]> {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: urls.s3,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ARCHIVE_BUCKET: bucket,
      SIGNING_KEY: kms?.key,
    });
    lines.length = 0;
    const spies = [process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(...String(chunk).split('\n')) > 0),
    );
    const { outcome } = await handler({}, { getRemainingTimeInMillis: () => 900_000 } as Context);
    for (const spy of spies) spy.mockRestore();
    const told = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    const errors = told.filter(({ level }) => level === 'ERROR');
    expect(outcome).toBe(errors.length > 0 ? 'findings' : 'good');
    return errors.map(({ code, object }) => `${code} ${object}`);
  }

  return { verified, logged: () => lines.join('\n') };
}
