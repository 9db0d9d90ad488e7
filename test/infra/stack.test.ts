/** What is promised of the deployed archive, one promise a test. Who may do what is in `policy.test.ts`. */
import { Match } from 'aws-cdk-lib/assertions';
import { archiverEnvironment, readArchiveInput } from '../../lambdas/shared/contract';
import { decodeEnvironment } from '../../lambdas/shared/env';
import { deploy } from '../support/deployed';
import { only, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const { template, messages } = synthesise(matrix['one team']);
const full = synthesise(matrix['every option on'], { account: '111122223333', region: 'us-east-1' });

describe('what is kept', () => {
  const stateful = {
    StorageBucket5CB7C8EA: 'AWS::S3::Bucket',
    StorageAccessLogs96FB524C: 'AWS::S3::Bucket',
    StorageCheckpoints2CDBDF43: 'AWS::DynamoDB::Table',
    KeysEncryption703EF701: 'AWS::KMS::Key',
    KeysSigningD455BFD1: 'AWS::KMS::Key',
    ArchiverLogsC9593DF9: 'AWS::Logs::LogGroup',
  };
  const guards = {
    StorageBucketPolicy49CFBD91: 'AWS::S3::BucketPolicy',
    StorageAccessLogsPolicyB327A790: 'AWS::S3::BucketPolicy',
    BreakGlassRoleC6BA1B81: 'AWS::IAM::Role',
    BreakGlassPolicy88954D29: 'AWS::IAM::Policy',
  };

  it.each(
    Object.entries({ ...stateful, ...guards }),
  )('%s survives destroy and replacement, under the same id', (id, type) => {
    for (const each of [template, full.template]) {
      expect(each.toJSON().Resources[id]).toMatchObject({
        Type: type,
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
      });
    }
  });

  it('is all that holds state, and nothing of it has a name that a second deployment would find taken', () => {
    const names = ['BucketName', 'TableName', 'LogGroupName', 'RoleName', 'QueueName', 'FunctionName'];
    for (const [id, { Type, Properties }] of Object.entries<Found>(template.toJSON().Resources)) {
      if (Object.values(stateful).includes(Type)) expect(Object.keys(stateful)).toContain(id);
      const literal = Object.entries(Properties ?? {}).filter(([, value]) => typeof value === 'string');
      expect(literal.filter(([key]) => names.includes(key))).toEqual([]);
    }
  });
});

describe('the bucket', () => {
  const bucket = (each = template) => each.toJSON().Resources.StorageBucket5CB7C8EA.Properties;

  it('is versioned, and locks every object for 400 days in GOVERNANCE mode unless told otherwise', () => {
    expect(bucket().VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(bucket().ObjectLockEnabled).toBe(true);
    expect(bucket().ObjectLockConfiguration.Rule.DefaultRetention).toEqual({ Mode: 'GOVERNANCE', Days: 400 });
  });

  it('locks in the mode and for the days that are configured', () => {
    const retention = { Mode: 'COMPLIANCE', Days: 2557 };
    expect(bucket(full.template).ObjectLockConfiguration.Rule.DefaultRetention).toEqual(retention);
  });

  it('encrypts with its own key, one data key for many objects', () => {
    expect(bucket().BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: {
          SSEAlgorithm: 'aws:kms',
          KMSMasterKeyID: { 'Fn::GetAtt': ['KeysEncryption703EF701', 'Arn'] },
        },
      },
    ]);
  });

  it('is closed to the public, and so is its access log', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::S3::Bucket'))) {
      expect(Object.values(Properties.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    }
  });

  it('records who reads it', () => {
    expect(bucket().LoggingConfiguration).toEqual({ DestinationBucketName: { Ref: 'StorageAccessLogs96FB524C' } });
  });

  it('lets nothing expire unless told to', () => {
    expect(bucket().LifecycleConfiguration).toBeUndefined();
  });

  it('lets everything but manifests expire when told to, after the lock', () => {
    const rules: readonly { readonly Prefix: string; readonly ExpirationInDays: number }[] = bucket(full.template)
      .LifecycleConfiguration.Rules;
    expect(rules.map(({ Prefix }) => Prefix).sort()).toEqual(['batches/team=', 'events/team=', 'quarantine/team=']);
    for (const { ExpirationInDays } of rules) expect(ExpirationInDays).toBe(2600);
    // The verifier excuses what is gone by what the manifests say, and they say what the function was told.
    const { properties } = only(full.template, 'AWS::Lambda::Function');
    const told = JSON.parse(properties.Environment.Variables.RETENTION);
    expect(told).toEqual({ mode: 'COMPLIANCE', days: 2557, expireAfterDays: 2600 });
  });
});

