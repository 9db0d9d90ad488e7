/**
 * The audit log of one Postman team as the API serves it, without I/O and without a clock of its own: the source server
 * and the fault world use the same model. The text of an event is served byte for byte as the table holds it. A cursor
 * stands for a row, so a walk is stable although events arrive meanwhile.
 */
import {
  type Delivery,
  type Fault,
  type Headers,
  prettyPrint,
  readQuery,
  type SourceQuery,
  type SourceRequest,
  type SourceSettings,
  spoil,
} from './source-settings';
import { type EventTable, rangeOf } from './source-table';

export interface SourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly delivery: Delivery;
  /** The texts, as the table holds them, of the events that a client of this answer has received. */
  readonly lines: readonly string[];
  /** The fault that changed the answer, if any. Such an answer need not keep the contract. */
  readonly fault: Fault | undefined;
}

export interface SourceModel {
  answer(request: SourceRequest, now: Date): SourceAnswer;
  /** Changes settings from the next request on; a new API key, for example, is a rotation. */
  change(changes: Partial<SourceSettings>): void;
}

interface Reply {
  readonly status: number;
  readonly headers?: Headers;
  readonly body: string | Buffer;
  readonly lines?: readonly string[];
}

interface Exchange {
  readonly table: EventTable;
  readonly settings: SourceSettings;
  readonly now: Date;
  readonly requestNumber: number;
  readonly fault: Fault | undefined;
}

const INVALID_KEY = 'Invalid API Key. Every request requires a valid API Key to be sent.';

export function createSourceModel(table: EventTable, initial: SourceSettings): SourceModel {
  let settings = initial;
  let requestNumber = 0;
  let lastMinute: readonly number[] = [];

  function isOverRate(now: Date): boolean {
    lastMinute = lastMinute.filter((at) => at > now.getTime() - 60_000);
    if (lastMinute.length >= (settings.rateLimit?.perMinute ?? Infinity)) return true;
    lastMinute = [...lastMinute, now.getTime()];
    return false;
  }

  function reply(request: SourceRequest, exchange: Exchange): Reply {
    const { fault, now } = exchange;
    if (typeof fault === 'object') {
      return 'echo' in fault ? echo(fault.echo, request, settings) : { body: '', ...fault };
    }
    if (settings.rateLimit !== null && isOverRate(now)) {
      return throttled(settings, 'Rate limit exceeded', settings.rateLimit.headers(now));
    }
    if (request.headers['x-api-key'] !== settings.apiKey) return problem(401, 'AuthenticationError', INVALID_KEY);
    if (request.path !== '/audit/logs') return problem(404, 'notFoundError', 'Requested resource not found');
    return logs(request.query, exchange);
  }

  return {
    change: (changes) => {
      settings = { ...settings, ...changes };
    },
    answer: (request, now) => {
      requestNumber += 1;
      const fault = settings.fault?.(requestNumber, request);
      return finish(reply(request, { table, settings, now, requestNumber, fault }), fault, now);
    },
  };
}

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

function problem(status: number, name: string, message: string): Reply {
  return { status, body: JSON.stringify({ error: { name, message } }) };
}

/** In the contract, the error of a 429 is a string. */
function throttled({ shape }: SourceSettings, message: string, headers: Headers = {}): Reply {
  if (shape === 'reality') return { ...problem(429, 'rateLimited', message), headers };
  return { status: 429, body: JSON.stringify({ error: 'rateLimited', message }), headers };
}

function echo(status: number, { headers }: SourceRequest, settings: SourceSettings): Reply {
  const message = `Could not serve ${JSON.stringify(headers)}`;
  if (status === 200) return { status, body: `{"trails":[{"request":${JSON.stringify(headers)}` };
  return status === 429 ? throttled(settings, message) : problem(status, 'AuthenticationError', message);
}

