/**
 * Gathering: walks the source, and hands out one draft after the other, each with the position that its commit may
 * claim; then sweeps one older day. The caller commits and publishes each draft before it asks for the next.
 *
 *      position - lookback          position                  walkStart
 *   ------+----------------------------+--------------------------+------------> time
 *         |<------ read again -------->|<--------- new ---------->|   (late: new, and before the position)
 *
 * That is after a finished walk. One that was not is gone on with from where it had come, if that is earlier still.
 */
import { ConfigError, UpstreamError } from '../shared/errors';
import type { Gap, Manifest, SealReason, Sweep } from '../shared/manifest';
import type { Clock, ObjectStore } from '../shared/ports';
import { DAY_MS, dateOf, datesBetween, earlier, HOUR_MS, later, midnight } from '../shared/time';
import type { BatchLimits } from './batch';
import { type Admitted, createIntake, type Intaken } from './intake';
import type { Source } from './source';
import { sweepDate, watchSweep } from './sweep';
import { type TimeSpan, type WalkEnd, type WalkStep, walk } from './walk';

/** Documented by Postman; the source may say less ("cannot be older than"). */
const SOURCE_KEEPS_DAYS = 180;
const FLOOR_MARGIN_MS = 60_000;
/** Beyond what a truncated bound could hide, and far enough to see, and quarantine, what is dated days ahead. */
const DAYS_AHEAD = 3;
/** No clock is wrong by more. */
const CLOCK_DAYS = 2;
/** Time to leave for staging, committing and publishing what is gathered. */
const RESERVE_MS = 3000;
/** A sweep reads a day of the archive first. With less left than this, what the walk found is committed without one. */
const SWEEP_MIN_MS = 30_000;

export interface GatherOptions {
  readonly team: string;
  /** The head's payload; undefined on a team's first run. */
  readonly previous: Manifest | undefined;
  /** First run only: begin here instead of at all that the source keeps. */
  readonly startDate: Date | undefined;
  readonly lookbackHours: number;
  readonly acceptOtherTeam: boolean;
  readonly batchLimits: BatchLimits;
  readonly source: Source;
  readonly store: Pick<ObjectStore, 'list' | 'get'>;
  readonly clock: Clock;
  /** Called after each page: a long walk keeps its lease. */
  readonly onPage: (claim: Date, events: number) => Promise<void>;
}

/** One batch to be, and what its manifest says of how it came about. */
export interface Gathered extends Intaken {
  readonly start: Date;
  readonly reason: SealReason;
  readonly walkStart: Date;
  readonly window: TimeSpan;
  readonly position: Date;
  readonly gaps: readonly Gap[];
  readonly sweeps: readonly Sweep[];
  readonly sweepTurn: number;
  /** Walk start of the run that began the chain's last sweep. */
  readonly sweptAt: Date | undefined;
  /** The run ends with this batch. */
  readonly last: boolean;
}

