/**
 * The audit log of one Postman team as the API serves it, without I/O, state or a clock: the demo's server and the tests
 * use the same model. The text of an event is served byte for byte as the table holds it. A cursor stands for a row, so
 * a walk is stable although events arrive meanwhile.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { readQuery, type SourceQuery, type SourceSettings } from './source-settings';
import { byInstant, isVisible, type SourceEvent, type SourceTable, textOf } from './source-table';

export interface SourceRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export type Headers = Readonly<Record<string, string>>;

export interface SourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | Buffer;
  /** The events in the body. */
  readonly served: readonly { readonly row: number; readonly text: string }[];
}

export interface Source {
  readonly table: SourceTable;
  readonly settings: SourceSettings;
  readonly now: Date;
}

export function answerAsSource({ path, query, headers }: SourceRequest, source: Source): SourceAnswer {
  if (headers['x-api-key'] !== source.settings.apiKey) {
    return problem(401, 'AuthenticationError', 'Invalid API Key. Every request requires a valid API Key to be sent.');
  }
  if (path !== '/audit/logs') return problem(404, 'notFoundError', 'Requested resource not found');
  const asked = readQuery(query, source.settings, source.now);
  if (typeof asked === 'string') return problem(400, 'invalidParamError', asked);
  const page = selectPage(asked, source);
  if (page === undefined) return problem(400, 'invalidCursorError', 'The cursor is not valid or has expired');
  const served = page.events.map((event) => ({ row: event.row, text: textOf(event, source.now.getTime()) }));
  const trails = `"trails":[${served.map(({ text }) => text).join(',')}]`;
  return answer(200, `{${[trails, ...cursorFields(page.cursor, source.settings)].join(',')}}`, served);
}

function problem(status: number, name: string, message: string): SourceAnswer {
  return answer(status, JSON.stringify({ error: { name, message } }));
}

function answer(status: number, body: string, served: SourceAnswer['served'] = []): SourceAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body, served };
}

/** The cursor is written as a token and never becomes a number, which could not hold one above 2^53. */
function cursorFields(cursor: bigint | undefined, { cursorEnd, cursorType, cursorPlace }: SourceSettings): string[] {
  const ended = cursorEnd ?? undefined;
  const token = cursor === undefined ? ended : cursorType === 'string' ? `"${cursor}"` : cursor;
  if (token === undefined) return [];
  const field = `"nextCursor":${token}`;
  return [...(cursorPlace === 'meta' ? [] : [field]), ...(cursorPlace === 'top-level' ? [] : [`"meta":{${field}}`])];
}

/** The events in the order in which they are served. Undefined where this server cannot have given the cursor. */
function selectPage(query: SourceQuery, { table, settings, now }: Source) {
  const start = query.cursor === undefined ? undefined : table.get(rowOfCursor(query.cursor, settings));
  if (query.cursor !== undefined && start === undefined) return undefined;
  const [byId, sign] = [settings.order === 'by-id', query.isDescending ? -1 : 1];
  const compare = byId ? (a: SourceEvent, b: SourceEvent) => a.row - b.row : byInstant;
  const isAsked = (event: SourceEvent) =>
    (event.at === null || (event.at >= query.from && event.at < query.to)) &&
    (start === undefined || compare(event, start) * sign >= 0) &&
    isVisible(event, now.getTime());
  const ascending = byId ? table.events().toSorted(compare) : table.events();
  const found: SourceEvent[] = [];
  // One event more than the page holds: there the next page begins.
  for (const event of query.isDescending ? ascending.toReversed() : ascending) {
    if (found.length > query.limit) break;
    if (isAsked(event)) found.push(event);
  }
  const [served, beyond] = [found.slice(0, query.limit), found[query.limit]];
  const next = beyond === undefined || settings.overlap === 0 ? beyond : (served.at(-settings.overlap) ?? beyond);
  return {
    events: settings.order === 'descending-pages' ? served.toReversed() : served,
    cursor: next === undefined ? undefined : BigInt(next.row) + settings.cursorBase,
  };
}

/** A text that is not a cursor becomes a row that no table has. */
function rowOfCursor(cursor: string, { cursorBase }: SourceSettings): number {
  return /^\d+$/.test(cursor) ? Number(BigInt(cursor) - cursorBase) : Number.NaN;
}
