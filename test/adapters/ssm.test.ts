import { inspect } from 'node:util';
import { GetParameterCommand, SSMClient, SSMServiceException } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { createApiKeys } from '../../lambdas/adapters/ssm';
import { ConfigError, UpstreamError } from '../../lambdas/shared/errors';

const ssm = mockClient(SSMClient);
const NAME = '/postman-audit-archive/main/api-key';
const KEY = 'PMAK-canary-0123456789abcdef';

beforeEach(() => ssm.reset());

function reader() {
  return createApiKeys(new SSMClient({ region: 'us-east-1' }));
}

function awsError(name: string, httpStatusCode: number): SSMServiceException {
  return new SSMServiceException({ name, message: `${name} ${KEY}`, $fault: 'client', $metadata: { httpStatusCode } });
}

const reads = () => ssm.commandCalls(GetParameterCommand).map(({ args }) => args[0].input);

test('a key is read decrypted', async () => {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: KEY } });
  expect(await reader().read(NAME, false)).toBe(KEY);
  expect(reads()).toEqual([{ Name: NAME, WithDecryption: true }]);
});

test('a warm process reads each parameter once', async () => {
  ssm.on(GetParameterCommand).callsFake(({ Name }: { Name: string }) => ({ Parameter: { Value: `key-of-${Name}` } }));
  const keys = reader();
  for (const name of [NAME, NAME, '/other', NAME, '/other'])
    expect(await keys.read(name, false)).toBe(`key-of-${name}`);
  expect(reads()).toHaveLength(2);
});

test('a fresh read asks again, and what it finds is remembered', async () => {
  ssm
    .on(GetParameterCommand)
    .resolvesOnce({ Parameter: { Value: 'old' } })
    .resolves({ Parameter: { Value: 'new' } });
  const keys = reader();
  expect([await keys.read(NAME, false), await keys.read(NAME, true), await keys.read(NAME, false)]).toEqual([
    'old',
    'new',
    'new',
  ]);
  expect(reads()).toHaveLength(2);
});

test('a failed read is not remembered', async () => {
  ssm
    .on(GetParameterCommand)
    .rejectsOnce(awsError('ThrottlingException', 400))
    .resolves({ Parameter: { Value: KEY } });
  const keys = reader();
  await expect(keys.read(NAME, false)).rejects.toThrow();
  expect(await keys.read(NAME, false)).toBe(KEY);
});

test.each([
  ['nothing', undefined],
  ['empty', ''],
  ['ended by a newline', `${KEY}\n`],
  ['begun with a space', ` ${KEY}`],
  ['two lines', `${KEY}\n${KEY}`],
  ['white space', ' '],
  ['in quotes with a space', `"${KEY} "`],
  ['no ASCII', `${KEY}…`],
  ['a control character', `${KEY}\u0000`],
  ['a byte order mark', `\ufeff${KEY}`],
])('a parameter that is %s is refused, by name and never by content', async (_name, Value) => {
  ssm.on(GetParameterCommand).resolves({ Parameter: Value === undefined ? {} : { Value } });
  const error = await failure();
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: 'api-key-malformed', message: expect.stringContaining(NAME) });
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
});

test('a malformed key is not remembered', async () => {
  ssm
    .on(GetParameterCommand)
    .resolvesOnce({ Parameter: { Value: `${KEY}\n` } })
    .resolves({ Parameter: { Value: KEY } });
  const keys = reader();
  await expect(keys.read(NAME, false)).rejects.toMatchObject({ code: 'api-key-malformed' });
  expect(await keys.read(NAME, false)).toBe(KEY);
});

test.each([
  'ParameterNotFound',
  'ParameterVersionNotFound',
  'AccessDeniedException',
  'InvalidKeyId',
  'ValidationException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'CredentialsProviderError',
])('%s is for the operator, who is told what to put where', async (name) => {
  ssm.on(GetParameterCommand).rejects(awsError(name, 400));
  const error = await failure();
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: 'api-key-unreadable', message: expect.stringContaining(name) });
  expect(error).toMatchObject({ message: expect.stringContaining(NAME) });
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
});

test.each<[string, Error]>([
  ['ThrottlingException', awsError('ThrottlingException', 400)],
  ['TooManyRequestsException', awsError('TooManyRequestsException', 429)],
  ['InternalServerError', awsError('InternalServerError', 500)],
  ['ServiceUnavailable', awsError('ServiceUnavailable', 503)],
  ['TimeoutError', Object.assign(new Error('timed out'), { name: 'TimeoutError' })],
  ['ECONNREFUSED', Object.assign(new Error(`connect ${KEY}`), { code: 'ECONNREFUSED' })],
  ['ENOTFOUND', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })],
  ['EAI_AGAIN', Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' })],
])('%s passes: nobody must touch the key', async (name, thrown) => {
  ssm.on(GetParameterCommand).rejects(thrown);
  const error = await failure();
  expect(error).toBeInstanceOf(UpstreamError);
  expect(error).toMatchObject({ code: 'storage-unavailable', message: expect.stringContaining(name) });
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
});

async function failure(): Promise<unknown> {
  return reader()
    .read(NAME, false)
    .catch((error: unknown) => error);
}
