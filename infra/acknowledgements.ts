/**
 * Every finding of the rule packs AwsSolutions and NIST 800-53 R5 that stays as it is, and why a reviewer may agree. An
 * entry names one construct and one finding: a new finding, or a known one elsewhere, still stops synth.
 */

interface Acknowledgement {
  /** Of the construct, below the stack. */
  readonly path: string;
  readonly id: string;
  readonly reason: string;
}

const bucket = '<StorageBucket5CB7C8EA.Arn>';

/** `name`: of the archive, as in the path of its parameters. */
export function acknowledgements(name: string): readonly Acknowledgement[] {
  const parameters = `arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/${name}/*`;
  return [
    ...['BreakGlass', 'Archiver', 'Schedules'].map((owner) =>
      nist(`${owner}/Policy`, 'IAMNoInlinePolicy', inlinePolicy),
    ),
    ...['manifests', 'batches', 'events', 'quarantine'].map((folder) =>
      wildcard('Archiver/Policy', `${bucket}/${folder}/team=*/*`, objectsOfTeams),
    ),
    wildcard('Archiver/Policy', parameters, parametersOfTeams),
    wildcard('BreakGlass/Policy', `${bucket}/*`, removal),
    nist('Storage/Bucket', 'S3BucketReplicationEnabled', oneRegion),
    nist('Storage/AccessLogs', 'S3BucketReplicationEnabled', accessLogsExpire),
    nist('Storage/AccessLogs', 'S3DefaultEncryptionKMS', accessLogsEncryption),
    nist('Storage/Checkpoints', 'DynamoDBInBackupPlan', onlyAHint),
    solutions('Archiver/Unhandled', 'SQS3', isDeadLetterQueue),
    nist('Archiver/Function', 'LambdaDLQ', destinationInstead),
    nist('Archiver/Function', 'LambdaConcurrency', leaseInstead),
    nist('Archiver/Function', 'LambdaInsideVPC', publicApi),
  ];
}

const inlinePolicy =
  'It is for this one role and must live and die with it; a managed policy could be attached elsewhere.';
const objectsOfTeams = 'Keys hold team, date and number; the right is to one prefix, and only to create or to read.';
const parametersOfTeams = 'This path holds the API keys of this stage and nothing else; a new team needs no new right.';
const removal =
  'When retention has ended any object may have to go; that is all this role is for, and its use is on record.';
const oneRegion =
  'Lock and versioning guard against deletion; a second region doubles the cost and is the owner’s choice.';
const accessLogsExpire =
  'S3 delivers access logs on a best-effort basis and they expire; a second copy would prove no more.';
const accessLogsEncryption = 'S3 delivers access logs only into a bucket whose default encryption is SSE-S3.';
const onlyAHint = 'Lost or rolled back, the table is rebuilt from S3 by the next run. Point-in-time recovery is on.';
const isDeadLetterQueue = 'This is the dead-letter queue, of the schedules and of the runs that failed.';
const destinationInstead =
  'Failed runs go to an on-failure destination, which says what a dead-letter queue says and why.';
const leaseInstead =
  'Runs of a team exclude each other by lease and overlap harmlessly; a new account has none to reserve.';
const publicApi = 'It calls Postman’s public API and accepts no connection; a VPC would only add a NAT gateway.';

function nist(path: string, rule: string, reason: string): Acknowledgement {
  return { path, id: `NIST.800.53.R5::NIST.800.53.R5-${rule}`, reason };
}

function solutions(path: string, rule: string, reason: string): Acknowledgement {
  return { path, id: `AwsSolutions::AwsSolutions-${rule}`, reason };
}

function wildcard(path: string, resource: string, reason: string): Acknowledgement {
  return solutions(path, `IAM5[Resource::${resource}]`, reason);
}
