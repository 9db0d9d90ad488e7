/**
 * The source server: the model of a team's audit log on node:http, on 127.0.0.1. It remembers every distinct event
 * text it has served whole, so that someone who trusts nothing else here can compare an archive with it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LocalServer, listenHere } from '../loopback';
import type { ContractCheck } from './contract-check';
import type { SourceAnswer, SourceModel } from './source-model';
import type { Delivery } from './source-settings';

export interface SourceServerOptions {
  /** Asked once for each request: the place to let a team's story go on. */
  readonly now: () => Date;
  /** Holds each request, and each answer that no fault has spoilt, against the contract. */
  readonly check?: ContractCheck;
  /** Called when an answer is decided, before the client gets it. Never sees a header: they hold the key. */
  readonly observe?: (exchange: Exchange) => void;
  /** Where served lines are kept from one start to the next; `false` keeps none at all, for logs beyond memory. */
  readonly served?: string | false;
}

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly status: number;
  readonly delivery: Delivery;
  readonly lines: number;
}

export interface SourceServer extends LocalServer {
  /** Each distinct event text ever served whole, without white space between tokens, in the order first served. */
  servedLines(): readonly string[];
  /** What broke the contract so far. Empty where nothing did, or nothing was checked. */
  violations(): readonly string[];
}

export async function startSourceServer(model: SourceModel, options: SourceServerOptions): Promise<SourceServer> {
  const served = createRecord(options.served);
  const violations: string[] = [];
  const server = await listenHere((request, response) => {
    const url = new URL(request.url ?? '/', 'http://source');
    const { pathname: path, searchParams: query } = url;
    const answer = request.method === 'GET' ? ask(request, { path, query }) : undefined;
    const { status, delivery, lines } = answer ?? { status: 405, delivery: 'whole', lines: [] };
    options.observe?.({ method: request.method ?? '', path, query, status, delivery, lines: lines.length });
    if (answer === undefined) response.writeHead(405).end();
    else deliver(answer, response);
  });

  function ask(request: IncomingMessage, { path, query }: { path: string; query: URLSearchParams }): SourceAnswer {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = model.answer({ path, query, headers }, options.now());
    served.add(answer.lines);
    if (options.check === undefined || path !== '/audit/logs') return answer;
    violations.push(...options.check.request(query));
    if (answer.fault === undefined) {
      violations.push(...options.check.response(answer.status, answer.body.toString()));
    }
    return answer;
  }

  return { ...server, servedLines: served.all, violations: () => violations };
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

/** Written down before the client gets them: a line that was served is never forgotten, whenever this process ends. */
function createRecord(file: string | false = '') {
  const lines = new Set(
    file !== false && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [],
  );
  return {
    all: () => [...lines],
    add: (raws: readonly string[]) => {
      const added = file === false ? [] : [...new Set(raws)].filter((raw) => !lines.has(raw));
      for (const raw of added) lines.add(raw);
      if (file !== '' && file !== false && added.length > 0) appendFileSync(file, `${added.join('\n')}\n`);
    },
  };
}
