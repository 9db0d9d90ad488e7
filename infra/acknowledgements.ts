/**
 * Every finding of the rule packs AwsSolutions and NIST 800-53 R5 that stays as it is, with the reason. An entry names
 * one construct and one finding, so that a new finding, or a known one at another construct, still stops synth.
 */

import type { ArchiveConfig } from './config';
import { archiveName, databaseName, parameterPath } from './names';

export function acknowledgements({ stage, adopt, auditors }: ArchiveConfig) {
  const account = '<AWS::Region>:<AWS::AccountId>';
  const bucket = adopt === null ? BUCKET : `arn:<AWS::Partition>:s3:::${adopt.bucket}`;
  const parameters = `arn:<AWS::Partition>:ssm:${account}:parameter${parameterPath(stage)}*`;
  const tables = `arn:<AWS::Partition>:glue:${account}:table/${databaseName(archiveName(stage))}/*`;
  const ofAuditors = [
    nist('Auditors/Policy', 'IAMNoInlinePolicy', inline),
    wildcard('Auditors/Policy', `${bucket}/*`, wholeArchive),
    wildcard('Auditors/Policy', tables, wholeArchive),
  ];
  return [
    ...['Archiver', 'Schedules', 'Verifier'].map((owner) => nist(`${owner}/Policy`, 'IAMNoInlinePolicy', inline)),
    ...['manifests', 'batches', 'events', 'quarantine'].map((folder) =>
      wildcard('Archiver/Policy', `${bucket}/${folder}/team=*/*`, objectsOfTeams),
    ),
    wildcard('Archiver/Policy', parameters, parametersOfTeams),
    wildcard('Verifier/Policy', `${bucket}/*`, wholeArchiveToVerify),
    wildcard('Verifier/Policy', `${bucket}/anchors/team=*/*`, objectsOfTeams),
    nist('Verifier/Function', 'LambdaDLQ', dailyInstead),
    nist('Verifier/Function', 'LambdaConcurrency', dailyConcurrency),
    nist('Verifier/Function', 'LambdaInsideVPC', noConnection),
    solutions('Schedules/Unhandled', 'SQS3', isDeadLetterQueue),
    nist('Archiver/Function', 'LambdaDLQ', destinationInstead),
    nist('Archiver/Function', 'LambdaConcurrency', leaseInstead),
    nist('Archiver/Function', 'LambdaInsideVPC', publicApi),
    ...(auditors.length > 0 ? ofAuditors : []),
    ...(adopt === null ? ofWhatIsKept : []),
  ];
}

const BUCKET = '<StorageBucket5CB7C8EA.Arn>';

const inline = 'The policy must live and die with this one role. A managed policy could be attached elsewhere.';
const objectsOfTeams = 'A key holds team, date and number. The right is to one prefix, and only to create or to read.';
const parametersOfTeams = 'The path holds only API keys of this stage. A new team thus needs no new right.';
const wholeArchive = 'Auditors read everything in the archive, and nothing else. They are named in the configuration.';
const wholeArchiveToVerify = 'A verifier that cannot read an object cannot tell that it is good.';
const dailyInstead = 'The next day does the work, and the alarm unverified tells if no day did.';
const dailyConcurrency = 'It runs once a day, and two verifications at once do no harm.';
const noConnection = 'It calls AWS alone and accepts no connection. A VPC would only add endpoints to pay for.';
const removal = 'After its retention any object may have to go. The role exists only for that, and its use is logged.';
const oneRegion = 'Lock and versioning prevent deletion. A second region would double the cost: the owner decides.';
const accessLogsExpire = 'S3 delivers access logs on a best-effort basis and they expire. A copy would prove no more.';
const accessLogsEncryption = 'S3 delivers access logs only into a bucket whose default encryption is SSE-S3.';
const onlyAHint = 'The next run rebuilds a lost table from S3. Point-in-time recovery is switched on.';
const isDeadLetterQueue = 'This is the dead-letter queue of the schedules.';
const destinationInstead = 'The log and the alarm silent tell of failed runs. The next run does their work.';
const leaseInstead = 'A lease keeps runs of one team apart. A new account has no concurrency to reserve.';
const publicApi = 'It calls the public API of Postman and accepts no connection. A VPC would only add a NAT gateway.';

/** A stack that adopts an archive does not have these constructs. */
const ofWhatIsKept = [
  nist('BreakGlass/Policy', 'IAMNoInlinePolicy', inline),
  wildcard('BreakGlass/Policy', `${BUCKET}/*`, removal),
  wildcard('BreakGlass/Policy', '<StorageAccessLogs96FB524C.Arn>/*', removal),
  nist('Storage/Bucket', 'S3BucketReplicationEnabled', oneRegion),
  nist('Storage/AccessLogs', 'S3BucketReplicationEnabled', accessLogsExpire),
  nist('Storage/AccessLogs', 'S3DefaultEncryptionKMS', accessLogsEncryption),
  nist('Storage/Checkpoints', 'DynamoDBInBackupPlan', onlyAHint),
];

/** `path` is the path of the construct below the stack. */
function nist(path: string, rule: string, reason: string) {
  return { path, id: `NIST.800.53.R5::NIST.800.53.R5-${rule}`, reason };
}

function solutions(path: string, rule: string, reason: string) {
  return { path, id: `AwsSolutions::AwsSolutions-${rule}`, reason };
}

function wildcard(path: string, resource: string, reason: string) {
  return solutions(path, `IAM5[Resource::${resource}]`, reason);
}
