/** The events that a source server holds, as raw JSON texts that nothing here parses or writes. */

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

export type SourceTable = ReturnType<typeof createTable>;

/** The table orders its events by instant and then by row; events without an instant come first. */
export function createTable(events: readonly SourceEvent[] = []) {
  const byRow = new Map<number, SourceEvent>();
  let ordered: readonly SourceEvent[] = [];
  /** An event with a known row replaces the older one; so events are edited, removed and restored. */
  function put(added: readonly SourceEvent[]): void {
    for (const event of added) byRow.set(event.row, event);
    ordered = [...byRow.values()].sort(byInstant);
  }
  put(events);
  return { events: () => ordered, get: (row: number) => byRow.get(row), put };
}

export function isVisible(event: SourceEvent, now: number): boolean {
  if (now < (event.visibleFrom ?? -Infinity)) return false;
  if (event.removedAt === undefined || now < event.removedAt) return true;
  return event.restoredAt !== undefined && now >= event.restoredAt;
}

export function textOf({ raw, later = [] }: SourceEvent, now: number): string {
  return later.findLast(({ from }) => from <= now)?.raw ?? raw;
}

export function byInstant(a: SourceEvent, b: SourceEvent): number {
  const [left, right] = [a.at ?? -Infinity, b.at ?? -Infinity];
  // A plain difference would not do: -Infinity minus -Infinity is not a number.
  return left === right ? a.row - b.row : left < right ? -1 : 1;
}
