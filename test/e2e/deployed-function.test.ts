/**
 * What a deployment ships, run: the code of the synthesised asset, the environment and the schedule's input of the
 * template, against loopback servers that stand where the template's resources would. Every call it makes to AWS is
 * held against the rights that the same template gives its role.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { compareWithSource } from '../../cli/demo/equality';
import { runVerify } from '../../cli/verify';
import { archiveApp } from '../../infra/archive-app';
import { bundle } from '../../infra/bundle';
import { startDynamoDb } from '../../local/dynamodb';
import { awsEnvironment, type LambdaProcess, startLambdaProcess } from '../../local/lambda-process';
import { createSourceModel } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';
import { sourceSettings } from '../../local/postman/source-settings';
import { createTable } from '../../local/postman/source-table';
import { folderStorage, s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { startSsmServer } from '../../local/ssm-server';
import { record } from '../support/aws-recorder';
import { deploy, REGION } from '../support/deployed';
import { startKmsServer } from '../support/kms-server';
import { type Call, decide } from '../support/policy';
import { only } from '../support/synthesised';
import { type Meddler, onceEach, tap } from '../support/tap';

const API_KEY = 'PMAK-deployed-function';
const HOUR_MS = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'deployed-'));
const bucketFolder = join(folder, 'bucket');

const app = archiveApp({
  archiverCode: Code.fromAsset(dirname(bundle(join(folder, 'bundle')).file)),
  context: { archive: { teams: [{ name: 'main' }] } },
  outdir: join(folder, 'cdk.out'),
});
const template = Template.fromJSON(app.synth().stacks[0]?.template);
const { filled, arnOf, policies } = deploy(template);
const variables = filled(only(template, 'AWS::Lambda::Function').properties.Environment.Variables) as Variables;
const schedule = only(template, 'AWS::Scheduler::Schedule').properties;

type Variables = Readonly<Record<'ARCHIVE_BUCKET' | 'CHECKPOINT_TABLE' | 'SIGNING_KEY', string>>;

/** Breaks calls to S3. */
let meddler: Meddler = {};

const table = createTable();
const closers: (() => Promise<void>)[] = [];
const recorded: Omit<Call, 'principal'>[] = [];
let host: LambdaProcess;
let source: Awaited<ReturnType<typeof startSourceServer>>;

function happen(count: number, hoursAgo: number): void {
  const at = Date.now() - hoursAgo * HOUR_MS;
  table.put(
    Array.from({ length: count }, (_, i) => {
      const row = 558_000_000 + table.size() + i;
      const timestamp = new Date(at).toISOString();
      return { row, at, raw: JSON.stringify({ id: row, action: 'user.login_password_success', timestamp, data: {} }) };
    }),
  );
}

/** One scheduled run: the schedule's input with what Scheduler fills in, and Postman's address on loopback. */
function run() {
  const due = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const input = JSON.parse(schedule.Target.Input.replace('<aws.scheduler.scheduled-time>', due));
  return host.invoke({ ...input, baseUrl: source.url }, 60_000);
}

beforeAll(async () => {
  const storage = folderStorage(bucketFolder, join(folder, 'uploads'));
  const s3 = await startS3Server({ name: variables.ARCHIVE_BUCKET, bucket: s3Bucket(storage) });
  const tapped = await tap('s3', s3.url, { meddler: () => meddler, onCall: () => undefined });
  const dynamodb = await startDynamoDb(variables.CHECKPOINT_TABLE);
  const ssm = await startSsmServer(new Map([[JSON.parse(schedule.Target.Input).apiKeyParameter, API_KEY]]));
  const kms = await startKmsServer(variables.SIGNING_KEY);
  writeFileSync(join(folder, 'public.pem'), kms.publicKey.export({ type: 'spki', format: 'pem' }));
  const behind = await Promise.all([
    record('s3', tapped, recorded),
    record('dynamodb', dynamodb, recorded),
    record('ssm', ssm, recorded),
    record('kms', kms, recorded),
  ]);
  const [s3Url, dynamodbUrl, ssmUrl, kmsUrl] = behind.map(({ url }) => url) as [string, string, string, string];
  source = await startSourceServer(createSourceModel(table, sourceSettings('reality', API_KEY)), {
    now: () => new Date(),
  });
  host = await startLambdaProcess(join(folder, 'cdk.out', assetPath(), 'index.js'), {
    ...awsEnvironment({ s3: s3Url, dynamodb: dynamodbUrl, ssm: ssmUrl }),
    AWS_ENDPOINT_URL_KMS: kmsUrl,
    AWS_REGION: REGION,
    ...variables,
  });
  closers.push(host.close, source.close, ...[...behind, tapped, s3, dynamodb, ssm, kms].map((server) => server.close));
});

afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
  rmSync(folder, { recursive: true });
});

describe('the deployed function', () => {
  it('archives what the source serves, signed by KMS', async () => {
    happen(400, 30);
    expect(await run()).toMatchObject({ ok: true, result: { outcome: 'archived' } });
    await expectWhole(400);
  });

  it('records a run that finds nothing new', async () => {
    expect(await run()).toMatchObject({ ok: true, result: { outcome: 'archived' } });
    await expectWhole(400);
  });

  it('publishes from the staged batch what a failed run had committed', async () => {
    happen(5, 2);
    meddler = { before: ({ name }) => (name === 'PUT events' ? { status: 503, code: 'SlowDown' } : undefined) };
    expect(await run()).toMatchObject({ ok: false });
    meddler = {};
    expect(await run()).toMatchObject({ ok: true });
    await expectWhole(405);
  });

  it('knows its own commit when the answer to it was lost', async () => {
    happen(5, 1);
    meddler = { after: onceEach(['PUT manifests'], 'reset') };
    expect(await run()).toMatchObject({ ok: true, result: { outcome: 'archived' } });
    meddler = {};
    await expectWhole(410);
  });

  it('quarantines what may not enter the events', async () => {
    table.put([{ row: 1, at: null, raw: '{"id":1,"action":"undated"}' }]);
    expect(await run()).toMatchObject({ ok: true, result: { outcome: 'archived' } });
    await expectWhole(411);
  });
});

describe('the rights of the function', () => {
  const principal = arnOf('ArchiverRoleFF43D897');

  it('cover every call it made', () => {
    const refused = recorded.filter((call) => !decide(policies, { ...call, principal }).allowed);
    expect(recorded.length).toBeGreaterThan(50);
    expect(refused).toEqual([]);
  });

  it('are all used by those calls, but for what AWS does on behalf of the role', () => {
    const onBehalf = {
      'kms:GenerateDataKey': 'S3 asks for a data key when an object is created under the key of the bucket',
      'kms:Decrypt': 'S3 opens an object, and SSM a parameter, under the key of the archive',
      'logs:CreateLogStream': 'Lambda writes what the function prints',
      'logs:PutLogEvents': 'Lambda writes what the function prints',
      'sqs:SendMessage': 'Lambda reports a run that failed to the last retry',
    };
    const granted = policies.flatMap(({ of, statements }) =>
      'role' in of && of.role === principal ? statements.flatMap(({ Action = [] }) => [Action].flat()) : [],
    );
    const used = recorded.map(({ action }) => action);
    expect([...new Set(granted)].sort()).toEqual([...new Set([...used, ...Object.keys(onBehalf)])].sort());
  });
});

/** What was served is in the archive, each line once, and the verifier, with the key that KMS exports, finds nothing. */
async function expectWhole(events: number): Promise<void> {
  const { missing, extra, archived } = compareWithSource(bucketFolder, source.servedLines());
  expect({ missing, extra, archived }).toEqual({ missing: [], extra: [], archived: events });
  const said: string[] = [];
  const surroundings = { print: (line: string) => said.push(line), now: new Date() };
  const exitCode = await runVerify(bucketFolder, { key: join(folder, 'public.pem') }, surroundings);
  expect({ exitCode, said }).toMatchObject({ exitCode: 0 });
}

function assetPath(): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'cdk.out', 'postman-audit-archive.assets.json'), 'utf8'));
  const assets = Object.values<{ readonly source: { readonly path: string } }>(manifest.files);
  return assets.map(({ source: { path } }) => path).find((path) => path.startsWith('asset.')) ?? '';
}
