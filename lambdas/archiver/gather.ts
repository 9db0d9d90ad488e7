/**
 * Gathering: walks the source, commits one batch after the other, and then sweeps older days. A batch is committed and
 * published before the next page is added, because `commitBatch` is awaited.
 */
import { UpstreamError } from '../shared/errors';
import type { Manifest, Sweep } from '../shared/manifest';
import { addMs, DAY_MS, dateOf, earlier, HOUR_MS, later, midnight } from '../shared/time';
import { type Archived, createArchived } from './archived';
import { type Batch, type OpenBatch, openBatch } from './batch';
import type { Chain } from './chain';
import { createDeduplicator, type Deduplicator, type EventStanding } from './deduplicate';
import {
  batchCommitted,
  beginProgress,
  daySwept,
  isStuck,
  type Progress,
  pageRead,
  SOURCE_KEEPS_DAYS,
} from './progress';
import { eventsADay, lastFullWalk, provableSince } from './read-again';
import type { Run } from './run';
import { CLOCK_DAYS, PAGE_LIMIT } from './source';
import { createTeamCheck } from './source-team';
import { MAX_SWEPT_PAGES, type SweepWatch, sweepDate, sweepsDue, watchSweep } from './sweep';
import { type WalkEnd, walk } from './walk';
import type { WalkPage } from './window';

/** The walk asks this many days ahead. So a truncated bound hides nothing, and events that are dated ahead are quarantined. */
const DAYS_AHEAD = 3;
/** Time that is kept for staging, committing and publishing the open batch. */
const RESERVE_MS = 3000;
/** With less time left than this, the run ends without a sweep, because a sweep first reads a day of the archive. */
const SWEEP_MIN_MS = 30_000;

export interface GatherOptions {
  /** The chain on which this run builds. */
  readonly chain: Chain;
  /** Resolves when the batch is committed and published. */
  readonly commitBatch: (batch: Batch) => Promise<void>;
  /** Called after each page, so that a long walk can renew the lease. */
  readonly onPage: (page: WalkPage) => Promise<void>;
}

/** The lines that the run has met. A line that is served twice counts twice. */
export interface Met {
  readonly lines: number;
  /** Lines that are unfit for `events/`, without revisions. */
  readonly unfit: number;
}

export async function gather(run: Run, options: GatherOptions): Promise<Met> {
  const previous = options.chain.head()?.manifest;
  const startedAt = await timeOfStart(run, previous);
  const fullWalk = await lastFullWalk(options.chain, run.lookbackHours);
  const gathering = beginGathering(run, { ...options, startedAt, lastFullWalk: fullWalk });
  const isResumed = previous !== undefined && previous.run.reason !== 'complete';
  const end = await walkToNow(gathering);
  // Only a resumed walk fails here. After any other walk, the manifest lets the next run resume later in the day.
  const cameNoFurther = gathering.batch.isEmpty() && isStuck(gathering.progress);
  if (isResumed && end === 'deadline' && cameNoFurther) throw outOfTime();
  const { sweeps, failure } = end === 'complete' ? await sweepDays(gathering) : { sweeps: [], failure: undefined };
  await commitOpenBatch(gathering, { reason: end, isLast: failure === undefined, sweeps });
  // The events of the walk are committed even if the source could not serve a swept day.
  if (failure !== undefined) throw failure;
  return gathering.met;
}

interface Beginning extends GatherOptions {
  readonly startedAt: Date;
  readonly lastFullWalk: Date | undefined;
}

/** The state of a run while it gathers. Only `progress`, `batch` and `met` change. */
interface Gathering extends GatherOptions {
  readonly run: Run;
  readonly startedAt: Date;
  /** New events before this instant are late; undefined on a first run. */
  readonly lateBefore: Date | undefined;
  readonly archived: Archived;
  readonly deduplicator: Deduplicator;
  readonly teams: ReturnType<typeof createTeamCheck>;
  progress: Progress;
  batch: OpenBatch;
  met: Met;
}

function beginGathering(run: Run, options: Beginning): Gathering {
  const previous = options.chain.head()?.manifest;
  const progress = beginProgress({ previous, ...options, startDate: run.startDate, lookbackHours: run.lookbackHours });
  const position = progress.committedUntil;
  const lateBefore = previous && position;
  const archived = createArchived(run, options.chain);
  const deduplicator = createDeduplicator(archived, { readFrom: progress.readFrom, undated: previous?.undated ?? [] });
  const teams = createTeamCheck(previous?.sourceTeams ?? [], run.acceptOtherTeamId);
  const batch = openBatch({ limits: run.batchLimits, lateBefore, requestsBefore: run.source.tally().requests });
  return { ...options, run, lateBefore, archived, deduplicator, teams, progress, batch, met: { lines: 0, unfit: 0 } };
}

/** Throws `UpstreamError` where the time ended before the first page. */
async function walkToNow(gathering: Gathering): Promise<WalkEnd> {
  const { run, chain, startedAt, progress } = gathering;
  const span = { from: progress.readFrom, to: midnight(startedAt, DAYS_AHEAD) };
  const since = await provableSince(chain, progress.readFrom);
  const options = { now: startedAt, keptFrom: progress.keptFrom, reserveMs: RESERVE_MS, since };
  const pages = walk(span, run.source, options);
  for (;;) {
    const next = await pages.next();
    if (next.done && !gathering.progress.hasRead) throw outOfTime();
    if (next.done) return next.value;
    gathering.progress = pageRead(gathering.progress, next.value);
    await takeIn(gathering, next.value);
    if (await commitIfFull(gathering)) forgetSettled(gathering, next.value);
  }
}

