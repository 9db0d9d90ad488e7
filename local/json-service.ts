/** AWS's JSON protocol, as SSM and DynamoDB speak it: the operation in a header, errors named by `__type`. */
import { type Answer, type LocalServer, listen, type Request, type ServerOptions } from './loopback';

export function listenJson(
  answer: (operation: string, request: Request) => Answer | Promise<Answer>,
  options: ServerOptions,
): Promise<LocalServer> {
  const operationOf = ({ headers }: Request) => String(headers['x-amz-target']).replace(/^.*\./, '');
  return listen(
    {
      describe: (request) => ({ method: request.method, operation: operationOf(request) }),
      answer: (request, { operation }) => answer(operation, request),
      refuse: (_request, { status, code, message }) => json(status, { __type: code, message }),
    },
    options,
  );
}

export function json(status: number, content: object): Answer {
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  return { status, headers, body: Buffer.from(JSON.stringify(content)) };
}
