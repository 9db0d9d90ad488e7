/**
 * A window is a part of the walk that is read with one query, page by page. It decides after each page up to which instant all
 * events have been read. The rules that make this correct are at the top of `walk.ts`.
 */
import { UpstreamError } from '../shared/errors';
import { type AuditEvent, quarantineReason } from '../shared/event';
import { sha256 } from '../shared/manifest';
import { addMs, DAY_MS, dateOf, earlier, later, midnight, SECOND_MS } from '../shared/time';
import { type Answer, PAGE_LIMIT, type Query } from './source';

const MAX_EMPTY_PAGES = 100;
/** Servers limit a page to 50, 100 or another multiple of this number, whatever was asked. */
const ROUND_PAGE = 50;

export interface TimeSpan {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

export interface WalkPage {
  readonly events: readonly AuditEvent[];
  /** All served events before this instant have been yielded, with this page included. */
  readonly claim: Date;
  /** The source's own clock, where the response states it. */
  readonly serverTime: Date | undefined;
  /** The source keeps no event before this instant. */
  readonly keptFrom: Date;
}

export interface WindowOptions {
  /** Events after this instant are dated ahead and do not count for the order. */
  readonly now: Date;
  /** The source keeps no event before this instant. */
  readonly keptFrom: Date;
  /**
   * An instant on the date of the window's beginning, not after it, from which the window asks first. Without it the window
   * asks for the whole day. The source may read the instant as an exclusive date and leave out the rest of that day. So the
   * window claims nothing until an event of that date was served, and otherwise asks for the whole day in the end.
   */
  readonly since?: Date | undefined;
}

/** `query` returns the next request, and `take` interprets its answer. */
export function openWindow(window: TimeSpan, options: WindowOptions) {
  let since = options.since ?? midnight(window.from);
  let order = watchOrder(window, options.now);
  let limit = PAGE_LIMIT;
  let state: 'reading' | 'finished' | 'too-old' = 'reading';
  /** Requests that must show no further event, where the end of the window is doubtful. */
  let checks: readonly EndCheck[] = [];
  /** Events that a check found first. They may have appeared meanwhile, so the window is read once more. */
  let suspects: ReadonlySet<string> = new Set();
  let isProved = +since === +midnight(since);
  const seen = new Set<string>();
  const pager = createPager();

  function query(): Query {
    const oldest = later(since, options.keptFrom);
    const [check] = checks;
    if (check !== undefined) return { ...check.query, limit: Math.min(limit, check.query.limit) };
    return { since: addMs(oldest, -SECOND_MS), until: window.to, limit, cursor: pager.cursor() };
  }

  /** Returns the page to yield, or undefined where another query is needed first. */
  function take(answer: Exclude<Answer, { kind: 'out-of-time' }>): WalkPage | undefined {
    const [check] = checks;
    if (answer.kind === 'page') return check === undefined ? takePage(answer) : takeCheck(check, answer);
    if (answer.kind === 'too-old') state = 'too-old';
    if (answer.kind === 'too-large') limit = smaller(limit);
    if (answer.kind === 'cursor-refused') {
      pager.restart();
      order = watchOrder(window, options.now);
    }
    return undefined;
  }

  function takePage(answer: PageAnswer): WalkPage {
    const { events, serverTime } = answer;
    const hasMore = pager.turn(answer);
    order.see(events);
    for (const event of events) seen.add(identityOf(event));
    isProved ||= events.some(({ instant }) => instant !== undefined && dateOf(instant) === dateOf(window.from));
    if (!hasMore && !isProved) readWholeDay();
    else if (!hasMore && isEndDoubtful(answer)) checks = endChecks();
    else if (!hasMore) state = 'finished';
    return { events, claim: claim(), serverTime, keptFrom: options.keptFrom };
  }

  function claim(): Date {
    if (state === 'finished') return window.to;
    return isProved ? order.claim() : window.from;
  }

  function readWholeDay(): void {
    since = midnight(window.from);
    isProved = true;
    readAgain();
  }

  function readAgain(): void {
    checks = [];
    pager.begin();
    order = watchOrder(window, options.now);
  }

  /** A missing cursor is not the sign of the end where another sign says that more follows. Page sizes are round numbers. */
  function isEndDoubtful({ events, total = 0, hasNextLink }: PageAnswer): boolean {
    const isFull = events.length >= limit || (events.length > 0 && events.length % ROUND_PAGE === 0);
    return isFull || total > seen.size || hasNextLink;
  }

  /**
   * Where the source has announced a page, from the last instant on, and newest first. Where it never has, one event alone and
   * newest first: the source must then announce the other events, whatever it does with bounds and with the order.
   */
  function endChecks(): readonly EndCheck[] {
    const { query: base, lowest, highest } = { query: { ...query(), cursor: undefined }, ...order.bounds() };
    const rest = order.isAscending()
      ? { ...base, since: highest === undefined ? base.since : addMs(highest, -SECOND_MS) }
      : { ...base, until: lowest === undefined ? base.until : addMs(lowest, SECOND_MS) };
    const known = seen.size;
    const first =
      pager.hasFollowed() || known < 2 ? { query: rest, known: 0 } : { query: { ...base, limit: 1 }, known };
    return [first, { query: { ...base, order: 'desc' }, known }];
  }

  /** Events that appeared only after the walk began may be new here. */
  function takeCheck(check: EndCheck, { events, cursor, serverTime }: PageAnswer): WalkPage | undefined {
    if (cursor === undefined && events.length >= check.query.limit && check.known > events.length) throw endUnmarked();
    const unseen = events.filter((event) => !seen.has(identityOf(event)));
    const isMissed = ({ instant }: AuditEvent) => instant !== undefined && instant <= options.now && isWithin(instant);
    const missed = unseen.filter(isMissed).map(identityOf);
    if (missed.some((identity) => suspects.has(identity))) throw endUnmarked();
    if (missed.length > 0 && suspects.size === 0) {
      suspects = new Set(missed);
      readAgain();
      return undefined;
    }
    for (const event of unseen) seen.add(identityOf(event));
    checks = checks.slice(1);
    if (checks.length === 0) state = 'finished';
    return { events: unseen, claim: claim(), serverTime, keptFrom: options.keptFrom };
  }

  function isWithin(instant: Date): boolean {
    return instant >= window.from && instant < window.to;
  }

  return {
    query,
    take,
    isFinished: () => state === 'finished',
    isTooOld: () => state === 'too-old',
    pages: () => pager.pages(),
    boundsIgnored: () => order.boundsIgnored(),
  };
}

/** A request that shows whether the window holds more than was served. */
interface EndCheck {
  readonly query: Query;
  /** How many of the events that the request asks for are known. */
  readonly known: number;
}

type PageAnswer = Extract<Answer, { kind: 'page' }>;

function identityOf({ id, line }: AuditEvent): string {
  return id ?? sha256(line);
}

/** Follows the cursor. Throws `UpstreamError` where the cursor does not lead to an end. */
function createPager() {
  let cursor: string | undefined;
  let seen = new Set<string>();
  let pages = 0;
  let empty = 0;
  let restarted = false;
  let followed = false;

  /** Returns true where there is another page. */
  function turn(page: PageAnswer): boolean {
    pages += 1;
    empty = page.events.length === 0 ? empty + 1 : 0;
    cursor = page.cursor;
    if (cursor === undefined) return false;
    if (seen.has(cursor))
      throw new UpstreamError('source-cursor-loop', `the source sent the same cursor twice, at page ${pages}`);
    if (empty > MAX_EMPTY_PAGES) {
      throw new UpstreamError(
        'source-cursor-loop',
        `the source sent ${empty} empty pages in a row, each with a cursor`,
      );
    }
    seen.add(cursor);
    followed = true;
    return true;
  }

  function restart(): void {
    if (restarted) throw new UpstreamError('source-refused', 'the source refused its own cursor twice in one window');
    restarted = true;
    begin();
  }

  function begin(): void {
    cursor = undefined;
    seen = new Set();
  }

  return { turn, restart, begin, cursor: () => cursor, pages: () => pages, hasFollowed: () => followed };
}

/** Watches whether events arrive in ascending order, and whether they lie within the requested bounds. */
function watchOrder(window: TimeSpan, now: Date) {
  let last: Date | undefined;
  let lowest: Date | undefined;
  let highest: Date | undefined;
  let ascending = true;
  let shown = false;
  let ignored = false;

  function see(events: readonly AuditEvent[]): void {
    const before = last;
    for (const event of events) {
      if (event.instant === undefined || event.instant > now || quarantineReason(event, now) !== undefined) continue;
      if (last !== undefined && event.instant < last) ascending = false;
      last = event.instant;
      lowest = lowest === undefined ? last : earlier(lowest, last);
      highest = highest === undefined ? last : later(highest, last);
      // Truncation moves a bound by less than a day, and the early second may fall into the day before.
      if (event.instant.getTime() < midnight(window.from, -1).getTime()) ignored = true;
      if (event.instant.getTime() >= window.to.getTime() + DAY_MS) ignored = true;
    }
    if (before !== undefined && last !== undefined && before < last) shown = true;
  }

  /**
   * Only a page that goes further than the page before it shows an ascending order. A descending source may begin with a
   * thousand events of one second, or ascend within each page.
   */
  function claim(): Date {
    return ascending && shown && last !== undefined ? earlier(later(last, window.from), window.to) : window.from;
  }

  return {
    see,
    claim,
    bounds: () => ({ lowest, highest }),
    isAscending: () => ascending,
    boundsIgnored: () => ignored,
  };
}

function smaller(limit: number): number {
  if (limit > 1) return Math.max(1, Math.floor(limit / 4));
  throw new UpstreamError('source-page-too-large', 'a page with a single event is too large for this function');
}

function endUnmarked(): UpstreamError {
  return new UpstreamError(
    'source-contract-broken',
    'the source ended its answer without a cursor, but it holds more events; the API may announce the next page in a new way, ' +
      'so ask Postman or update this archiver',
  );
}
