/**
 * Deduplication: finds the lines of a page that the archive does not hold yet. Each served line is counted once, as new, as
 * known, as a revision or as quarantined. A line that the archive does not hold is kept, except a second revision of an event.
 */
import {
  type AuditEvent,
  type DatedEvent,
  instantInRange,
  isDated,
  type QuarantineReason,
  quarantineReason,
} from '../shared/event';
import { sha256 } from '../shared/manifest';
import { addMs, DAY_MS, dateOf, datesBetween, midnight } from '../shared/time';
import { createDateIndex, type IndexOptions, lineDigest } from './date-index';

export interface DeduplicatorOptions extends Pick<IndexOptions, 'team' | 'store'> {
  /**
   * The time that the run reads again, up to the position; undefined on a first run. An id that was served with another date
   * of this time is a revision, not a new event.
   */
  readonly readAgain: { readonly from: Date; readonly to: Date } | undefined;
  /** Walk start of the run before. From its date on, quarantine may already hold a line without an instant. */
  readonly previousWalkStart: Date | undefined;
}

/** The circumstances under which a page was served. */
export interface Meeting {
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

export interface EventStanding {
  readonly id: string;
  readonly date: string;
  readonly standing: 'new' | 'known' | 'revision';
}

export type Deduplicator = ReturnType<typeof createDeduplicator>;

export function createDeduplicator(options: DeduplicatorOptions) {
  const archived = createDateIndex('events', { ...options, identityOf: ({ id }) => id });
  const kept = createDateIndex('quarantine', { ...options, identityOf: heldIdentity });
  const isKept = ({ event }: HeldLine) => kept.find(heldIdentity(event)) !== undefined;
  let datesReadAgain = datesOf(options.readAgain);

  /** Sorts a page's lines, and remembers the new ones. */
  async function sort(events: readonly AuditEvent[], meeting: Meeting): Promise<PageLines> {
    const fit = events.filter(isDated).filter((event) => quarantineReason(event, meeting.walkStart) === undefined);
    const dates = fit.map(({ instant }) => dateOf(instant));
    if (dates.length > 0) await archived.load([...datesReadAgain, ...dates]);
    const standings = fit.map((event) => ({ event, standing: standingOf(event) }));
    const eventsOf = (wanted: EventStanding['standing']) =>
      standings.flatMap((s) => (s.standing === wanted ? [s.event] : []));
    const revised = eventsOf('revision');
    const unfit = heldLines(events, revised, meeting);
    const held = await notYetKept(unfit, meeting);
    return {
      newEvents: eventsOf('new'),
      held,
      known: eventsOf('known').length + countKnown(unfit, held),
      revisions: revised.length,
      standings: standings.map(({ event, standing }) => ({ id: event.id, date: dateOf(event.instant), standing })),
    };
  }

  /** Adds a new event to the index, so that its next copy is known. */
  function standingOf(event: DatedEvent): EventStanding['standing'] {
    const digest = archived.find(event.id);
    if (digest !== undefined) return digest === lineDigest(event.line) ? 'known' : 'revision';
    archived.add(dateOf(event.instant), event.id, event.line);
    return 'new';
  }

  /** Quarantine holds each line once, however often it is served. Of an id whose body keeps changing, it holds one revision. */
  async function notYetKept(lines: readonly HeldLine[], meeting: Meeting): Promise<HeldLine[]> {
    if (lines.length === 0) return [];
    const metDates = datesOfMeeting(meeting, options.previousWalkStart);
    await kept.load([...datesReadAgain, ...metDates, ...lines.map(({ date }) => date)]);
    // A line without an instant in range lies under the date of the run that met it first, which may be any date.
    if (lines.some((line) => isUndated(line, meeting) && !isKept(line))) await kept.loadAll();
    return lines.filter((line) => {
      if (isKept(line)) return false;
      kept.add(line.date, heldIdentity(line.event), line.event.line);
      return true;
    });
  }

  /** The ids of a date that the archive holds. */
  async function archivedIds(date: string): Promise<ReadonlySet<string>> {
    await archived.load([date]);
    return archived.identitiesOf(date);
  }

  /** Call this only when all sorted lines are committed and published. Before that, they could not be read again. */
  function forgetBefore(date: string): void {
    archived.forgetBefore(date);
    kept.forgetBefore(date);
    datesReadAgain = datesReadAgain.filter((known) => known >= date);
  }

  return { sort, archivedIds, forgetBefore };
}

function datesOf(readAgain: DeduplicatorOptions['readAgain']): string[] {
  // The archive also holds events that are dated ahead, by at most one day after the last walk start.
  return readAgain === undefined ? [] : datesBetween(readAgain.from, addMs(readAgain.to, DAY_MS));
}

/** The dates under which quarantine may hold a line without an instant in range: the dates of the runs that may have met it. */
function datesOfMeeting({ walkStart, sweptDate }: Meeting, previousWalkStart = walkStart): string[] {
  const sweptDates = sweptDate === undefined ? [] : [sweptDate, dateOf(midnight(new Date(sweptDate), 1))];
  return [...datesBetween(previousWalkStart, walkStart), ...sweptDates];
}

function isUndated({ event }: HeldLine, { walkStart }: Meeting): boolean {
  return instantInRange(event, walkStart) === undefined;
}

/**
 * The lines of a page that may not enter `events/`. The partition of a line is the date of its own instant. A line without an
 * instant in range goes to the swept date, or to the date of the walk start.
 */
function heldLines(
  events: readonly AuditEvent[],
  revised: readonly AuditEvent[],
  { walkStart, sweptDate }: Meeting,
): HeldLine[] {
  return events.flatMap((event) => {
    const reason = quarantineReason(event, walkStart) ?? (revised.includes(event) ? 'revision' : undefined);
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

/** The identity of a quarantined line: its id, or its whole content where it has no id. */
function heldIdentity({ id, line }: AuditEvent): string {
  return id === undefined ? `content ${sha256(line)}` : `id ${id}`;
}
