/**
 * What one commit holds. A draft collects new events and lines for quarantine, bounded in number and bytes; sealing
 * turns it into the batch object's bytes and the manifest's segment entries: one gzip member per date, one for the
 * quarantine. A plain value: nothing is written here.
 */
import { type AuditEvent, compareEvents, type DatedEvent, type QuarantineReason } from '../shared/event';
import { type Area, dateOf, segmentKey } from '../shared/keys';
import { type SegmentEntry, sha256 } from '../shared/manifest';
import { compress, joinLines } from '../shared/ndjson';

/** A draft may pass these by the one page that fills it. */
export interface BatchLimits {
  readonly events: number;
  readonly bytes: number;
}

/** What fits into the function's memory with room to spare. */
export const BATCH_LIMITS: BatchLimits = { events: 10_000, bytes: 8 * 1024 * 1024 };

/** A line that may not enter `events/`, and why. */
export interface Held {
  readonly event: AuditEvent;
  readonly reason: QuarantineReason;
}

export interface Draft {
  add(event: DatedEvent): void;
  /** At most one line per id (or, without an id, per content): false where it has that already. */
  hold(held: Held): boolean;
  isFull(): boolean;
  isEmpty(): boolean;
  readonly events: readonly DatedEvent[];
  readonly held: Map<string, Held>;
}

export function createDraft(limits: BatchLimits): Draft {
  const events: DatedEvent[] = [];
  const held = new Map<string, Held>();
  let bytes = 0;
  return {
    events,
    held,
    add(event) {
      // A copy: the line is a piece of its page, which would be kept whole for one new event.
      events.push({ ...event, line: Buffer.from(event.line) });
      bytes += event.line.length;
    },
    hold(line) {
      const identity = heldIdentity(line.event);
      if (held.has(identity)) return false;
      held.set(identity, { ...line, event: { ...line.event, line: Buffer.from(line.event.line) } });
      bytes += line.event.line.length;
      return true;
    },
    isEmpty: () => events.length + held.size === 0,
    isFull: () => events.length + held.size >= limits.events || bytes >= limits.bytes,
  };
}

/** What makes two quarantined lines the same: the id, or without one the whole content. */
export function heldIdentity(event: AuditEvent): string {
  return event.id === undefined ? `sha256:${sha256(event.line)}` : `id:${event.id}`;
}

export interface SealedBatch {
  /** The batch object: the segments' gzip members, concatenated. */
  readonly members: Buffer;
  readonly segments: readonly SegmentEntry[];
}

export interface SealOptions {
  readonly team: string;
  readonly seq: number;
  /** UTC date of the fetch: the partition of what is quarantined. */
  readonly fetchDate: string;
}

export function sealBatch(draft: Draft, options: SealOptions): SealedBatch {
  const segments: SegmentEntry[] = [];
  const members: Buffer[] = [];
  let offset = 0;

  function append(area: Area, date: string, lines: readonly Buffer[], span: readonly [Date, Date] | undefined): void {
    const content = joinLines(lines);
    const member = compress(content);
    segments.push({
      key: segmentKey(area, options.team, date, options.seq),
      offset,
      length: member.length,
      lines: lines.length,
      bytes: content.length,
      sha256: sha256(content),
      first: span?.[0].toISOString() ?? null,
      last: span?.[1].toISOString() ?? null,
    });
    members.push(member);
    offset += member.length;
  }

  for (const [date, events] of byDate(draft.events)) {
    const [first, last] = [events[0], events.at(-1)];
    if (first && last)
      append(
        'events',
        date,
        events.map((event) => event.line),
        [first.instant, last.instant],
      );
  }
  const held = [...draft.held.values()].map(({ event }) => event.line).sort(Buffer.compare);
  if (held.length > 0) append('quarantine', options.fetchDate, held, undefined);
  return { members: Buffer.concat(members), segments };
}

/** Events by UTC date, dates and events in order. */
function byDate(events: readonly DatedEvent[]): Map<string, DatedEvent[]> {
  const dates = new Map<string, DatedEvent[]>();
  for (const event of [...events].sort(compareEvents)) {
    const date = dateOf(event.instant);
    const sameDate = dates.get(date);
    if (sameDate === undefined) dates.set(date, [event]);
    else sameDate.push(event);
  }
  return dates;
}
