/**
 * The source of the tests: the model of the API, and all that can go wrong between it and a client. It remembers its
 * settings and counts its requests.
 */
import { answerAsSource, type Headers, type SourceAnswer, type SourceRequest } from '../../local/postman/source-model';
import { LIVE_SERVICE, type SourceSettings as Readings } from '../../local/postman/source-settings';
import type { SourceTable } from '../../local/postman/source-table';

export type Shape = 'contract' | 'reality';

export interface SourceSettings extends Readings {
  /** Puts white space between the tokens of a page. */
  readonly pretty: boolean;
  /** The text of an event on one request, for a source whose texts change from one request to the next. */
  readonly drift: ((raw: string, requestNumber: number, row: number) => string) | null;
  /** Asked before every request. Requests are numbered from 1. */
  readonly fault: ((requestNumber: number, request: SourceRequest, now: Date) => Fault | undefined) | null;
}

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
  | LostAnswer;

/** Only the fault world knows these. Over sockets, the tap breaks connections (`tap.ts`). */
type LostAnswer = 'reset' | 'truncate' | 'hang';

export interface TestAnswer extends SourceAnswer {
  readonly body: Buffer;
  readonly delivery: 'whole' | LostAnswer;
  /** The fault that changed the answer, if any. Such an answer need not keep the contract. */
  readonly fault: Fault | undefined;
}

export interface SourceModel {
  answer(request: SourceRequest, now: Date): TestAnswer;
  /** Changes settings from the next request on; a new API key, for example, is a rotation. */
  change(changes: Partial<SourceSettings>): void;
}

/** The `contract` shape is that of the OpenAPI document, and `reality` that of the live service. */
export function sourceSettings(shape: Shape, apiKey: string, changes: Partial<SourceSettings> = {}): SourceSettings {
  const cursor = shape === 'contract' ? ({ cursorPlace: 'meta', cursorType: 'string' } as const) : {};
  return { ...LIVE_SERVICE, ...cursor, apiKey, pretty: false, drift: null, fault: null, ...changes };
}

export function createSourceModel(table: SourceTable, initial: SourceSettings): SourceModel {
  let settings = initial;
  let requestNumber = 0;

  function reply(request: SourceRequest, fault: Fault | undefined, now: Date): SourceAnswer {
    if (typeof fault === 'object') {
      return { headers: {}, body: '', ...('echo' in fault ? echo(fault.echo, request) : fault), served: [] };
    }
    const query = new URLSearchParams(request.query);
    const resumed = EMPTY_PAGE.exec(query.get('cursor') ?? '')?.[1];
    if (resumed !== undefined) query.set('cursor', resumed);
    if (resumed === '') query.delete('cursor');
    const limit = Math.min(Number(query.get('limit') ?? 50), settings.maxLimit);
    if (fault === 'short-page') query.set('limit', String(Math.ceil(limit / 2)));
    const page = answerAsSource({ ...request, query }, { table, settings, now });
    return page.status === 200 ? changed(page, fault, query.get('cursor')) : page;
  }

  function changed(page: SourceAnswer, fault: Fault | undefined, cursor: string | null): SourceAnswer {
    const texts = page.served.map(({ text }) => text);
    const { drift } = settings;
    const served =
      drift === null
        ? page.served
        : page.served.map(({ row, text }) => ({ row, text: drift(text, requestNumber, row) }));
    let body = trails(served.map(({ text }) => text)) + String(page.body).slice(trails(texts).length);
    if (fault === 'repeat-cursor' && cursor !== null) body = `${trails(texts)}],"nextCursor":"${cursor}"}`;
    // Another cursor each time, which only a client notices that compares cursors.
    if (fault === 'empty-page') body = `{"trails":[],"nextCursor":"${cursor ?? ''}.${requestNumber}"}`;
    return { ...page, served, body: settings.pretty ? spaced(body) : body };
  }

  return {
    change: (changes) => {
      settings = { ...settings, ...changes };
    },
    answer: (request, now) => {
      requestNumber += 1;
      const fault = settings.fault?.(requestNumber, request, now);
      const { headers, body, ...more } = reply(request, fault, now);
      const delivery = fault === 'reset' || fault === 'truncate' || fault === 'hang' ? fault : 'whole';
      const dated = { date: now.toUTCString(), ...headers };
      return { ...more, headers: dated, body: spoil(Buffer.from(body), fault), delivery, fault };
    },
  };
}

/** A fault of every request beyond so many in a minute. */
export function rateLimit(perMinute: number, headers: (now: Date) => Headers): NonNullable<SourceSettings['fault']> {
  let lastMinute: readonly number[] = [];
  return (_number, _request, now) => {
    lastMinute = lastMinute.filter((at) => at > now.getTime() - 60_000);
    if (lastMinute.length >= perMinute) return { status: 429, headers: headers(now) };
    lastMinute = [...lastMinute, now.getTime()];
    return undefined;
  };
}

/** The cursor of an empty page: the cursor that the page was asked for with, and the number of the request. */
const EMPTY_PAGE = /^(\d*)\.\d+$/;

/** The body of a page up to its last event. */
function trails(texts: readonly string[]): string {
  return `{"trails":[${texts.join(',')}`;
}

function echo(status: number, { headers }: SourceRequest): { readonly status: number; readonly body: string } {
  const repeated = JSON.stringify(headers);
  if (status === 200) return { status, body: `{"trails":[{"request":${repeated}` };
  return { status, body: JSON.stringify({ error: { name: 'refused', message: `Could not serve ${repeated}` } }) };
}

/** White space around every token that is not part of a value. */
function spaced(json: string): string {
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;
  return json.replace(tokens, (token) => (token.startsWith('"') ? token : ` ${token}\r\n\t`)).trim();
}

function spoil(body: Buffer, fault: Fault | undefined): Buffer {
  if (fault === 'byte-order-mark') return Buffer.concat([Buffer.from('\ufeff'), body]);
  if (fault === 'cut-body') return body.subarray(0, Math.floor(body.length / 2));
  if (fault === 'invalid-json') return Buffer.concat([body.subarray(0, -1), Buffer.from(',}')]);
  if (fault !== 'invalid-utf8') return body;
  // The byte 0xff occurs nowhere in UTF-8. It stands inside a string of an event, where a lenient decoder lets it pass.
  const place = body.indexOf('"message"') + '"message":"'.length;
  return Buffer.concat([body.subarray(0, place), Buffer.from([0xff]), body.subarray(place)]);
}
