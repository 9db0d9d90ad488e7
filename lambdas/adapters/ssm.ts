/**
 * API keys from SSM SecureString parameters. A warm process keeps a key in memory until the source refuses it. No error and no
 * log line holds the key.
 */
import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { ConfigError, UpstreamError } from '../shared/errors';
import type { ApiKeys } from '../shared/ports';
import { errorName, isRefusal } from './aws-errors';

export function createApiKeys(client: SSMClient): ApiKeys {
  const cache = new Map<string, string>();

  async function read(parameter: string, fresh: boolean): Promise<string | undefined> {
    const cached = fresh ? undefined : cache.get(parameter);
    if (cached !== undefined) return cached;
    const value = await fetchParameter(client, parameter);
    if (value === undefined) return undefined;
    const key = checkKey(value, parameter);
    cache.set(parameter, key);
    return key;
  }

  return { read };
}

async function fetchParameter(client: SSMClient, parameter: string): Promise<string | undefined> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }));
    return Parameter?.Value ?? '';
  } catch (error) {
    if (errorName(error) === 'ParameterNotFound') return undefined;
    const problem = `reading SSM parameter "${parameter}": ${errorName(error)}`;
    if (!isRefusal(error)) throw new UpstreamError('storage-unavailable', `${problem}; the next run tries again`);
    throw new ConfigError(
      'api-key-unreadable',
      `${problem}; allow the function's role to read the parameter and to decrypt it`,
    );
  }
}

/** The source would refuse a key with white space, or the header would be invalid. This error names the parameter instead. */
function checkKey(value: string, parameter: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  const problem =
    value === '' ? 'is empty' : 'holds white space or other characters that no API key has (a trailing newline?)';
  throw new ConfigError('api-key-malformed', `SSM parameter "${parameter}" ${problem}; store the API key in it again`);
}
