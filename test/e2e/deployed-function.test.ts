/**
 * The deployed function: the code of the synthesised asset with the environment and the schedule's input of the
 * template, and with the settings of the asset but for the address of Postman, against local servers that stand where
 * the template's resources would. Every call that it makes to AWS is compared with the rights that the same template
 * gives to its role.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { archiveApp } from '../../infra/archive-app';
import { bundle } from '../../infra/bundle';
import { readTeam, TEAMS_FILE } from '../../lambdas/shared/contract';
import { type Backend, openLocalBackend } from '../support/backend';
import { deploy, REGION } from '../support/deployed';
import { type IamCall, iamCallOf } from '../support/iam-call';
import { startKmsServer } from '../support/kms-server';
import { isAllowed } from '../support/policy';
import { openWorld, PARAMETER, type World } from '../support/scenario';
import { scratch } from '../support/scratch';
import { only } from '../support/synthesised';
import { atFirst } from '../support/tap';

type Variables = Readonly<Record<'ARCHIVE_BUCKET' | 'CHECKPOINT_TABLE' | 'SIGNING_KEY', string>>;

const app = archiveApp({
  archiverCode: (teams) => Code.fromAsset(dirname(bundle(join(scratch, 'bundle'), teams).file)),
  verifierCode: () => Code.fromInline('exports.handler = async () => {};'),
  context: { archive: { teams: [{ name: 'main' }] } },
  outdir: join(scratch, 'cdk.out'),
});
const template = Template.fromJSON(app.synth().stacks[0]?.template);
const { filled, arnOf, policies } = deploy(template);
const variables = filled(
  only(template, 'AWS::Lambda::Function', 'Archiver').properties.Environment.Variables,
) as Variables;
const scheduled = JSON.parse(only(template, 'AWS::Scheduler::Schedule', 'SchedulesTeam').properties.Target.Input);
const recorded: IamCall[] = [];
let world: World;

const handlerFile = join(scratch, 'cdk.out', assetPath(), 'index.js');

beforeAll(async () => {
  const deployed = { handlerFile, environment: { AWS_REGION: REGION, ...variables } };
  const onRequest: Parameters<typeof openWorld>[0]['onRequest'] = (service, request) => {
    if (service !== 'source') recorded.push(iamCallOf(service, request));
  };
  world = await openWorld({ deployed, onRequest }, openBackend);
});

afterAll(() => world.close());

async function openBackend(): Promise<Backend> {
  const backend = await openLocalBackend(variables.ARCHIVE_BUCKET, variables.CHECKPOINT_TABLE);
  const kms = await startKmsServer(variables.SIGNING_KEY);
  return {
    ...backend,
    kms: { ...kms, key: variables.SIGNING_KEY },
    close: async () => void (await Promise.all([backend.close(), kms.close()])),
  };
}

/** One scheduled run: the input of the schedule, with the time that Scheduler fills in. */
function run() {
  const due = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return world.run({
    ...scheduled,
    scheduledTime: scheduled.scheduledTime.replace('<aws.scheduler.scheduled-time>', due),
  });
}

test('the deployed function archives, quarantines and recovers, and KMS signs each manifest', async () => {
  const settings = readTeam(readFileSync(join(dirname(handlerFile), TEAMS_FILE), 'utf8'), 'main');
  expect(settings).toMatchObject({ baseUrl: 'https://api.getpostman.com', apiKeyParameter: PARAMETER });
  world.source.happen(400, { hoursAgo: 30 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 400 } });
  world.source.misbehave('{"id":1,"action":"undated"}');
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });

  world.source.happen(5, { hoursAgo: 0.2 });
  world.meddle({ before: ({ name }) => (name === 'PUT events' ? { status: 503, code: 'SlowDown' } : undefined) });
  expect(await run()).toMatchObject({ outcome: 'failed', code: 'storage-unavailable' });
  world.meddle({});
  expect(await run()).toMatchObject({ outcome: 'archived', recovered: 1 });

  world.source.happen(5, { hoursAgo: 0.1 });
  world.meddle({ after: atFirst('PUT manifests', () => 'reset') });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 5 } });
  await world.expectWhole();
});

describe('the rights of the deployed function', () => {
  const principal = arnOf('ArchiverRoleFF43D897');

  test('the role allows every call that the function made', () => {
    const refused = recorded.filter((call) => !isAllowed(policies, { ...call, principal }));
    expect(recorded.length).toBeGreaterThan(50);
    expect(refused).toEqual([]);
  });

  test('the function uses every right of its role, apart from those that AWS uses on behalf of the role', () => {
    const onBehalf = {
      'kms:GenerateDataKey': 'S3 asks for a data key when an object is created under the key of the bucket',
      'kms:Decrypt': 'S3 opens an object, and SSM a parameter, under the key of the archive',
      'logs:CreateLogStream': 'Lambda writes what the function prints',
      'logs:PutLogEvents': 'Lambda writes what the function prints',
    };
    const granted = policies.flatMap(({ of, statements }) =>
      'role' in of && of.role === principal ? statements.flatMap(({ Action = [] }) => [Action].flat()) : [],
    );
    const used = recorded.map(({ action }) => action);
    expect([...new Set(granted)].sort()).toEqual([...new Set([...used, ...Object.keys(onBehalf)])].sort());
  });
});

function assetPath(): string {
  const manifest = JSON.parse(readFileSync(join(scratch, 'cdk.out', 'postman-audit-archive.assets.json'), 'utf8'));
  const assets = Object.values<{ readonly source: { readonly path: string } }>(manifest.files);
  return assets.map(({ source: { path } }) => path).find((path) => path.startsWith('asset.')) ?? '';
}
