/**
 * The walk yields all events that the source serves between two instants, oldest first. It is correct under every known
 * reading of the API:
 * - The source may truncate a bound to its day, and treat it as inclusive or exclusive. So the walk asks for whole days and
 *   begins one second early: the answer then holds the same events under every reading. Its first window may begin within a
 *   day, and then an event of that day proves that the source did not leave out the rest of it. No bound decides what is
 *   claimed: the last bound lies days ahead, and the claim stops at the walk's start.
 * - The end of a window is proved: where any sign says that more follows than the cursor announces, further requests must show
 *   no other event.
 * - The source may ignore the requested order. So a claim inside a window is made only while events ascend from page to page.
 *   Otherwise only a finished window is claimed. Windows are short enough to be finished, and grow while they have few pages.
 * - The cursor is opaque. A repeated cursor is a loop. A refused cursor restarts its window once.
 */
import { UpstreamError } from '../shared/errors';
import { DAY_MS, earlier, later, MINUTE_MS, midnight, SECOND_MS } from '../shared/time';
import { PAGE_LIMIT, type Source } from './source';
import { openWindow, type TimeSpan, type WalkPage, type WindowOptions } from './window';

/** A span of at most this length is one window, so a steady run needs one request. A longer span begins with a single day. */
const SHORT_SPAN_DAYS = 8;
const LONGEST_WINDOW_DAYS = 64;
/** Empty days do not show how many events follow them, so the window after them may hold any number and is short. */
const LONGEST_AFTER_EMPTY_DAYS = 8;
/**
 * Each window gets the length at which the one before it would have had so many pages. The last page of a window is mostly not
 * full, so windows should not be short. The ids of a window stay in memory, and where the source ignores the order the position
 * moves only at the end of a window, so windows should not be long.
 */
const GOOD_WINDOW_PAGES = 40;

/** The walk moves `keptFrom` forward where the source refuses it as too old. Only the first window uses `since`. */
export interface WalkOptions extends WindowOptions {
  /** Time that must be left to commit the yielded events. */
  readonly reserveMs: number;
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
    const since = from === span.from ? options.since : undefined;
    const window = openWindow({ from, to }, { ...options, keptFrom, since });
    while (window.state() === 'reading') {
      const answer = await source.ask(window.query(), options.reserveMs);
      if (answer.kind === 'out-of-time') return 'deadline';
      const page = window.take(answer);
      if (page !== undefined) yield page;
    }
    if (window.state() === 'too-old') {
      const found = await findOldestKept(later(from, keptFrom), source, options);
      if (found === undefined) return 'deadline';
      // The source's retention moves on during the walk. Each time the source refuses `keptFrom` again, the margin doubles.
      keptFrom = new Date(found.getTime() + marginMs);
      marginMs *= 2;
      from = later(from, keptFrom);
    } else {
      boundsIgnored ||= window.boundsIgnored();
      days = nextDays(days, window.pages(), window.isEmpty());
      from = to;
    }
  }
  return 'complete';
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

function nextDays(days: number, pages: number, isEmpty: boolean): number {
  const fitting = Math.round((days * GOOD_WINDOW_PAGES) / Math.max(1, pages));
  return Math.max(1, Math.min(fitting, isEmpty ? LONGEST_AFTER_EMPTY_DAYS : LONGEST_WINDOW_DAYS));
}
