/**
 * The calls by which `audit-archive status` asks AWS for the settings. None of them reads an API key. A call that AWS refuses throws an
 * error, so a setting that could not be asked for never counts as good.
 */
import { AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetScheduleCommand, paginateListSchedules, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  PublishCommand,
  paginateListSubscriptionsByTopic,
  paginateListTopics,
  SNSClient,
  type Subscription,
} from '@aws-sdk/client-sns';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';

const ABSENT = [
  'NoSuchBucketPolicy',
  'NoSuchLifecycleConfiguration',
  'ObjectLockConfigurationNotFoundError',
  'ResourceNotFoundException',
];

export interface DeployedFunction {
  readonly arn: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly lastModified: string;
}

export type Account = ReturnType<typeof openAccount>;

export function openAccount() {
  const [lambda, s3, ssm] = [new LambdaClient({}), new S3Client({}), new SSMClient({})];
  const [dynamodb, kms, athena] = [new DynamoDBClient({}), new KMSClient({}), new AthenaClient({})];
  const [scheduler, sns] = [new SchedulerClient({}), new SNSClient({})];

  return {
    region: (): Promise<string> =>
      lambda.config.region().catch((cause: unknown) => {
        throw new Error('no region is set: set AWS_REGION, or choose one with "aws configure"', { cause });
      }),
    /** The function that has this role. */
    async functionOf(role: string): Promise<DeployedFunction | undefined> {
      for await (const { Functions = [] } of paginateListFunctions({ client: lambda }, {})) {
        const found = Functions.find(({ Role = '' }) => Role.endsWith(`:role/${role}`));
        if (found === undefined) continue;
        const { FunctionArn: arn = '', Environment, LastModified: lastModified = '' } = found;
        return { arn, environment: Environment?.Variables ?? {}, lastModified };
      }
      return undefined;
    },
    /** Whether the parameter is there, as a SecureString. The key in it is not read. */
    async parameterExists(name: string) {
      const filter = { Key: 'Name', Option: 'Equals', Values: [name] };
      const { Parameters = [] } = await ssm.send(new DescribeParametersCommand({ ParameterFilters: [filter] }));
      return Parameters.some((each) => each.Name === name && each.Type === 'SecureString');
    },
    async schedule(group: string, name: string) {
      const found = await orAbsent(scheduler.send(new GetScheduleCommand({ GroupName: group, Name: name })));
      if (found === undefined) return undefined;
      const { State, Target, ScheduleExpression: expression = '' } = found;
      return { isEnabled: State === 'ENABLED', target: Target?.Arn ?? '', expression };
    },
    /** The names of the schedules that start this function. Those of the archiver have the names of the deployed teams. */
    async schedulesOf(functionArn: string): Promise<readonly string[]> {
      const found: string[] = [];
      for await (const { Schedules = [] } of paginateListSchedules({ client: scheduler }, {}))
        found.push(...Schedules.filter(({ Target }) => Target?.Arn === functionArn).map(({ Name = '' }) => Name));
      return found;
    },
    async versioning(bucket: string): Promise<string> {
      return (await s3.send(new GetBucketVersioningCommand({ Bucket: bucket }))).Status ?? 'off';
    },
    /** The default retention; undefined where there is none. */
    async lock(bucket: string) {
      const answer = await orAbsent(s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket })));
      const { Mode: mode, Days: days } = answer?.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
      return mode === undefined ? undefined : { mode, days: days ?? 0 };
    },
    async bucketPolicy(bucket: string): Promise<unknown> {
      const answer = await orAbsent(s3.send(new GetBucketPolicyCommand({ Bucket: bucket })));
      return JSON.parse(answer?.Policy ?? '{"Statement":[]}');
    },
    /** The enabled rules. */
    async lifecycle(bucket: string) {
      const answer = await orAbsent(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })));
      const rules = (answer?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
      return rules.map(({ Filter, Prefix, Expiration }) => ({
        prefix: Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? '',
        days: Expiration?.Days ?? null,
      }));
    },
    /** How the last run of a team ended. Nothing is known of a team that no run has ended since the deployment of this version. */
    async checkpoint(table: string, team: string) {
      const Key = { team: { S: team } };
      const { Item = {} } = await dynamodb.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
      const { outcome, ended, leaseUntil } = Item;
      // NaN where nobody holds the lease.
      return { outcome: outcome?.S, ended: ended?.S, leaseUntil: Number(leaseUntil?.N ?? Number.NaN) };
    },
    /** The state that KMS gives, such as `Enabled`, and the ARN. `key` may be an alias. */
    async keyState(key: string) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: key }));
      return { state: String(KeyMetadata?.KeyState ?? 'unknown'), arn: KeyMetadata?.Arn ?? key };
    },
    async workgroupState(name: string): Promise<string> {
      return (await athena.send(new GetWorkGroupCommand({ WorkGroup: name }))).WorkGroup?.State ?? 'unknown';
    },
    /** ARN of the topic whose name begins so. */
    async topicOf(prefix: string) {
      for await (const { Topics = [] } of paginateListTopics({ client: sns }, {})) {
        const found = Topics.find(({ TopicArn = '' }) => TopicArn.split(':').at(-1)?.startsWith(prefix));
        if (found?.TopicArn !== undefined) return found.TopicArn;
      }
      return undefined;
    },
    async subscriptions(topic: string) {
      const found: Subscription[] = [];
      for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client: sns }, { TopicArn: topic }))
        found.push(...Subscriptions);
      return found.map(({ Endpoint = '', SubscriptionArn = '' }) => ({
        endpoint: Endpoint,
        isConfirmed: SubscriptionArn.startsWith('arn:'),
      }));
    },
    async publish(topic: string, text: string) {
      await sns.send(new PublishCommand({ TopicArn: topic, Subject: 'Test of audit-archive status', Message: text }));
    },
    /** The time by the clock of AWS. */
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
