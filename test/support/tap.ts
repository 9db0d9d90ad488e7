/**
 * A proxy for any server. It passes every call on unchanged, with its signature. A test can watch, delay and break calls:
 * before they are applied, or after, with the answer lost or cut at any byte.
 */

import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type LocalRequest, type LocalServer, listenOnLoopback } from '../../local/server';

export type Service = 's3' | 'dynamodb' | 'ssm' | 'kms' | 'source';

export interface Call {
  readonly service: Service;
  /** `PUT manifests`, `LIST events`; `SET seq`, `SET leaseOwner`; `GetParameter`; `GET /audit/logs`. */
  readonly name: string;
  /** The object's key, or a listing's prefix; empty for the other services. */
  readonly key: string;
  /** The request body of a call to DynamoDB; empty for the other services. */
  readonly body: string;
}

/** A reset connection, an error in S3's format, or only the first bytes of the answer, counting head and body. */
export type Fault = 'reset' | { readonly status: number; readonly code: string } | { readonly cutAt: number };

/** The returned fault breaks the call; undefined lets it pass. */
export type Hook = (call: Call) => Promise<Fault | undefined> | Fault | undefined;

export interface Meddler {
  /** Asked before the server gets the call. */
  readonly before?: Hook;
  /** Asked when the server has answered, and before the client knows. */
  readonly after?: Hook;
}

/** Acts at the first call of that name, and lets every other call pass. */
export function atFirst(name: string, act: Hook): Hook {
  let isOver = false;
  return (call) => {
    if (isOver || call.name !== name) return undefined;
    isOver = true;
    return act(call);
  };
}

/** Breaks each of these calls once, and lets every other call pass. */
export function onceEach(names: readonly string[], fault: Fault): Hook {
  const left = new Set(names);
  return ({ name }) => (left.delete(name) ? fault : undefined);
}

export interface TapOptions {
  readonly meddler: () => Meddler;
  readonly onCall: (call: Call, request: LocalRequest) => void;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function tap(service: Service, url: string, { meddler, onCall }: TapOptions): Promise<LocalServer> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const { method = '', url: target = '', headers } = incoming;
    const asked = { method, target, headers, body };
    const call = describe(service, asked);
    onCall(call, asked);
    const early = await meddler().before?.(call);
    if (early !== undefined) return answer(response, broken(early), early);
    const passed = await passOn(new URL(url), asked, agent);
    answer(response, passed, await meddler().after?.(call));
  }

  const { url: tapped, close } = await listenOnLoopback(server);
  return {
    url: tapped,
    close: () => {
      agent.destroy();
      return close();
    },
  };
}

function describe(service: Service, { method, target, headers, body }: LocalRequest): Call {
  const { pathname, searchParams } = new URL(target, 'http://tap');
  if (service === 'source') return { service, name: `${method} ${pathname}`, key: '', body: '' };
  if (service === 's3') {
    const key = searchParams.get('prefix') ?? decodeURIComponent(pathname.replace(/^\/[^/]*\/?/, ''));
    const verb = searchParams.has('list-type') ? 'LIST' : method;
    return { service, name: `${verb} ${key.split('/')[0]}`, key, body: '' };
  }
  const text = body.toString();
  const operation = String(headers['x-amz-target']).replace(/^.*\./, '');
  const update = /"UpdateExpression":"(\w+ \w+)/.exec(text)?.[1];
  return { service, name: update ?? operation, key: '', body: service === 'dynamodb' ? text : '' };
}

/** The host header stays as it came, because it is signed. */
function passOn(url: URL, { method, target, headers, body }: LocalRequest, agent: Agent): Promise<Answer> {
  const { connection: _connection, expect: _expect, 'transfer-encoding': _encoding, ...kept } = headers;
  const { hostname, port } = url;
  const options = { agent, hostname, port, method, path: target, headers: { ...kept, 'content-length': body.length } };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      const { statusCode: status = 0, headers: answered } = response;
      buffer(response).then((bytes) => resolve({ status, headers: answered, body: bytes }), reject);
    });
    sent.once('error', reject).end(body);
  });
}

function broken(fault: Fault): Answer {
  const { status, code } = typeof fault === 'object' && 'status' in fault ? fault : { status: 500, code: '' };
  const body = Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>injected</Message></Error>`);
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

function answer(response: ServerResponse, { status, headers, body }: Answer, fault: Fault | undefined): void {
  const { socket } = response;
  // The client may have been killed meanwhile.
  if (socket === null || socket.destroyed) return;
  if (fault === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  const { connection: _connection, 'keep-alive': _alive, 'transfer-encoding': _encoding, ...kept } = headers;
  const fields = { ...kept, 'content-length': body.length };
  if (typeof fault === 'object' && 'cutAt' in fault) socket.end(raw(status, fields, body).subarray(0, fault.cutAt));
  else response.writeHead(status, fields).end(body);
}

/** The answer as bytes, so that it can be cut anywhere, also within its head. */
function raw(status: number, fields: OutgoingHttpHeaders, body: Buffer): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}
