/**
 * How far a run has come, as a plain value. Each function returns the next value and changes nothing.
 *
 *      readFrom                 committedUntil              readUntil     walkStart
 *   ------+----------------------------+-----------------------+-------------+------> time
 *         |<------ read again -------->|<--------- new ------->|
 *
 * A new event before the position at which the run began is late. The position that the next manifest records is
 * `readUntil`, but never less than `committedUntil`.
 */
import { ConfigError } from '../shared/errors';
import type { Gap, Manifest } from '../shared/manifest';
import { addMs, DAY_MS, earlier, HOUR_MS, later, MINUTE_MS } from '../shared/time';
import type { TimeSpan, WalkPage } from './window';

/** The retention that Postman documents. A source that keeps less answers "cannot be older than". */
export const SOURCE_KEEPS_DAYS = 180;

/** A position that is older will probably become a gap. Thirty days are left to mend what keeps the archive from it. */
const NEARLY_FORGOTTEN_DAYS = 150;

/** So much time after the last walk that read the whole lookback, a walk reads it again. */
export const FULL_WALK_AFTER_MS = 55 * MINUTE_MS;
/** The other walks read so much time again. */
export const SHORT_LOOKBACK_MS = 15 * MINUTE_MS;

export interface Progress {
  /** The instant from which the chain archives. Every manifest of the chain repeats it. */
  readonly chainStart: Date;
  /** When the walk began, by this machine's clock or the source's own, whichever is earlier. */
  readonly walkStart: Date;
  /** The instant from which the walk reads. */
  readonly readFrom: Date;
  /** All served events before this instant have been read. It moves back where a later page disproves that. */
  readonly readUntil: Date;
  /** The position of the newest manifest. It never moves back. */
  readonly committedUntil: Date;
  /** The source keeps no event before this instant. */
  readonly keptFrom: Date;
  /** Gaps that no manifest records yet. */
  readonly gaps: readonly Gap[];
  /**
   * Whether time that the source no longer keeps is recorded as a gap. At the beginning of a chain without a start date it is
   * not, because such a chain begins with the oldest event that the source keeps.
   */
  readonly recordsGaps: boolean;
  readonly hasRead: boolean;
  readonly hasCommitted: boolean;
  /** How many turns of the sweep the chain has taken, and the walk start of the run that began the last sweep. */
  readonly sweepTurn: number;
  readonly sweptAt: Date | undefined;
}

export interface ProgressOptions {
  /** The head's payload; undefined on a team's first run. */
  readonly previous: Manifest | undefined;
  readonly startedAt: Date;
  readonly startDate: Date | undefined;
  readonly lookbackHours: number;
  /** Walk start of the last complete walk that read the whole lookback; see `lastFullWalk`. */
  readonly lastFullWalk: Date | undefined;
}

/** Throws `ConfigError` where the start date is in the future. */
export function beginProgress(options: ProgressOptions): Progress {
  const { previous, startedAt, startDate } = options;
  // One minute of margin, because the source's retention moves on while the request is on its way.
  const keptFrom = addMs(startedAt, MINUTE_MS - SOURCE_KEEPS_DAYS * DAY_MS);
  const position = previous === undefined ? (startDate ?? keptFrom) : new Date(previous.position);
  if (previous === undefined && position > startedAt) {
    throw new ConfigError('start-date-in-future', 'startDate is in the future: correct it in cdk.json and deploy');
  }
  const readFrom = previous === undefined ? position : nextReadFrom(previous, options);
  return {
    chainStart: previous === undefined ? position : new Date(previous.start),
    walkStart: startedAt,
    readFrom,
    readUntil: readFrom,
    committedUntil: position,
    keptFrom,
    gaps: [],
    recordsGaps: previous !== undefined || startDate !== undefined,
    hasRead: false,
    hasCommitted: false,
    sweepTurn: previous?.sweepTurn ?? 0,
    sweptAt: previous?.sweptAt ? new Date(previous.sweptAt) : undefined,
  };
}

