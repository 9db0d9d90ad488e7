/**
 * A window is a part of the walk that is read with one query, page by page. It decides after each page up to which instant all
 * events have been read. The rules that make this correct are at the top of `walk.ts`.
 */
import { UpstreamError } from '../shared/errors';
import { type AuditEvent, quarantineReason } from '../shared/event';
import { DAY_MS, earlier, later, midnight, SECOND_MS } from '../shared/time';
import { type Answer, PAGE_LIMIT, type Query } from './source';

const MAX_EMPTY_PAGES = 100;

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
  /** The window continues an interrupted walk. It begins at its exact instant, because its day may be too long to read again. */
  readonly resumes?: boolean;
}

/** `query` returns the next request, and `take` interprets its answer. */
export function openWindow(window: TimeSpan, options: WindowOptions) {
  let since = options.resumes ? window.from : midnight(window.from);
  let order = watchOrder(window, options.now);
  let limit = PAGE_LIMIT;
  let isFinished = false;
  let isTooOld = false;
  const pager = createPager();

  function query(): Query {
    const oldest = later(since, options.keptFrom);
    return { since: new Date(oldest.getTime() - SECOND_MS), until: window.to, limit, cursor: pager.cursor() };
  }

  /** Returns the page to yield, or undefined where another query is needed first. */
  function take(answer: Exclude<Answer, { kind: 'out-of-time' }>): WalkPage | undefined {
    if (answer.kind === 'page') return takePage(answer);
    if (answer.kind === 'too-old') isTooOld = true;
    if (answer.kind === 'too-large') limit = smaller(limit);
    if (answer.kind === 'cursor-refused') {
      pager.restart();
      order = watchOrder(window, options.now);
    }
    return undefined;
  }

  function takePage(answer: PageAnswer): WalkPage | undefined {
    if (pager.pages() === 0 && since > midnight(since) && !hasDateOf(since, answer.events)) {
      // The source may treat the bound as an exclusive date and leave out the rest of the day. So the whole day is read.
      since = midnight(since);
      return undefined;
    }
    const more = pager.turn(answer);
    isFinished = !more;
    order.see(answer.events);
    const { events, serverTime } = answer;
    return { events, claim: more ? order.claim() : window.to, serverTime, keptFrom: options.keptFrom };
  }

  return {
    query,
    take,
    isFinished: () => isFinished,
    isTooOld: () => isTooOld,
    pages: () => pager.pages(),
    boundsIgnored: () => order.boundsIgnored(),
  };
}

type PageAnswer = Extract<Answer, { kind: 'page' }>;

function hasDateOf(instant: Date, events: readonly AuditEvent[]): boolean {
  return events.some((event) => event.instant !== undefined && +midnight(event.instant) === +midnight(instant));
}

/** Follows the cursor. Throws `UpstreamError` where the cursor does not lead to an end. */
function createPager() {
  let cursor: string | undefined;
  let seen = new Set<string>();
  let pages = 0;
  let empty = 0;
  let restarted = false;

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
    return true;
  }

  function restart(): void {
    if (restarted) throw new UpstreamError('source-refused', 'the source refused its own cursor twice in one window');
    restarted = true;
    cursor = undefined;
    seen = new Set();
  }

  return { turn, restart, cursor: () => cursor, pages: () => pages };
}

/** Watches whether events arrive in ascending order, and whether they lie within the requested bounds. */
function watchOrder(window: TimeSpan, now: Date) {
  let last: Date | undefined;
  let ascending = true;
  let shown = false;
  let ignored = false;

  function see(events: readonly AuditEvent[]): void {
    const before = last;
    for (const event of events) {
      if (event.instant === undefined || event.instant > now || quarantineReason(event, now) !== undefined) continue;
      if (last !== undefined && event.instant < last) ascending = false;
      last = event.instant;
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

  return { see, claim, boundsIgnored: () => ignored };
}

function smaller(limit: number): number {
  if (limit > 1) return Math.max(1, Math.floor(limit / 4));
  throw new UpstreamError('source-page-too-large', 'a page with a single event is too large for this function');
}
