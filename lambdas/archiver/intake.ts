/**
 * The intake: what is served goes in, a draft and its counts come out. Every line served is counted as new, known, a
 * revision, or quarantined; only a revision after the first of its event is counted and not kept.
 */
import { IntegrityError } from '../shared/errors';
import { type AuditEvent, isDated, QUARANTINE_REASONS, type QuarantineReason, quarantineReason } from '../shared/event';
import { dateOf } from '../shared/keys';
import type { Counts } from '../shared/manifest';
import type { ObjectStore } from '../shared/ports';
import { type BatchLimits, createDraft, type Draft, type Held } from './batch';
import { createKnown, type Standing } from './known';
import { dropQuarantined } from './quarantine';
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
  /** Postman teams this chain has met. */
  readonly sourceTeams: readonly string[];
  readonly acceptOtherTeam: boolean;
  readonly batchLimits: BatchLimits;
}

export interface Intake {
  /** Takes one page in; tells how each event that may enter `events/` stands. */
  admit(events: readonly AuditEvent[], walkStart: Date): Promise<readonly Admitted[]>;
  isFull(): boolean;
  /** The draft and the counts since the last one. The intake goes on with a new draft. */
  take(): Promise<Intaken>;
  /** The ids the archive holds of a date. */
  archivedIds(date: string): Promise<ReadonlySet<string>>;
  /** Only after what was taken is committed and published: it could not be read again before. */
  forgetBefore(date: string): void;
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
  const teams = createTeamCheck(options.sourceTeams, options.acceptOtherTeam);
  let { lookbackDates } = options;
  let draft = createDraft(options.batchLimits);
  let tally = { pages: 0, late: 0, known: 0, revisions: 0, requestsBefore: options.source.tally().requests };

  async function admit(events: readonly AuditEvent[], walkStart: Date): Promise<readonly Admitted[]> {
    tally.pages += 1;
    teams.meet(events);
    const dates = events.flatMap((event) =>
      event.instant && quarantineReason(event, walkStart) === undefined ? dateOf(event.instant) : [],
    );
    if (dates.length > 0) await known.load([...lookbackDates, ...dates]);
    return events.flatMap((event) => place(event, walkStart) ?? []);
  }

  function place(event: AuditEvent, walkStart: Date): Admitted | undefined {
    const reason = quarantineReason(event, walkStart);
    if (reason !== undefined || !isDated(event)) {
      if (!draft.hold({ event, reason: reason ?? 'no-id' })) tally.known += 1;
      return undefined;
    }
    const standing = known.meet(event);
    if (standing === 'known') tally.known += 1;
    if (standing === 'revision') {
      tally.revisions += 1;
      draft.hold({ event, reason: 'revision' });
    }
    if (standing === 'new') {
      if (options.lateBefore !== undefined && event.instant < options.lateBefore) tally.late += 1;
      draft.add(event);
    }
    return { id: event.id, date: dateOf(event.instant), standing };
  }

  async function take(): Promise<Intaken> {
    const dropped = await dropQuarantined(draft.held, options.team, options.store);
    const { requests } = options.source.tally();
    const { requestsBefore, ...counted } = tally;
    const taken = {
      draft,
      counts: {
        pages: counted.pages,
        requests: requests - requestsBefore,
        events: draft.events.length,
        late: counted.late,
        known: counted.known + dropped.filter(({ reason }) => reason !== 'revision').length,
        revisions: counted.revisions,
        quarantined: countReasons([...draft.held.values()]),
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