function logs(parameters: URLSearchParams, exchange: Exchange): Reply {
  const { table, settings, now, requestNumber } = exchange;
  const query = readQuery(parameters, settings, now);
  if (typeof query === 'string') return problem(400, 'invalidParamError', query);
  const page = selectPage(query, exchange);
  if (page === undefined) return problem(400, 'invalidCursorError', 'The cursor is not valid or has expired');
  const texts = page.indexes.map((index) => {
    const raw = table.raw(index, now.getTime());
    return settings.drift === null ? raw : settings.drift(raw, requestNumber, table.row(index));
  });
  const body = `{${[`"trails":[${texts.join(',')}]`, ...cursorFields(page, settings)].join(',')}}`;
  return { status: 200, body: settings.pretty ? prettyPrint(body) : body, lines: texts };
}

/** The cursor is written as a token and never becomes a number, which could not hold one above 2^53. */
function cursorFields({ cursor, total }: Page, settings: SourceSettings): string[] {
  const ended = settings.cursorEnd ?? undefined;
  const token = cursor === undefined ? ended : settings.cursorType === 'string' ? `"${cursor}"` : cursor;
  const field = token === undefined ? [] : [`"nextCursor":${token}`];
  const count = total === undefined ? [] : [`"total":${total}`];
  const meta = settings.cursorPlace === 'top-level' ? count : [...field, ...count];
  return [
    ...(settings.cursorPlace === 'meta' ? [] : field),
    ...(meta.length === 0 ? [] : [`"meta":{${meta.join(',')}}`]),
  ];
}

interface Page {
  /** The table's indexes of the events, in the order in which they are served. */
  readonly indexes: readonly number[];
  readonly cursor: string | undefined;
  /** The number of events of the whole range, where the answer tells it. */
  readonly total: number | undefined;
}

/** Undefined where this server cannot have given the cursor. */
function selectPage(query: SourceQuery, { table, settings, now, fault, requestNumber }: Exchange): Page | undefined {
  const range = rangeOf(table, { ...query, isById: settings.order === 'by-id' });
  const row = rowOfCursor(query.cursor, settings);
  const begin = row === undefined ? 0 : range.placeOf(row);
  if (begin === undefined) return undefined;
  const isVisible = (place: number) => table.isVisible(range.indexAt(place), now.getTime());
  const limit = fault === 'short-page' ? Math.ceil(query.limit / 2) : query.limit;
  const found: number[] = [];
  // One event more than the page holds: there the next page begins.
  for (let place = begin; place < range.size && found.length <= limit; place += 1) {
    if (isVisible(place)) found.push(range.indexAt(place));
  }
  const [served, start, beyond] = [found.slice(0, limit), found[0], found[limit]];
  const repeated = beyond === undefined || settings.overlap === 0 ? undefined : served.at(-settings.overlap);
  const cursorAt = (index: number | undefined) =>
    index === undefined ? undefined : String(BigInt(table.row(index)) + settings.cursorBase);
  const total =
    settings.shape === 'contract'
      ? Array.from({ length: range.size }, (_, place) => place).filter(isVisible).length
      : undefined;
  // Another text for the same row, which only a client notices that compares cursors.
  if (fault === 'empty-page') {
    return { indexes: [], cursor: start === undefined ? undefined : `${cursorAt(start)}.${requestNumber}1`, total };
  }
  const isRepeating = fault === 'repeat-cursor' && start !== undefined;
  return {
    indexes: settings.order === 'descending-pages' ? served.toReversed() : served,
    cursor: isRepeating ? (query.cursor ?? cursorAt(start)) : cursorAt(repeated ?? beyond),
    total,
  };
}

/** Undefined where there is no cursor; a text that is not a cursor becomes a row that no table has. */
function rowOfCursor(cursor: string | undefined, { cursorBase }: SourceSettings): number | undefined {
  if (cursor === undefined) return undefined;
  const digits = /^(\d+)(?:\.\d+)?$/.exec(cursor)?.[1];
  return digits === undefined ? Number.NaN : Number(BigInt(digits) - cursorBase);
}
