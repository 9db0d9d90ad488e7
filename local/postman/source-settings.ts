/**
 * The settings of a source server: one for each reading that the API's documentation allows. They are independent of
 * each other and work in every combination. This file also reads a query under the settings.
 */
import { DAY_MS } from '../../lambdas/shared/time';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

export interface SourceSettings {
  /** The only API key that the server accepts. */
  readonly apiKey: string;
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
}

/** As public reports show the live service. */
export const LIVE_SERVICE: Omit<SourceSettings, 'apiKey'> = {
  cursorPlace: 'top-level',
  cursorType: 'number',
  cursorBase: 0n,
  cursorEnd: null,
  overlap: 0,
  bounds: 'time',
  since: 'inclusive',
  until: 'inclusive',
  order: 'honoured',
  retentionDays: 180,
  maxLimit: 300,
};

export type SourceQuery = Exclude<ReturnType<typeof readQuery>, string>;

/** Reads the query, or returns the sentence with which the server refuses it. `from` and `to` are half-open. */
export function readQuery(query: URLSearchParams, settings: SourceSettings, now: Date) {
  const since = readInstant(query.get('since'));
  const until = readInstant(query.get('until'));
  const order = query.get('orderBy') ?? 'desc';
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
function readInstant(text: string | null): number | null | undefined {
  if (text === null) return null;
  const instant = DATE_TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

function cut(instant: number, { bounds }: SourceSettings): number {
  return bounds === 'time' ? instant : Math.floor(instant / DAY_MS) * DAY_MS;
}
