/**
 * SSM Parameter Store for SecureStrings. Values live in this process's memory and leave it only in the answer to a
 * decrypting GetParameter: never to disk, never in an error. Denied access, throttling and outages are faults that
 * the caller injects with `before`.
 */
import { json, listenJson } from './json-service';
import type { Answer, LocalServer, ServerOptions } from './loopback';

interface SsmServer extends LocalServer {
  /** Creates or rotates a SecureString, as an operator does with `aws ssm put-parameter --overwrite`. */
  put(name: string, value: string): void;
}

interface Parameter {
  readonly Name: string;
  readonly Value: string;
  readonly Version: number;
  /** Seconds since the epoch. */
  readonly LastModifiedDate: number;
}

type Input = Readonly<Record<string, unknown>>;

export async function startSsmServer(options: ServerOptions = {}): Promise<SsmServer> {
  const parameters = new Map<string, Parameter>();
  const store = (name: string, value: string) => {
    const version = (parameters.get(name)?.Version ?? 0) + 1;
    parameters.set(name, { Name: name, Value: value, Version: version, LastModifiedDate: Date.now() / 1000 });
    return json(200, { Version: version, Tier: 'Standard' });
  };
  const server = await listenJson((operation, { body }) => {
    const input = JSON.parse(body.toString()) as Input;
    const known = parameters.get(String(input.Name));
    if (operation === 'GetParameter') return getParameter(known, input);
    if (operation !== 'PutParameter') return refuse('UnknownOperationException', `No ${operation} in the local SSM`);
    const problem = putProblem(known, input);
    return problem ?? store(String(input.Name), String(input.Value));
  }, options);
  return { ...server, put: (name, value) => void store(name, value) };
}

function getParameter(known: Parameter | undefined, input: Input): Answer {
  if (known === undefined) return refuse('ParameterNotFound', `There is no parameter ${input.Name}`);
  const shown = input.WithDecryption === true ? known.Value : 'encrypted';
  return json(200, { Parameter: { ...known, Value: shown, Type: 'SecureString', DataType: 'text' } });
}

function putProblem(known: Parameter | undefined, { Name, Value, Type, Overwrite }: Input): Answer | undefined {
  const complete = typeof Name === 'string' && typeof Value === 'string' && Value !== '' && Type === 'SecureString';
  if (!complete) return refuse('ValidationException', 'Name, Value and the Type SecureString are expected');
  if (known === undefined || Overwrite === true) return undefined;
  return refuse('ParameterAlreadyExists', `${Name} exists already`);
}

function refuse(code: string, message: string): Answer {
  return json(400, { __type: code, message });
}
