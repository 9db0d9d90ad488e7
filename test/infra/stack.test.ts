/** The promises of the deployed archive, one promise a test. `policy.test.ts` holds who may do what. */
import { CliCredentialsStackSynthesizer, DefaultStackSynthesizer, type IReusableStackSynthesizer } from 'aws-cdk-lib';
import { archiveName, parameterPath } from '../../infra/names';
import {
  archiverEnvironment,
  mailEnvironment,
  readArchiveInput,
  verifierEnvironment,
} from '../../lambdas/shared/contract';
import { decodeEnvironment } from '../../lambdas/shared/env';
import { deploy } from '../support/deployed';
import { only, type Properties, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const { template, messages } = synthesise(matrix['one team']);
const full = synthesise(matrix['every option on'], { account: '111122223333', region: 'us-east-1' });
const { filled } = deploy(template);
const queueArn = 'arn:aws:sqs:eu-central-1:111122223333:SchedulesUnhandledFCCECB59';

const encryptionKey = { 'Fn::GetAtt': ['KeysEncryption703EF701', 'Arn'] };

/** A rollback of the first deployment could not delete these. */
const kept = {
  StorageCheckpoints2CDBDF43: 'AWS::DynamoDB::Table',
  KeysEncryption703EF701: 'AWS::KMS::Key',
  KeysSigningD455BFD1: 'AWS::KMS::Key',
};
const stateful = {
  StorageBucket5CB7C8EA: 'AWS::S3::Bucket',
  StorageAccessLogs96FB524C: 'AWS::S3::Bucket',
  ArchiverLogsC9593DF9: 'AWS::Logs::LogGroup',
  VerifierLogs7E0537DC: 'AWS::Logs::LogGroup',
  ...kept,
};
const guards = {
  StorageBucketPolicy49CFBD91: 'AWS::S3::BucketPolicy',
  StorageAccessLogsPolicyB327A790: 'AWS::S3::BucketPolicy',
  BreakGlassRoleC6BA1B81: 'AWS::IAM::Role',
  BreakGlassPolicy88954D29: 'AWS::IAM::Policy',
};

test.each(
  Object.entries({ ...stateful, ...guards }),
)('%s survives destroy and replacement under the same id, and a failed first deployment only where it must', (id, type) => {
  const DeletionPolicy = id in kept ? 'Retain' : 'RetainExceptOnCreate';
  const expected = { Type: type, DeletionPolicy, UpdateReplacePolicy: 'Retain' };
  for (const each of [template, full.template]) expect(resourcesOf(each)[id]).toMatchObject(expected);
});

test('a deployment that finds the role of a kept archive fails before it makes what no rollback can remove', () => {
  for (const id of Object.keys(kept)) expect(resourcesOf(template)[id]?.DependsOn).toEqual(['BreakGlassRoleC6BA1B81']);
});

test('nothing else holds state, and only the roles have names that a second deployment would find taken', () => {
  const found = Object.entries(resourcesOf(template));
  const holders = found.filter(([, { Type }]) => Object.values(stateful).includes(Type)).map(([id]) => id);
  expect(holders.sort()).toEqual(Object.keys(stateful).sort());
  const names = ['BucketName', 'TableName', 'LogGroupName', 'RoleName', 'QueueName', 'FunctionName'];
  const named = found.flatMap(([, { Properties = {} }]) => names.map((name) => Properties[name]));
  const roles = ['break-glass', 'archiver', 'verifier'].map((role) => `postman-archive-${role}-eu-central-1`);
  expect(named.filter((name) => name !== undefined && !('Ref' in Object(name))).map(filled)).toEqual(roles);
});

describe('the bucket', () => {
  const bucket = (each = template) => each.toJSON().Resources.StorageBucket5CB7C8EA.Properties;

  test('the bucket keeps versions, and locks every object as the configuration says, by default for 400 days', () => {
    expect(bucket().VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(bucket().ObjectLockEnabled).toBe(true);
    const lock = (each = template) => bucket(each).ObjectLockConfiguration.Rule.DefaultRetention;
    expect(lock()).toEqual({ Mode: 'GOVERNANCE', Days: 400 });
    expect(lock(full.template)).toEqual({ Mode: 'COMPLIANCE', Days: 2557 });
  });

  test('the bucket encrypts with the key of the archive, and S3 records who reads it', () => {
    const key = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: encryptionKey };
    const encryption = { BucketKeyEnabled: true, ServerSideEncryptionByDefault: key };
    expect(bucket().BucketEncryption.ServerSideEncryptionConfiguration).toEqual([encryption]);
    expect(bucket().LoggingConfiguration).toEqual({ DestinationBucketName: { Ref: 'StorageAccessLogs96FB524C' } });
  });

  test('the bucket tells EventBridge of new objects only if the configuration says so, and without a function of CDK', () => {
    expect(bucket().NotificationConfiguration).toBeUndefined();
    const { NotificationConfiguration } = bucket(full.template);
    expect(NotificationConfiguration).toEqual({ EventBridgeConfiguration: { EventBridgeEnabled: true } });
    const functions = Object.keys(full.template.findResources('AWS::Lambda::Function'));
    expect(functions.map((id) => id.replace(/Function.*/, '')).sort()).toEqual(['Archiver', 'Verifier']);
  });

  test('the bucket and its access log are closed to the public', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::S3::Bucket'))) {
      expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    }
  });

  test('the access log goes after 400 days, and what was overwritten or deleted in it after 90 days', () => {
    const { LifecycleConfiguration } = template.toJSON().Resources.StorageAccessLogs96FB524C.Properties;
    const [rule, ...others] = LifecycleConfiguration.Rules;
    expect(rule).toMatchObject({ ExpirationInDays: 400, NoncurrentVersionExpiration: { NoncurrentDays: 90 } });
    expect([rule.Prefix, others]).toEqual([undefined, []]);
  });

  test('nothing expires by default, and everything but manifests expires if the configuration says so', () => {
    expect(bucket().LifecycleConfiguration).toBeUndefined();
    const { Rules } = bucket(full.template).LifecycleConfiguration;
    const areas = ['events', 'quarantine', 'batches'];
    expect(Rules).toMatchObject(areas.map((area) => ({ Prefix: `${area}/team=`, ExpirationInDays: 2600 })));
    // The verifier excuses a missing object only if its manifest says so, and the manifest says what the function was told.
    const { RETENTION } = only(full.template, 'AWS::Lambda::Function', 'Archiver').properties.Environment.Variables;
    expect(JSON.parse(RETENTION)).toEqual({ mode: 'COMPLIANCE', days: 2557, expireAfterDays: 2600 });
  });
});

