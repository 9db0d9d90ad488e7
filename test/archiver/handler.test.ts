import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { handler } from '../../lambdas/archiver/handler';
import { archiverEnvironment, METRIC_NAMESPACE, metricNames } from '../../lambdas/shared/contract';

const input = {
  team: 'main',
  scheduledTime: '2026-06-12T12:00:00Z',
  apiKeyParameter: '/team/api-key',
  baseUrl: 'https://source.test',
};
const context = { getRemainingTimeInMillis: () => 60_000, awsRequestId: 'request' } as Context;

const folder = mkdtempSync(join(tmpdir(), 'handler-'));
afterAll(() => rmSync(folder, { recursive: true }));

const environment = {
  ARCHIVE_BUCKET: 'archive',
  CHECKPOINT_TABLE: 'checkpoints',
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
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      lines.push(
        ...String(chunk)
          .split('\n')
          .filter((line) => line !== ''),
      );
      return true;
    });
  }
});
afterEach(() => {
  for (const name of Object.keys(environment)) delete process.env[name];
  Object.assign(process.env, before);
});

interface Told {
  readonly error: Error;
  /** The run's one summary line. */
  readonly summary: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, unknown>>;
}

async function failureOf(event: unknown): Promise<Told> {
  const error: unknown = await handler(event, context).then(
    (summary) => summary,
    (caught: unknown) => caught,
  );
  if (!(error instanceof Error)) throw new Error(`expected a failure, got ${inspect(error)}`);
  return { error, ...toldNow() };
}

function toldNow(): Omit<Told, 'error'> {
  const told = lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  const summaries = told.filter(({ outcome }) => outcome !== undefined);
  expect(summaries).toHaveLength(1);
  return { summary: summaries[0], metrics: told.find(({ _aws }) => _aws !== undefined) };
}

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'main'],
  ['a list', [input]],
  ['a number', 7],
])('refuses %s as input, and says what it wants', async (_name, event) => {
  const { error, summary, metrics } = await failureOf(event);
  expect(error).toMatchObject({ code: 'input-invalid', message: expect.stringContaining('"apiKeyParameter"') });
  expect(summary).toMatchObject({ outcome: 'failed', code: 'input-invalid', team: 'unknown' });
  expect(metrics).toMatchObject({ team: 'unknown', [metricNames.failed]: 1 });
});

test('names every problem of its input at once', async () => {
  const event = {
    team: 'Main Team',
    scheduledTime: 'yesterday',
    apiKeyParameter: '',
    baseUrl: 'http://source.test',
    startDate: '2026-02-30',
    acceptOtherTeam: 'yes',
    baseURL: 'x',
  };
  const { error } = await failureOf(event);
  for (const field of Object.keys(event)) expect(error.message).toContain(field);
});

test("a refused input counts against the team it names, so that the team's alarm rings", async () => {
  const { summary, metrics } = await failureOf({ ...input, baseUrl: 'http://source.test' });
  expect(summary).toMatchObject({ outcome: 'failed', team: 'main' });
  expect(metrics).toMatchObject({ team: 'main', [metricNames.failed]: 1 });
});

test.each([
  'http://source.test',
  'ftp://source.test',
  'https://user:canary@source.test',
  'https://source.test/?key=canary',
  'https://source.test/#canary',
  'source.test',
  '',
  7,
  null,
  'http://127.0.0.1.evil.test',
  'http://localhost.evil.test',
  'http://[::2]',
])('sends no key to %p', async (baseUrl) => {
  const { error } = await failureOf({ ...input, baseUrl });
  expect(error).toMatchObject({ code: 'input-invalid', message: expect.stringContaining('baseUrl') });
  expect(lines.join('\n')).not.toContain('canary');
});

test('names every variable of its environment that is missing', async () => {
  for (const name of Object.keys(environment)) delete process.env[name];
  const { error, summary } = await failureOf(input);
  expect(error).toMatchObject({ code: 'environment-invalid' });
  for (const { name } of Object.values(archiverEnvironment)) expect(error.message).toContain(`${name} is not set`);
  expect(summary).toMatchObject({ outcome: 'failed', code: 'environment-invalid', team: 'main' });
});

test('names every variable of its environment that is malformed, and not what it held', async () => {
  Object.assign(process.env, {
    ARCHIVE_BUCKET: '',
    LOOKBACK_HOURS: '-1canary',
    MAX_REQUESTS_PER_MINUTE: '0',
    RETENTION: '{"mode":"canary","days":1}',
  });
  const { error } = await failureOf(input);
  for (const name of ['ARCHIVE_BUCKET', 'LOOKBACK_HOURS', 'MAX_REQUESTS_PER_MINUTE', 'RETENTION']) {
    expect(error.message).toContain(name);
  }
  expect(`${error.stack} ${lines.join('\n')}`).not.toContain('canary');
});

test('a signing key that is none is told, and looked for again by the next run', async () => {
  expect((await failureOf(input)).error).toMatchObject({ code: 'signing-refused' });
  lines = [];
  const path = join(folder, 'other.pem');
  process.env.SIGNING_KEY = `file:${path}`;
  writeFileSync(
    path,
    generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({ type: 'sec1', format: 'pem' }),
  );
  expect((await failureOf(input)).error).toMatchObject({
    code: 'signing-refused',
    message: expect.stringContaining('other.pem'),
  });
});

test('a failed run is one log line at level ERROR, and one metric that an alarm can count', async () => {
  const { summary, metrics } = await failureOf(input);
  expect(summary).toMatchObject({
    level: 'ERROR',
    message: 'run',
    outcome: 'failed',
    team: 'main',
    code: 'signing-refused',
  });
  expect(metrics).toMatchObject({ team: 'main', [metricNames.failed]: 1 });
  expect(metrics).not.toHaveProperty(metricNames.succeeded);
  expect(JSON.stringify(metrics)).toContain(METRIC_NAMESPACE);
});

test('a run that leaves the team to another counts neither as succeeded nor as failed', async () => {
  const path = join(folder, 'key.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  process.env.SIGNING_KEY = `file:${path}`;
  const dynamodb = mockClient(DynamoDBClient);
  dynamodb.rejects(new ConditionalCheckFailedException({ message: 'held', $metadata: {} }));
  try {
    expect(await handler(input, context)).toMatchObject({ outcome: 'held' });
  } finally {
    dynamodb.restore();
  }
  const { summary, metrics } = toldNow();
  expect(summary).toMatchObject({ level: 'INFO', outcome: 'held' });
  expect(metrics).toMatchObject({ team: 'main', [metricNames.throttled]: 0 });
  expect(metrics).not.toHaveProperty(metricNames.succeeded);
  expect(metrics).not.toHaveProperty(metricNames.failed);
});

describe('an error that nobody foresaw', () => {
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
    ['no error', 'canary'],
    ['an object', { message: 'canary' }],
    ['undefined', undefined],
  ])('is told by its name and place, never by its message: %s', async (_name, thrown) => {
    const { error, summary } = await failureOf(bug(thrown));
    expect(summary).toMatchObject({ outcome: 'failed', code: 'unexpected' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
    expect(lines.join('\n')).not.toContain('canary');
  });

  test('keeps where it was thrown', async () => {
    const { error } = await failureOf(bug(new TypeError('x')));
    expect(error.message).toBe('unexpected TypeError');
    expect(error.stack).toMatch(/handler\.test\.ts/);
  });
});
