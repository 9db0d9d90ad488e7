/** The real source client with a scripted or modelled server, in virtual time. It records every call. */
import { createSource, type Source, type SourceOptions } from '../../lambdas/archiver/source';
import type { ApiKeys, HttpResponse, LogFields, Logger, Transport, TransportLimits } from '../../lambdas/shared/ports';
import type { SourceModel } from './test-source';
import { type VirtualClock, virtualClock } from './virtual-clock';

export interface Call {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: TransportLimits;
}

/** Answers a call, or throws a `TransportError`. */
export type Server = (call: Call, number: number) => HttpResponse;

export interface SourceKit {
  readonly source: Source;
  readonly clock: VirtualClock;
  readonly calls: Call[];
  readonly logger: Logger & { readonly lines: string[] };
  /** Each read of the parameter; `true` is a fresh one. */
  readonly keyReads: boolean[];
}

export interface SourceKitOptions extends Partial<Omit<SourceOptions, 'clock'>> {
  readonly clock?: VirtualClock;
  /** How long each answer takes. */
  readonly latencyMs?: number;
  /** The key that is remembered, and then the keys that fresh reads find. */
  readonly keys?: readonly string[];
}

export const API_KEY = 'PMAK-canary-5f3d2c1b0a998877';

export function sourceKit(server: Server, options: SourceKitOptions = {}): SourceKit {
  const { clock = virtualClock(), latencyMs = 0, keys = [API_KEY], ...changes } = options;
  const calls: Call[] = [];
  const keyReads: boolean[] = [];
  const logger = recordedLogger();
  const transport: Transport = {
    async get(url, headers, limits) {
      const call = { url, headers, limits };
      calls.push(call);
      clock.advance(latencyMs);
      return server(call, calls.length);
    },
  };
  const source = createSource({
    baseUrl: 'https://source.test',
    apiKeyParameter: '/team/api-key',
    maxRequestsPerMinute: 100_000,
    userAgent: 'audit-archive-test/1',
    transport,
    apiKeys: keyRing(keys, keyReads),
    clock,
    logger,
    ...changes,
  });
  return { source, clock, calls, logger, keyReads };
}

/** A server that answers as a model of the API does. */
export function modelServer(model: SourceModel, clock: VirtualClock): Server {
  return ({ url, headers }) => {
    const answer = model.answer({ path: url.pathname, query: url.searchParams, headers }, clock.now());
    return { status: answer.status, headers: new Map(Object.entries(answer.headers)), body: answer.body };
  };
}

export function response(
  status: number,
  body: string | Buffer = '{"trails":[]}',
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: new Map(Object.entries(headers)), body: Buffer.from(body) };
}

/** A 200 with the texts of these events. */
export function page(trails: readonly string[] = [], cursor?: string): HttpResponse {
  return response(200, `{"trails":[${trails.join(',')}]${cursor === undefined ? '' : `,"nextCursor":"${cursor}"`}}`);
}

export function recordedLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (message: string, fields: LogFields = {}) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { lines, debug: note, info: note, warn: note };
}

function keyRing(keys: readonly string[], reads: boolean[]): ApiKeys {
  let fresh = 0;
  return {
    async read(_parameter, isFresh) {
      reads.push(isFresh);
      if (isFresh) fresh = Math.min(fresh + 1, keys.length - 1);
      return keys[fresh] ?? '';
    },
  };
}
