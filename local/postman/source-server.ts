/**
 * The source server: the model of a team's audit log over HTTP, on 127.0.0.1 only. The server remembers every distinct
 * event text that it has served completely, so that an archive can be compared with what was really served.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type LocalServer, listenOnLoopback } from '../server';
import type { SourceAnswer, SourceModel } from './source-model';
import type { SourceRequest } from './source-settings';

export interface SourceServerOptions {
  /** The server's clock. It is asked once for each request. */
  readonly now: () => Date;
  /**
   * The file that keeps the served lines from one start to the next. They are kept in memory only where no file is
   * given, and not at all where this is `false`, for a log that is larger than memory.
   */
  readonly served?: string | false;
}

export interface SourceServer extends LocalServer {
  /** Each distinct event text that was ever served completely, in the order in which it was first served. */
  servedLines(): readonly string[];
}

export async function startSourceServer(
  model: SourceModel,
  { now, served }: SourceServerOptions,
): Promise<SourceServer> {
  const record = openRecord(served);
  const server = createServer((request, response) => {
    if (request.method !== 'GET') {
      response.writeHead(405).end();
      return;
    }
    const answer = model.answer(readRequest(request), now());
    record.add(answer.lines);
    deliver(answer, response);
  });
  return { ...(await listenOnLoopback(server)), servedLines: record.all };
}

function readRequest({ url = '/', headers }: IncomingMessage): SourceRequest {
  const { pathname, searchParams } = new URL(url, 'http://source');
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { path: pathname, query: searchParams, headers: Object.fromEntries(texts) };
}

function deliver({ status, headers, body, delivery }: SourceAnswer, response: ServerResponse): void {
  if (delivery === 'hang') return;
  if (delivery === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(status, { 'content-length': body.length, ...headers });
  if (delivery === 'whole') response.end(body);
  else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** Lines are written to the file before the client gets them, so no end of this process loses a served line. */
function openRecord(file: string | false | undefined) {
  const lines = new Set(file && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
  function add(served: readonly string[]): void {
    if (file === false) return;
    const added = [...new Set(served)].filter((line) => !lines.has(line));
    for (const line of added) lines.add(line);
    if (file !== undefined && added.length > 0) appendFileSync(file, `${added.join('\n')}\n`);
  }
  return { add, all: () => [...lines] };
}
