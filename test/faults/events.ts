/** Events of the fault world. Each text holds a canary, which may only occur in the data of the archive. */
import type { SourceEvent } from '../../local/postman/source-table';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The source certainly keeps an event that is younger. The last hour of its retention is a margin. */
export const KEPT_MS = 180 * DAY - HOUR;

/** No log line, error or checkpoint item may hold these texts. */
export const CANARY_EMAIL = 'canary.ada@victim.example';
export const CANARY_KEY = 'PMAK-canary-0123456789abcdef';

export interface WorldEvent extends SourceEvent {
  /** The id that the archive must read; null without a usable one. It is written by hand, not derived by code. */
  readonly id: string | null;
  /** Whether it may be under `events/`. */
  readonly isFit: boolean;
}

type Changes = Partial<Omit<WorldEvent, 'row' | 'at'>>;

/** A well-formed event; `at` in epoch milliseconds. */
export function event(row: number, at: number, changes: Changes = {}): WorldEvent {
  return { row, at, id: String(row), isFit: true, visibleFrom: at, raw: text(row, at), ...changes };
}

/** An event whose text is not fit for `events/`. */
export function unfit(row: number, at: number | null, raw: string, changes: Changes = {}): WorldEvent {
  return { row, at, id: null, isFit: false, raw, visibleFrom: at ?? 0, ...changes };
}

export interface TextParts {
  /** The JSON token of the id. */
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

/** The instant since which the event has been served without a break; in the future if it is not served now. */
export function servedSince({ visibleFrom = 0, removedAt, restoredAt = Infinity }: WorldEvent, now: number): number {
  return removedAt === undefined || removedAt > now ? visibleFrom : restoredAt;
}

/** `count` events with ascending rows, `stepMs` apart. */
export function series(row: number, at: number, count: number, stepMs: number): WorldEvent[] {
  return Array.from({ length: count }, (_, index) => event(row + index, at + index * stepMs));
}
