/**
 * A local server listens on a free port of 127.0.0.1, which no other machine can reach. It reads the whole
 * request before it answers, so a request that is cut short never has an effect.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface LocalServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface LocalRequest {
  readonly method: string;
  /** Path and query as they were sent, still encoded. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface LocalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export async function listenOnLoopback(server: Server): Promise<LocalServer> {
  // Idle connections stay open until `close`, because a client may see a connection reset when a server closes them.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

export function startServer(respond: (request: LocalRequest) => LocalResponse): Promise<LocalServer> {
  const server = createServer(async (incoming, outgoing) => {
    const { method = '', url: target = '', headers: sent } = incoming;
    try {
      const { status, headers, body } = respond({ method, target, headers: sent, body: await buffer(incoming) });
      outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
    } catch (error) {
      outgoing.writeHead(500).end(String(error));
    }
  });
  return listenOnLoopback(server);
}

/**
 * Other programs on this machine can reach the port too. A server that is started with an access key id refuses the
 * calls that are signed with another one.
 */
export function isSignedBy(accessKeyId: string | undefined, { headers }: LocalRequest): boolean {
  const signer = /Credential=([^/,\s]+)\//.exec(headers.authorization ?? '')?.[1];
  return accessKeyId === undefined || signer === accessKeyId;
}

export type JsonInput = Readonly<Record<string, unknown>>;

/** A server for AWS's JSON protocol, in which a header names the operation and an error carries its name in `__type`. */
export function startJsonServer(
  respond: (operation: string, input: JsonInput) => LocalResponse,
  accessKeyId?: string,
): Promise<LocalServer> {
  return startServer((request) => {
    if (!isSignedBy(accessKeyId, request)) {
      return jsonError('InvalidAccessKeyId', 'this server was started for another access key', 403);
    }
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    return respond(operation, JSON.parse(request.body.toString()) as JsonInput);
  });
}

export function jsonResponse(content: object, status = 200): LocalResponse {
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  return { status, headers, body: JSON.stringify(content) };
}

export function jsonError(code: string, message: string, status = 400): LocalResponse {
  return jsonResponse({ __type: code, message }, status);
}
