/**
 * SSM Parameter Store for SecureStrings. The values stay in the memory of this process and leave it only in the
 * response to a decrypting GetParameter. They are never written to disk and never appear in an error.
 */
import {
  type JsonInput,
  jsonError,
  jsonResponse,
  type LocalResponse,
  type LocalServer,
  startJsonServer,
} from './server';

/** The parameters are the caller's, who rotates a key by setting it in the map. */
export function startSsmServer(parameters = new Map<string, string>(), accessKeyId?: string): Promise<LocalServer> {
  return startJsonServer((operation, input) => {
    if (operation === 'GetParameter') return getParameter(parameters, input);
    if (operation === 'PutParameter') return putParameter(parameters, input);
    return jsonError('UnknownOperationException', `the local SSM does not implement ${operation}`);
  }, accessKeyId);
}

function getParameter(parameters: ReadonlyMap<string, string>, { Name, WithDecryption }: JsonInput): LocalResponse {
  const value = parameters.get(String(Name));
  if (value === undefined) return jsonError('ParameterNotFound', `there is no parameter ${Name}`);
  return jsonResponse({ Parameter: { Name, Type: 'SecureString', Value: WithDecryption ? value : 'encrypted' } });
}

function putParameter(parameters: Map<string, string>, { Name, Value, Type, Overwrite }: JsonInput): LocalResponse {
  if (typeof Name !== 'string' || typeof Value !== 'string' || Value === '' || Type !== 'SecureString') {
    return jsonError('ValidationException', 'a name, a value and the type SecureString are expected');
  }
  if (parameters.has(Name) && Overwrite !== true) {
    return jsonError('ParameterAlreadyExists', `the parameter ${Name} exists already`);
  }
  parameters.set(Name, Value);
  return jsonResponse({ Tier: 'Standard' });
}
