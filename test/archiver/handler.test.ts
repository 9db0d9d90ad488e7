import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConditionalCheckFailedException, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambdas/archiver/handler';
import { archiveMetrics, METRIC_NAMESPACE, teamMetrics } from '../../lambdas/shared/alarms';
import { archiverEnvironment, TEAMS_FILE, writeTeams } from '../../lambdas/shared/contract';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { datapointsIn } from '../support/emf';

const input = { team: 'main', scheduledTime: '2026-06-12T12:00:00Z' };
/** The first run has a gap, because the source no longer keeps the start date. */
const settings = {
  name: 'main',
  apiKeyParameter: '/team/api-key',
  baseUrl: 'https://source.test',
  startDate: '2020-01-01',
  acceptOtherTeamId: null,
};
const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: 'request' } as Context;

const folder = mkdtempSync(join(tmpdir(), 'handler-'));
afterAll(() => rmSync(folder, { recursive: true }));

const newTeam = { ...settings, name: 'new', apiKeyParameter: '/new/api-key' };
writeFileSync(join(folder, TEAMS_FILE), writeTeams([settings, newTeam]));

const environment = {
  LAMBDA_TASK_ROOT: folder,
  ARCHIVE_BUCKET: 'archive',
  CHECKPOINT_TABLE: 'checkpoints',
  ENCRYPTION_KEY: 'alias/archive',
  SIGNING_KEY: `file:${join(folder, 'none.pem')}`,
  LOOKBACK_HOURS: '6',
  MAX_REQUESTS_PER_MINUTE: '200',
  RETENTION: 'null',
};

const before = { ...process.env };
let lines: string[];

beforeEach(() => {
  lines = [];
  Object.assign(process.env, environment);
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(...String(chunk).split('\n')) > 0);
  }
});
afterEach(() => {
  for (const name of Object.keys(environment)) delete process.env[name];
  Object.assign(process.env, before);
});

async function failureOf(event: unknown) {
  const error: unknown = await handler(event, context).catch((caught: unknown) => caught);
  if (!(error instanceof Error)) throw new Error(`expected a failure, got ${inspect(error)}`);
  return { error, ...toldNow() };
}

/** The run's one summary line, and its metrics, each with its name, its value and its dimensions. */
function toldNow() {
  const told = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const summaries = told.filter(({ outcome }) => outcome !== undefined);
  expect(summaries).toHaveLength(1);
  const metrics = datapointsIn(lines).map(({ namespace, name, value, dimensions }) => {
    expect(namespace).toBe(METRIC_NAMESPACE);
    return [name, value, dimensions];
  });
  return { summary: summaries[0], metrics };
}

test('an input that is no object fails the run of an unknown team', async () => {
  const { error, summary, metrics } = await failureOf(undefined);
  // Lambda answers with the name and the message of the error.
  expect(error).toMatchObject({ name: 'input-invalid', message: expect.stringContaining('{"team","scheduledTime"}') });
  const failed = { level: 'ERROR', message: 'run', outcome: 'failed', code: 'input-invalid', team: 'unknown' };
  expect(summary).toMatchObject(failed);
  expect(metrics).toEqual([]);
});

test.each([
  { startDate: '2026-01-01' },
  { team: 'invented' },
])('a refused input is logged with the team it names, and makes no metric, which would cost money: %j', async (change) => {
  const { summary, metrics } = await failureOf({ ...input, ...change });
  expect(summary).toMatchObject({ outcome: 'failed', team: change.team ?? 'main' });
  expect(metrics).toEqual([]);
});

test('the error about the environment names every variable that is missing', async () => {
  for (const name of Object.keys(environment)) delete process.env[name];
  const { error, summary } = await failureOf(input);
  expect(error).toMatchObject({ code: 'environment-invalid' });
  for (const { name } of Object.values(archiverEnvironment)) expect(error.message).toContain(`${name} is not set`);
  expect(summary).toMatchObject({ outcome: 'failed', code: 'environment-invalid', team: 'main' });
});

test('a signing key that cannot be used fails the run, and the next run reads it again', async () => {
  expect((await failureOf(input)).error).toMatchObject({ code: 'signing-refused' });
  lines = [];
  const path = join(folder, 'other.pem');
  process.env.SIGNING_KEY = `file:${path}`;
  writeFileSync(path, 'no key');
  const message = expect.stringContaining('other.pem');
  expect((await failureOf(input)).error).toMatchObject({ code: 'signing-refused', message });
});

