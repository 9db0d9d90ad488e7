/** The requests that the local SSM refuses. The answers that the archiver relies on are tested in api-key-contract.ts. */
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalServer } from '../../local/server';
import { startSsmServer } from '../../local/ssm-server';

const Name = '/postman-audit-archive/main/api-key';
const secret = 'PMAK-secret';
const parameters = new Map([[Name, secret]]);
let server: LocalServer;
beforeAll(async () => {
  server = await startSsmServer(parameters, 'of-this-archive');
});
afterAll(() => server.close());

function clientOf(accessKeyId: string): SSMClient {
  const credentials = { accessKeyId, secretAccessKey: 'local' };
  return new SSMClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
}

test('a SecureString is shown only to a caller who asks for it decrypted, and only with the access key of this archive', async () => {
  const read = (accessKeyId: string, WithDecryption: boolean) =>
    clientOf(accessKeyId).send(new GetParameterCommand({ Name, WithDecryption }));
  expect((await read('of-this-archive', true)).Parameter).toMatchObject({ Name, Type: 'SecureString', Value: secret });
  expect((await read('of-this-archive', false)).Parameter?.Value).not.toContain(secret);
  await expect(read('another', true)).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  const headers = { 'x-amz-target': 'AmazonSSM.GetParameter' };
  const body = JSON.stringify({ Name, WithDecryption: true });
  const unsigned = await fetch(server.url, { method: 'POST', headers, body });
  expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.not.stringContaining(secret)]);
});

test('a parameter is overwritten only where the call says so, and only by a SecureString', async () => {
  const put = (change: object) =>
    clientOf('of-this-archive').send(
      new PutParameterCommand({ Name, Value: 'PMAK-new', Type: 'SecureString', ...change }),
    );
  await expect(put({})).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
  await expect(put({ Type: 'String', Overwrite: true })).rejects.toMatchObject({ name: 'ValidationException' });
  expect(parameters.get(Name)).toBe(secret);
});
