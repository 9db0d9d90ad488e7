/**
 * The calls that the parts of a deployed archive make, and the calls that nobody may make. A line of a table is one request
 * as AWS sees it: what happens, the principal, the action, the resource, and the condition keys (TLS only, if not named).
 */
import { ACCOUNT, REGION } from '../support/deployed';
import type { Call, Context, Policy } from '../support/policy';

export type Calls = Readonly<Record<string, Call>>;

/** The ARN of the only resource whose logical id begins so. */
type FindArn = (idBeginsWith: string) => string;

const ADMIN = `arn:aws:iam::${ACCOUNT}:role/Admin`;

/** The role with which CloudFormation deploys, as `cdk bootstrap` creates it. */
const DEPLOYMENT = `arn:aws:iam::${ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-${ACCOUNT}-${REGION}`;

/** The roles that have AdministratorAccess and nothing else. */
export const adminPolicies = [ADMIN, DEPLOYMENT].map(everyRight);

export function everyRight(role: string): Policy {
  return { source: 'AdministratorAccess', of: { role }, statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
}

function places(arn: FindArn): Readonly<Record<string, string>> {
  const bucket = arn('StorageBucket');
  return {
    bucket,
    manifest: `${bucket}/manifests/team=main/0000000001.json`,
    batch: `${bucket}/batches/team=main/0000000001-5b3c.gz`,
    event: `${bucket}/events/team=main/dt=2026-06-12/0000000001.ndjson.gz`,
    quarantine: `${bucket}/quarantine/team=main/dt=2026-06-12/0000000001.ndjson.gz`,
    accessLog: arn('StorageAccessLogs'),
    checkpoints: arn('StorageCheckpoints'),
    anotherTable: `${arn('StorageCheckpoints')}-2`,
    encryption: arn('KeysEncryption'),
    signing: arn('KeysSigning'),
    archiver: arn('ArchiverRole'),
    anchor: `${bucket}/anchors/team=main/0000000001-0123456789abcdef.json`,
    verifier: arn('VerifierRole'),
    verifierFunction: arn('VerifierFunction'),
    verifierLogStream: arn('VerifierLogs').replace('*', 'log-stream:a'),
    function: arn('ArchiverFunction'),
    anotherFunction: `${arn('ArchiverFunction')}2`,
    queue: arn('SchedulesUnhandled'),
    topic: arn('AlarmsTopic'),
    anotherTopic: `${arn('AlarmsTopic')}2`,
    logStream: arn('ArchiverLogs').replace('*', 'log-stream:a'),
    scheduler: arn('SchedulesRole'),
    breakGlass: arn('BreakGlassRole'),
    auditor: arn('AuditorsRole'),
    kim: `arn:aws:iam::${ACCOUNT}:user/kim`,
    auditCompany: 'arn:aws:iam::444455556666:role/Audit',
    admin: ADMIN,
    deployment: DEPLOYMENT,
    stranger: 'arn:aws:iam::999999999999:role/Stranger',
    elsewhere: 'arn:aws:s3:::another',
    workgroup: `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/postman-audit-archive`,
    anotherWorkgroup: `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/primary`,
    dataCatalog: `arn:aws:athena:${REGION}:${ACCOUNT}:datacatalog/AwsDataCatalog`,
    catalog: `arn:aws:glue:${REGION}:${ACCOUNT}:catalog`,
    databases: `arn:aws:glue:${REGION}:${ACCOUNT}:database`,
    tables: `arn:aws:glue:${REGION}:${ACCOUNT}:table`,
    parameter: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter`,
    logService: `logs.${REGION}.amazonaws.com`,
  };
}

function contexts(arn: FindArn): Readonly<Record<string, Context>> {
  const overTls = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
  const putting = { ...overTls, 's3:ObjectCreationOperation': 'true' };
  const creating = { ...putting, 's3:if-none-match': '*' };
  const source = (value: string) => ({ 'aws:SourceAccount': ACCOUNT, 'aws:SourceArn': value });
  const viaSsm = (stage: string) => ({
    'kms:ViaService': `ssm.${REGION}.amazonaws.com`,
    'kms:EncryptionContext:PARAMETER_ARN': `${places(arn).parameter}/${stage}/main/api-key`,
  });
  const workgroup = (name: string) => {
    const value = `arn:aws:athena:${REGION}:${ACCOUNT}:workgroup/${name}`;
    return { 'kms:EncryptionContext:aws:athena:arn': value, ...source(value) };
  };
  const logs = (group: string) => ({
    'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}`,
  });
  const alarm = (name: string) => source(`arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:${name}/gap`);
  const topic = (name: string) => ({
    'kms:EncryptionContext:aws:sns:topicArn': `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`,
  });
  return {
    overTls,
    ofAnAlarm: { ...overTls, ...alarm('postman-audit-archive') },
    ofAnotherAlarm: { ...overTls, ...alarm('postman-audit-archive-dev') },
    ofAForeignAlarm: { ...overTls, ...alarm('postman-audit-archive'), 'aws:SourceAccount': '999999999999' },
    ofTheTopic: topic('postman-audit-archive-AlarmsTopic3A2DFEBA-x'),
    ofAnotherTopic: topic('another'),
    ofThisTopic: { 'kms:EncryptionContext:aws:sns:topicArn': arn('AlarmsTopic') },
    putting,
    creating,
    inParts: { ...overTls, 's3:ObjectCreationOperation': 'false' },
    plain: { ...creating, 'aws:SecureTransport': 'false' },
    oldTls: { ...overTls, 's3:TlsVersion': '1.1' },
    viaS3: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` },
    viaAthena: { 'kms:ViaService': `athena.${REGION}.amazonaws.com` },
    viaSsm: viaSsm('postman-audit-archive'),
    viaSsmOfDev: viaSsm('postman-audit-archive-dev'),
    sha256: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' },
    sha512: { 'kms:SigningAlgorithm': 'ECDSA_SHA_512' },
    ofTheGroup: source(arn('SchedulesGroup')),
    ofAnotherGroup: source(`arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/default`),
    ofTheLog: logs('postman-audit-archive-ArchiverLogs-x'),
    ofAnotherLog: logs('another'),
    ofTheWorkgroup: workgroup('postman-audit-archive'),
    ofAnotherWorkgroup: workgroup('primary'),
    accessLogDelivery: { ...putting, ...source(arn('StorageBucket')) },
  };
}

/** A cell may go on after the name of a place, with a path. */
export function readCalls(table: string, arn: FindArn): Calls {
  const [known, named] = [places(arn), contexts(arn)];
  const place = (cell = '') => cell.replace(/^\w+(?=\/|$)/, (name) => known[name] ?? name);
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return Object.fromEntries(
    rows.map(([name, principal, action = '', resource, conditions = 'overTls']) => {
      const keys = named[conditions];
      if (keys === undefined) throw new Error(`no context is called ${conditions}`);
      return [name, { principal: place(principal), action, resource: place(resource), context: keys }];
    }),
  );
}

const SETTINGS = {
  lifecycle: 's3:PutLifecycleConfiguration',
  lock: 's3:PutBucketObjectLockConfiguration',
  versioning: 's3:PutBucketVersioning',
  logging: 's3:PutBucketLogging',
  encryption: 's3:PutEncryptionConfiguration',
  replication: 's3:PutReplicationConfiguration',
  notification: 's3:PutBucketNotification',
};

/** One line for each setting of the bucket and of the bucket that holds its access log. */
function changes(who: string, principal: string): string {
  const lines = Object.entries(SETTINGS).flatMap(([setting, action]) => [
    `${who} changes the ${setting} of the bucket | ${principal} | ${action} | bucket`,
    `${who} changes the ${setting} of the access log | ${principal} | ${action} | accessLog`,
  ]);
  return lines.join('\n');
}

const QUERIES = [
  'StartQueryExecution',
  'StopQueryExecution',
  'GetQueryExecution',
  'BatchGetQueryExecution',
  'ListQueryExecutions',
  'GetQueryResults',
  'GetQueryResultsStream',
  'GetWorkGroup',
  'ListNamedQueries',
  'GetNamedQuery',
  'BatchGetNamedQuery',
];
const TABLES = {
  GetDatabase: 'databases/default',
  GetDatabases: 'catalog',
  GetTable: 'databases/postman_audit_archive',
  GetTables: 'tables/postman_audit_archive/events',
};

/** One line for each request that a query in the workgroup of the archive may need. */
function queries(who: string, principal: string): string {
  const asked = QUERIES.map((action) => `${who} may ${action} | ${principal} | athena:${action} | workgroup`);
  const read = Object.entries(TABLES).map(
    ([action, part]) => `${who} may ${action} | ${principal} | glue:${action} | ${part}`,
  );
  return [...asked, ...read].join('\n');
}

/** The archive does not work unless each of these calls is allowed. */
export const required = `
  the archiver reads a manifest                    | archiver | s3:GetObject | manifest
  the archiver reads a batch                       | archiver | s3:GetObject | batch
  the archiver reads a segment of events           | archiver | s3:GetObject | event
  the archiver reads a quarantined segment         | archiver | s3:GetObject | quarantine
  the archiver creates a manifest                  | archiver | s3:PutObject | manifest | creating
  the archiver creates a batch                     | archiver | s3:PutObject | batch | creating
  the archiver creates a segment of events         | archiver | s3:PutObject | event | creating
  the archiver creates a quarantined segment       | archiver | s3:PutObject | quarantine | creating
  S3 answers 404 and not 403 for a missing object  | archiver | s3:ListBucket | bucket
  S3 encrypts for the archiver                     | archiver | kms:GenerateDataKey | encryption | viaS3
  S3 decrypts for the archiver                     | archiver | kms:Decrypt | encryption | viaS3
  the archiver reads the public key                | archiver | kms:GetPublicKey | signing
  the archiver signs                               | archiver | kms:Sign | signing | sha256
  the archiver reads an API key                    | archiver | ssm:GetParameter | parameter/postman-audit-archive/main/api-key
  SSM decrypts an API key for the archiver         | archiver | kms:Decrypt | encryption | viaSsm
  the archiver moves its checkpoint                | archiver | dynamodb:UpdateItem | checkpoints
  Lambda opens a log stream                        | archiver | logs:CreateLogStream | logStream
  Lambda writes the log                            | archiver | logs:PutLogEvents | logStream
  Lambda takes on the role of the archiver         | lambda.amazonaws.com | sts:AssumeRole | archiver
  Lambda takes on the role of the verifier         | lambda.amazonaws.com | sts:AssumeRole | verifier
  the verifier lists the archive                   | verifier | s3:ListBucket | bucket
  the verifier lists versions                      | verifier | s3:ListBucketVersions | bucket
  the verifier reads an event                      | verifier | s3:GetObject | event
  the verifier reads an anchor                     | verifier | s3:GetObject | anchor
  the verifier reads a lock                        | verifier | s3:GetObjectRetention | batch
  the verifier creates an anchor                   | verifier | s3:PutObject | anchor | creating
  S3 decrypts for the verifier                     | verifier | kms:Decrypt | encryption | viaS3
  S3 encrypts an anchor                            | verifier | kms:GenerateDataKey | encryption | viaS3
  the verifier reads the public key                | verifier | kms:GetPublicKey | signing
  the verifier sends the weekly mail               | verifier | sns:Publish | topic
  SNS encrypts the weekly mail                     | verifier | kms:GenerateDataKey | encryption | ofThisTopic
  SNS decrypts the weekly mail                     | verifier | kms:Decrypt | encryption | ofThisTopic
  Lambda opens a log stream of the verifier        | verifier | logs:CreateLogStream | verifierLogStream
  Lambda writes the log of the verifier            | verifier | logs:PutLogEvents | verifierLogStream
  Scheduler starts a verification                  | scheduler | lambda:InvokeFunction | verifierFunction
  Scheduler takes on its role                      | scheduler.amazonaws.com | sts:AssumeRole | scheduler | ofTheGroup
  Scheduler starts a run                           | scheduler | lambda:InvokeFunction | function
  Scheduler reports a run that it could not start  | scheduler | sqs:SendMessage | queue
  CloudWatch Logs encrypts the log                 | logService | kms:GenerateDataKey | encryption | ofTheLog
  Athena encrypts the results of a query           | encryption.athena.amazonaws.com | kms:GenerateDataKey | encryption | ofTheWorkgroup
  CloudWatch notifies the topic of an alarm        | cloudwatch.amazonaws.com | sns:Publish | topic | ofAnAlarm
  SNS encrypts what CloudWatch publishes           | cloudwatch.amazonaws.com | kms:GenerateDataKey | encryption | ofTheTopic
  SNS decrypts what CloudWatch publishes           | cloudwatch.amazonaws.com | kms:Decrypt | encryption | ofTheTopic
  S3 delivers the access log                       | logging.s3.amazonaws.com | s3:PutObject | accessLog/a | accessLogDelivery
  an administrator reads an event                  | admin | s3:GetObject | event
  a company of auditors takes on its role          | auditCompany | sts:AssumeRole | auditor
  an auditor of the same account does so too       | kim | sts:AssumeRole | auditor
  an auditor reads an event                        | auditor | s3:GetObject | event
  an auditor reads a lock                          | auditor | s3:GetObjectRetention | event
  an auditor lists the archive                     | auditor | s3:ListBucket | bucket
  an auditor finds the bucket                      | auditor | s3:GetBucketLocation | bucket
  S3 decrypts for an auditor                       | auditor | kms:Decrypt | encryption | viaS3
  Athena decrypts results for an auditor           | auditor | kms:Decrypt | encryption | viaAthena
  Athena encrypts results for an auditor           | auditor | kms:GenerateDataKey | encryption | viaAthena
  an auditor finds the tables                      | auditor | athena:GetDataCatalog | dataCatalog
  ${queries('an auditor', 'auditor')}
  an administrator manages the signing key         | admin | kms:DescribeKey | signing
  an administrator puts an API key                 | admin | kms:Encrypt | encryption
  somebody with the right to takes on break glass  | admin | sts:AssumeRole | breakGlass
  break glass deletes an object                    | breakGlass | s3:DeleteObject | manifest
  break glass deletes a version                    | breakGlass | s3:DeleteObjectVersion | manifest
  break glass changes retention                    | breakGlass | s3:PutObjectRetention | manifest
  break glass sets a legal hold                    | breakGlass | s3:PutObjectLegalHold | manifest
  break glass passes a governance lock             | breakGlass | s3:BypassGovernanceRetention | manifest
  break glass deletes an access log                | breakGlass | s3:DeleteObjectVersion | accessLog/a
  break glass finds the versions                   | breakGlass | s3:ListBucketVersions | bucket
  break glass deletes the empty bucket             | breakGlass | s3:DeleteBucket | bucket
  break glass removes the encryption key           | breakGlass | kms:ScheduleKeyDeletion | encryption
  break glass disables the signing key             | breakGlass | kms:DisableKey | signing
  ${changes('break glass', 'breakGlass')}
  ${changes('a deployment', 'deployment')}`;

/**
 * Each of these calls must be denied. No line names a right that a role does not have at all, because another test
 * compares the rights of each role with the required calls.
 */
export const forbidden = `
  the archiver uploads in parts                    | archiver | s3:PutObject | event | inParts
  the archiver writes outside its prefixes         | archiver | s3:PutObject | bucket/reports/a | creating
  the archiver writes beside the teams             | archiver | s3:PutObject | bucket/events/a | creating
  the archiver reads outside its prefixes          | archiver | s3:GetObject | bucket/reports/a
  the archiver reads another bucket                | archiver | s3:GetObject | elsewhere/events/team=main/a
  the archiver reads the access log                | archiver | s3:GetObject | accessLog/a
  the archiver lists another bucket                | archiver | s3:ListBucket | elsewhere
  the archiver lists the access log                | archiver | s3:ListBucket | accessLog
  the archiver uses an old TLS                     | archiver | s3:GetObject | event | oldTls
  the archiver decrypts by itself                  | archiver | kms:Decrypt | encryption
  the archiver decrypts another parameter          | archiver | kms:Decrypt | encryption | viaSsmOfDev
  the archiver signs with another algorithm        | archiver | kms:Sign | signing | sha512
  the archiver reads the API key of another stage  | archiver | ssm:GetParameter | parameter/postman-audit-archive-dev/main/api-key
  the archiver reads any other parameter           | archiver | ssm:GetParameter | parameter/prod/database/password
  the archiver writes another table                | archiver | dynamodb:UpdateItem | anotherTable
  the archiver starts itself                       | archiver | lambda:InvokeFunction | function
  the verifier overwrites an anchor                | verifier | s3:PutObject | anchor | putting
  the verifier writes outside the anchors          | verifier | s3:PutObject | manifest | creating
  the verifier decrypts an API key                 | verifier | kms:Decrypt | encryption | viaSsm
  the verifier publishes to another topic          | verifier | sns:Publish | anotherTopic
  the verifier uses the key for another topic      | verifier | kms:GenerateDataKey | encryption | ofAnotherTopic
  the verifier reads the access log                | verifier | s3:GetObject | accessLog/a
  an administrator plants an anchor                | admin | s3:PutObject | anchor | creating
  Scheduler starts another function                | scheduler | lambda:InvokeFunction | anotherFunction
  Scheduler acts for a schedule elsewhere          | scheduler.amazonaws.com | sts:AssumeRole | scheduler | ofAnotherGroup
  an auditor decrypts an API key                   | auditor | kms:Decrypt | encryption | viaSsm
  an auditor decrypts by himself                   | auditor | kms:Decrypt | encryption
  an auditor reads an API key                      | auditor | ssm:GetParameter | parameter/postman-audit-archive/main/api-key
  an auditor reads another bucket                  | auditor | s3:GetObject | elsewhere/a
  an auditor reads the access log                  | auditor | s3:GetObject | accessLog/a
  an auditor asks in another workgroup             | auditor | athena:StartQueryExecution | anotherWorkgroup
  an auditor reads another table                   | auditor | glue:GetTable | tables/another/people
  a stranger takes on the role of the auditors     | stranger | sts:AssumeRole | auditor
  an administrator takes on the role of auditors   | admin | sts:AssumeRole | auditor
  an administrator signs                           | admin | kms:Sign | signing | sha256
  an administrator disables the signing key        | admin | kms:DisableKey | signing
  an administrator removes the encryption key      | admin | kms:ScheduleKeyDeletion | encryption
  an administrator deletes an object               | admin | s3:DeleteObject | event
  an administrator shortens retention              | admin | s3:PutObjectRetention | event
  ${changes('an administrator', 'admin')}
  an administrator removes an access log           | admin | s3:DeleteObject | accessLog/a
  a deployment deletes an object                   | deployment | s3:DeleteObjectVersion | event
  a deployment removes an access log               | deployment | s3:DeleteObjectVersion | accessLog/a
  an administrator plants an object                | admin | s3:PutObject | event | creating
  an administrator replicates into the archive     | admin | s3:ReplicateObject | event
  an administrator reads over plain HTTP           | admin | s3:GetObject | event | plain
  an administrator reads by an old TLS             | admin | s3:GetObject | event | oldTls
  the access log is read over plain HTTP           | admin | s3:GetObject | accessLog/a | plain
  the access log is read by an old TLS             | admin | s3:GetObject | accessLog/a | oldTls
  the queue is read over plain HTTP                | admin | sqs:ReceiveMessage | queue | plain
  break glass overwrites an object                 | breakGlass | s3:PutObject | event | putting
  break glass plants an object                     | breakGlass | s3:PutObject | event | creating
  break glass signs                                | breakGlass | kms:Sign | signing | sha256
  break glass deletes from another bucket          | breakGlass | s3:DeleteObject | elsewhere/a
  Athena uses the key for another workgroup        | encryption.athena.amazonaws.com | kms:Decrypt | encryption | ofAnotherWorkgroup
  CloudWatch Logs uses the key for another log     | logService | kms:Decrypt | encryption | ofAnotherLog
  CloudWatch notifies the topic of another alarm   | cloudwatch.amazonaws.com | sns:Publish | topic | ofAnotherAlarm
  CloudWatch notifies the topic of a foreign alarm | cloudwatch.amazonaws.com | sns:Publish | topic | ofAForeignAlarm
  CloudWatch uses the key for another topic        | cloudwatch.amazonaws.com | kms:GenerateDataKey | encryption | ofAnotherTopic
  the topic is notified over plain HTTP            | admin | sns:Publish | topic | plain
  a stranger reads an event                        | stranger | s3:GetObject | event`;

/** The policies of bucket and keys must deny these calls even if somebody gives the archiver's role every right. */
export const forbiddenWithEveryRight = `
  the archiver overwrites an object                | archiver | s3:PutObject | event | putting
  the archiver writes an anchor                    | archiver | s3:PutObject | anchor | creating
  the archiver deletes an object                   | archiver | s3:DeleteObject | event
  the archiver deletes a version                   | archiver | s3:DeleteObjectVersion | event
  the archiver shortens retention                  | archiver | s3:PutObjectRetention | event
  the archiver passes a governance lock            | archiver | s3:BypassGovernanceRetention | event
  the archiver writes over plain HTTP              | archiver | s3:PutObject | event | plain
  the archiver removes the encryption key          | archiver | kms:ScheduleKeyDeletion | encryption
  the archiver disables the signing key            | archiver | kms:DisableKey | signing`;