describe('the checkpoint table', () => {
  it('costs nothing when idle, has one item per team, and refuses to be deleted', () => {
    const { properties } = only(template, 'AWS::DynamoDB::Table');
    expect(properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }],
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });
});

describe('the keys', () => {
  it('are a rotated one for data and a P-256 one for manifests', () => {
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true, KeySpec: Match.absent() });
    template.hasResourceProperties('AWS::KMS::Key', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    template.resourceCountIs('AWS::KMS::Key', 2);
  });
});

describe('the archiver', () => {
  const { id, properties } = only(template, 'AWS::Lambda::Function');
  const { filled } = deploy(template);

  it('runs on the Node and the processor it was built for, as long as Lambda lets it, in twice its memory', () => {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 900,
      MemorySize: 512,
    });
    expect(properties.TracingConfig).toBeUndefined();
    expect(properties.ReservedConcurrentExecutions).toBeUndefined();
  });

  it('finds in its environment what its contract declares, and nothing else', () => {
    const variables = filled(properties.Environment.Variables) as Record<string, string>;
    expect(Object.keys(variables).sort()).toEqual(
      Object.values(archiverEnvironment)
        .map(({ name }) => name)
        .sort(),
    );
    expect(decodeEnvironment(archiverEnvironment, variables)).toEqual({
      bucket: 'storagebucket5cb7c8ea',
      table: 'StorageCheckpoints2CDBDF43',
      signingKey: 'arn:aws:kms:eu-central-1:111122223333:key/KeysSigningD455BFD1',
      lookbackHours: 6,
      maxRequestsPerMinute: 200,
      retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    });
  });

  it('is retried twice within the hour, and what still fails is kept for two weeks', () => {
    expect(filled(only(template, 'AWS::Lambda::EventInvokeConfig').properties)).toEqual({
      FunctionName: id,
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3600,
      DestinationConfig: { OnFailure: { Destination: queueArn } },
    });
    expect(only(template, 'AWS::SQS::Queue').properties.MessageRetentionPeriod).toBe(14 * 86_400);
  });

  it('keeps its log for thirteen months, encrypted', () => {
    expect(only(template, 'AWS::Logs::LogGroup').properties).toEqual({
      KmsKeyId: { 'Fn::GetAtt': ['KeysEncryption703EF701', 'Arn'] },
      RetentionInDays: 400,
    });
  });

  it('may not be called before its rights are in place', () => {
    const policy = Object.keys(template.findResources('AWS::IAM::Policy')).filter((each) =>
      each.startsWith('Archiver'),
    );
    expect(template.toJSON().Resources[id].DependsOn).toEqual(expect.arrayContaining(policy));
  });
});

describe('a schedule', () => {
  const target = (each: typeof template, name: string) => {
    const found = Object.values(each.findResources('AWS::Scheduler::Schedule', { Properties: { Name: name } }));
    return found[0]?.Properties;
  };

  it('sends the contract of the handler, with the time it was due', () => {
    const input = JSON.parse(target(template, 'main').Target.Input);
    expect(input.scheduledTime).toBe('<aws.scheduler.scheduled-time>');
    expect(readArchiveInput({ ...input, scheduledTime: '2026-06-12T21:00:00Z' })).toEqual({
      team: 'main',
      scheduledTime: '2026-06-12T21:00:00.000Z',
      apiKeyParameter: '/postman-audit-archive/main/api-key',
      baseUrl: 'https://api.getpostman.com',
    });
  });

  it('carries what is set for its team', () => {
    const { Target, ScheduleExpression } = target(full.template, 'platform');
    expect(ScheduleExpression).toBe('cron(0/15 6-22 ? * MON-FRI *)');
    expect(JSON.parse(Target.Input)).toMatchObject({
      apiKeyParameter: '/platform/postman/audit_key.v2',
      baseUrl: 'https://api.eu.postman.com',
    });
    const { Target: sales } = target(full.template, 'sales');
    expect(JSON.parse(sales.Input).apiKeyParameter).toBe('/postman-audit-archive-acceptance-eu-1/sales/api-key');
  });

  it('keeps what it cannot deliver', () => {
    const { filled } = deploy(template);
    expect(filled(target(template, 'main').Target.DeadLetterConfig)).toEqual({ Arn: queueArn });
  });
});

describe('a stage', () => {
  it('shares no name with another stage of the same account', () => {
    const { template: dev } = synthesise({ stage: 'dev', teams: [{ name: 'main' }] });
    expect(namesIn(dev).filter((name) => namesIn(template).includes(name))).toEqual([]);
  });
});

