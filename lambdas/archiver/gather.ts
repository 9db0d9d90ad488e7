/**
 * Gathering: walks the source, commits one batch after the other, and then sweeps older days. A batch is committed and
 * published before the next page is added, because `commitBatch` is awaited.
 */
import { UpstreamError } from '../shared/errors';
import type { Manifest } from '../shared/manifest';
import { addMs, DAY_MS, dateOf, earlier, HOUR_MS, midnight } from '../shared/time';
import { CLOCK_DAYS } from './answer';
import { RESERVE_MS } from './chain';
import {
  beginGathering,
  commitIfFull,
  commitOpenBatch,
  type Gathering,
  type GatherOptions,
  type Met,
  takeIn,
} from './gathering';
import { isStuck, pageRead, SOURCE_KEEPS_DAYS } from './progress';
import { lastFullWalk, provableSince } from './read-again';
import type { Run } from './run';
import { sweepDays } from './sweep';
import { type WalkEnd, walk } from './walk';
import type { WalkPage } from './window';

/** The walk asks this many days ahead. So a truncated bound hides nothing, and events that are dated ahead are quarantined. */
const DAYS_AHEAD = 3;

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

function forgetSettled({ run, progress, archived }: Gathering, { claim }: WalkPage): void {
  // An event within the lookback may be served again with another date.
  const settled = addMs(earlier(claim, progress.walkStart), -run.lookbackHours * HOUR_MS);
  archived.forgetBefore(dateOf(settled));
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
    'the run had too little time to read any further, or the source did not answer before its end; ' +
      'raise its timeout or its maximum of requests per minute',
  );
}
