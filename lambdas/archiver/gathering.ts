/**
 * The state of a run while it gathers, and the steps that change it: take a page in, and commit the open batch. The walk
 * (`gather.ts`) and the sweep (`sweep.ts`) take these steps page by page.
 */
import { type Archived, createArchived } from './archived';
import { type Batch, type OpenBatch, openBatch } from './batch';
import type { Chain } from './chain';
import { createDeduplicator, type Deduplicator, type EventStanding } from './deduplicate';
import { batchCommitted, beginProgress, type Progress } from './progress';
import type { Run } from './run';
import { createTeamCheck } from './source-team';
import type { WalkPage } from './window';

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

interface Beginning extends GatherOptions {
  readonly startedAt: Date;
  readonly lastFullWalk: Date | undefined;
}

/** The state of a run while it gathers. Only `progress`, `batch` and `met` change. */
export interface Gathering extends GatherOptions {
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

export function beginGathering(run: Run, options: Beginning): Gathering {
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

/** Adds the new lines of the page to the open batch. */
export async function takeIn(
  gathering: Gathering,
  page: WalkPage,
  sweptDate?: string,
): Promise<readonly EventStanding[]> {
  const { walkStart } = gathering.progress;
  gathering.teams.meet(page.events);
  const lines = await gathering.deduplicator.sort(page.events, { walkStart, sweptDate });
  gathering.batch.add(lines);
  const { met } = gathering;
  gathering.met = { lines: met.lines + page.events.length, unfit: met.unfit + lines.unfit };
  await gathering.onPage(page);
  return lines.standings;
}

export async function commitIfFull(gathering: Gathering): Promise<boolean> {
  if (!gathering.batch.isFull()) return false;
  await commitOpenBatch(gathering, { reason: 'batch-full', isLast: false, sweeps: [] });
  return true;
}

/** Commits and publishes the open batch, and opens the next one. */
export async function commitOpenBatch(
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
