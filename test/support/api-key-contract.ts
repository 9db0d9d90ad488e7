/** The behaviour that the archiver needs of SSM: the same tests for the local SSM and for a foreign one. */

import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { createApiKeys } from '../../lambdas/adapters/ssm';
import { type ContractServer, useServer } from './contract-server';

export function testParameterStore(start: () => Promise<ContractServer>): void {
  let client: SSMClient;
  let round = 0;
  /** A parameter that no other test uses. */
  let name: string;
  useServer('ssm', start, (options) => {
    client = new SSMClient(options);
    return client;
  });
  beforeEach(() => {
    round += 1;
    name = `/postman-audit-archive/t${round}/api-key`;
  });

  /** Does what an operator does with `aws ssm put-parameter --type SecureString --overwrite`. */
  async function put(Value: string): Promise<void> {
    await client.send(new PutParameterCommand({ Name: name, Value, Type: 'SecureString', Overwrite: true }));
  }

  test('an API key is read decrypted, and a rotated one when a fresh read is asked for', async () => {
    await put('PMAK-old');
    const keys = createApiKeys(client);
    expect(await keys.read(name, false)).toBe('PMAK-old');
    await put('PMAK-new');
    expect(await keys.read(name, false)).toBe('PMAK-old');
    expect(await keys.read(name, true)).toBe('PMAK-new');
    expect(await keys.read(name, false)).toBe('PMAK-new');
    expect(await keys.read(`${name}-of-another-team`, false)).toBeUndefined();
  });

  test('a missing parameter holds no key, and the next read looks for it again', async () => {
    const keys = createApiKeys(client);
    expect(await keys.read(name, false)).toBeUndefined();
    await put('PMAK-new');
    expect(await keys.read(name, false)).toBe('PMAK-new');
  });
}
