/**
 * The HTTP ground under every local server: 127.0.0.1 only, a free port. For AWS services, whole requests in, whole
 * answers out: a request cut short reaches no service. What `observe` reports is what the client got, before the client
 * gets it.
 */
import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface LocalServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface Request {
  /** Of this exchange; also in the answer's headers. */
  readonly id: string;
  readonly method: string;
  /** Path and query as sent, still encoded. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Call {
  readonly method: string;
  /** The API's name for it, such as `PutObject`. */
  readonly operation: string;
  readonly bucket?: string;
  /** The object's key; for a listing its prefix. */
  readonly key?: string;
}

/** The connection torn down without an answer, or an error in the service's own format. */
export type Fault = 'reset' | { readonly status: number; readonly code: string };

export interface ServerOptions {
  observe?(call: Call & { readonly status: number | 'reset' }): void;
  /** Delays the call, or breaks it before anything is applied. */
  before?(call: Call): Promise<Fault | undefined>;
  /** Delays the answer, or loses it although the call was applied. */
  after?(call: Call): Promise<Fault | undefined>;
  /** Calls signed with another access key id are refused: other programs on this machine can reach the port. */
  readonly accessKeyId?: string;
}

/** One AWS service on this ground. */
export interface Service {
  describe(request: Request): Call;
  answer(request: Request, call: Call): Answer | Promise<Answer>;
  refuse(request: Request, error: { status: number; code: string; message: string }): Answer;
}

export function listen(service: Service, options: ServerOptions): Promise<LocalServer> {
  return listenHere((incoming, response) => {
    // What fails here is a body that never came whole: there is nobody left to answer.
    serve(service, options, incoming, response).catch(() => response.destroy());
  });
}

export async function listenHere(listener: RequestListener): Promise<LocalServer> {
  const server = createServer(listener);
  // Idle connections stay open until `close`: a server that hangs up first gives clients spurious resets.
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

async function serve(service: Service, options: ServerOptions, incoming: IncomingMessage, response: ServerResponse) {
  const { method = '', url: target = '', headers } = incoming;
  const request = { id: randomUUID(), method, target, headers, body: await buffer(incoming) };
  const call = service.describe(request);
  const outcome = await exchange(service, options, request, call);
  options.observe?.({ ...call, status: outcome === 'reset' ? outcome : outcome.status });
  if (outcome === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  const ids = { 'x-amz-request-id': request.id, 'x-amzn-requestid': request.id };
  response.writeHead(outcome.status, { 'content-length': outcome.body.length, ...ids, ...outcome.headers });
  response.end(outcome.body);
}

async function exchange(service: Service, options: ServerOptions, request: Request, call: Call) {
  const refuse = (status: number, code: string, message: string) => service.refuse(request, { status, code, message });
  const broken = (fault: Fault) => (fault === 'reset' ? fault : refuse(fault.status, fault.code, 'An injected fault'));
  const signer = /Credential=([^/,\s]+)\//.exec(request.headers.authorization ?? '')?.[1];
  if (options.accessKeyId !== undefined && signer !== options.accessKeyId) {
    return refuse(403, 'InvalidAccessKeyId', 'This server was started for another access key');
  }
  try {
    const early = await options.before?.(call);
    if (early !== undefined) return broken(early);
    const answer = await service.answer(request, call);
    const late = await options.after?.(call);
    return late === undefined ? answer : broken(late);
  } catch (error) {
    return refuse(500, 'InternalError', String(error));
  }
}
