/**
 * API keys, from SSM SecureString parameters. A warm process remembers a key until the source refuses it. The key is
 * only ever returned: no error or log line made here holds it.
 */
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { ConfigError, UpstreamError } from '../shared/errors';
import type { ApiKeys } from '../shared/ports';
import { errorName, isRefusal } from './aws-errors';

export function createApiKeys(client: SSMClient): ApiKeys {
  const remembered = new Map<string, string>();

  async function read(parameter: string, fresh: boolean): Promise<string> {
    const known = fresh ? undefined : remembered.get(parameter);
    if (known !== undefined) return known;
    const key = checkKey(await fetchParameter(client, parameter), parameter);
    remembered.set(parameter, key);
    return key;
  }

  return { read };
}

async function fetchParameter(client: SSMClient, parameter: string): Promise<string> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }));
    return Parameter?.Value ?? '';
  } catch (error) {
    const name = errorName(error);
    if (!isRefusal(error)) {
      throw new UpstreamError(
        'storage-unavailable',
        `reading SSM parameter "${parameter}": ${name}; the next run tries again`,
      );
    }
    throw new ConfigError(
      'api-key-unreadable',
      `reading SSM parameter "${parameter}": ${name}; put the team's API key there as a SecureString, and let the function's ` +
        'role read and decrypt it',
    );
  }
}

/** A key with white space would be refused by the source, or break the header: said here, where it can be mended. */
function checkKey(value: string, parameter: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  const problem =
    value === '' ? 'is empty' : 'holds white space or other characters that no API key has (a trailing newline?)';
  throw new ConfigError('api-key-malformed', `SSM parameter "${parameter}" ${problem}; put the key there again`);
}