test.each([
  ['by default', undefined, ['cdk-hnb659fds-cfn-exec-role-111122223333-eu-central-1']],
  [
    'with a qualifier',
    new DefaultStackSynthesizer({ qualifier: 'acme' }),
    ['cdk-acme-cfn-exec-role-111122223333-eu-central-1'],
  ],
  ['with a role', new DefaultStackSynthesizer({ cloudFormationExecutionRole: 'arn:aws:iam::1:role/own' }), ['own']],
  ['without a role', new CliCredentialsStackSynthesizer(), []],
])('%s, break glass and the role of the deployment may change the settings of the bucket', (_, synthesizer, deployment) => {
  const props = synthesizer === undefined ? {} : { defaultStackSynthesizer: synthesizer as IReusableStackSynthesizer };
  const deployed = synthesise(matrix['one team'], {}, props);
  const statements = deploy(deployed.template).policies.flatMap((policy) => policy.statements);
  const [statement] = statements.filter(({ Sid }) => Sid === 'ChangeOnlyByDeployment');
  const roles = [statement?.Condition?.ArnNotEquals?.['aws:PrincipalArn'] ?? []]
    .flat()
    .map((arn) => `${arn}`.split('/')[1]);
  expect(roles).toEqual(['postman-archive-break-glass-eu-central-1', ...deployment]);
  expect(deployed.messages.some((each) => each.includes('names no execution role'))).toBe(deployment.length === 0);
});

test('the checkpoint table costs nothing when idle, has one item per team, and refuses to be deleted', () => {
  expect(only(template, 'AWS::DynamoDB::Table').properties).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }],
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
});

test('one key for data is rotated, and one P-256 key signs manifests', () => {
  const keys = Object.values(template.findResources('AWS::KMS::Key')).map(({ Properties }) => Properties);
  expect(keys.map(({ EnableKeyRotation, KeySpec, KeyUsage }) => [EnableKeyRotation, KeySpec, KeyUsage])).toEqual([
    [true, undefined, undefined],
    [undefined, 'ECC_NIST_P256', 'SIGN_VERIFY'],
  ]);
});

