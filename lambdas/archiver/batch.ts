/**
 * What one commit holds. A draft collects new events and lines for quarantine, bounded in number and bytes; sealing
 * turns it into the batch object's bytes and the manifest's segment entries: one gzip member per date, one for the
 * quarantine. A plain value: nothing is written here.
 */
import { type AuditEvent, compareEvents, type DatedEvent, type QuarantineReason } from '../shared/event';
import { type SegmentEntry, sha256 } from '../shared/manifest';
import { segmentKey } from '../shared/object-keys';
import { compress, joinLines } from '../shared/segment';
import { dateOf, earlier, later } from '../shared/time';

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
  /** Its partition under `quarantine/`, `YYYY-MM-DD`. */
  readonly date: string;
  /** The event's own instant where that is in range, otherwise the walk start. */
  readonly instant: Date;
}

export interface Draft {
  add(event: DatedEvent): void;
  hold(held: Held): void;
  isFull(): boolean;
  isEmpty(): boolean;
  readonly events: readonly DatedEvent[];
  readonly held: readonly Held[];
}

export function createDraft(limits: BatchLimits): Draft {
  const events: DatedEvent[] = [];
  const held: Held[] = [];
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
      held.push({ ...line, event: { ...line.event, line: Buffer.from(line.event.line) } });
      bytes += line.event.line.length;
    },
    isEmpty: () => events.length + held.length === 0,
    isFull: () => events.length + held.length >= limits.events || bytes >= limits.bytes,
  };
}

export interface SealedBatch {
  /** The batch object: the segments' gzip members, concatenated. */
  readonly members: Buffer;
  readonly segments: readonly SegmentEntry[];
}

export interface SealOptions {
  readonly team: string;
  readonly seq: number;
}

export function sealBatch(draft: Draft, { team, seq }: SealOptions): SealedBatch {
  const events = [...draft.events]
    .sort(compareEvents)
    .map(({ instant, line }) => ({ date: dateOf(instant), instant, line }));
  const held = draft.held.map(({ event, date, instant }) => ({ date, instant, line: event.line }));
  held.sort((a, b) => Buffer.compare(a.line, b.line));
  const members: Buffer[] = [];
  const segments: SegmentEntry[] = [];
  let offset = 0;
  for (const [area, lines] of [
    ['events', events],
    ['quarantine', held],
  ] as const) {
    for (const [date, sameDate] of byDate(lines)) {
      const { member, ...entry } = pack(sameDate);
      segments.push({ key: segmentKey(area, team, date, seq), offset, ...entry });
      members.push(member);
      offset += member.length;
    }
  }
  return { members: Buffer.concat(members), segments };
}

/** A line with its partition, and the instant by which the segment's first and last are told. */
interface PlacedLine {
  readonly date: string;
  readonly instant: Date;
  readonly line: Buffer;
}

/** The dates in order, the lines of each in the order given. */
function byDate(lines: readonly PlacedLine[]): [string, PlacedLine[]][] {
  const dates = new Map<string, PlacedLine[]>();
  for (const line of lines) {
    const sameDate = dates.get(line.date);
    if (sameDate === undefined) dates.set(line.date, [line]);
    else sameDate.push(line);
  }
  return [...dates].sort(([a], [b]) => (a < b ? -1 : 1));
}

function pack(lines: readonly PlacedLine[]): Omit<SegmentEntry, 'key' | 'offset'> & { readonly member: Buffer } {
  const content = joinLines(lines.map(({ line }) => line));
  const member = compress(content);
  const instants = lines.map(({ instant }) => instant);
  return {
    member,
    length: member.length,
    objectSha256: sha256(member),
    lines: lines.length,
    bytes: content.length,
    sha256: sha256(content),
    first: instants.reduce(earlier).toISOString(),
    last: instants.reduce(later).toISOString(),
  };
}
