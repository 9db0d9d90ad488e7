/** The resources of a stack that exist in the account, asked of each service, and those that docs/retention.md says are kept. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './account';

export interface Resource {
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId: string;
  readonly ResourceType: string;
}

/** The name in docs/retention.md of each resource that outlives the stack, by its logical id without the hash. */
const DOCUMENTED_NAMES: Readonly<Record<string, string>> = {
  StorageBucket: 'archive bucket',
  StorageAccessLogs: 'access-log bucket',
  StorageCheckpoints: 'checkpoint table',
  KeysEncryption: 'encryption key',
  KeysSigning: 'signing key',
  ArchiverLogs: 'log group of the archiver',
  VerifierLogs: 'log group of the verifier',
  BreakGlassRole: 'break-glass role',
};

/** Lists the physical ids of all resources of a type. */
const LISTS: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'cloudwatch describe-alarms --query MetricAlarms[].AlarmName',
  'AWS::CloudWatch::Dashboard': 'cloudwatch list-dashboards --query DashboardEntries[].DashboardName',
  'AWS::SNS::Topic': 'sns list-topics --query Topics[].TopicArn',
  'AWS::Athena::WorkGroup': 'athena list-work-groups --query WorkGroups[].Name',
  'AWS::DynamoDB::Table': 'dynamodb list-tables --query TableNames',
  'AWS::Glue::Database': 'glue get-databases --query DatabaseList[].Name',
  'AWS::IAM::Role': 'iam list-roles --query Roles[].RoleName',
  'AWS::KMS::Alias': 'kms list-aliases --query Aliases[].AliasName',
  'AWS::KMS::Key': 'kms list-keys --query Keys[].KeyId',
  'AWS::Lambda::Function': 'lambda list-functions --query Functions[].FunctionName',
  'AWS::Logs::LogGroup': 'logs describe-log-groups --query logGroups[].logGroupName',
  'AWS::S3::Bucket': 's3api list-buckets --query Buckets[].Name',
  'AWS::SQS::Queue': 'sqs list-queues --query QueueUrls',
  'AWS::Scheduler::ScheduleGroup': 'scheduler list-schedule-groups --query ScheduleGroups[].Name',
};

/** They exist as long as the resource that they belong to. */
const PARTS =
  /^AWS::(Athena::NamedQuery|Glue::Table|IAM::Policy|Lambda::EventInvokeConfig|SNS::Subscription|SNS::TopicPolicy|SQS::QueuePolicy|S3::BucketPolicy|Scheduler::Schedule|CDK::Metadata)$/;

/** Those that exist, each by its name in docs/retention.md, or by its logical id if it has none there. */
export async function existing(resources: readonly Resource[], { aws }: Account): Promise<string[]> {
  const types = [...new Set(resources.map(({ ResourceType }) => ResourceType))].filter((type) => !PARTS.test(type));
  const there = new Set<string>();
  for (const type of types) {
    if (LISTS[type] === undefined) throw new Error(`this test does not know how to list ${type}`);
    for (const id of (await aws(LISTS[type])) ?? []) there.add(`${type} ${id}`);
  }
  return resources
    .filter(({ ResourceType, PhysicalResourceId }) => there.has(`${ResourceType} ${PhysicalResourceId}`))
    .map(({ LogicalResourceId: id }) => DOCUMENTED_NAMES[id.replace(/[0-9A-F]{8}$/, '')] ?? id)
    .sort();
}

/** The first column of the table in docs/retention.md. The policy of a resource is not counted as one. */
export function keptAccordingToDocument(): string[] {
  const document = readFileSync(join(import.meta.dirname, '../../docs/retention.md'), 'utf8');
  const [section = ''] = /^## What is kept when the stack is destroyed$.*?(?=^##)/ms.exec(document) ?? [];
  const rows = [...section.matchAll(/^\| ([a-z][^|]*) \|/gm)].map(([, cell = '']) => cell).slice(1);
  return rows.flatMap((cell) => cell.replace(' and its policy', '').split(', ')).sort();
}

/** The policies that guard what is kept, by what they guard. */
export async function guards(resources: readonly Resource[], { aws }: Account): Promise<Record<string, unknown>> {
  const guarding: Record<string, unknown> = {};
  for (const { LogicalResourceId, PhysicalResourceId: id, ResourceType: type } of resources) {
    if (type === 'AWS::S3::Bucket') guarding[LogicalResourceId] = await aws(`s3api get-bucket-policy --bucket ${id}`);
    if (type === 'AWS::KMS::Key')
      guarding[LogicalResourceId] = await aws(`kms get-key-policy --key-id ${id} --policy-name default`);
    if (LogicalResourceId.startsWith('BreakGlassRole')) {
      const [name] = await aws(`iam list-role-policies --role-name ${id} --query PolicyNames`);
      guarding[LogicalResourceId] = await aws(`iam get-role-policy --role-name ${id} --policy-name ${name}`);
    }
  }
  return guarding;
}
