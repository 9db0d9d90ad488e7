import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDbOptions, startDynamoDb } from '../../local/dynamodb';

const opened: { close(): Promise<void> | void }[] = [];
const folders: string[] = [];

async function dynamoDb(options: DynamoDbOptions = {}) {
  const server = await startDynamoDb('checkpoints', options);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  const close = async () => {
    client.destroy();
    await server.close();
  };
  const table = { TableName: 'checkpoints', Key: { team: { S: 'main' } } };
  /** Moves the checkpoint from one number to the next, as the archiver does. */
  const save = (from: number, to: number) =>
    client.send(
      new UpdateItemCommand({
        ...table,
        UpdateExpression: 'SET seq = :to',
        ConditionExpression: 'attribute_not_exists(seq) OR seq = :from',
        ExpressionAttributeValues: { ':from': { N: String(from) }, ':to': { N: String(to) } },
        ReturnValues: 'ALL_NEW',
      }),
    );
  const seq = async () => (await client.send(new GetItemCommand({ ...table, ConsistentRead: true }))).Item?.seq?.N;
  return { client, close, save, seq };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  folders.push(folder);
  return join(folder, 'data');
}

async function open(options: DynamoDbOptions = {}) {
  const db = await dynamoDb(options);
  opened.push(db);
  return db;
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

test('the checkpoint table is ready when the server is', async () => {
  const { client } = await open();
  const { Table } = await client.send(new DescribeTableCommand({ TableName: 'checkpoints' }));
  expect(Table).toMatchObject({ TableStatus: 'ACTIVE', KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }] });
});

test('a conditional update moves an item once', async () => {
  const { save, seq } = await open();
  expect((await save(0, 1)).Attributes).toEqual({ team: { S: 'main' }, seq: { N: '1' } });
  await save(1, 2);
  await expect(save(1, 2)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  expect(await seq()).toBe('2');
});

test('of ten updates at once exactly one moves the item', async () => {
  const { save } = await open();
  await save(0, 1);
  const outcomes = await Promise.allSettled([...Array(10).keys()].map(() => save(1, 2)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('items in a folder survive a restart, and their loss is a fresh start', async () => {
  const folder = temporaryFolder();
  const first = await dynamoDb({ folder });
  await first.save(0, 7);
  await first.close();
  const second = await dynamoDb({ folder });
  expect(await second.seq()).toBe('7');
  await second.close();
  rmSync(folder, { recursive: true });
  const third = await open({ folder });
  expect(await third.seq()).toBeUndefined();
});

test('calls are counted, refused before and lost after they are applied', async () => {
  const seen: string[] = [];
  let fault: 'before' | 'after' | undefined;
  const { save, seq } = await open({
    observe: ({ operation, status }) => seen.push(`${operation} ${status}`),
    before: async () => (fault === 'before' ? { status: 400, code: 'ThrottlingException' } : undefined),
    after: async () => (fault === 'after' ? 'reset' : undefined),
  });
  fault = 'before';
  await expect(save(0, 1)).rejects.toMatchObject({ name: 'ThrottlingException' });
  fault = undefined;
  expect(await seq()).toBeUndefined();
  fault = 'after';
  await expect(save(0, 1)).rejects.toThrow('ECONNRESET');
  fault = undefined;
  expect(await seq()).toBe('1');
  expect(seen).toEqual(['UpdateItem 400', 'GetItem 200', 'UpdateItem reset', 'GetItem 200']);
});
