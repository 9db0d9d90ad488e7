/**
 * DynamoDB by dynalite, with the checkpoint table in it, behind a door where calls can be watched and broken. What it
 * keeps is only a hint: its folder may be deleted between runs, and the archive goes on.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import dynalite from 'dynalite';
import { listenJson } from './json-service';
import type { Answer, LocalServer, ServerOptions } from './loopback';

export interface DynamoDbOptions extends ServerOptions {
  /** In memory when left out. The caller sees to it that no other process has it open: dynalite would not survive. */
  readonly folder?: string;
}

/** dynalite looks for the parts of a signature and checks none. */
const signature = {
  'content-type': 'application/x-amz-json-1.0',
  authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
  'x-amz-date': '20200101T000000Z',
};

export async function startDynamoDb(table: string, options: DynamoDbOptions = {}): Promise<LocalServer> {
  const { folder } = options;
  const engine = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  await once(engine.listen(0, '127.0.0.1'), 'listening');
  const engineUrl = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  const closeEngine = () =>
    new Promise((resolve) => {
      engine.close(resolve);
      engine.closeAllConnections();
    });
  try {
    await ensureTable(engineUrl, table);
  } catch (error) {
    await closeEngine();
    throw error;
  }
  const door = await listenJson((operation, { body }) => forward(engineUrl, operation, body), options);
  return { url: door.url, close: () => door.close().then(async () => void (await closeEngine())) };
}

/** Returns once the table takes writes. */
async function ensureTable(engineUrl: string, table: string): Promise<void> {
  const created = await call(engineUrl, 'CreateTable', {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'team', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }],
  });
  if (!/"CREATING"|ResourceInUseException/.test(created)) throw new Error(created);
  for (const deadline = Date.now() + 5000; Date.now() < deadline; ) {
    if ((await call(engineUrl, 'DescribeTable', { TableName: table })).includes('"ACTIVE"')) return;
  }
  throw new Error(`Table ${table} did not become active: delete the folder of the local DynamoDB, it is only a hint`);
}

async function call(engineUrl: string, operation: string, input: object): Promise<string> {
  return (await forward(engineUrl, operation, Buffer.from(JSON.stringify(input)))).body.toString();
}

async function forward(engineUrl: string, operation: string, body: Buffer): Promise<Answer> {
  const headers = { ...signature, 'x-amz-target': `DynamoDB_20120810.${operation}` };
  const response = await fetch(engineUrl, { method: 'POST', headers, body });
  return { status: response.status, headers: {}, body: Buffer.from(await response.arrayBuffer()) };
}
