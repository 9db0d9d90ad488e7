/**
 * The intake: what is served goes in, a draft and its counts come out. Every line served is counted as new, known, a
 * revision, or quarantined; only a revision after the first of its event is counted and not kept.
 */
import { IntegrityError } from '../shared/errors';
import {
  type AuditEvent,
  instantInRange,
  isDated,
  QUARANTINE_REASONS,
  type QuarantineReason,
  quarantineReason,
} from '../shared/event';
import type { Counts } from '../shared/manifest';
import type { ObjectStore } from '../shared/ports';
import { dateOf, datesBetween, midnight } from '../shared/time';
import { type BatchLimits, createDraft, type Draft, type Held } from './batch';
import { createKept, createKnown, type Standing } from './known';
import type { Source } from './source';

const MAX_SOURCE_TEAMS = 100;
/** What else an event names as its team goes into no manifest. */
const TEAM_ID = /^[\w-]{1,64}$/;

export interface IntakeOptions {
  readonly team: string;
  readonly store: Pick<ObjectStore, 'list' | 'get'>;
  readonly source: Pick<Source, 'tally'>;
  /** New events before this instant are late. Undefined on a first run. */
  readonly lateBefore: Date | undefined;
  /** An id that moved to another of these dates is a revision, not a new event. */
  readonly lookbackDates: readonly string[];
  /** Walk start of the run before: from its date on, a line without an instant may be kept already. */
  readonly previousWalkStart: Date | undefined;
  /** Postman teams this chain has met. */
  readonly sourceTeams: readonly string[];
  readonly acceptOtherTeam: boolean;
  readonly batchLimits: BatchLimits;
}

export interface Intake {
  /** Takes one page in; tells how each event that may enter `events/` stands. */
  admit(events: readonly AuditEvent[], walkStart: Date, sweptDate?: string): Promise<readonly Admitted[]>;
  isFull(): boolean;
  /** The draft and the counts since the last one. The intake goes on with a new draft. */
  take(): Intaken;
  /** The ids the archive holds of a date. */
  archivedIds(date: string): Promise<ReadonlySet<string>>;
  /** Only after what was taken is committed and published: it could not be read again before. */
  forgetBefore(date: string): void;
}

/** Under what circumstances a page was served. */
interface Meeting {
  readonly walkStart: Date;
  /** The older day that is read again, `YYYY-MM-DD`; undefined in the walk. */
  readonly sweptDate: string | undefined;
}

export interface Admitted {
  readonly id: string;
  readonly date: string;
  readonly standing: Standing;
}

export interface Intaken {
  readonly draft: Draft;
  readonly counts: Counts;
  readonly sourceTeams: readonly string[];
}

