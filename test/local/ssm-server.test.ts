/** What the local SSM refuses. What it does for the archiver is in api-key-contract.ts. */
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalServer } from '../../local/server';
import { startSsmServer } from '../../local/ssm-server';

const Name = '/postman-audit-archive/main/api-key';
const parameters = new Map<string, string>();
let server: LocalServer;
let client: SSMClient;

beforeAll(async () => {
  server = await startSsmServer(parameters, 'of-this-archive');
  client = clientOf('of-this-archive');
});
beforeEach(() => parameters.set(Name, 'PMAK-secret'));
afterAll(async () => {
  client.destroy();
  await server.close();
});

function clientOf(accessKeyId: string): SSMClient {
  const credentials = { accessKeyId, secretAccessKey: 'local' };
  return new SSMClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
}

test('a SecureString is shown only to a caller who asks for it decrypted', async () => {
  const read = async (WithDecryption: boolean) => client.send(new GetParameterCommand({ Name, WithDecryption }));
  expect((await read(true)).Parameter).toMatchObject({ Name, Type: 'SecureString', Value: 'PMAK-secret' });
  expect((await read(false)).Parameter?.Value).not.toContain('PMAK-secret');
});

test('a parameter is overwritten only where the call says so, and only by a SecureString', async () => {
  const put = (change: object) =>
    client.send(new PutParameterCommand({ Name, Value: 'PMAK-new', Type: 'SecureString', ...change }));
  await expect(put({})).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
  await expect(put({ Type: 'String', Overwrite: true })).rejects.toMatchObject({ name: 'ValidationException' });
  expect(parameters.get(Name)).toBe('PMAK-secret');
  await put({ Overwrite: true });
  expect(parameters.get(Name)).toBe('PMAK-new');
});

test('another program on the machine, without the access key of this archive, learns nothing', async () => {
  const stranger = clientOf('another');
  const read = stranger.send(new GetParameterCommand({ Name, WithDecryption: true }));
  await expect(read).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  stranger.destroy();
  const headers = { 'x-amz-target': 'AmazonSSM.GetParameter' };
  const unsigned = await fetch(server.url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ Name, WithDecryption: true }),
  });
  expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.not.stringContaining('PMAK-secret')]);
});
