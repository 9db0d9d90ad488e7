/** The folder of the checkpoint table. What the archiver needs of the table is in checkpoint-contract.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../local/dynamodb';

const TableName = 'checkpoints';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

test('an item survives a restart, and a folder that was deleted is an empty table', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  const item = { team: { S: 'main' }, seq: { N: '7' } };
  const read = (client: DynamoDBClient) =>
    client.send(new GetItemCommand({ TableName, Key: { team: item.team }, ConsistentRead: true }));

  await withTable(folder, (client) => client.send(new PutItemCommand({ TableName, Item: item })));
  expect((await withTable(folder, read)).Item).toEqual(item);
  rmSync(folder, { recursive: true });
  expect((await withTable(folder, read)).Item).toBeUndefined();
  rmSync(folder, { recursive: true });
});

async function withTable<T>(folder: string, use: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const server = await startDynamoDb(TableName, folder);
  const client = new DynamoDBClient({ endpoint: server.url, region: 'us-east-1', credentials });
  try {
    return await use(client);
  } finally {
    client.destroy();
    await server.close();
  }
}