describe('an unexpected error', () => {
  function bug(thrown: unknown): unknown {
    return {
      get team(): string {
        throw thrown;
      },
    };
  }

  test.each([
    ['one line', new TypeError('cannot read "canary"')],
    ['many lines', new RangeError('first\n    at canary (canary.ts:1:1)\nlast canary')],
    ['a cause', new Error('outer canary', { cause: new Error('inner canary') })],
    ['fields', Object.assign(new Error('x'), { response: 'canary' })],
    ['no error', { message: 'canary' }],
  ])('an unexpected error is reported by its name and its stack frames, never by its message: %s', async (_name, thrown) => {
    const { error, summary } = await failureOf(bug(thrown));
    expect(summary).toMatchObject({ outcome: 'failed', code: 'unexpected' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
    expect(lines.join('\n')).not.toContain('canary');
  });

  test('an unexpected error keeps the stack frames of the place where it was thrown', async () => {
    const { error } = await failureOf(bug(new TypeError('x')));
    expect([error.name, error.message]).toEqual(['unexpected', 'unexpected TypeError']);
    expect(error.stack).toMatch(/handler\.test\.ts/);
  });
});

describe('a run against mocked AWS clients', () => {
  const dynamodb = mockClient(DynamoDBClient);
  const s3 = mockClient(S3Client);
  const ssm = mockClient(SSMClient);
  afterAll(() => [dynamodb, s3, ssm].map((mocked) => mocked.restore()));

  /** An empty archive, and a source that answers each request with the same event, which is an hour old. */
  beforeEach(() => {
    for (const mocked of [dynamodb, s3, ssm]) mocked.reset();
    dynamodb.onAnyCommand().resolves({});
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value: 'PMAK-0000' } });
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(GetObjectCommand).rejects(Object.assign(new Error(), { name: 'NoSuchKey' }));
    s3.on(PutObjectCommand).resolves({});
    const event = { id: 1, timestamp: new Date(Date.now() - 3_600_000).toISOString() };
    jest.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ trails: [event] }));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    process.env.SIGNING_KEY = `file:${join(folder, 'key.pem')}`;
  });

  const gap = [archiveMetrics.gap, 1, { bucket: 'archive' }];
  const succeeded = (team: string) => [teamMetrics.succeeded, 1, { bucket: 'archive', team }];

  /** How the run ended, as the checkpoint item tells it. */
  const written = () =>
    dynamodb.commandCalls(UpdateItemCommand).at(-1)?.args[0].input.ExpressionAttributeValues?.[':outcome']?.S;

  function failPuts(prefix: string, name: string, httpStatusCode: number): void {
    const error = Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
    s3.on(PutObjectCommand).callsFake(async ({ Key }) => {
      if (String(Key).startsWith(prefix)) throw error;
      return {};
    });
  }

  test.each([
    ['names the host that the key is sent to', { baseUrl: 'https://thief.test' }, 'input-invalid'],
    ['names the parameter that holds the key', { apiKeyParameter: '/prod/database/password' }, 'input-invalid'],
    ['cuts off the beginning of the archive', { startDate: '2026-06-12' }, 'input-invalid'],
    ['lets another Postman team in', { acceptOtherTeamId: '7' }, 'input-invalid'],
    ['names a team that is not deployed', { team: 'sales' }, 'team-unknown'],
  ])('an invocation that %s is refused before a key is read or anything is sent', async (_, change, code) => {
    expect((await failureOf({ ...input, ...change })).error).toMatchObject({ code });
    for (const mocked of [dynamodb, s3, ssm]) expect(mocked.calls()).toEqual([]);
    expect(fetch).not.toHaveBeenCalled();
  });

  test('a run emits its gap with the manifest, and one success at its end', async () => {
    const report = { outcome: 'archived', manifests: 1, seq: 1, gaps: 1, recovered: 0, counts: { events: 1 } };
    expect(await handler(input, context)).toMatchObject(report);
    const { summary, metrics } = toldNow();
    expect(summary).toMatchObject({ level: 'INFO', ...report });
    expect(metrics).toEqual([gap, succeeded('main')]);
    expect(written()).toBe('archived');
  });

  test('before the API key is stored, a run succeeds, writes nothing, and logs the command that stores the key', async () => {
    process.env.AWS_REGION = 'eu-central-1';
    ssm.on(GetParameterCommand).rejects(Object.assign(new Error(), { name: 'ParameterNotFound' }));
    const detail = expect.stringMatching(
      /: \(read -rs API_KEY .* --region eu-central-1 --name \/new\/api-key .* --key-id alias\/archive /,
    );
    const report = { outcome: 'not-configured', manifests: 0, detail };
    expect(await handler({ ...input, team: 'new' }, context)).toMatchObject(report);
    expect(toldNow()).toMatchObject({ summary: { level: 'INFO', ...report }, metrics: [succeeded('new')] });
    expect(s3.commandCalls(PutObjectCommand)).toEqual([]);
    expect(fetch).not.toHaveBeenCalled();
    expect(written()).toBe('not-configured');
  });

  test('a team without a key fails, and is not taken for a new one, if its checkpoint names a manifest that is gone', async () => {
    dynamodb.onAnyCommand().resolves({ Attributes: { seq: { N: '5' } } });
    ssm.on(GetParameterCommand).rejects(Object.assign(new Error(), { name: 'ParameterNotFound' }));
    const { summary, metrics } = await failureOf({ ...input, team: 'new' });
    expect(summary).toMatchObject({ outcome: 'failed', code: 'checkpoint-ahead' });
    expect(metrics).toEqual([[archiveMetrics.integrity, 1, { bucket: 'archive' }]]);
    expect(written()).toBe('checkpoint-ahead');
  });

  test.each([
    [10, 10, true],
    [9, 9, false],
    [10, 99, true],
    [10, 100, false],
  ])('where %d of %d lines have a number as their timestamp, whether the run tells of a change of form is %p', async (unfit, lines, isTold) => {
    const now = Date.now() - 3_600_000;
    const line = (id: number) => ({ id, timestamp: id < unfit ? now : new Date(now).toISOString() });
    const trails = Array.from({ length: lines }, (_, id) => line(id));
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (url) => {
      const isFirstPage = new URL(String(url)).searchParams.get('limit') === '300';
      return Response.json({ trails: isFirstPage ? trails.splice(0) : [] });
    });
    await handler(input, context);
    const { summary, metrics } = toldNow();
    const sentence = expect.stringMatching(
      new RegExp(`^${unfit} of ${lines} served lines lack a usable id or timestamp`),
    );
    expect(summary.detail).toEqual(isTold ? sentence : undefined);
    expect(metrics).toEqual([
      gap,
      ...(isTold ? [[archiveMetrics.drift, 1, { bucket: 'archive' }]] : []),
      succeeded('main'),
    ]);
  });

  test('a run that commits and then fails keeps its counts in the summary, and its gap in the metrics too', async () => {
    failPuts('events/', 'AccessDenied', 403);
    const { summary, metrics } = await failureOf(input);
    expect(summary).toMatchObject({ outcome: 'failed', manifests: 1, seq: 1, gaps: 1, counts: { events: 1 } });
    expect(metrics).toEqual([gap]);
  });

  test('a run that finds the lease held by another run emits no metrics', async () => {
    dynamodb.onAnyCommand().rejects(new ConditionalCheckFailedException({ message: 'held', $metadata: {} }));
    expect(await handler(input, context)).toMatchObject({ outcome: 'held' });
    expect(toldNow()).toMatchObject({ summary: { level: 'INFO', outcome: 'held' }, metrics: [] });
  });

  test('a run that loses the race for its manifest emits no metrics', async () => {
    await handler(input, context);
    const key = manifestKey('main', 1);
    const theirs = s3.commandCalls(PutObjectCommand, { Key: key })[0]?.args[0].input.Body;
    s3.on(GetObjectCommand, { Key: key }).resolves({ Body: { transformToByteArray: async () => theirs } as never });
    lines = [];
    failPuts('manifests/', 'PreconditionFailed', 412);
    expect(await handler(input, context)).toMatchObject({ outcome: 'race', manifests: 0 });
    expect(toldNow()).toMatchObject({ summary: { level: 'INFO', outcome: 'race' }, metrics: [] });
    expect(written()).toBe('race');
  });
});
