/**
 * The calls by which `audit-archive status` asks AWS for the settings. None of them reads an API key. A call that AWS refuses throws an
 * error, so a setting that could not be asked for never counts as good.
 */
import { AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { type FunctionConfiguration, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetScheduleCommand, paginateListSchedules, SchedulerClient } from '@aws-sdk/client-scheduler';
import { PublishCommand, paginateListSubscriptionsByTopic, paginateListTopics, SNSClient } from '@aws-sdk/client-sns';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Account, DeployedFunction } from '../status-account';

const ABSENT = [
  'NoSuchBucketPolicy',
  'NoSuchLifecycleConfiguration',
  'ObjectLockConfigurationNotFoundError',
  'ResourceNotFoundException',
];

export function openAccount(): Account & { region(): Promise<string> } {
  const [lambda, s3, ssm] = [new LambdaClient({}), new S3Client({}), new SSMClient({})];
  const [dynamodb, kms, athena] = [new DynamoDBClient({}), new KMSClient({}), new AthenaClient({})];
  const [scheduler, sns] = [new SchedulerClient({}), new SNSClient({})];

  return {
    region: () =>
      lambda.config.region().catch((cause: unknown) => {
        throw new Error('no region is set: set AWS_REGION, or choose one with "aws configure"', { cause });
      }),
    async functionOf(role) {
      for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
        const found = Functions.find(({ Role = '' }) => Role.endsWith(`:role/${role}`));
        if (found !== undefined) return asFunction(found);
      }
      return undefined;
    },
    async parameterExists(name) {
      const filter = { Key: 'Name', Option: 'Equals', Values: [name] };
      const { Parameters = [] } = await ssm.send(new DescribeParametersCommand({ ParameterFilters: [filter] }));
      return Parameters.some((each) => each.Name === name && each.Type === 'SecureString');
    },
    async schedule(group, name) {
      const found = await orAbsent(scheduler.send(new GetScheduleCommand({ GroupName: group, Name: name })));
      if (found === undefined) return undefined;
      const { State, Target, ScheduleExpression: expression = '' } = found;
      return { isEnabled: State === 'ENABLED', target: Target?.Arn ?? '', expression };
    },
    async schedulesOf(functionArn) {
      const found = [];
      for await (const { Schedules = [] } of paginateListSchedules({ client: scheduler }, {}))
        found.push(...Schedules.filter(({ Target }) => Target?.Arn === functionArn).map(({ Name = '' }) => Name));
      return found;
    },
    async versioning(bucket) {
      return (await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }))).Status ?? 'off';
    },
    async lock(bucket) {
      const answer = await orAbsent(s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket })));
      const { Mode: mode, Days: days } = answer?.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
      return mode === undefined ? undefined : { mode, days: days ?? 0 };
    },
    async bucketPolicy(bucket) {
      const answer = await orAbsent(s3.send(new GetBucketPolicyCommand({ Bucket: bucket })));
      return JSON.parse(answer?.Policy ?? '{"Statement":[]}');
    },
    async lifecycle(bucket) {
      const answer = await orAbsent(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })));
      const rules = (answer?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
      return rules.map(({ Filter, Prefix, Expiration }) => ({
        prefix: Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '',
        days: Expiration?.Days ?? null,
      }));
    },
    async checkpoint(table, team) {
      const Key = { team: { S: team } };
      const { Item = {} } = await dynamodb.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      const { outcome, ended, leaseUntil } = Item;
      return { outcome: outcome?.S, ended: ended?.S, leaseUntil: Number(leaseUntil?.N ?? Number.NaN) };
    },
    async keyState(key) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: key }));
      return { state: KeyMetadata?.KeyState ?? 'unknown', arn: KeyMetadata?.Arn ?? key };
    },
    async workgroupState(name) {
      return (await athena.send(new GetWorkGroupCommand({ WorkGroup: name }))).WorkGroup?.State ?? 'unknown';
    },
    async topicOf(prefix) {
      for await (const { Topics = [] } of paginateListTopics({ client: sns }, {})) {
        const found = Topics.find(({ TopicArn = '' }) => TopicArn.split(':').at(-1)?.startsWith(prefix));
        if (found?.TopicArn !== undefined) return found.TopicArn;
      }
      return undefined;
    },
    async subscriptions(topic) {
      const found = [];
      for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client: sns }, { TopicArn: topic }))
        found.push(...Subscriptions);
      return found.map(({ Endpoint = '', SubscriptionArn = '' }) => ({
        endpoint: Endpoint,
        isConfirmed: SubscriptionArn.startsWith('arn:'),
      }));
    },
    async publish(topic, text) {
      await sns.send(new PublishCommand({ TopicArn: topic, Subject: 'Test of audit-archive status', Message: text }));
    },
    async clock() {
      let date: string | undefined;
      ssm.middlewareStack.add(
        (next) => async (args) => {
          const answer = await next(args);
          date = (answer.response as { headers?: Record<string, string> }).headers?.date;
          return answer;
        },
        { step: 'deserialize', name: 'date', override: true },
      );
      await ssm.send(new DescribeParametersCommand({ MaxResults: 1 }));
      return date === undefined ? undefined : new Date(date);
    },
  };
}

function asFunction({ FunctionArn = '', Environment, LastModified = '' }: FunctionConfiguration): DeployedFunction {
  return { arn: FunctionArn, environment: Environment?.Variables ?? {}, lastModified: LastModified };
}

/** AWS answers with an error where a bucket has no such setting, and where there is no such schedule. */
async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const { name } = error as Error;
    if (ABSENT.includes(name)) return undefined;
    throw error;
  }
}