export async function* gather(options: GatherOptions): AsyncGenerator<Gathered, void> {
  const { source, previous } = options;
  const startedAt = await timeOfStart(options);
  const { begin, span, keptFrom, lookbackMs } = plotCourse(options, startedAt);
  const intake = createIntake({
    ...options,
    lateBefore: previous && begin,
    // What is dated ahead is archived as well: at most a day ahead of where the last walk began.
    lookbackDates: previous === undefined ? [] : datesBetween(before(begin, lookbackMs), before(begin, -DAY_MS)),
    previousWalkStart: previous && new Date(previous.run.walkStart),
    sourceTeams: previous?.sourceTeams ?? [],
  });
  const gaps: Gap[] = [];
  // A first run is promised nothing older than what the source keeps, unless a start date asks for it.
  let isPromised = previous !== undefined || options.startDate !== undefined;
  let start = previous === undefined ? begin : new Date(previous.start);
  let sweepTurn = previous?.sweepTurn ?? 0;
  let sweptAt = previous?.sweptAt ? new Date(previous.sweptAt) : undefined;
  let walkStart = startedAt;
  let hasBegun = false;
  let hasHandedOut = false;
  let reached = span.from;
  /** What was handed out stays claimed. What was not is taken back where a later page shows that it was too much. */
  let settled = begin;
  let position = begin;
  let floor = keptFrom;

  function handOut(reason: SealReason, last: boolean, sweeps: readonly Sweep[] = []): Gathered {
    const from = later(span.from, floor);
    const window = { from, to: later(from, reached) };
    const taken = intake.take();
    isPromised = true;
    settled = position;
    const swept = { sweeps, sweepTurn, sweptAt };
    return { ...taken, start, reason, last, walkStart, window, position, gaps: gaps.splice(0), ...swept };
  }

  /** Takes in what a walk yields, and hands out a batch whenever one is full. */
  async function* drain(
    steps: AsyncGenerator<WalkStep, WalkEnd>,
    onStep: (step: WalkStep, admitted: readonly Admitted[]) => void,
    sweptDate?: string,
  ): AsyncGenerator<Gathered, WalkEnd> {
    for (let step = await steps.next(); ; step = await steps.next()) {
      if (step.done) return step.value;
      // A clock that runs ahead must not claim what has not happened yet: the source's own clock bounds it. Once only:
      // what was claimed by one of its servers' clocks stays claimed when the next answer comes from another.
      if (!hasBegun) walkStart = earlier(walkStart, step.value.serverTime ?? walkStart);
      hasBegun = true;
      onStep(step.value, await intake.admit(step.value.events, walkStart, sweptDate));
      await options.onPage(step.value.claim, step.value.events.length);
      if (!intake.isFull()) continue;
      yield handOut('batch-full', false);
      hasHandedOut = true;
      // What lies within the lookback may come again under another date.
      intake.forgetBefore(dateOf(before(earlier(step.value.claim, walkStart), lookbackMs)));
    }
  }

  function followWalk(step: WalkStep): void {
    floor = step.floor;
    if (floor > position) {
      if (isPromised) gaps.push(gapBetween(position, floor));
      else start = floor;
      settled = floor;
    }
    reached = earlier(walkStart, step.claim);
    position = later(settled, reached);
  }

  async function* sweepOne(date: string): AsyncGenerator<Gathered, void> {
    const watch = watchSweep(date, await intake.archivedIds(date));
    const from = new Date(`${date}T00:00:00.000Z`);
    const steps = walk({ from, to: midnight(from, 1) }, source, { now: walkStart, floor, reserveMs: RESERVE_MS });
    let failure: unknown;
    try {
      watch.end(yield* drain(steps, (step, admitted) => watch.see(admitted, step.floor), date));
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      // A day that the source cannot serve must not keep the walk's events out of the archive, nor the next day unswept.
      failure = error;
    }
    const sweep = watch.result();
    if (sweep !== null) {
      sweepTurn += 1;
      sweptAt = walkStart;
    }
    yield handOut('complete', failure === undefined, sweep === null ? [] : [sweep]);
    if (failure !== undefined) throw failure;
  }

  const resumes = previous !== undefined && previous.run.reason !== 'complete';
  const steps = walk(span, source, { now: startedAt, floor: keptFrom, reserveMs: RESERVE_MS, resumes });
  const end = yield* drain(steps, followWalk);
  if (!hasBegun) throw outOfTime();
  const hasTime = end === 'complete' && options.clock.remainingMs() > SWEEP_MIN_MS;
  const date = hasTime ? sweepDate(sweepTurn, walkStart, later(floor, start)) : undefined;
  if (date !== undefined) return yield* sweepOne(date);
  const batch = handOut(end, true);
  // Only where the walk began in mid-day already: the manifest of one that began at midnight lets the next begin there.
  const isStuck = resumes && end === 'deadline' && !hasHandedOut && batch.draft.isEmpty() && reached <= span.from;
  if (isStuck) throw outOfTime();
  yield batch;
}

/**
 * Now. Where the walk may begin with the oldest that is kept, a clock that runs ahead would leave some of it out: there
 * the source is asked what time it is, and before the first run of all.
 */
async function timeOfStart({ previous, source, clock }: GatherOptions): Promise<Date> {
  const now = clock.now();
  const oldest = now.getTime() - (SOURCE_KEEPS_DAYS - CLOCK_DAYS) * DAY_MS;
  if (previous !== undefined && Date.parse(previous.position) > oldest) return now;
  const answer = await source.ask({ since: midnight(now, -CLOCK_DAYS), until: now, limit: 1 }, RESERVE_MS);
  return earlier(now, (answer.kind === 'page' ? answer.serverTime : undefined) ?? now);
}

/** Where the walk begins and ends; both ends of what is asked for lie beyond what may be claimed. */
function plotCourse({ previous, startDate, lookbackHours }: GatherOptions, startedAt: Date) {
  const keptFrom = new Date(startedAt.getTime() - SOURCE_KEEPS_DAYS * DAY_MS + FLOOR_MARGIN_MS);
  const begin = previous === undefined ? (startDate ?? keptFrom) : new Date(previous.position);
  const lookbackMs = lookbackHours * HOUR_MS;
  if (previous === undefined && begin > startedAt)
    throw new ConfigError('input-invalid', 'input: startDate lies in the future');
  const from = previous === undefined ? begin : settledBefore(previous, lookbackMs);
  return { begin, span: { from, to: midnight(startedAt, DAYS_AHEAD) }, keptFrom, lookbackMs };
}

/**
 * Nothing older can appear any more: it was read by a walk that began a lookback later. After a walk that was finished
 * that is its start less the lookback. One that was not is gone on with, a lookback earlier too: in the order of ids, what
 * is late comes after what is younger. But not where that is half of what it came to: a run may be too short for it.
 */
function settledBefore({ window, run, position }: Manifest, lookbackMs: number): Date {
  const reached = earlier(new Date(window.to), new Date(position));
  const isLong = before(reached, 2 * lookbackMs) > new Date(window.from);
  const from = isLong ? before(reached, lookbackMs) : reached;
  return earlier(from, before(new Date(run.walkStart), lookbackMs));
}

function before(instant: Date, ms: number): Date {
  return new Date(instant.getTime() - ms);
}

function gapBetween(from: Date, to: Date): Gap {
  return { from: from.toISOString(), to: to.toISOString(), reason: 'retention' };
}

function outOfTime(): UpstreamError {
  return new UpstreamError(
    'out-of-time',
    'the time left was too short to come any further: give the run more time, or the key more requests per minute',
  );
}
