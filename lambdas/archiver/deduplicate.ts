/**
 * Deduplication: finds the lines of a page that the archive does not hold yet. Each served line is counted once, as new, as
 * known, as a revision or as quarantined. A line that the archive does not hold is kept, except a second revision of an event.
 */
import {
  type AuditEvent,
  type DatedEvent,
  instantInRange,
  type QuarantineReason,
  quarantineReason,
} from '../shared/event';
import { sha256 } from '../shared/manifest';
import { dateOf, earlier, midnight } from '../shared/time';
import type { Archived } from './archived';
import { lineDigest } from './line-index';

/** A manifest lists at most so many lines without an instant. */
const MAX_UNDATED = 100;

/** The reading for which a page was served. */
export interface PageContext {
  readonly walkStart: Date;
  /** The day that a sweep reads, `YYYY-MM-DD`; undefined in the walk. */
  readonly sweptDate: string | undefined;
}

/** A page after deduplication. Each of its lines is new, known, a revision, or unfit for `events/`. */
export interface PageLines {
  readonly newEvents: readonly DatedEvent[];
  /** Revisions and unfit lines that the quarantine does not hold yet. */
  readonly held: readonly HeldLine[];
  readonly known: number;
  readonly revisions: number;
  /** Lines that are unfit for `events/`, whether or not quarantine held them before. Revisions are not counted. */
  readonly unfit: number;
  /** The standing of each event that may be under `events/`. */
  readonly standings: readonly EventStanding[];
}

/** A line that may not enter `events/`, and the reason. */
export interface HeldLine {
  readonly event: AuditEvent;
  readonly reason: QuarantineReason;
  /** Its partition under `quarantine/`, `YYYY-MM-DD`. */
  readonly date: string;
  /** The event's own instant where that is in range, otherwise the walk start. */
  readonly instant: Date;
}

export type Standing = 'new' | 'known' | 'revision';

export interface EventStanding {
  readonly id: string;
  readonly date: string;
  readonly standing: Standing;
}

export interface Deduplicator {
  /** Sorts the lines of a page, and remembers the new ones. In a sweep, events of other days are left out. */
  sort(events: readonly AuditEvent[], context: PageContext): Promise<PageLines>;
  /** Short hashes of the lines without an instant that this run and earlier ones have met, the latest first. */
  undated(): readonly string[];
}

export interface DeduplicatorOptions {
  /** The instant from which the walk reads. What is archived from there on is read before the first line is sorted. */
  readonly readFrom: Date;
  /** Short hashes of lines without an instant that earlier runs have met. */
  readonly undated: readonly string[];
}

export function createDeduplicator(archived: Archived, options: DeduplicatorOptions): Deduplicator {
  const undated = createUndatedList(options.undated);
  const readArchived = createReadingBack(archived, options.readFrom);

  async function sort(events: readonly AuditEvent[], context: PageContext): Promise<PageLines> {
    const { walkStart, sweptDate } = context;
    const page =
      sweptDate === undefined ? events : events.filter((event) => !isOfOtherDay(event, walkStart, sweptDate));
    if (sweptDate === undefined) await readArchived(page, walkStart);
    const newEvents: DatedEvent[] = [];
    const revised = new Set<AuditEvent>();
    const standings = page.filter(isFitOn(walkStart)).map((event): EventStanding => {
      const standing = standingOf(event);
      if (standing === 'new') newEvents.push(event);
      if (standing === 'revision') revised.add(event);
      return { id: event.id, date: dateOf(event.instant), standing };
    });
    const unfit = heldLines(page, { context, revised });
    const held = unfit.filter((line) => !isKept(line, context));
    if (sweptDate !== undefined && newEvents.length + held.length > 0) await archived.proveDay(sweptDate);
    return {
      newEvents,
      held,
      known: standings.length - newEvents.length - revised.size + countKnown(unfit, held),
      revisions: revised.size,
      unfit: unfit.length - revised.size,
      standings,
    };
  }

  /** Adds a new event to the index, so that its next copy is known. */
  function standingOf({ id, instant, line }: DatedEvent): Standing {
    const digest = archived.events.find(id);
    if (digest !== undefined) return digest === lineDigest(line) ? 'known' : 'revision';
    if (archived.revised.find(id) !== undefined) return 'revision';
    archived.events.add(dateOf(instant), id, line);
    return 'new';
  }

  /**
   * Whether the archive holds the line. Quarantine keeps each unfit line once, however often it is served, and of an event whose
   * body changes one revision. A line that is not kept yet is remembered.
   */
  function isKept({ event, reason }: HeldLine, { walkStart }: PageContext): boolean {
    const { id = '', line } = event;
    if (instantInRange(event, walkStart) === undefined && undated.hasMet(line)) return true;
    const [index, identity] = reason === 'revision' ? [archived.revised, id] : [archived.held, sha256(line)];
    if (index.find(identity) !== undefined || hasOtherReason(event, reason)) return true;
    index.add(dateOf(walkStart), identity, line);
    return false;
  }

  /**
   * Whether the archive holds the very line for another reason. A clock that is wrong by more than a day takes an event or a
   * revision for an event that is dated ahead. A run with a better clock then meets the same line again.
   */
  function hasOtherReason({ id = '', line }: AuditEvent, reason: QuarantineReason): boolean {
    if (reason === 'revision') return archived.held.find(sha256(line)) !== undefined;
    const isDatedAhead = reason === 'out-of-range';
    return isDatedAhead && [archived.events, archived.revised].some((index) => index.find(id) === lineDigest(line));
  }

  return { sort, undated: undated.list };
}

