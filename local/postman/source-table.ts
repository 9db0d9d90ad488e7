/**
 * What the source server holds: events as raw JSON texts, in the server's own order. The texts are the truth; nothing
 * here parses or writes one. Rows are ordered by (instant, row); those without an instant come first.
 */

export interface SourceEvent {
  /** The server's own key: unique, breaks ties, and what a cursor is made of. In a realistic team, the id's number. */
  readonly row: number;
  /** Epoch milliseconds under which the server files it, whatever the text claims. Null: none, so in every range. */
  readonly at: number | null;
  /** JSON with no white space between tokens. */
  readonly raw: string;
  /** Epoch milliseconds from which it is served; later than `at` makes a late event. From the beginning if left out. */
  readonly visibleFrom?: number;
  readonly removedAt?: number;
  /** After a removal: when it comes back. */
  readonly restoredAt?: number;
  /** Texts that take the place of `raw` from an instant on, oldest first. */
  readonly later?: readonly { readonly from: number; readonly raw: string }[];
}

export interface EventTable {
  size(): number;
  /** Epoch milliseconds; -Infinity where there is none. */
  at(index: number): number;
  row(index: number): number;
  indexOf(row: number): number | undefined;
  isVisible(index: number, now: number): boolean;
  raw(index: number, now: number): string;
}

export interface MutableTable extends EventTable {
  get(row: number): SourceEvent | undefined;
  /** Adds events; one with a known row takes its place (that is how events are edited, removed and restored). */
  put(events: readonly SourceEvent[]): void;
}

export function createTable(events: readonly SourceEvent[] = []): MutableTable {
  const byRow = new Map<number, SourceEvent>();
  let ordered: readonly SourceEvent[] = [];
  function at(index: number): SourceEvent {
    const event = ordered[index];
    if (event === undefined) throw new RangeError(`the table has no index ${index}`);
    return event;
  }
  const table: MutableTable = {
    size: () => ordered.length,
    at: (index) => instantOf(at(index)),
    row: (index) => at(index).row,
    get: (row) => byRow.get(row),
    isVisible: (index, now) => isVisible(at(index), now),
    raw: (index, now) => at(index).later?.findLast(({ from }) => from <= now)?.raw ?? at(index).raw,
    indexOf: (row) => {
      const event = byRow.get(row);
      return event && firstIndex(ordered.length, (index) => compare(at(index), event) >= 0);
    },
    put: (added) => {
      for (const event of added) byRow.set(event.row, event);
      ordered = [...byRow.values()].sort(compare);
    },
  };
  table.put(events);
  return table;
}

/** The first index in [0, size) from which the predicate holds; `size` if it holds nowhere. */
export function firstIndex(size: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isVisible(event: SourceEvent, now: number): boolean {
  if (now < (event.visibleFrom ?? -Infinity)) return false;
  if (event.removedAt === undefined || now < event.removedAt) return true;
  return event.restoredAt !== undefined && now >= event.restoredAt;
}

function compare(a: SourceEvent, b: SourceEvent): number {
  const [left, right] = [instantOf(a), instantOf(b)];
  // Not a plain difference: -Infinity minus itself is no number.
  return left === right ? a.row - b.row : left < right ? -1 : 1;
}

function instantOf(event: SourceEvent): number {
  return event.at ?? -Infinity;
}