/** Adds the new lines of the page to the open batch. */
async function takeIn(gathering: Gathering, page: WalkPage, sweptDate?: string): Promise<readonly EventStanding[]> {
  const { walkStart } = gathering.progress;
  gathering.teams.meet(page.events);
  const lines = await gathering.deduplicator.sort(page.events, { walkStart, sweptDate });
  gathering.batch.add(lines);
  const { met } = gathering;
  gathering.met = { lines: met.lines + page.events.length, unfit: met.unfit + lines.unfit };
  await gathering.onPage(page);
  return lines.standings;
}

async function commitIfFull(gathering: Gathering): Promise<boolean> {
  if (!gathering.batch.isFull()) return false;
  await commitOpenBatch(gathering, { reason: 'batch-full', isLast: false, sweeps: [] });
  return true;
}

function forgetSettled({ run, progress, archived }: Gathering, { claim }: WalkPage): void {
  // An event within the lookback may be served again with another date.
  const settled = addMs(earlier(claim, progress.walkStart), -run.lookbackHours * HOUR_MS);
  archived.forgetBefore(dateOf(settled));
}

/** Commits and publishes the open batch, and opens the next one. */
async function commitOpenBatch(
  gathering: Gathering,
  { sweeps, ...how }: Pick<Batch, 'reason' | 'isLast' | 'sweeps'>,
): Promise<void> {
  const { run, teams, deduplicator, progress, lateBefore } = gathering;
  const { requests } = run.source.tally();
  const closed = gathering.batch.close(requests);
  gathering.batch = openBatch({ limits: run.batchLimits, lateBefore, requestsBefore: requests });
  const met = { sourceTeams: teams.met(), undated: deduplicator.undated() };
  await gathering.commitBatch({ ...closed, ...how, ...met, sweeps, progress });
  gathering.progress = batchCommitted(progress);
}

interface Swept {
  readonly sweeps: readonly Sweep[];
  /** The failure of the source that ended the last sweep. */
  readonly failure: UpstreamError | undefined;
}

/** Sweeps the days that are due, as far as the time and the share of requests that sweeps may take allow. */
async function sweepDays(gathering: Gathering): Promise<Swept> {
  const { run, chain } = gathering;
  const { sweptAt, walkStart, keptFrom, chainStart } = gathering.progress;
  const due = sweepsDue(sweptAt, walkStart, eventsADay(chain));
  const sweeps: Sweep[] = [];
  let pages = 0;
  for (let turn = 0; turn < due && pages < MAX_SWEPT_PAGES && run.clock.remainingMs() > SWEEP_MIN_MS; turn += 1) {
    const date = sweepDate(gathering.progress.sweepTurn, walkStart, later(keptFrom, chainStart));
    if (date === undefined) break;
    // A young chain has fewer days than turns.
    if (sweeps.some((sweep) => sweep.date === date)) {
      gathering.progress = daySwept(gathering.progress);
      continue;
    }
    const tooSlow = await gathering.archived.readDay(date).catch(upstreamFailure);
    const watch = watchSweep(date, gathering.archived.events.identitiesOf(date));
    const failure = tooSlow ?? (await readDay(gathering, watch));
    const result = watch.result();
    if (result === null) break;
    pages += Math.max(watch.pages(), Math.ceil(result.archived / PAGE_LIMIT));
    gathering.progress = daySwept(gathering.progress);
    sweeps.push(result);
    if (failure !== undefined) return { sweeps, failure };
  }
  return { sweeps, failure: undefined };
}

/** Returns the failure of the source that ended the reading, if any. A failure of a commit is thrown. */
async function readDay(gathering: Gathering, watch: SweepWatch): Promise<UpstreamError | undefined> {
  const from = new Date(`${watch.date}T00:00:00.000Z`);
  const { walkStart, keptFrom } = gathering.progress;
  const options = { now: walkStart, keptFrom, reserveMs: RESERVE_MS };
  const pages = walk({ from, to: addMs(from, DAY_MS) }, gathering.run.source, options);
  for (;;) {
    const next = await pages.next().catch(upstreamFailure);
    if (next instanceof UpstreamError) return next;
    if (next.done) return void watch.end(next.value);
    const standings = await takeIn(gathering, next.value, watch.date).catch(upstreamFailure);
    if (standings instanceof UpstreamError) return standings;
    watch.see(standings, next.value.keptFrom);
    await commitIfFull(gathering);
  }
}

function upstreamFailure(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  throw error;
}

/**
 * The instant at which the run begins. On a first run, and where the walk may begin with the oldest events that the source
 * keeps, the source's own clock is read too: a clock that runs ahead would leave out some of these events.
 */
async function timeOfStart({ source, clock }: Run, previous: Manifest | undefined): Promise<Date> {
  const now = clock.now();
  const oldest = now.getTime() - (SOURCE_KEEPS_DAYS - CLOCK_DAYS) * DAY_MS;
  if (previous !== undefined && Date.parse(previous.position) > oldest) return now;
  const answer = await source.ask({ since: midnight(now, -CLOCK_DAYS), until: now, limit: 1 }, RESERVE_MS);
  return earlier(now, (answer.kind === 'page' ? answer.serverTime : undefined) ?? now);
}

function outOfTime(): UpstreamError {
  return new UpstreamError(
    'out-of-time',
    'the run had too little time to read any further; raise its timeout or its maximum of requests per minute',
  );
}
