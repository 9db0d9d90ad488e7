/**
 * The calls that the parts of a deployed archive make, and those that nobody may make. Each is one request as AWS would
 * see it, condition keys included.
 */
import type { Call, Context, Policy } from '../support/policy';

/** What a template's resources are called: by the beginning of their logical ids. */
export interface Names {
  arn(idBeginsWith: string): string;
}

export type Calls = Readonly<Record<string, Call>>;

const region = 'eu-central-1';
const account = '111122223333';
const overTls: Context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
const putting: Context = { ...overTls, 's3:ObjectCreationOperation': 'true' };
const creating: Context = { ...putting, 's3:if-none-match': '*' };
const viaS3: Context = { 'kms:ViaService': `s3.${region}.amazonaws.com` };
const viaSsm = (parameter: string): Context => ({
  'kms:ViaService': `ssm.${region}.amazonaws.com`,
  'kms:EncryptionContext:PARAMETER_ARN': parameter,
});
const signing: Context = { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' };

/** Somebody with AdministratorAccess, and no more. */
const admin = `arn:aws:iam::${account}:role/Admin`;
export const adminPolicy: Policy = {
  source: 'AdministratorAccess',
  of: { role: admin },
  statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
};

function parameter(name: string): string {
  return `arn:aws:ssm:${region}:${account}:parameter${name}`;
}

function workgroupContext(name: string): Context {
  const arn = `arn:aws:athena:${region}:${account}:workgroup/${name}`;
  return { 'kms:EncryptionContext:aws:athena:arn': arn, 'aws:SourceArn': arn, 'aws:SourceAccount': account };
}

/** What must be allowed, or the archive does not work. */
export function required({ arn }: Names): Calls {
  const archiver = arn('ArchiverRole');
  const bucket = arn('StorageBucket');
  const by = (action: string, resource: string, context: Context = overTls): Call => ({
    principal: archiver,
    action,
    resource,
    context,
  });
  const as = (principal: string, action: string, resource: string, context: Context = overTls): Call => ({
    principal,
    action,
    resource,
    context,
  });
  const objects = [
    'manifests/team=main/0000000001.json',
    'batches/team=main/0000000001-5b3c.gz',
    'events/team=main/dt=2026-06-12/0000000001.ndjson.gz',
    'quarantine/team=main/dt=2026-06-12/0000000001.ndjson.gz',
  ];
  return {
    ...Object.fromEntries(
      objects.flatMap((key) => [
        [`the archiver reads ${key}`, by('s3:GetObject', `${bucket}/${key}`)],
        [`the archiver creates ${key}`, by('s3:PutObject', `${bucket}/${key}`, creating)],
        [`the archiver lists ${key}`, by('s3:ListBucket', bucket, { ...overTls, 's3:prefix': key })],
      ]),
    ),
    'the archiver lists the manifests of a team': by('s3:ListBucket', bucket, {
      ...overTls,
      's3:prefix': 'manifests/team=main/',
    }),
    'S3 encrypts for the archiver': by('kms:GenerateDataKey', arn('KeysEncryption'), viaS3),
    'S3 decrypts for the archiver': by('kms:Decrypt', arn('KeysEncryption'), viaS3),
    'the archiver reads the public key': by('kms:GetPublicKey', arn('KeysSigning')),
    'the archiver signs': by('kms:Sign', arn('KeysSigning'), signing),
    'the archiver reads an API key': by('ssm:GetParameter', parameter('/postman-audit-archive/main/api-key')),
    'SSM decrypts an API key for the archiver': by(
      'kms:Decrypt',
      arn('KeysEncryption'),
      viaSsm(parameter('/postman-audit-archive/main/api-key')),
    ),
    'the archiver moves its checkpoint': by('dynamodb:UpdateItem', arn('StorageCheckpoints')),
    'Lambda opens a log stream': by('logs:CreateLogStream', arn('ArchiverLogs').replace('*', 'log-stream:a')),
    'Lambda writes the log': by('logs:PutLogEvents', arn('ArchiverLogs').replace('*', 'log-stream:a')),
    'Lambda reports a run that failed': by('sqs:SendMessage', arn('ArchiverUnhandled')),
    'Lambda takes on the role of the archiver': as('lambda.amazonaws.com', 'sts:AssumeRole', archiver),
    'Scheduler takes on its role': as('scheduler.amazonaws.com', 'sts:AssumeRole', arn('SchedulesRole'), {
      'aws:SourceAccount': account,
      'aws:SourceArn': arn('SchedulesGroup'),
    }),
    'Scheduler starts a run': as(arn('SchedulesRole'), 'lambda:InvokeFunction', arn('ArchiverFunction')),
    'Scheduler reports a run it could not start': as(arn('SchedulesRole'), 'sqs:SendMessage', arn('ArchiverUnhandled')),
    'CloudWatch Logs encrypts the log': as(
      `logs.${region}.amazonaws.com`,
      'kms:GenerateDataKey',
      arn('KeysEncryption'),
      {
        'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${account}:log-group:postman-audit-archive-ArchiverLogs-x`,
      },
    ),
    'Athena encrypts the results of a query': as(
      'encryption.athena.amazonaws.com',
      'kms:GenerateDataKey',
      arn('KeysEncryption'),
      workgroupContext('postman-audit-archive'),
    ),
    'S3 delivers the access log': as('logging.s3.amazonaws.com', 's3:PutObject', `${arn('StorageAccessLogs')}/a`, {
      ...putting,
      'aws:SourceAccount': account,
      'aws:SourceArn': bucket,
    }),
    'an auditor reads an event': as(admin, 's3:GetObject', `${bucket}/${objects[2]}`),
    'an administrator manages the signing key': as(admin, 'kms:DescribeKey', arn('KeysSigning')),
    'an administrator puts an API key': as(admin, 'kms:Encrypt', arn('KeysEncryption')),
    'somebody with the right to takes on break glass': as(admin, 'sts:AssumeRole', arn('BreakGlassRole')),
    'break glass deletes a version': as(arn('BreakGlassRole'), 's3:DeleteObjectVersion', `${bucket}/${objects[0]}`),
    ...Object.fromEntries(
      ['DeleteObject', 'PutObjectRetention', 'PutObjectLegalHold', 'BypassGovernanceRetention'].map((action) => [
        `break glass: ${action}`,
        as(arn('BreakGlassRole'), `s3:${action}`, `${bucket}/${objects[0]}`),
      ]),
    ),
    'break glass finds the versions': as(arn('BreakGlassRole'), 's3:ListBucketVersions', bucket),
    'break glass deletes the empty bucket': as(arn('BreakGlassRole'), 's3:DeleteBucket', bucket),
    'break glass removes the encryption key': as(
      arn('BreakGlassRole'),
      'kms:ScheduleKeyDeletion',
      arn('KeysEncryption'),
    ),
    'break glass disables the signing key': as(arn('BreakGlassRole'), 'kms:DisableKey', arn('KeysSigning')),
  };
}

/** What must be denied, whatever else is true. */
export function forbidden({ arn }: Names): Calls {
  const archiver = arn('ArchiverRole');
  const bucket = arn('StorageBucket');
  const manifest = `${bucket}/manifests/team=main/0000000001.json`;
  const event = `${bucket}/events/team=main/dt=2026-06-12/0000000001.ndjson.gz`;
  const as = (principal: string, action: string, resource: string, context: Context = overTls): Call => ({
    principal,
    action,
    resource,
    context,
  });
  const by = (action: string, resource: string, context?: Context) => as(archiver, action, resource, context);
  const plain: Context = { ...creating, 'aws:SecureTransport': 'false' };
  const oldTls: Context = { ...overTls, 's3:TlsVersion': '1.1' };
  return {
    'the archiver deletes an object': by('s3:DeleteObject', event),
    'the archiver deletes a version': by('s3:DeleteObjectVersion', manifest),
    'the archiver overwrites a manifest': by('s3:PutObject', manifest, putting),
    'the archiver overwrites a segment': by('s3:PutObject', event, putting),
    'the archiver uploads in parts': by('s3:PutObject', event, { ...overTls, 's3:ObjectCreationOperation': 'false' }),
    'the archiver writes outside its prefixes': by('s3:PutObject', `${bucket}/reports/a`, creating),
    'the archiver writes beside the teams': by('s3:PutObject', `${bucket}/events/a`, creating),
    'the archiver reads outside its prefixes': by('s3:GetObject', `${bucket}/reports/a`),
    'the archiver reads another bucket': by('s3:GetObject', 'arn:aws:s3:::another/events/team=main/a'),
    'the archiver reads the access log': by('s3:GetObject', `${arn('StorageAccessLogs')}/a`),
    'the archiver lists the whole bucket': by('s3:ListBucket', bucket),
    'the archiver lists the teams': by('s3:ListBucket', bucket, { ...overTls, 's3:prefix': 'events/team=' }),
    'the archiver lists versions': by('s3:ListBucketVersions', bucket, {
      ...overTls,
      's3:prefix': 'events/team=main/',
    }),
    'the archiver changes retention': by('s3:PutObjectRetention', event),
    'the archiver sets a legal hold': by('s3:PutObjectLegalHold', event),
    'the archiver passes a governance lock': by('s3:BypassGovernanceRetention', event),
    'the archiver loosens the default lock': by('s3:PutBucketObjectLockConfiguration', bucket),
    'the archiver changes the bucket policy': by('s3:PutBucketPolicy', bucket),
    'the archiver has objects expire': by('s3:PutLifecycleConfiguration', bucket),
    'the archiver writes over plain HTTP': by('s3:PutObject', event, plain),
    'the archiver uses an old TLS': by('s3:GetObject', event, oldTls),
    'the archiver decrypts by itself': by('kms:Decrypt', arn('KeysEncryption')),
    'the archiver decrypts another parameter': by(
      'kms:Decrypt',
      arn('KeysEncryption'),
      viaSsm(parameter('/postman-audit-archive-dev/main/api-key')),
    ),
    'the archiver signs with another algorithm': by('kms:Sign', arn('KeysSigning'), {
      'kms:SigningAlgorithm': 'ECDSA_SHA_512',
    }),
    'the archiver changes a key policy': by('kms:PutKeyPolicy', arn('KeysSigning')),
    'the archiver grants the signing key on': by('kms:CreateGrant', arn('KeysSigning')),
    'the archiver removes the encryption key': by('kms:ScheduleKeyDeletion', arn('KeysEncryption')),
    'the archiver reads the API key of another stage': by(
      'ssm:GetParameter',
      parameter('/postman-audit-archive-dev/main/api-key'),
    ),
    'the archiver reads any other parameter': by('ssm:GetParameter', parameter('/prod/database/password')),
    'the archiver lists parameters': by('ssm:GetParametersByPath', parameter('/postman-audit-archive/')),
    'the archiver changes an API key': by('ssm:PutParameter', parameter('/postman-audit-archive/main/api-key')),
    'the archiver deletes its checkpoint': by('dynamodb:DeleteItem', arn('StorageCheckpoints')),
    'the archiver scans the table': by('dynamodb:Scan', arn('StorageCheckpoints')),
    'the archiver writes another table': by('dynamodb:UpdateItem', `${arn('StorageCheckpoints')}-2`),
    'the archiver removes its log': by('logs:DeleteLogGroup', arn('ArchiverLogs').replace(':*', '')),
    'the archiver reads the queue': by('sqs:ReceiveMessage', arn('ArchiverUnhandled')),
    'the archiver starts itself': by('lambda:InvokeFunction', arn('ArchiverFunction')),
    'the archiver takes on break glass': by('sts:AssumeRole', arn('BreakGlassRole')),
    'Scheduler starts another function': as(
      arn('SchedulesRole'),
      'lambda:InvokeFunction',
      `${arn('ArchiverFunction')}2`,
    ),
    'Scheduler acts for a schedule elsewhere': as('scheduler.amazonaws.com', 'sts:AssumeRole', arn('SchedulesRole'), {
      'aws:SourceAccount': account,
      'aws:SourceArn': `arn:aws:scheduler:${region}:${account}:schedule-group/default`,
    }),
    'an administrator signs': as(admin, 'kms:Sign', arn('KeysSigning'), signing),
    'an administrator disables the signing key': as(admin, 'kms:DisableKey', arn('KeysSigning')),
    'an administrator removes the encryption key': as(admin, 'kms:ScheduleKeyDeletion', arn('KeysEncryption')),
    'an administrator deletes an object': as(admin, 's3:DeleteObject', event),
    'an administrator shortens retention': as(admin, 's3:PutObjectRetention', event),
    'an administrator plants an object': as(admin, 's3:PutObject', event, creating),
    'an administrator replicates into the archive': as(admin, 's3:ReplicateObject', event),
    'an administrator reads over plain HTTP': as(admin, 's3:GetObject', event, plain),
    'an administrator reads by an old TLS': as(admin, 's3:GetObject', event, oldTls),
    'an administrator reads the access log over plain HTTP': as(
      admin,
      's3:GetObject',
      `${arn('StorageAccessLogs')}/a`,
      plain,
    ),
    'an administrator reads the access log by an old TLS': as(
      admin,
      's3:GetObject',
      `${arn('StorageAccessLogs')}/a`,
      oldTls,
    ),
    'an administrator reads the queue over plain HTTP': as(
      admin,
      'sqs:ReceiveMessage',
      arn('ArchiverUnhandled'),
      plain,
    ),
    'break glass overwrites an object': as(arn('BreakGlassRole'), 's3:PutObject', event, putting),
    'break glass plants an object': as(arn('BreakGlassRole'), 's3:PutObject', event, creating),
    'break glass signs': as(arn('BreakGlassRole'), 'kms:Sign', arn('KeysSigning'), signing),
    'break glass deletes from another bucket': as(arn('BreakGlassRole'), 's3:DeleteObject', 'arn:aws:s3:::another/a'),
    'Athena uses the key for another workgroup': as(
      'encryption.athena.amazonaws.com',
      'kms:Decrypt',
      arn('KeysEncryption'),
      workgroupContext('primary'),
    ),
    'CloudWatch Logs uses the key for another log': as(
      `logs.${region}.amazonaws.com`,
      'kms:Decrypt',
      arn('KeysEncryption'),
      {
        'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${region}:${account}:log-group:another`,
      },
    ),
    'a stranger reads an event': as('arn:aws:iam::999999999999:role/Stranger', 's3:GetObject', event),
  };
}

/** What the policies of bucket and keys deny the archiver even where somebody has given its role every right. */
export function forbiddenWithEveryRight({ arn }: Names): Calls {
  const event = `${arn('StorageBucket')}/events/team=main/dt=2026-06-12/0000000001.ndjson.gz`;
  const by = (action: string, resource: string, context: Context = overTls): Call => ({
    principal: arn('ArchiverRole'),
    action,
    resource,
    context,
  });
  return {
    'overwrite an object': by('s3:PutObject', event, putting),
    'delete an object': by('s3:DeleteObject', event),
    'delete a version': by('s3:DeleteObjectVersion', event),
    'shorten retention': by('s3:PutObjectRetention', event),
    'pass a governance lock': by('s3:BypassGovernanceRetention', event),
    'write over plain HTTP': by('s3:PutObject', event, { ...creating, 'aws:SecureTransport': 'false' }),
    'remove the encryption key': by('kms:ScheduleKeyDeletion', arn('KeysEncryption')),
    'disable the signing key': by('kms:DisableKey', arn('KeysSigning')),
  };
}
