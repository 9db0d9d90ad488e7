import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { ServerOptions } from '../../local/loopback';
import { startSsmServer } from '../../local/ssm-server';

const NAME = '/postman-audit-archive/main/api-key';
const opened: { close(): Promise<void> | void }[] = [];

async function ssm(options: ServerOptions = {}) {
  const server = await startSsmServer(options);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SSMClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  opened.push({ close: () => client.destroy() }, server);
  const get = async (name = NAME, WithDecryption = true) =>
    (await client.send(new GetParameterCommand({ Name: name, WithDecryption }))).Parameter;
  return { server, client, get };
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

test('a SecureString is read decrypted', async () => {
  const { server, get } = await ssm();
  server.put(NAME, 'PMAK-secret');
  expect(await get()).toMatchObject({ Name: NAME, Type: 'SecureString', Value: 'PMAK-secret', Version: 1 });
  expect((await get())?.LastModifiedDate).toBeInstanceOf(Date);
});

test('a rotated key is read at once', async () => {
  const { server, get } = await ssm();
  server.put(NAME, 'old');
  server.put(NAME, 'new');
  expect(await get()).toMatchObject({ Value: 'new', Version: 2 });
});

test('without decryption the value stays hidden', async () => {
  const { server, get } = await ssm();
  server.put(NAME, 'PMAK-secret');
  expect((await get(NAME, false))?.Value).not.toContain('PMAK-secret');
});

test('a missing parameter has the name the SDK knows', async () => {
  const { get } = await ssm();
  await expect(get('/none')).rejects.toMatchObject({ name: 'ParameterNotFound' });
});

test('an operator puts a parameter over the API, and overwrites it only if asked', async () => {
  const { client, get } = await ssm();
  const input = { Name: NAME, Value: 'one', Type: 'SecureString' } as const;
  expect((await client.send(new PutParameterCommand(input))).Version).toBe(1);
  await expect(client.send(new PutParameterCommand(input))).rejects.toMatchObject({ name: 'ParameterAlreadyExists' });
  const overwrite = new PutParameterCommand({ ...input, Value: 'two', Overwrite: true });
  expect((await client.send(overwrite)).Version).toBe(2);
  expect((await get())?.Value).toBe('two');
});

test('a parameter that is no SecureString is refused', async () => {
  const { client } = await ssm();
  const put = new PutParameterCommand({ Name: NAME, Value: 'one', Type: 'String' });
  await expect(client.send(put)).rejects.toMatchObject({ name: 'ValidationException' });
});

test('access can be denied and given back while it runs, and calls are counted', async () => {
  let denied = true;
  const seen: string[] = [];
  const { server, get } = await ssm({
    before: async () => (denied ? { status: 400, code: 'AccessDeniedException' } : undefined),
    observe: ({ operation, status }) => seen.push(`${operation} ${status}`),
  });
  server.put(NAME, 'PMAK-secret');
  await expect(get()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  denied = false;
  expect((await get())?.Value).toBe('PMAK-secret');
  expect(seen).toEqual(['GetParameter 400', 'GetParameter 200']);
});

test('another program on the machine, without this world’s access key, learns nothing', async () => {
  const { server, get } = await ssm({ accessKeyId: 'of-this-world' });
  server.put(NAME, 'PMAK-secret');
  await expect(get()).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  const body = JSON.stringify({ Name: NAME, WithDecryption: true });
  const answer = await fetch(server.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSSM.GetParameter' },
    body,
  });
  expect([answer.status, await answer.text()]).toEqual([403, expect.not.stringContaining('PMAK-secret')]);
});
