/** Events of the fault world: real texts, each with a canary that may never leave the archive's own data. */
import type { SourceEvent } from '../../local/postman/source-table';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Younger than this, the source keeps an event for certain; a minute or two more is the archiver's margin. */
export const KEPT_MS = 180 * DAY - HOUR;

/** What no log line, error or checkpoint may ever hold. */
export const CANARY_EMAIL = 'canary.ada@victim.example';
export const CANARY_KEY = 'PMAK-canary-0123456789abcdef';

export interface WorldEvent extends SourceEvent {
  /** What the archive must know it by; null where it has no usable id. Said here, so that no code decides it. */
  readonly id: string | null;
  /** Whether it may be under `events/`. */
  readonly isFit: boolean;
}

type Changes = Partial<Omit<WorldEvent, 'row' | 'at'>>;

/** A well-formed event; `at` in epoch milliseconds. */
export function event(row: number, at: number, changes: Changes = {}): WorldEvent {
  return { row, at, id: String(row), isFit: true, visibleFrom: at, raw: text(row, at), ...changes };
}

/** An event that may not be under `events/`, in the words that make it so. */
export function unfit(row: number, at: number | null, raw: string, changes: Changes = {}): WorldEvent {
  return { row, at, id: null, isFit: false, raw, visibleFrom: at ?? 0, ...changes };
}

export interface TextParts {
  /** The id's token. */
  readonly id?: string;
  readonly timestamp?: string;
  readonly team?: number;
  readonly note?: string;
}

export function text(row: number, at: number, parts: TextParts = {}): string {
  const { id = String(row), timestamp = new Date(at).toISOString(), team = 7, note = '' } = parts;
  const data = `{"actor":{"email":"${CANARY_EMAIL}"},"team":{"id":${team}},"variables":{"note":"${note}"}}`;
  return `{"id":${id},"action":"user.sign_in","timestamp":"${timestamp}","data":${data}}`;
}

/** Since when it has been served as it is at an instant; in the future where it is not. */
export function servedSince({ visibleFrom = 0, removedAt, restoredAt = Infinity }: WorldEvent, now: number): number {
  return removedAt === undefined || removedAt > now ? visibleFrom : restoredAt;
}

/** `count` events, `stepMs` apart, rows ascending from `row`. */
export function series(row: number, at: number, count: number, stepMs: number): WorldEvent[] {
  return Array.from({ length: count }, (_, index) => event(row + index, at + index * stepMs));
}