describe('teams', () => {
  const { template: two } = synthesise({ teams: [{ name: 'main' }, { name: 'sales' }] });
  const { template: left } = synthesise({ teams: [{ name: 'main' }], formerTeams: ['sales'] });

  it('come and go without a change to any resource but their own and the list of partitions', () => {
    const changed = differing(template.toJSON().Resources, two.toJSON().Resources);
    expect(changed).toEqual([
      'CatalogEventLines',
      'CatalogManifestLines',
      'CatalogQuarantineLines',
      'SchedulesTeamsales',
    ]);
    expect(differing(two.toJSON().Resources, left.toJSON().Resources)).toEqual(['SchedulesTeamsales']);
  });

  it('stay in the partitions when they are gone', () => {
    for (const { Properties } of Object.values(left.findResources('AWS::Glue::Table'))) {
      if (Properties.TableInput.TableType === 'VIRTUAL_VIEW') continue;
      expect(Properties.TableInput.Parameters['projection.team.values']).toBe('main,sales');
    }
  });
});

describe('synth says', () => {
  it('that production wants COMPLIANCE, and nothing else about the defaults', () => {
    expect(messages).toEqual([expect.stringMatching(/^info: GOVERNANCE lock: .*COMPLIANCE/)]);
  });

  it('that COMPLIANCE cannot be undone', () => {
    expect(full.messages).toContainEqual(
      expect.stringMatching(/^info: COMPLIANCE lock: .*cannot be deleted for 2557 days/),
    );
  });

  it('when data that Postman keeps in the EU would leave it', () => {
    const warning = 'warning: platform: Postman keeps this data in the EU, and us-east-1 is not there';
    expect(full.messages.filter((each) => each.includes('in the EU'))).toEqual([expect.stringContaining(warning)]);
    const inEu = synthesise(matrix['every option on'], { account: '111122223333', region: 'eu-west-1' });
    expect(inEu.messages.filter((each) => each.includes('in the EU'))).toEqual([]);
  });

  it('that expiry reaches what was archived before it was promised', () => {
    expect(full.messages).toContainEqual(expect.stringMatching(/^info: expireAfterDays: .*after 2600 days/));
  });

  it('that nobody is mailed yet', () => {
    expect(full.messages).toContainEqual(expect.stringMatching(/^warning: alarmEmail is set, but/));
  });
});

describe('the outputs', () => {
  const outputs = deploy(template).filled(template.toJSON().Outputs) as Record<string, { readonly Value: string }>;

  it('name what the next steps need', () => {
    expect(Object.keys(outputs).sort()).toEqual(
      ['ArchiverFunction', 'BreakGlassRole', 'Bucket', 'FirstQuery', 'PublicKey', 'PutApiKeyMain', 'Workgroup'].sort(),
    );
  });

  it('put an API key under the key of the archive, without showing it to the shell or the list of processes', () => {
    expect(outputs.PutApiKeyMain?.Value).toBe(
      'read -rs KEY && printf %s "$KEY" | aws ssm put-parameter --region eu-central-1 --name /postman-audit-archive/main/api-key' +
        ' --type SecureString --key-id alias/postman-audit-archive --overwrite --value file:///dev/stdin',
    );
  });
});

const queueArn = 'arn:aws:sqs:eu-central-1:111122223333:ArchiverUnhandled26DD32E6';

interface Found {
  readonly Type: string;
  readonly Properties?: object;
}

/** The logical ids, without their hashes, of what is in only one of the templates or not the same in both. */
function differing(a: Record<string, Found>, b: Record<string, Found>): string[] {
  const ids = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return ids
    .filter((id) => JSON.stringify(a[id]) !== JSON.stringify(b[id]))
    .map((id) => id.slice(0, -8))
    .sort();
}

/** Every name in the account or region that a template claims. */
function namesIn(each: typeof template): string[] {
  const claimed = ['AliasName', 'DatabaseInput.Name', 'Name', 'DatabaseName', 'GroupName'];
  return Object.values<Found>(each.toJSON().Resources)
    .filter(({ Type }) => !['AWS::Scheduler::Schedule', 'AWS::Glue::Table', 'AWS::Athena::NamedQuery'].includes(Type))
    .flatMap(({ Properties = {} }) => claimed.flatMap((path) => valueAt(Properties, path) ?? []));
}

function valueAt(value: unknown, path: string): string | undefined {
  const found = path
    .split('.')
    .reduce<unknown>((each, key) => (each as Record<string, unknown> | undefined)?.[key], value);
  return typeof found === 'string' ? found : undefined;
}
