/** What AWS answers becomes what the checks compare. What AWS refuses is thrown, and never taken for something that is not there. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { ListSubscriptionsByTopicCommand, ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { openAccount } from '../../../cli/aws/account';

const lambda = mockClient(LambdaClient);
const s3 = mockClient(S3Client);
const scheduler = mockClient(SchedulerClient);
const sns = mockClient(SNSClient);
const ssm = mockClient(SSMClient);
const dynamodb = mockClient(DynamoDBClient);
const account = openAccount();

beforeEach(() => {
  for (const client of [lambda, s3, scheduler, sns, ssm, dynamodb]) client.reset();
});

const failure = (name: string) => Object.assign(new Error('said AWS'), { name });

test('a function is found by its role, on any page', async () => {
  const Role = 'arn:aws:iam::111122223333:role/postman-archive-archiver-eu-central-1';
  lambda
    .on(ListFunctionsCommand)
    .resolvesOnce({ Functions: [{ Role: `${Role}-2` }], NextMarker: 'more' })
    .resolves({ Functions: [{ Role, FunctionArn: 'arn:f', Environment: { Variables: { A: '1' } } }] });
  const found = { arn: 'arn:f', environment: { A: '1' }, lastModified: '' };
  expect(await account.functionOf('postman-archive-archiver-eu-central-1')).toEqual(found);
  expect(await account.functionOf('archiver-eu-central-1')).toBeUndefined();
});

test('the API key is looked for by its name, and never read', async () => {
  ssm.on(DescribeParametersCommand).resolves({ Parameters: [{ Name: '/a/key', Type: 'SecureString' }] });
  expect(await account.parameterExists('/a/key')).toBe(true);
  ssm.on(DescribeParametersCommand).resolves({ Parameters: [{ Name: '/a/key', Type: 'String' }] });
  expect(await account.parameterExists('/a/key')).toBe(false);
  expect(ssm.calls().map(({ args: [command] }) => command.constructor.name)).toEqual([
    'DescribeParametersCommand',
    'DescribeParametersCommand',
  ]);
});

test('a schedule that is disabled is not enabled, and one that is not there is undefined', async () => {
  scheduler
    .on(GetScheduleCommand)
    .resolves({ State: 'DISABLED', Target: { Arn: 'arn:f', RoleArn: 'arn:r' }, ScheduleExpression: 'rate(1 hour)' });
  const disabled = { isEnabled: false, target: 'arn:f', expression: 'rate(1 hour)' };
  expect(await account.schedule('group', 'main')).toEqual(disabled);
  scheduler.on(GetScheduleCommand).rejects(failure('ResourceNotFoundException'));
  expect(await account.schedule('group', 'main')).toBeUndefined();
});

test('the schedules of a function are found by their target, on any page', async () => {
  const schedule = (Name: string, Arn: string) => ({ Name, Target: { Arn } });
  scheduler
    .on(ListSchedulesCommand)
    .resolvesOnce({ Schedules: [schedule('main', 'arn:f'), schedule('_verifier', 'arn:g')], NextToken: 'more' })
    .resolves({ Schedules: [schedule('sales', 'arn:f')] });
  expect(await account.schedulesOf('arn:f')).toEqual(['main', 'sales']);
});

test('a bucket without any setting has no versioning, no lock, no statement and no rule', async () => {
  s3.on(GetBucketVersioningCommand).resolves({});
  s3.on(GetObjectLockConfigurationCommand).rejects(failure('ObjectLockConfigurationNotFoundError'));
  s3.on(GetBucketPolicyCommand).rejects(failure('NoSuchBucketPolicy'));
  s3.on(GetBucketLifecycleConfigurationCommand).rejects(failure('NoSuchLifecycleConfiguration'));
  expect(await account.versioning('b')).toBe('off');
  expect(await account.lock('b')).toBeUndefined();
  expect(await account.bucketPolicy('b')).toEqual({ Statement: [] });
  expect(await account.lifecycle('b')).toEqual([]);
});

test('only enabled rules expire objects, and a lock in years is not one in days', async () => {
  s3.on(GetBucketLifecycleConfigurationCommand).resolves({
    Rules: [
      { Status: 'Enabled', Filter: { Prefix: 'events/team=' }, Expiration: { Days: 500 } },
      { Status: 'Disabled', Filter: { Prefix: 'batches/' }, Expiration: { Days: 1 } },
      { Status: 'Enabled', Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
    ],
  });
  expect(await account.lifecycle('b')).toEqual([
    { prefix: 'events/team=', days: 500 },
    { prefix: '', days: null },
  ]);
  const DefaultRetention = { Mode: 'COMPLIANCE', Years: 2 } as const;
  s3.on(GetObjectLockConfigurationCommand).resolves({ ObjectLockConfiguration: { Rule: { DefaultRetention } } });
  expect(await account.lock('b')).toEqual({ mode: 'COMPLIANCE', days: 0 });
});

test('the end of the last run and its lease come from the item, which may be missing', async () => {
  dynamodb
    .on(GetItemCommand)
    .resolvesOnce({})
    .resolves({
      Item: { outcome: { S: 'archived' }, ended: { S: '2026-06-12T12:00:00.000Z' }, leaseUntil: { N: '5' } },
    });
  expect(await account.checkpoint('t', 'main')).toEqual({
    outcome: undefined,
    ended: undefined,
    leaseUntil: Number.NaN,
  });
  const ended = '2026-06-12T12:00:00.000Z';
  expect(await account.checkpoint('t', 'main')).toEqual({ outcome: 'archived', ended, leaseUntil: 5 });
});

test('a subscription that waits for its confirmation has no ARN', async () => {
  const TopicArn = 'arn:aws:sns:eu-central-1:111122223333:archive-AlarmsTopic1-X';
  sns
    .on(ListTopicsCommand)
    .resolves({ Topics: [{ TopicArn: `${TopicArn.replace('archive', 'archive-dev')}` }, { TopicArn }] });
  sns.on(ListSubscriptionsByTopicCommand).resolves({
    Subscriptions: [
      { Endpoint: 'a@b.cc', SubscriptionArn: 'PendingConfirmation' },
      { Endpoint: 'd@e.ff', SubscriptionArn: `${TopicArn}:1` },
    ],
  });
  expect(await account.topicOf('archive-AlarmsTopic')).toBe(TopicArn);
  expect(await account.subscriptions(TopicArn)).toEqual([
    { endpoint: 'a@b.cc', isConfirmed: false },
    { endpoint: 'd@e.ff', isConfirmed: true },
  ]);
});

test('what AWS refuses is thrown', async () => {
  s3.rejects(failure('AccessDenied'));
  scheduler.rejects(failure('AccessDeniedException'));
  for (const ask of [account.bucketPolicy, account.lock, account.lifecycle, account.versioning])
    await expect(ask('b')).rejects.toThrow('said AWS');
  await expect(account.schedule('g', 'n')).rejects.toThrow('said AWS');
});

test('the clock of AWS is the date of its answer', async () => {
  ssm.restore();
  const server = createServer((_, response) => response.setHeader('date', 'Fri, 12 Jun 2026 12:00:00 GMT').end('{}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const keys = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-central-1' };
  Object.assign(process.env, keys, { AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${port}` });
  expect(await openAccount().clock()).toEqual(new Date('2026-06-12T12:00:00Z'));
  server.closeAllConnections();
  server.close();
});
