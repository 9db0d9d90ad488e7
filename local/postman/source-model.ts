/**
 * One Postman team's audit log as the API serves it, without I/O and without a clock of its own: the HTTP server and
 * the fault world ask the same model. Event texts go out byte for byte as the table holds them.
 */
import { prettyPrint } from './raw-json';
import { cursorText, type Page, readQuery, type SourceQuery, selectPage } from './source-page';
import {
  type Delivery,
  type EchoFault,
  type Fault,
  type Headers,
  RETRY_AFTER,
  type SourceSettings,
  spoil,
} from './source-settings';
import type { EventTable } from './source-table';

export interface SourceRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly delivery: Delivery;
  /** The texts, as the table holds them, of the events that a client reading this answer has been served. */
  readonly lines: readonly string[];
  /** The fault that made the answer what it is, if any: such an answer need not keep the contract. */
  readonly fault: Fault | undefined;
}

export interface SourceModel {
  answer(request: SourceRequest, now: Date): SourceAnswer;
  /** Rotates the key, sets a fault, changes a deviation: from the next request on. */
  change(changes: Partial<SourceSettings>): void;
}

interface Reply {
  readonly status: number;
  readonly headers?: Headers;
  readonly body: string | Buffer;
  readonly lines?: readonly string[];
}

export function createSourceModel(table: EventTable, initial: SourceSettings): SourceModel {
  let settings = initial;
  let requests = 0;
  let recent: readonly number[] = [];

  /** The headers of a 429 where it is time for one. */
  function overRate(now: Date): Headers | undefined {
    if (settings.rateLimit === null) return undefined;
    recent = recent.filter((at) => at > now.getTime() - 60_000);
    if (recent.length >= settings.rateLimit.perMinute) return RETRY_AFTER[settings.rateLimit.retryAfter](2, now);
    recent = [...recent, now.getTime()];
    return undefined;
  }

  function reply(request: SourceRequest, now: Date, fault: Fault | undefined): Reply {
    if (typeof fault === 'object') return 'echo' in fault ? echo(fault, request, settings) : { body: '', ...fault };
    const wait = overRate(now);
    if (wait !== undefined) return throttled(settings, 'Rate limit exceeded', wait);
    if (request.headers['x-api-key'] !== settings.apiKey) return problem(401, 'AuthenticationError', INVALID_KEY);
    if (request.path !== '/audit/logs') return problem(404, 'notFoundError', 'Requested resource not found');
    const query = readQuery(request.query, { settings, now });
    if (typeof query === 'string') return problem(400, 'invalidParamError', query);
    const limit = fault === 'short-page' ? Math.ceil(query.limit / 2) : query.limit;
    const page = selectPage(table, { ...query, limit }, { settings, now });
    if (page === undefined) return problem(400, 'invalidCursorError', 'The cursor is not valid or has expired');
    return logs(fault === 'empty-page' ? { ...page, indexes: [] } : page, nextCursor(page, query, fault), now);
  }

  function nextCursor({ start, next }: Page, query: SourceQuery, fault: Fault | undefined): string | undefined {
    if (fault === 'empty-page') return start === undefined ? undefined : cursorText(start, settings, requests);
    if (fault === 'repeat-cursor' && start !== undefined) return query.cursor ?? cursorText(start, settings);
    return next === undefined ? undefined : cursorText(next, settings);
  }

  function logs(page: Page, cursor: string | undefined, now: Date): Reply {
    const texts = page.indexes.map((index) => {
      const raw = table.raw(index, now.getTime());
      return settings.drift === null ? raw : settings.drift(raw, requests, table.row(index));
    });
    const fields = [`"trails":[${texts.join(',')}]`, ...cursorFields(cursor, page, settings)];
    const body = `{${fields.join(',')}}`;
    return { status: 200, body: settings.pretty ? prettyPrint(body) : body, lines: texts };
  }

  return {
    change: (changes) => {
      settings = { ...settings, ...changes };
    },
    answer: (request, now) => {
      requests += 1;
      const fault = settings.fault?.(requests, request);
      return finish(reply(request, now, fault), fault, now);
    },
  };
}

const INVALID_KEY = 'Invalid API Key. Every request requires a valid API Key to be sent.';

function finish(reply: Reply, fault: Fault | undefined, now: Date): SourceAnswer {
  const whole = Buffer.from(reply.body);
  const body = spoil(whole, fault);
  const delivery = fault === 'reset' || fault === 'truncate' || fault === 'hang' ? fault : 'whole';
  return {
    status: reply.status,
    headers: { 'content-type': 'application/json; charset=utf-8', date: now.toUTCString(), ...reply.headers },
    body,
    delivery,
    lines: body === whole && delivery === 'whole' ? (reply.lines ?? []) : [],
    fault,
  };
}

/** Tokens, not values: a cursor above 2^53 must leave as it is. */
function cursorFields(cursor: string | undefined, { total }: Page, settings: SourceSettings): string[] {
  const end = settings.cursorEnd ?? undefined;
  const token = cursor === undefined ? end : settings.cursorType === 'string' ? `"${cursor}"` : cursor;
  const field = token === undefined ? [] : [`"nextCursor":${token}`];
  const count = settings.shape === 'contract' ? [`"total":${total()}`] : [];
  const meta = settings.cursorPlace === 'top-level' ? count : [...field, ...count];
  return [
    ...(settings.cursorPlace === 'meta' ? [] : field),
    ...(meta.length === 0 ? [] : [`"meta":{${meta.join(',')}}`]),
  ];
}

function problem(status: number, name: string, message: string): Reply {
  return { status, body: JSON.stringify({ error: { name, message } }) };
}

/** In the contract, the error of a 429 is a plain string. */
function throttled(settings: SourceSettings, message: string, headers: Headers = {}): Reply {
  if (settings.shape === 'reality') return { ...problem(429, 'rateLimited', message), headers };
  return { status: 429, body: JSON.stringify({ error: 'rateLimited', message }), headers };
}

function echo({ echo: status }: EchoFault, { headers }: SourceRequest, settings: SourceSettings): Reply {
  const said = `Could not serve ${JSON.stringify(headers)}`;
  if (status === 200) return { status, body: `{"trails":[{"request":${JSON.stringify(headers)}` };
  return status === 429 ? throttled(settings, said) : problem(status, 'AuthenticationError', said);
}