describe('the archiver', () => {
  const { id, properties } = only(template, 'AWS::Lambda::Function', 'Archiver');

  test('the archiver runs on the Node and the processor it was built for, for the longest time that Lambda allows', () => {
    const runtime = { Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' };
    expect(properties).toMatchObject({ ...runtime, Timeout: 900, MemorySize: 512 });
  });

  test('the environment holds the variables that the contract declares, and no others', () => {
    const variables = filled(properties.Environment.Variables) as Record<string, string>;
    const declared = Object.values(archiverEnvironment).map(({ name }) => name);
    expect(Object.keys(variables).sort()).toEqual(declared.sort());
    expect(decodeEnvironment(archiverEnvironment, variables)).toEqual({
      bucket: 'storagebucket5cb7c8ea',
      table: 'StorageCheckpoints2CDBDF43',
      signingKey: 'arn:aws:kms:eu-central-1:111122223333:key/KeysSigningD455BFD1',
      encryptionKey: 'alias/postman-audit-archive',
      lookbackHours: 6,
      maxRequestsPerMinute: 200,
      retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    });
  });

  test('a failed run is retried twice within the hour, and goes to no queue', () => {
    expect(filled(only(template, 'AWS::Lambda::EventInvokeConfig', 'Archiver').properties)).toEqual({
      FunctionName: id,
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3600,
    });
  });

  test('the log is encrypted and kept for thirteen months, and the function is created after its rights', () => {
    const { properties: log } = only(template, 'AWS::Logs::LogGroup', 'Archiver');
    expect(log).toEqual({ KmsKeyId: encryptionKey, RetentionInDays: 400 });
    expect(resourcesOf(template)[id].DependsOn).toContainEqual(expect.stringMatching(/^ArchiverPolicy/));
  });
});

describe('the verifier', () => {
  const { id, properties } = only(template, 'AWS::Lambda::Function', 'Verifier');

  test('the verifier has the variables that the contract declares, and the topic of the alarms for its mail', () => {
    const variables = filled(properties.Environment.Variables) as Record<string, string>;
    const declared = Object.values({ ...verifierEnvironment, ...mailEnvironment }).map(({ name }) => name);
    expect(Object.keys(variables).sort()).toEqual(declared.sort());
    expect(properties.Environment.Variables.ALARM_TOPIC).toEqual({ Ref: only(template, 'AWS::SNS::Topic').id });
  });

  test('a failed verification is retried once, so that there are two mails of a week at most', () => {
    const { properties: retries } = only(template, 'AWS::Lambda::EventInvokeConfig', 'Verifier');
    expect(filled(retries)).toMatchObject({ FunctionName: id, MaximumRetryAttempts: 1 });
  });
});

describe('a schedule', () => {
  const schedule = (each: typeof template, name: string) =>
    Object.values(each.findResources('AWS::Scheduler::Schedule', { Properties: { Name: name } }))[0]?.Properties;

  test('a schedule sends the input that the handler reads, with the time it was due, and keeps what it cannot deliver for four days', () => {
    const { Input, DeadLetterConfig } = schedule(template, 'main').Target;
    expect(filled(DeadLetterConfig)).toEqual({ Arn: queueArn });
    expect(only(template, 'AWS::SQS::Queue').properties.MessageRetentionPeriod).toBe(4 * 86_400);
    const input = JSON.parse(Input);
    expect(input.scheduledTime).toBe('<aws.scheduler.scheduled-time>');
    expect(readArchiveInput({ ...input, scheduledTime: '2026-06-12T21:00:00Z' })).toEqual({
      team: 'main',
      scheduledTime: '2026-06-12T21:00:00.000Z',
    });
  });

  test('the daily schedule sends the time that decides on the weekly mail, every 24 hours', () => {
    const daily = schedule(template, '_verifier');
    expect(daily?.ScheduleExpression).toBe('rate(1 day)');
    expect(JSON.parse(daily?.Target.Input)).toEqual({ scheduledTime: '<aws.scheduler.scheduled-time>' });
  });

  test('a schedule fires as its team is configured, a little late, so that many teams do not begin at once', () => {
    const { ScheduleExpression, FlexibleTimeWindow } = schedule(full.template, 'platform');
    expect(ScheduleExpression).toBe('cron(0/15 6-22 ? * MON-FRI *)');
    expect(FlexibleTimeWindow).toEqual({ Mode: 'FLEXIBLE', MaximumWindowInMinutes: 3 });
    const everyMinute = synthesise({ teams: [{ name: 'main', schedule: 'rate(1 minute)' }] }).template;
    expect(schedule(everyMinute, 'main').FlexibleTimeWindow).toEqual({ Mode: 'OFF' });
  });
});

test('each role has the permissions boundary that cdk.json names', () => {
  const context = { '@aws-cdk/core:permissionsBoundary': { name: 'platform-boundary' } };
  const { template: bounded } = synthesise(matrix['one team'], {}, { context });
  const roles = Object.values(bounded.findResources('AWS::IAM::Role')).map(({ Properties }) => Properties);
  expect(roles.length).toBeGreaterThan(2);
  for (const { PermissionsBoundary } of roles)
    expect(filled(PermissionsBoundary)).toBe('arn:aws:iam::111122223333:policy/platform-boundary');
});

test('no two stages of an account share a name, even if a stage is called as a part of an archive', () => {
  const stages = ['prod', 'qa', ...['signing', 'encryption'].flatMap((part) => [part, `qa-${part}`])];
  const names = stages.flatMap((stage) => {
    const { template: staged } = synthesise({ stage, teams: [{ name: 'main' }] });
    return [...new Set([archiveName(stage), ...namesIn(staged)])];
  });
  expect(names).toContain('alias/postman-audit-archive');
  expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([]);
  const paths = stages.map(parameterPath);
  for (const path of paths) expect(paths.filter((each) => each.startsWith(path))).toEqual([path]);
});

test('a team comes and goes with a change only to its schedule, its alarm, the lists of partitions and of alarms, and the code that its settings lie beside', () => {
  const { template: two } = synthesise({ teams: [{ name: 'main' }, { name: 'sales' }] });
  const { template: left } = synthesise({ teams: [{ name: 'main' }], formerTeams: ['sales'] });
  const lines = ['CatalogEventLines', 'CatalogManifestLines', 'CatalogQuarantineLines'];
  expect(differing(template, two)).toEqual(['Alarmssilentsales', ...lines, 'Dashboard', 'SchedulesTeamsales']);
  // A former team stays in the partitions.
  expect(differing(two, left)).toEqual(['Alarmssilentsales', 'Dashboard', 'SchedulesTeamsales']);
});

test.each([
  ['COMPLIANCE cannot be undone', /^info: COMPLIANCE lock: .*cannot be deleted for 2557 days/],
  ['expiry reaches objects whose manifests do not say so', /^info: expireAfterDays: .*after 2600 days/],
  ['data would leave the EU', /^warning: platform: .* in the EU, and the region us-east-1 is not in the EU/],
])('synth says that %s', (_, message) => {
  expect(full.messages).toContainEqual(expect.stringMatching(message));
});

test('synth warns of nothing if data of the EU stays there, and says only that production wants COMPLIANCE and alarms a recipient by default', () => {
  const inEu = synthesise(matrix['every option on'], { account: '111122223333', region: 'eu-west-1' });
  expect(inEu.messages).toEqual(full.messages.filter((each) => !each.includes('in the EU')));
  const choices = [/^info: GOVERNANCE lock: .*COMPLIANCE/, /^info: alarms: nobody is told of an alarm; set/];
  expect(messages).toEqual(choices.map((choice) => expect.stringMatching(choice)));
});

test.each([
  'cn-north-1',
  'us-gov-west-1',
  'us-iso-east-1',
  'us-isob-east-1',
])('synth refuses the region %s, where Athena may keep no results of queries', (region) => {
  expect(() => synthesise(matrix['one team'], { region })).toThrow(`region ${region}: the archive keeps no results`);
});

test('the outputs name what the next steps need, put an API key without showing it, and start a run', () => {
  const outputs = filled(template.toJSON().Outputs) as Record<string, { readonly Value: string }>;
  const others = ['ArchiverFunction', 'BreakGlassRole', 'Bucket', 'FirstQuery', 'PublicKey', 'RunNow', 'Workgroup'];
  expect(Object.keys(outputs).sort()).toEqual(['Adopt', ...others, 'PutApiKeyMain'].sort());
  expect(outputs.PutApiKeyMain?.Value).toBe(
    '(read -rs API_KEY && printf %s "$API_KEY" | aws ssm put-parameter --region eu-central-1 --name /postman-audit-archive/main/api-key' +
      ' --type SecureString --key-id alias/postman-audit-archive --overwrite --value file:///dev/stdin)',
  );
  expect(outputs.RunNow?.Value).toBe(
    `printf '{"team":"main","scheduledTime":"%s"}' "$(date -u +%FT%TZ)" | aws lambda invoke --region eu-central-1` +
      ' --function-name ArchiverFunction2B48C242 --cli-read-timeout 0 --payload fileb:///dev/stdin run.json && cat run.json',
  );
});

function resourcesOf(each: typeof template): Readonly<Record<string, Properties>> {
  return each.toJSON().Resources;
}

/** The logical ids, without their hashes, of the resources that are not the same in both templates. */
function differing(a: typeof template, b: typeof template): string[] {
  const [these, those] = [resourcesOf(a), resourcesOf(b)];
  return Object.keys({ ...these, ...those })
    .filter((id) => JSON.stringify(these[id]) !== JSON.stringify(those[id]))
    .map((id) => id.slice(0, -8))
    .sort();
}

/** The names that a template claims in the account and region. */
function namesIn(each: typeof template): string[] {
  return Object.values(resourcesOf(each))
    .filter(({ Type }) => !['AWS::Scheduler::Schedule', 'AWS::Glue::Table', 'AWS::Athena::NamedQuery'].includes(Type))
    .flatMap(({ Properties: { AliasName, RoleName, Name, DatabaseInput, AlarmName, DashboardName } = {} }) => [
      AlarmName,
      DashboardName && filled(DashboardName),
      AliasName,
      RoleName,
      Name,
      DatabaseInput?.Name,
    ])
    .filter((name) => typeof name === 'string');
}
