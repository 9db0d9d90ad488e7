/**
 * DynamoDB is dynalite with the checkpoint table in it. dynalite checks no access key, so other programs on this machine
 * can change the checkpoint; the checkpoint is only a hint, and its folder may even be deleted between two runs.
 */
import dynalite from 'dynalite';
import { openLevel } from './level';
import { type LocalServer, listenOnLoopback } from './server';

/** The table is kept in memory where no folder is given. Two processes must not open the same folder. */
export async function startDynamoDb(table: string, folder?: string): Promise<LocalServer> {
  // dynalite would end the process where it cannot open its folder.
  if (folder !== undefined) await (await openLevel(folder)).close();
  const server = await listenOnLoopback(dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) }));
  try {
    await createTable(server.url, table);
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** Returns when the table accepts writes. */
async function createTable(url: string, table: string): Promise<void> {
  const created = await call(url, 'CreateTable', {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'team', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }],
  });
  if (!/"CREATING"|ResourceInUseException/.test(created)) throw new Error(created);
  for (let attempt = 1; attempt <= 1000; attempt += 1) {
    if ((await call(url, 'DescribeTable', { TableName: table })).includes('"ACTIVE"')) return;
  }
  throw new Error(`the table ${table} did not become active: delete the folder of the local DynamoDB and start again`);
}

/** dynalite wants a signature in the request but does not check it. */
async function call(url: string, operation: string, input: object): Promise<string> {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'x-amz-date': '20200101T000000Z',
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
  };
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })).text();
}
