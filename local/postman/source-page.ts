/**
 * Which events one request gets: bounds, order, cursor and limit under every reading the settings name. A cursor stands
 * for a row (keyset), so a walk is stable however many events arrive beside it; filters hold only as long as the client
 * sends them again.
 */
import type { SourceSettings } from './source-settings';
import { type EventTable, firstIndex } from './source-table';

const DAY_MS = 86_400_000;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export interface SourceQuery {
  /** Instants in epoch milliseconds, [from, to). */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly descending: boolean;
  readonly cursor: string | undefined;
}

export interface Page {
  /** Table indexes of the events served, in the order served. */
  readonly indexes: readonly number[];
  /** Row at which this page begins, and row at which the next one does; undefined past the end. */
  readonly start: number | undefined;
  readonly next: number | undefined;
  /** Counts the events of the whole range: dear, so only where it is told. */
  readonly total: () => number;
}

interface Context {
  readonly settings: SourceSettings;
  readonly now: Date;
}

/** Reads the query, or says in a sentence why the server refuses it. */
export function readQuery(query: URLSearchParams, { settings, now }: Context): SourceQuery | string {
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
    descending: order === 'desc' || settings.order === 'always-descending' || settings.order === 'descending-pages',
    cursor: query.get('cursor') ?? undefined,
  };
}

/** Undefined where the cursor is none that this server could have given. */
export function selectPage(table: EventTable, query: SourceQuery, { settings, now }: Context): Page | undefined {
  const sequence = sequenceOf(table, query, settings.order === 'by-id');
  const isVisible = (place: number): boolean => table.isVisible(sequence.indexAt(place), now.getTime());
  const visibleFrom = (place: number): number => {
    let next = place;
    while (next < sequence.size && !isVisible(next)) next += 1;
    return next;
  };
  const rowAt = (place: number): number | undefined =>
    place < sequence.size ? table.row(sequence.indexAt(place)) : undefined;

  const resumed = placeOfCursor(table, sequence, { query, settings });
  if (resumed === undefined) return undefined;
  const start = visibleFrom(resumed);
  const places: number[] = [];
  let place = start;
  for (; place < sequence.size && places.length < query.limit; place = visibleFrom(place + 1)) places.push(place);
  const repeated = place < sequence.size && settings.overlap > 0 ? places.at(-settings.overlap) : undefined;
  const served = settings.order === 'descending-pages' ? places.toReversed() : places;
  return {
    indexes: served.map(sequence.indexAt),
    start: rowAt(start),
    next: rowAt(repeated ?? place),
    total: () => Array.from({ length: sequence.size }, (_, nth) => nth).filter(isVisible).length,
  };
}

/** A cursor's text. `detour` makes another text for the same row, which nobody who echoes a cursor exactly notices. */
export function cursorText(row: number, settings: SourceSettings, detour?: number): string {
  const text = String(BigInt(row) + settings.cursorBase);
  return detour === undefined ? text : `${text}.${detour}1`;
}

interface Sequence {
  readonly size: number;
  readonly indexAt: (place: number) => number;
}

/** The rows of the range in the order asked for: those without an instant are in every range, and come first. */
function sequenceOf(table: EventTable, query: SourceQuery, byId: boolean): Sequence {
  const undated = firstIndex(table.size(), (index) => table.at(index) > -Infinity);
  const low = firstIndex(table.size(), (index) => table.at(index) >= query.from);
  const high = Math.max(
    low,
    firstIndex(table.size(), (index) => table.at(index) >= query.to),
  );
  const size = undated + high - low;
  const byTime = (place: number): number => (place < undated ? place : place - undated + low);
  const ascending = byId ? sortedByRow(table, { size, indexAt: byTime }) : byTime;
  return { size, indexAt: query.descending ? (place) => ascending(size - 1 - place) : ascending };
}

function sortedByRow(table: EventTable, { size, indexAt }: Sequence): Sequence['indexAt'] {
  const rows = Array.from({ length: size }, (_, place) => indexAt(place)).sort((a, b) => table.row(a) - table.row(b));
  return (place) => rows[place] ?? 0;
}

/** Where the walk stands at the cursor's row, or would, were the row in the range asked for now. */
function placeOfCursor(
  table: EventTable,
  sequence: Sequence,
  { query, settings }: { readonly query: SourceQuery; readonly settings: SourceSettings },
): number | undefined {
  if (query.cursor === undefined) return 0;
  const digits = /^(\d+)(?:\.\d+)?$/.exec(query.cursor)?.[1];
  const index = digits === undefined ? undefined : table.indexOf(Number(BigInt(digits) - settings.cursorBase));
  if (index === undefined) return undefined;
  const rank = (at: number): number => (settings.order === 'by-id' ? table.row(at) : at);
  return firstIndex(sequence.size, (place) => {
    const distance = rank(sequence.indexAt(place)) - rank(index);
    return query.descending ? distance <= 0 : distance >= 0;
  });
}

/** Null where the parameter is absent, undefined where it is refused. */
function readInstant(text: string | null, settings: SourceSettings): number | null | undefined {
  if (text === null) return null;
  if (!DATE_TIME.test(text) && !(settings.shape === 'reality' && DATE.test(text))) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}

function cut(instant: number, settings: SourceSettings): number {
  return settings.bounds === 'time' ? instant : Math.floor(instant / DAY_MS) * DAY_MS;
}
