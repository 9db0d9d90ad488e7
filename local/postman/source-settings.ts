/**
 * The settings of a source server: one for each reading that the API's documentation allows, and one for each fault. They are
 * independent of each other and work in every combination. This file also reads a query under the settings.
 */
import { DAY_MS } from '../../lambdas/shared/time';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export interface SourceRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  /** The names are in lower case. */
  readonly headers: Headers;
}

export type Headers = Readonly<Record<string, string>>;

export interface SourceSettings {
  /** The only API key that the server accepts. */
  readonly apiKey: string;
  /**
   * `contract` follows the OpenAPI document, `reality` the reports about the live service: in bodies of errors, dates
   * without a time, and the field `total`.
   */
  readonly shape: 'contract' | 'reality';
  readonly cursorPlace: 'meta' | 'top-level' | 'both';
  readonly cursorType: 'string' | 'number';
  /** Added to the row that a cursor stands for. 2n ** 53n makes cursors that no JavaScript number can hold. */
  readonly cursorBase: bigint;
  /** The JSON token of the cursor on the last page; null leaves the field out. */
  readonly cursorEnd: string | null;
  /** The number of rows of a page that the next page repeats. It must be below the page size. */
  readonly overlap: number;
  /** How `since` and `until` are compared: as instants, as instants cut to 00:00 of their day, or as dates. */
  readonly bounds: 'time' | 'midnight' | 'date';
  readonly since: 'inclusive' | 'exclusive' | 'ignored';
  readonly until: 'inclusive' | 'exclusive';
  /** `by-id` follows the direction of the request. With `descending-pages` the events of each page ascend. */
  readonly order: 'honoured' | 'always-descending' | 'descending-pages' | 'by-id';
  readonly retentionDays: number;
  /** The largest page that the server serves, whatever the request asks for. */
  readonly maxLimit: number;
  /** Puts white space between the tokens of a body. */
  readonly pretty: boolean;
  readonly rateLimit: { readonly perMinute: number; readonly headers: (now: Date) => Headers } | null;
  /** The text of an event on one request, for a source whose texts change from one request to the next. */
  readonly drift: ((raw: string, requestNumber: number, row: number) => string) | null;
  /** Asked before every request. Requests are numbered from 1. */
  readonly fault: ((requestNumber: number, request: SourceRequest) => Fault | undefined) | null;
}

export function sourceSettings(
  shape: SourceSettings['shape'],
  apiKey: string,
  changes: Partial<SourceSettings> = {},
): SourceSettings {
  return {
    apiKey,
    shape,
    cursorPlace: shape === 'contract' ? 'meta' : 'top-level',
    cursorType: shape === 'contract' ? 'string' : 'number',
    cursorBase: 0n,
    cursorEnd: null,
    overlap: 0,
    bounds: 'time',
    since: 'inclusive',
    until: 'inclusive',
    order: 'honoured',
    retentionDays: 180,
    maxLimit: 300,
    pretty: false,
    rateLimit: null,
    drift: null,
    fault: null,
    ...changes,
  };
}

export interface SourceQuery {
  /** Half-open, in epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly isDescending: boolean;
  readonly cursor: string | undefined;
}

/** Reads the query, or returns the sentence with which the server refuses it. */
export function readQuery(query: URLSearchParams, settings: SourceSettings, now: Date): SourceQuery | string {
  const since = readInstant(query.get('since'), settings);
  const until = readInstant(query.get('until'), settings);
  const order = query.get('orderBy') ?? (settings.shape === 'reality' ? query.get('order_by') : null) ?? 'desc';
  const limit = query.get('limit') ?? '50';
  if (since === undefined || until === undefined) return 'since and until must be ISO 8601 date-times';
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 300) return 'limit must be an integer from 1 to 300';
  if (order !== 'asc' && order !== 'desc') return 'orderBy must be asc or desc';
  const floor = now.getTime() - settings.retentionDays * DAY_MS;
  const from = settings.since === 'ignored' ? null : since;
  if (from !== null && cut(from, settings) < cut(floor, settings)) {
    return `since cannot be older than ${settings.retentionDays} days`;
  }
  const unit = settings.bounds === 'date' ? DAY_MS : 1;
  return {
    from: from === null ? floor : Math.max(floor, cut(from, settings) + (settings.since === 'exclusive' ? unit : 0)),
    to: until === null ? Infinity : cut(until, settings) + (settings.until === 'inclusive' ? unit : 0),
    limit: Math.min(Number(limit), settings.maxLimit),
    isDescending: order === 'desc' || settings.order === 'always-descending' || settings.order === 'descending-pages',
    cursor: query.get('cursor') ?? undefined,
  };
}

/** Null where the parameter is absent, and undefined where it is refused. */
function readInstant(text: string | null, { shape }: SourceSettings): number | null | undefined {
  if (text === null) return null;
  if (!DATE_TIME.test(text) && !(shape === 'reality' && DATE.test(text))) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}

function cut(instant: number, { bounds }: SourceSettings): number {
  return bounds === 'time' ? instant : Math.floor(instant / DAY_MS) * DAY_MS;
}

/** The delivery of an answer: whole; with the connection reset; with the body cut before its end; or never sent. */
export type Delivery = 'whole' | 'reset' | 'truncate' | 'hang';

export type Fault =
  | { readonly status: number; readonly headers?: Headers; readonly body?: string | Buffer }
  /** An error, or a malformed 200, that repeats all headers of the request, the API key included. */
  | { readonly echo: 200 | 401 | 403 | 429 | 500 }
  | 'repeat-cursor'
  | 'empty-page'
  | 'short-page'
  | 'invalid-json'
  | 'invalid-utf8'
  | 'byte-order-mark'
  | 'cut-body'
  | Exclude<Delivery, 'whole'>;

/** The body as a fault spoils it. A fault that does not concern the body returns the same buffer. */
export function spoil(body: Buffer, fault: Fault | undefined): Buffer {
  if (fault === 'byte-order-mark') return Buffer.concat([Buffer.from('\ufeff'), body]);
  if (fault === 'cut-body') return body.subarray(0, Math.floor(body.length / 2));
  if (fault === 'invalid-json') return Buffer.concat([body.subarray(0, -1), Buffer.from(',}')]);
  if (fault !== 'invalid-utf8') return body;
  // The byte 0xff occurs nowhere in UTF-8. It stands inside a string of an event, where a lenient decoder lets it pass.
  const place = body.indexOf('"message"') + '"message":"'.length;
  return Buffer.concat([body.subarray(0, place), Buffer.from([0xff]), body.subarray(place)]);
}

/** A string is one token, so that a bracket or a comma inside of it is not taken for one. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

/**
 * Puts every kind of white space that JSON allows between the tokens, without reading a value. Throws where a string has
 * megabytes of escapes.
 */
export function prettyPrint(json: string): string {
  let depth = 0;
  return json.replace(TOKEN, (token) => {
    if (token === '{' || token === '[') return `${token}${newLine(++depth)}`;
    if (token === '}' || token === ']') return `${newLine(--depth)}${token}`;
    if (token === ',') return `,${newLine(depth)}`;
    return token === ':' ? ' : ' : token;
  });
}

function newLine(depth: number): string {
  return depth % 2 === 0 ? `\n${'  '.repeat(depth)}` : '\r\n\t';
}
