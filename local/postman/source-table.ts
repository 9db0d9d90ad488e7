/**
 * The events that a source server holds, as raw JSON texts that nothing here parses or writes. The table is ordered by
 * instant and then by row; events without an instant come first.
 */

export interface SourceEvent {
  /** The server's own unique key, which orders events of one instant and of which cursors are made. */
  readonly row: number;
  /** Epoch milliseconds under which the server files the event, whatever its text says. With null it is in every range. */
  readonly at: number | null;
  /** JSON with no white space between tokens. */
  readonly raw: string;
  /** Epoch milliseconds from which the event is served. A late event has a value after `at`. */
  readonly visibleFrom?: number;
  readonly removedAt?: number;
  /** When a removed event comes back. */
  readonly restoredAt?: number;
  /** Texts that replace `raw` from an instant on, oldest first. */
  readonly later?: readonly { readonly from: number; readonly raw: string }[];
}

export interface EventTable {
  size(): number;
  /** In epoch milliseconds; -Infinity where the event has no instant. */
  at(index: number): number;
  row(index: number): number;
  indexOf(row: number): number | undefined;
  isVisible(index: number, now: number): boolean;
  raw(index: number, now: number): string;
}

export interface MutableTable extends EventTable {
  get(row: number): SourceEvent | undefined;
  /** Adds events. An event with a known row replaces the older one; so events are edited, removed and restored. */
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

/** Some of the events, in the order in which they are asked for. */
export interface TableRange {
  readonly size: number;
  /** The table's index of the event at a place of the range. */
  readonly indexAt: (place: number) => number;
  /** The place of a row, or where it would be if the range held it; undefined where the table has no such row. */
  readonly placeOf: (row: number) => number | undefined;
}

interface RangeOptions {
  /** Half-open, in epoch milliseconds. Events without an instant are in every range. */
  readonly from: number;
  readonly to: number;
  readonly isDescending: boolean;
  /** Orders by row instead of by instant. */
  readonly isById: boolean;
}

export function rangeOf(table: EventTable, { from, to, isDescending, isById }: RangeOptions): TableRange {
  const firstAt = (instant: number) => firstIndex(table.size(), (index) => table.at(index) >= instant);
  const undated = firstIndex(table.size(), (index) => table.at(index) > -Infinity);
  const low = firstAt(from);
  const size = undated + Math.max(firstAt(to) - low, 0);
  const byTime = (place: number) => (place < undated ? place : place - undated + low);
  const ascending = isById ? sortedByRow(table, size, byTime) : byTime;
  const indexAt = (place: number) => ascending(isDescending ? size - 1 - place : place);
  const rank = (index: number) => (isById ? table.row(index) : index);
  function placeOf(row: number): number | undefined {
    const index = table.indexOf(row);
    if (index === undefined) return undefined;
    return firstIndex(size, (place) => {
      const distance = rank(indexAt(place)) - rank(index);
      return isDescending ? distance <= 0 : distance >= 0;
    });
  }
  return { size, indexAt, placeOf };
}

function sortedByRow(table: EventTable, size: number, indexAt: TableRange['indexAt']): TableRange['indexAt'] {
  const indexes = Array.from({ length: size }, (_, place) => indexAt(place));
  indexes.sort((a, b) => table.row(a) - table.row(b));
  return (place) => indexes[place] ?? 0;
}

/** The first index in [0, size) from which the predicate is true; `size` where it is true nowhere. */
function firstIndex(size: number, holds: (index: number) => boolean): number {
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
  // A plain difference would not do: -Infinity minus -Infinity is not a number.
  return left === right ? a.row - b.row : left < right ? -1 : 1;
}

function instantOf(event: SourceEvent): number {
  return event.at ?? -Infinity;
}
