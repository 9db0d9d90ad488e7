/**
 * A batch: the lines of one commit. An open batch collects the lines of pages, bounded in events and bytes. A closed batch is
 * a plain value. A sealed batch is the bytes of the batch object and the segment entries of the manifest, with one gzip member
 * for each area and date. This file writes no object.
 */
import {
  type AuditEvent,
  compareEvents,
  type DatedEvent,
  QUARANTINE_REASONS,
  type QuarantineReason,
} from '../shared/event';
import { type Counts, type Manifest, type SegmentEntry, type Sweep, sha256 } from '../shared/manifest';
import { segmentKey } from '../shared/object-keys';
import { compress, joinLines } from '../shared/segment';
import { dateOf, earlier, later } from '../shared/time';
import type { HeldLine, PageLines } from './deduplicate';
import type { Progress } from './progress';
import type { BatchLimits } from './run';

/** A batch of this size takes only a part of the function's memory. */
export const BATCH_LIMITS: BatchLimits = { events: 10_000, bytes: 8 * 1024 * 1024 };

export interface Batch {
  readonly events: readonly DatedEvent[];
  readonly held: readonly HeldLine[];
  readonly counts: Counts;
  /** The progress of the run after this batch. */
  readonly progress: Progress;
  readonly reason: Manifest['run']['reason'];
  readonly sweeps: readonly Sweep[];
  /** Raw tokens of the Postman teams that the chain has met. */
  readonly sourceTeams: readonly string[];
  /** Short hashes of the lines without an instant that this run and earlier ones have met. */
  readonly undated: readonly string[];
  /** Whether the run ends with this batch. */
  readonly isLast: boolean;
}

interface OpenBatchOptions {
  readonly limits: BatchLimits;
  /** New events before this instant are late; undefined on a first run. */
  readonly lateBefore: Date | undefined;
  /** Number of requests that the run had sent before this batch. */
  readonly requestsBefore: number;
}

export type OpenBatch = ReturnType<typeof openBatch>;

export function openBatch({ limits, lateBefore, requestsBefore }: OpenBatchOptions) {
  const events: DatedEvent[] = [];
  const held: HeldLine[] = [];
  let bytes = 0;
  let [pages, late, known, revisions] = [0, 0, 0, 0];

  function add(page: PageLines): void {
    pages += 1;
    known += page.known;
    revisions += page.revisions;
    late += page.newEvents.filter(({ instant }) => lateBefore !== undefined && instant < lateBefore).length;
    const lines = [...page.newEvents, ...page.held.map(({ event }) => event)].map(({ line }) => line);
    const size = lines.reduce((sum, { length }) => sum + length, 0);
    // A line shares the memory of its page, so one new event would keep the whole page in memory. Then the lines are copied.
    const keep = size * 2 < memoryOf(lines) ? lineCopier(size) : asItIs;
    for (const event of page.newEvents) events.push(keep(event));
    for (const line of page.held) held.push({ ...line, event: keep(line.event) });
    bytes += size;
  }

  /** `requests` is the number of requests that the run has sent so far. */
  function close(requests: number): Pick<Batch, 'events' | 'held' | 'counts'> {
    const quarantined = countReasons(held);
    const asked = { pages, requests: requests - requestsBefore };
    return { events, held, counts: { ...asked, events: events.length, late, known, revisions, quarantined } };
  }

  return {
    add,
    close,
    isEmpty: () => events.length + held.length === 0,
    isFull: () => events.length + held.length >= limits.events || bytes >= limits.bytes,
  };
}

/** The size of the memory that these lines keep, in bytes. */
function memoryOf(lines: readonly Buffer[]): number {
  const memories = new Set(lines.map(({ buffer }) => buffer));
  return [...memories].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Copies lines, which have `bytes` bytes together, into one memory. */
function lineCopier(bytes: number) {
  const memory = Buffer.allocUnsafeSlow(bytes);
  let end = 0;
  return function withOwnLine<E extends AuditEvent>(event: E): E {
    const start = end;
    end += event.line.copy(memory, start);
    return { ...event, line: memory.subarray(start, end) };
  };
}

function asItIs<E extends AuditEvent>(event: E): E {
  return event;
}

function countReasons(held: readonly HeldLine[]): Record<QuarantineReason, number> {
  const counted = QUARANTINE_REASONS.map((reason) => [reason, held.filter((line) => line.reason === reason).length]);
  return Object.fromEntries(counted);
}

/** `members` are the bytes of the batch object: the gzip members of all segments. */
export function sealBatch(batch: Pick<Batch, 'events' | 'held'>, { team, seq }: Pick<Manifest, 'team' | 'seq'>) {
  const events = [...batch.events].sort(compareEvents);
  const held = batch.held.map(({ event, date, instant }) => ({ date, instant, line: event.line }));
  held.sort((a, b) => Buffer.compare(a.line, b.line));
  const members: Buffer[] = [];
  const segments: SegmentEntry[] = [];
  let offset = 0;
  for (const [area, lines] of [
    ['events', byDate(events, ({ instant }) => dateOf(instant))],
    ['quarantine', byDate(held, ({ date }) => date)],
  ] as const) {
    for (const date of [...lines.keys()].sort()) {
      const { member, ...entry } = pack(lines.get(date) ?? []);
      segments.push({ key: segmentKey(area, team, date, seq), offset, ...entry });
      members.push(member);
      offset += member.length;
    }
  }
  return { members: Buffer.concat(members), segments };
}

/** The segment's `first` and `last` are the earliest and the latest `instant`. */
interface PlacedLine {
  readonly instant: Date;
  readonly line: Buffer;
}

/** The lines by the date of their partition. Those of a date keep their order. */
function byDate<L extends PlacedLine>(lines: readonly L[], dateOfLine: (line: L) => string): Map<string, PlacedLine[]> {
  const dates = new Map<string, PlacedLine[]>();
  for (const line of lines) {
    const date = dateOfLine(line);
    const others = dates.get(date);
    if (others === undefined) dates.set(date, [line]);
    else others.push(line);
  }
  return dates;
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
