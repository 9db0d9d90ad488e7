/**
 * The walk yields all events that the source serves between two instants, oldest first. It is correct under every known
 * reading of the API:
 * - The source may truncate a bound to its day, and treat it as inclusive or exclusive. So the walk asks for whole days and
 *   begins one second early: the answer then holds the same events under every reading. No bound decides what is claimed: the
 *   last bound lies days ahead, and the claim stops at the walk's start.
 * - The source may ignore the requested order. So a claim inside a window is made only while events ascend from page to page.
 *   Otherwise only a finished window is claimed. Windows are short enough to be finished, and grow while they are nearly empty.
 * - The cursor is opaque. A repeated cursor is a loop. A refused cursor restarts its window once.
 */
import { UpstreamError } from '../shared/errors';
import { type AuditEvent, quarantineReason } from '../shared/event';
import { DAY_MS, earlier, later, MINUTE_MS, midnight, SECOND_MS } from '../shared/time';
import { type Answer, PAGE_LIMIT, type Query, type Source } from './source';

/** A span of at most this length is one window, so a steady run needs one request. A longer span begins with a single day. */
const SHORT_SPAN_DAYS = 8;
const LONGEST_WINDOW_DAYS = 64;
/** A window with more pages than this is halved, so that the position advances even where the source ignores the order. */
const LONG_WINDOW_PAGES = 100;
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

export interface WalkOptions {
  /** Events after this instant are dated ahead and do not count for the order. */
  readonly now: Date;
  /** The source keeps no event before this instant. The walk moves it forward where the source refuses it as too old. */
  readonly keptFrom: Date;
  /** Time that must be left to commit the yielded events. */
  readonly reserveMs: number;
  /** The span continues an interrupted walk. It begins at its exact instant, because its day may be too long to read again. */
  readonly resumes?: boolean;
}

export type WalkEnd = 'complete' | 'deadline';

/** Yields page by page. Returns how the walk ended. */
export async function* walk(span: TimeSpan, source: Source, options: WalkOptions): AsyncGenerator<WalkPage, WalkEnd> {
  let { keptFrom } = options;
  let marginMs = MINUTE_MS;
  let days = span.to.getTime() - span.from.getTime() <= SHORT_SPAN_DAYS * DAY_MS ? SHORT_SPAN_DAYS + 1 : 1;
  let boundsIgnored = false;
  for (let from = later(span.from, keptFrom); from < span.to; ) {
    const to = boundsIgnored ? span.to : earlier(midnight(from, days), span.to);
    const resumes = options.resumes === true && from === span.from;
    const window = openWindow({ from, to }, { ...options, keptFrom, resumes });
    while (!window.isFinished() && !window.isTooOld()) {
      const answer = await source.ask(window.query(), options.reserveMs);
      if (answer.kind === 'out-of-time') return 'deadline';
      const page = window.take(answer);
      if (page !== undefined) yield page;
    }
    if (window.isTooOld()) {
      const found = await findOldestKept(later(from, keptFrom), source, options);
      if (found === undefined) return 'deadline';
      // The source's retention moves on during the walk. Each time the source refuses `keptFrom` again, the margin doubles.
      keptFrom = new Date(found.getTime() + marginMs);
      marginMs *= 2;
      from = later(from, keptFrom);
    } else {
      boundsIgnored ||= window.boundsIgnored();
      days = nextDays(days, window.pages());
      from = to;
    }
  }
  return 'complete';
}

/** Reads one window page by page: `query` is the next request, and `take` interprets its answer. */
function openWindow(window: TimeSpan, options: WalkOptions) {
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

/**
 * Called where the source keeps less than documented. Finds the oldest `since` that the source accepts, to the minute, or
 * undefined where the time ended first. The walk reads the events of these requests again.
 */
async function findOldestKept(refused: Date, source: Source, options: WalkOptions): Promise<Date | undefined> {
  let low = refused.getTime();
  let high = options.now.getTime();
  while (high - low > MINUTE_MS) {
    const middle = new Date(Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS);
    const answer = await source.ask(
      { since: middle, until: midnight(middle, 1), limit: PAGE_LIMIT },
      options.reserveMs,
    );
    if (answer.kind === 'out-of-time') return undefined;
    if (answer.kind === 'too-old') low = middle.getTime();
    else high = middle.getTime();
  }
  if (high === options.now.getTime()) {
    throw new UpstreamError('source-refused', 'the source answers "cannot be older than" to every date; ask Postman');
  }
  return new Date(high);
}

function nextDays(days: number, pages: number): number {
  if (pages > LONG_WINDOW_PAGES) return Math.max(1, Math.floor(days / 2));
  return pages > 1 ? days : Math.min(LONGEST_WINDOW_DAYS, days * 2);
}

function smaller(limit: number): number {
  if (limit === 1)
    throw new UpstreamError('source-page-too-large', 'a page with a single event is too large for this function');
  return Math.max(1, Math.floor(limit / 4));
}