/**
 * The instant from which the walk must read. An event may appear up to a lookback after its timestamp, so about once an hour a
 * walk reads from the start of the last such walk, minus the lookback. The walks between read only a short time again.
 *
 * An interrupted walk continues from the instant that it had reached, minus the lookback, because a source that serves in the
 * order of ids serves a late event after younger ones. If the lookback would undo half of the walk, the walk continues from
 * the exact instant, because a run may be too short to read the lookback again.
 */
function nextReadFrom(previous: Manifest, { startedAt, lookbackHours, lastFullWalk }: ProgressOptions): Date {
  const { window, run, position } = previous;
  const lookbackMs = lookbackHours * HOUR_MS;
  const full = earlier(lastFullWalk ?? new Date(run.walkStart), new Date(run.walkStart));
  const isDue = startedAt >= addMs(full, FULL_WALK_AFTER_MS);
  if (run.reason === 'complete' && !isDue)
    return addMs(new Date(run.walkStart), -Math.min(lookbackMs, SHORT_LOOKBACK_MS));
  const reached = earlier(new Date(window.to), new Date(position));
  const hasComeFar = addMs(reached, -2 * lookbackMs) > new Date(window.from);
  const from = hasComeFar ? addMs(reached, -lookbackMs) : reached;
  return earlier(from, addMs(full, -lookbackMs));
}

/** Whether the source will soon forget what follows the head. The first walk of a chain begins so far back in any case. */
export function isNearlyForgotten({ position, run, sweptAt }: Manifest, now: Date): boolean {
  const hasBeenComplete = run.reason === 'complete' || sweptAt !== null;
  return hasBeenComplete && new Date(position) < addMs(now, -NEARLY_FORGOTTEN_DAYS * DAY_MS);
}

/** The progress after a page, of which only its claim and the two clocks count. */
export function pageRead(progress: Progress, { claim, keptFrom, serverTime }: Omit<WalkPage, 'events'>): Progress {
  // A clock that runs ahead must not claim time that has not passed yet, so the source's clock limits the walk start. Only
  // the first page does that: the source's servers may have different clocks, and a committed position never moves back.
  const walkStart = progress.hasRead || !serverTime ? progress.walkStart : earlier(progress.walkStart, serverTime);
  const position = positionOf(progress);
  const isForgotten = keptFrom > position;
  const gap = { from: position.toISOString(), to: keptFrom.toISOString(), reason: 'retention' } as const;
  return {
    ...progress,
    walkStart,
    keptFrom,
    readUntil: earlier(walkStart, claim),
    hasRead: true,
    ...(isForgotten && { committedUntil: keptFrom }),
    ...(isForgotten && !progress.recordsGaps && { chainStart: keptFrom }),
    ...(isForgotten && progress.recordsGaps && { gaps: [...progress.gaps, gap] }),
  };
}

/** The progress after a commit: the manifest's position is committed, and its gaps are recorded. */
export function batchCommitted(progress: Progress): Progress {
  return { ...progress, committedUntil: positionOf(progress), gaps: [], recordsGaps: true, hasCommitted: true };
}

export function daySwept(progress: Progress): Progress {
  return { ...progress, sweepTurn: progress.sweepTurn + 1, sweptAt: progress.walkStart };
}

/** The position that the next manifest records. */
export function positionOf({ committedUntil, readUntil }: Progress): Date {
  return later(committedUntil, readUntil);
}

/** The window that the next manifest records, half-open. */
export function windowOf({ readFrom, readUntil, keptFrom }: Progress): TimeSpan {
  const from = later(readFrom, keptFrom);
  return { from, to: later(from, readUntil) };
}

/** Whether the walk has made no progress and nothing was committed. */
export function isStuck({ hasCommitted, readFrom, readUntil }: Progress): boolean {
  return !hasCommitted && readUntil <= readFrom;
}
