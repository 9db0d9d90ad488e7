/**
 * Which lines of a page the archive does not hold yet: new events, and lines that quarantine does not hold. Each line that
 * was served is counted as new, known, a revision, or held; only a second later body of an event is counted and not kept.
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
   * From the oldest instant that is read again up to the position; undefined on a first run. An id that moved to another
   * date of this span is a revision, not a new event.
   */
  readonly readAgain: { readonly from: Date; readonly to: Date } | undefined;
  /** Walk start of the run before: from its date on, a line without an instant may be in quarantine already. */
  readonly previousWalkStart: Date | undefined;
}

/** Under what circumstances a page was served. */
export interface Meeting {
  readonly walkStart: Date;
  /** The older day that is read again, `YYYY-MM-DD`; undefined in the walk. */
  readonly sweptDate: string | undefined;
}

/** What a page brings. Each of its lines is new, known, a revision, or unfit for `events/`. */
export interface PageLines {
  readonly newEvents: readonly DatedEvent[];
  /** Revisions and unfit lines that the quarantine does not hold yet. */
  readonly held: readonly HeldLine[];
  readonly known: number;
  readonly revisions: number;
  /** How each event stands that may be under `events/`. */
  readonly standings: readonly EventStanding[];
}

/** A line that may not enter `events/`, and why. */
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
  /** Sorts a page's lines, and remembers the new ones. */
  sort(events: readonly AuditEvent[], meeting: Meeting): Promise<PageLines>;
  /** The ids that the archive holds of a date. */
  archivedIds(date: string): Promise<ReadonlySet<string>>;
  /** Call it only after everything sorted so far is committed and published: before, it could not be read again. */
  forgetBefore(date: string): void;
}

export function createDeduplicator(options: DeduplicatorOptions): Deduplicator {
  const archived = createDateIndex('events', { ...options, identityOf: ({ id }) => id });
  const kept = createDateIndex('quarantine', { ...options, identityOf: heldIdentity });
  const { readAgain } = options;
  // What is dated ahead is archived as well: at most a day ahead of where the last walk began.
  let datesReadAgain = readAgain === undefined ? [] : datesBetween(readAgain.from, addMs(readAgain.to, DAY_MS));

  async function sort(events: readonly AuditEvent[], meeting: Meeting): Promise<PageLines> {
    const fit = events.filter(isDated).filter((event) => quarantineReason(event, meeting.walkStart) === undefined);
    const dates = fit.map(({ instant }) => dateOf(instant));
    if (dates.length > 0) await archived.load([...datesReadAgain, ...dates]);
    const standings = fit.map((event) => ({ event, standing: standingOf(event) }));
    const eventsOf = (wanted: Standing) =>
      standings.filter(({ standing }) => standing === wanted).map(({ event }) => event);
    const revised = eventsOf('revision');
    const unfit = heldLines(events, { meeting, revised: new Set(revised) });
    const held = await notYetKept(unfit, meeting);
    return {
      newEvents: eventsOf('new'),
      held,
      known: eventsOf('known').length + countKnown(unfit, held),
      revisions: revised.length,
      standings: standings.map(({ event, standing }) => ({ id: event.id, date: dateOf(event.instant), standing })),
    };
  }

  /** A new event is remembered from here on. */
  function standingOf(event: DatedEvent): Standing {
    const digest = archived.find(event.id);
    if (digest !== undefined) return digest === lineDigest(event.line) ? 'known' : 'revision';
    archived.add(dateOf(event.instant), event.id, event.line);
    return 'new';
  }

  /** A line is kept in quarantine once, however often it is served; of an id whose body keeps changing, one later body. */
  async function notYetKept(lines: readonly HeldLine[], meeting: Meeting): Promise<HeldLine[]> {
    if (lines.length === 0) return [];
    const metDates = datesOfMeeting(meeting, options.previousWalkStart);
    await kept.load([...datesReadAgain, ...metDates, ...lines.map(({ date }) => date)]);
    return lines.filter(({ event, date }) => {
      const identity = heldIdentity(event);
      const isNew = kept.find(identity) === undefined;
      if (isNew) kept.add(date, identity, event.line);
      return isNew;
    });
  }

  async function archivedIds(date: string): Promise<ReadonlySet<string>> {
    await archived.load([date]);
    return archived.identitiesOf(date);
  }

  function forgetBefore(date: string): void {
    archived.forgetBefore(date);
    kept.forgetBefore(date);
    datesReadAgain = datesReadAgain.filter((known) => known >= date);
  }

  return { sort, archivedIds, forgetBefore };
}

/** Where a line without an instant in range may be in quarantine already: it was kept by date of the run that met it. */
function datesOfMeeting({ walkStart, sweptDate }: Meeting, previousWalkStart = walkStart): string[] {
  const sweptDates = sweptDate === undefined ? [] : [sweptDate, dateOf(midnight(new Date(sweptDate), 1))];
  return [...datesBetween(previousWalkStart, walkStart), ...sweptDates];
}

interface Holding {
  readonly meeting: Meeting;
  readonly revised: ReadonlySet<AuditEvent>;
}

/** The lines of a page that may not enter `events/`, each with the partition of its own instant, else of the meeting. */
function heldLines(events: readonly AuditEvent[], { meeting, revised }: Holding): HeldLine[] {
  const { walkStart, sweptDate } = meeting;
  return events.flatMap((event) => {
    const reason = quarantineReason(event, walkStart) ?? (revised.has(event) ? 'revision' : undefined);
    if (reason === undefined) return [];
    const own = instantInRange(event, walkStart);
    const date = own === undefined ? (sweptDate ?? dateOf(walkStart)) : dateOf(own);
    return [{ event, reason, date, instant: own ?? walkStart }];
  });
}

/** Unfit lines that are in quarantine already. Revisions have a count of their own. */
function countKnown(lines: readonly HeldLine[], held: readonly HeldLine[]): number {
  const isUnfit = ({ reason }: HeldLine) => reason !== 'revision';
  return lines.filter(isUnfit).length - held.filter(isUnfit).length;
}

/** What makes two quarantined lines the same: the id, or the whole content of a line without an id. */
function heldIdentity({ id, line }: AuditEvent): string {
  return id === undefined ? `content ${sha256(line)}` : `id ${id}`;
}