export function createIntake(options: IntakeOptions): Intake {
  const known = createKnown(options.team, options.store);
  const kept = createKept(options.team, options.store);
  const teams = createTeamCheck(options.sourceTeams, options.acceptOtherTeam);
  let { lookbackDates } = options;
  let draft = createDraft(options.batchLimits);
  let tally = { pages: 0, late: 0, known: 0, revisions: 0, requestsBefore: options.source.tally().requests };

  async function admit(
    events: readonly AuditEvent[],
    walkStart: Date,
    sweptDate?: string,
  ): Promise<readonly Admitted[]> {
    const met = { walkStart, sweptDate };
    tally.pages += 1;
    teams.meet(events);
    const dates = events.flatMap((event) =>
      event.instant && quarantineReason(event, met.walkStart) === undefined ? dateOf(event.instant) : [],
    );
    if (dates.length > 0) await known.load([...lookbackDates, ...dates]);
    const unfit: Held[] = [];
    const admitted = events.flatMap((event) => place(event, met, unfit) ?? []);
    await hold(unfit, met);
    return admitted;
  }

  /** Undefined for an event that may not enter `events/`; that and a revision are added to `unfit`. */
  function place(event: AuditEvent, met: Meeting, unfit: Held[]): Admitted | undefined {
    const reason = quarantineReason(event, met.walkStart);
    if (reason !== undefined || !isDated(event)) {
      unfit.push(heldLine(event, reason ?? 'no-id', met));
      return undefined;
    }
    const standing = known.meet(event);
    if (standing === 'known') tally.known += 1;
    if (standing === 'revision') {
      tally.revisions += 1;
      unfit.push(heldLine(event, 'revision', met));
    }
    if (standing === 'new') {
      if (options.lateBefore !== undefined && event.instant < options.lateBefore) tally.late += 1;
      draft.add(event);
    }
    return { id: event.id, date: dateOf(event.instant), standing };
  }

  /** Holds each line that the quarantine does not have already. */
  async function hold(unfit: readonly Held[], { walkStart, sweptDate }: Meeting): Promise<void> {
    if (unfit.length === 0) return;
    const walkDates = datesBetween(options.previousWalkStart ?? walkStart, walkStart);
    const sweptDates = sweptDate === undefined ? [] : [sweptDate, dateOf(midnight(new Date(sweptDate), 1))];
    await kept.load([...lookbackDates, ...walkDates, ...sweptDates, ...unfit.map(({ date }) => date)]);
    for (const line of unfit) {
      if (kept.isMissing(line.date, line.event)) draft.hold(line);
      else if (line.reason !== 'revision') tally.known += 1;
    }
  }

  function take(): Intaken {
    const { requests } = options.source.tally();
    const { requestsBefore, ...counted } = tally;
    const taken = {
      draft,
      counts: {
        pages: counted.pages,
        requests: requests - requestsBefore,
        events: draft.events.length,
        late: counted.late,
        known: counted.known,
        revisions: counted.revisions,
        quarantined: countReasons(draft.held),
      },
      sourceTeams: teams.met(),
    };
    draft = createDraft(options.batchLimits);
    tally = { pages: 0, late: 0, known: 0, revisions: 0, requestsBefore: requests };
    return taken;
  }

  async function archivedIds(date: string): Promise<ReadonlySet<string>> {
    await known.load([date]);
    return new Set(known.idsOf(date).keys());
  }

  function forgetBefore(date: string): void {
    known.forgetBefore(date);
    kept.forgetBefore(date);
    lookbackDates = lookbackDates.filter((kept) => kept >= date);
  }

  return {
    admit,
    isFull: () => draft.isFull(),
    take,
    archivedIds,
    forgetBefore,
  };
}

/** A line goes into the partition of its own instant, else of the swept day, else of the walk start. */
function heldLine(event: AuditEvent, reason: QuarantineReason, { walkStart, sweptDate }: Meeting): Held {
  const own = instantInRange(event, walkStart);
  const date = own === undefined ? (sweptDate ?? dateOf(walkStart)) : dateOf(own);
  return { event, reason, date, instant: own ?? walkStart };
}

function countReasons(held: readonly Held[]): Record<QuarantineReason, number> {
  const count = (reason: QuarantineReason) => held.filter((line) => line.reason === reason).length;
  return Object.fromEntries(QUARANTINE_REASONS.map((reason) => [reason, count(reason)])) as Record<
    QuarantineReason,
    number
  >;
}

/**
 * Guards against a key of another Postman team: its events would be archived under the wrong name, under lock. The
 * first page that names any team must name one this chain has met. A chain that has met as many as a manifest holds
 * cannot tell any more which are its own.
 */
function createTeamCheck(chain: readonly string[], acceptOther: boolean) {
  const met = new Set(chain);
  let checked = chain.length === 0 || chain.length >= MAX_SOURCE_TEAMS || acceptOther;

  function meet(events: readonly AuditEvent[]): void {
    const named = events.flatMap(({ sourceTeam = '' }) => (TEAM_ID.test(sourceTeam) ? sourceTeam : []));
    if (!checked && named.length > 0) {
      if (!named.some((team) => met.has(team))) throw otherTeam();
      checked = true;
    }
    for (const team of named) if (met.size < MAX_SOURCE_TEAMS) met.add(team);
  }

  return { meet, met: () => [...met].sort() };
}

function otherTeam(): IntegrityError {
  return new IntegrityError(
    'team-mismatch',
    'the API key is of a Postman team that this chain has never met, and nothing was written under this name: put the right ' +
      'key into the parameter, or, if the team really changed, invoke the function once with "acceptOtherTeam": true',
  );
}