/** Reads the archive back to the oldest line of each page. */
function createReadingBack(archived: Archived, readFrom: Date) {
  let hasRead = false;
  let hasReadDay = false;

  return async function readArchived(events: readonly AuditEvent[], walkStart: Date): Promise<void> {
    const instants = events.map((event) => instantInRange(event, walkStart));
    // A line without an instant may have been met by any run of the bound's day. Lines under quarantine/ are not forgotten, so
    // that day is read for them once.
    const isDayNeeded = !hasReadDay && instants.includes(undefined);
    if (!hasRead) instants.push(readFrom);
    if (isDayNeeded) instants.push(midnight(readFrom));
    const known = instants.filter((instant) => instant !== undefined);
    if (known.length > 0) await archived.readFrom(known.reduce(earlier));
    hasRead = true;
    hasReadDay ||= isDayNeeded;
  };
}

/** The lines without an instant that runs have met, by the first 16 digits of their SHA-256. */
function createUndatedList(before: readonly string[]) {
  const known = new Set(before);
  const met = new Set<string>();

  /** Adds the line. Returns whether an earlier run has met it. */
  function hasMet(line: Buffer): boolean {
    const hash = sha256(line).slice(0, 16);
    met.add(hash);
    return known.has(hash);
  }

  return { hasMet, list: () => [...new Set([...met, ...known])].slice(0, MAX_UNDATED) };
}

/** A source that reads bounds as dates also serves the day before and the day after. These are swept in their own turn. */
function isOfOtherDay(event: AuditEvent, walkStart: Date, sweptDate: string): boolean {
  const instant = instantInRange(event, walkStart);
  return instant !== undefined && dateOf(instant) !== sweptDate;
}

/** Whether an event may enter `events/`. Such an event has an id and an instant. */
function isFitOn(walkStart: Date) {
  return (event: AuditEvent): event is DatedEvent => quarantineReason(event, walkStart) === undefined;
}

interface HeldLinesOptions {
  readonly context: PageContext;
  readonly revised: ReadonlySet<AuditEvent>;
}

/**
 * The lines of a page that may not enter `events/`. The partition of a line is the date of its own instant. A line without an
 * instant in range goes to the swept date, or to the date of the walk start.
 */
function heldLines(events: readonly AuditEvent[], { context, revised }: HeldLinesOptions): HeldLine[] {
  const { walkStart, sweptDate } = context;
  return events.flatMap((event) => {
    const reason = quarantineReason(event, walkStart) ?? (revised.has(event) ? 'revision' : undefined);
    if (reason === undefined) return [];
    const own = instantInRange(event, walkStart);
    const date = own === undefined ? (sweptDate ?? dateOf(walkStart)) : dateOf(own);
    return [{ event, reason, date, instant: own ?? walkStart }];
  });
}

/** Counts the unfit lines that quarantine already holds. Revisions have a count of their own. */
function countKnown(lines: readonly HeldLine[], held: readonly HeldLine[]): number {
  const isUnfit = ({ reason }: HeldLine) => reason !== 'revision';
  return lines.filter(isUnfit).length - held.filter(isUnfit).length;
}
