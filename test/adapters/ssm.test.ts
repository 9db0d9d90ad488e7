/** What a malformed key and an error of SSM become. The contract in `api-key-contract.ts` shows everything else. */
import { inspect } from 'node:util';
import { GetParameterCommand, SSMClient, SSMServiceException } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { createApiKeys } from '../../lambdas/adapters/ssm';

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

test('neither a failed read nor a malformed key is remembered', async () => {
  ssm
    .on(GetParameterCommand)
    .rejectsOnce(awsError('ThrottlingException', 400))
    .resolvesOnce({ Parameter: { Value: `${KEY}\n` } })
    .resolves({ Parameter: { Value: KEY } });
  const keys = reader();
  await expect(keys.read(NAME, false)).rejects.toMatchObject({ code: 'storage-unavailable' });
  await expect(keys.read(NAME, false)).rejects.toMatchObject({ code: 'api-key-malformed' });
  expect(await keys.read(NAME, false)).toBe(KEY);
});

test.each([
  ['that SSM does not send', undefined],
  ['that is empty', ''],
  ['with a newline at its end', `${KEY}\n`],
  ['with a space at its beginning', ` ${KEY}`],
  ['of two lines', `${KEY}\n${KEY}`],
  ['of white space', ' '],
  ['with a character outside ASCII', `${KEY}é`],
  ['with a control character', `${KEY}\u0000`],
  ['with a byte order mark', `\ufeff${KEY}`],
])('a key %s is refused, and the error names the parameter but not the key', async (_name, Value) => {
  ssm.on(GetParameterCommand).resolves({ Parameter: Value === undefined ? {} : { Value } });
  const message = expect.stringContaining(NAME);
  expect(await failure()).toMatchObject({ code: 'api-key-malformed', message });
});

test.each<[string, string, Error]>([
  ['AccessDeniedException', 'api-key-unreadable', awsError('AccessDeniedException', 400)],
  ['ThrottlingException', 'storage-unavailable', awsError('ThrottlingException', 400)],
  ['ECONNREFUSED', 'storage-unavailable', Object.assign(new Error(`connect ${KEY}`), { code: 'ECONNREFUSED' })],
])('the error %s has the code %s, names the parameter and never holds the key', async (name, code, thrown) => {
  ssm.on(GetParameterCommand).rejects(thrown);
  expect(await failure()).toMatchObject({ code, message: expect.stringMatching(`"${NAME}".*${name}`) });
});

/** The error of a read, after a check that the key is nowhere in it. */
async function failure(): Promise<unknown> {
  const error: unknown = await reader()
    .read(NAME, false)
    .catch((caught: unknown) => caught);
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
  return error;
}
