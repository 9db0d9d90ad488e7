/**
 * A window is a part of the walk that is read with one query, page by page. It decides after each page up to which instant all
 * events have been read. The rules that make this correct are at the top of `walk.ts`.
 */
import { UpstreamError } from '../shared/errors';
import { type AuditEvent, quarantineReason } from '../shared/event';
import { addMs, DAY_MS, dateOf, earlier, later, MINUTE_MS, midnight, SECOND_MS } from '../shared/time';
import type { Answer, PageAnswer } from './answer';
import { createEndProof } from './end-proof';
import { PAGE_LIMIT, type Query } from './source';

const MAX_EMPTY_PAGES = 100;
/** The servers of a source may differ in events that are younger than this. The next walk reads a longer time again. */
const REPLICA_LAG_MS = 5 * MINUTE_MS;

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

/** `query` returns the next request. `take` returns the page to yield, or undefined where another query is needed first. */
export function openWindow(window: TimeSpan, { now, keptFrom, ...options }: WindowOptions) {
  let since = options.since ?? midnight(window.from);
  let isProved = +since === +midnight(since);
  let order = watchOrder(window, now);
  let limit = PAGE_LIMIT;
  let state: 'reading' | 'finished' | 'too-old' = 'reading';
  const end = createEndProof(settledWithin(window, now));
  const pager = createPager();

  function query(): Query {
    const page = { since: addMs(later(since, keptFrom), -SECOND_MS), until: window.to, limit, cursor: pager.cursor() };
    return end.query(limit) ?? page;
  }

  function take(answer: Exclude<Answer, { kind: 'out-of-time' }>): WalkPage | undefined {
    if (answer.kind === 'page') return end.isOpen() ? takeCheck(answer) : takePage(answer);
    if (answer.kind === 'too-old') state = 'too-old';
    if (answer.kind === 'too-large') limit = smaller(limit);
    if (answer.kind === 'cursor-refused' && end.isOpen()) end.skip();
    else if (answer.kind === 'cursor-refused') {
      pager.restart();
      order = watchOrder(window, now);
    }
    return undefined;
  }

  function takePage(answer: PageAnswer): WalkPage {
    const { events } = answer;
    const asked = query();
    const hasMore = pager.turn(answer);
    order.see(events);
    end.see(events);
    isProved ||= events.some(({ instant }) => instant !== undefined && dateOf(instant) === dateOf(window.from));
    if (!hasMore && !isProved) readAgain(midnight(window.from));
    else if (!hasMore && end.isDoubtful(answer, limit))
      end.begin({ asked, events, hasFollowed: pager.hasFollowed(), ...order.seen() });
    else if (!hasMore) state = 'finished';
    return pageOf(events, answer);
  }

  function takeCheck(answer: PageAnswer): WalkPage | undefined {
    const appeared = end.take(answer);
    if (appeared === 'missed') return void readAgain(since);
    if (!end.isOpen()) state = 'finished';
    return pageOf(appeared, answer);
  }

  function readAgain(from: Date): void {
    [since, order] = [from, watchOrder(window, now)];
    isProved ||= +since === +midnight(since);
    pager.begin();
  }

  function pageOf(events: readonly AuditEvent[], { serverTime }: PageAnswer): WalkPage {
    const claim = isProved ? order.claim() : window.from;
    return { events, claim: state === 'finished' ? window.to : claim, serverTime, keptFrom };
  }

  return {
    query,
    take,
    state: () => state,
    pages: pager.pages,
    isEmpty: end.isEmpty,
    boundsIgnored: () => order.boundsIgnored(),
  };
}

/** Whether the window holds the instant, and every replica of the source has had the time to show its events. */
function settledWithin(window: TimeSpan, now: Date) {
  const settled = addMs(now, -REPLICA_LAG_MS);
  return (instant: Date) => instant <= settled && instant >= window.from && instant < window.to;
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
  // Comparing numbers is much faster than comparing dates.
  const latest = now.getTime();
  // Truncation moves a bound by less than a day, and the early second may fall into the day before.
  const [tooLow, tooHigh] = [midnight(window.from, -1).getTime(), window.to.getTime() + DAY_MS];
  let last = Number.NaN;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let ascending = true;
  let shown = false;
  let ignored = false;

  function see(events: readonly AuditEvent[]): void {
    const before = last;
    for (const event of events) {
      const at = event.instant?.getTime() ?? Number.NaN;
      if (at > latest || quarantineReason(event, now) !== undefined) continue;
      if (at < last) ascending = false;
      last = at;
      lowest = Math.min(lowest, at);
      highest = Math.max(highest, at);
      if (at < tooLow || at >= tooHigh) ignored = true;
    }
    if (before < last) shown = true;
  }

  /**
   * Only a page that goes further than the page before it shows an ascending order. A descending source may begin with a
   * thousand events of one second, or ascend within each page.
   */
  function claim(): Date {
    return ascending && shown ? earlier(later(new Date(last), window.from), window.to) : window.from;
  }

  const seen = () => ({ isAscending: ascending, lowest: finite(lowest), highest: finite(highest) });
  return { see, seen, claim, boundsIgnored: () => ignored };
}

function finite(instant: number): Date | undefined {
  return Number.isFinite(instant) ? new Date(instant) : undefined;
}

function smaller(limit: number): number {
  if (limit > 1) return Math.max(1, Math.floor(limit / 4));
  throw new UpstreamError('source-page-too-large', 'a page with a single event is too large for this function');
}
