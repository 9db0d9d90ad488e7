/** The real handlers of both functions in one process, at any time of the clock, over a bucket in memory and a source that answers. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { handler as archive } from '../../lambdas/archiver/handler';
import { TEAMS_FILE, writeTeams } from '../../lambdas/shared/contract';
import { handler as verify } from '../../lambdas/verifier/handler';
import { type Datapoint, datapointsIn } from '../support/emf';

const context = { getRemainingTimeInMillis: () => 900_000 } as Context;

export interface AccountOptions {
  /** The environment of the deployed archiver. */
  readonly environment: Readonly<Record<string, string>>;
  readonly teams: readonly { readonly name: string; readonly startDate: string | null }[];
}

/** Called in `beforeAll`. The clock stands still during an invocation. */
export function openAccount({ environment, teams }: AccountOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'alarms-'));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const SIGNING_KEY = `file:${join(folder, 'key.pem')}`;
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const settings = {
    apiKeyParameter: '/key',
    baseUrl: 'https://source.test',
    acceptOtherTeamId: null,
  };
  writeFileSync(join(folder, TEAMS_FILE), writeTeams(teams.map((team) => ({ ...settings, ...team }))));
  const before = { ...process.env };
  Object.assign(process.env, environment, { SIGNING_KEY, LAMBDA_TASK_ROOT: folder });
  jest.useFakeTimers({
    doNotFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'nextTick',
      'setImmediate',
      'clearImmediate',
      'queueMicrotask',
      'hrtime',
      'performance',
    ],
  });

  const objects = new Map<string, { readonly body: Buffer; readonly at: Date }>();
  const mocks = mockAws(objects);
  const world = { hasKey: true, trails: (): unknown[] => [], status: 200, objects };
  mocks.ssm.on(GetParameterCommand).callsFake(async () => {
    if (world.hasKey) return { Parameter: { Value: 'PMAK-0000' } };
    throw Object.assign(new Error(), { name: 'ParameterNotFound' });
  });
  // A run waits between its requests. Here the clock stands still, so it need not.
  const timers = jest
    .spyOn(globalThis, 'setTimeout')
    .mockImplementation(((callback: () => void) => setImmediate(callback)) as never);
  const fetched = jest
    .spyOn(globalThis, 'fetch')
    .mockImplementation(async () => Response.json({ trails: world.trails() }, { status: world.status }));

  /** What an invocation at this time emits, also where it fails. */
  async function emittedBy(at: number, invoke: () => Promise<unknown>): Promise<Datapoint[]> {
    jest.setSystemTime(at);
    const lines: string[] = [];
    const spies = [process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(...String(chunk).split('\n')) > 0),
    );
    await invoke().catch(() => undefined);
    for (const spy of spies) spy.mockRestore();
    return datapointsIn(lines);
  }

  return {
    world,
    run: (team: string, at: number) =>
      emittedBy(at, () => archive({ team, scheduledTime: new Date(at).toISOString() }, context)),
    verification: (at: number) => emittedBy(at, () => verify({}, context)),
    close(): void {
      jest.useRealTimers();
      for (const spy of [fetched, timers]) spy.mockRestore();
      for (const mock of Object.values(mocks)) mock.restore();
      for (const name of Object.keys(process.env)) delete process.env[name];
      Object.assign(process.env, before);
      rmSync(folder, { recursive: true });
    },
  };
}

/** No item in DynamoDB, and the operations of S3 that the handlers use. */
function mockAws(objects: Map<string, { readonly body: Buffer; readonly at: Date }>) {
  const [dynamodb, s3, ssm] = [mockClient(DynamoDBClient), mockClient(S3Client), mockClient(SSMClient)];
  const keys = (prefix = '') => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  dynamodb.onAnyCommand().resolves({});
  s3.on(PutObjectCommand).callsFake(async ({ Key, Body }) => {
    objects.set(Key, { body: Buffer.from(Body), at: new Date() });
    return {};
  });
  s3.on(GetObjectCommand).callsFake(async ({ Key, Range = '' }) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(Range) ?? [];
    const body = objects.get(Key)?.body.subarray(Number(start ?? 0), end === undefined ? undefined : Number(end) + 1);
    if (body === undefined) throw Object.assign(new Error(), { name: 'NoSuchKey' });
    const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date('2199-01-01') };
    return { Body: { transformToByteArray: async () => body }, ...lock };
  });
  s3.on(ListObjectsV2Command).callsFake(async ({ Prefix, StartAfter = '', Delimiter }) => {
    const found = keys(Prefix).filter((key) => key > StartAfter);
    const folders = new Set(found.map((key) => key.slice(0, key.indexOf('/', Prefix.length) + 1)));
    if (Delimiter !== undefined) return { CommonPrefixes: [...folders].map((folder) => ({ Prefix: folder })) };
    return { Contents: found.map((Key) => ({ Key })) };
  });
  s3.on(ListObjectVersionsCommand).callsFake(async ({ Prefix }) => ({
    Versions: keys(Prefix).map((Key) => ({ Key, IsLatest: true, LastModified: objects.get(Key)?.at })),
  }));
  return { dynamodb, s3, ssm };
}
