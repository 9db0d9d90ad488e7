/**
 * The sweep reads older days again, and compares each with what the archive holds of it. A source that fails ends the sweep, and
 * the days that were swept before still count.
 */
import { UpstreamError } from '../shared/errors';
import type { Sweep } from '../shared/manifest';
import { addMs, DAY_MS, later } from '../shared/time';
import { RESERVE_MS } from './chain';
import type { EventStanding } from './deduplicate';
import { commitIfFull, type Gathering, takeIn } from './gathering';
import { daySwept } from './progress';
import { eventsADay } from './read-again';
import { PAGE_LIMIT } from './source';
import { datesOfTurn, sweepPace, turnsDue } from './sweep-turns';
import { type WalkEnd, walk } from './walk';

/** With less time left than this, no day is begun, because a sweep first reads a day of the archive. */
const SWEEP_MIN_MS = 30_000;

export interface Swept {
  readonly sweeps: readonly Sweep[];
  /** The failure of the source that ended the last sweep. */
  readonly failure: UpstreamError | undefined;
}

/** Sweeps the days that are due, as far as the time and the share of requests that sweeps may take allow. */
export async function sweepDays(gathering: Gathering): Promise<Swept> {
  const { sweptAt, walkStart, keptFrom, chainStart } = gathering.progress;
  const pace = sweepPace(eventsADay(gathering.chain));
  const due = turnsDue(sweptAt, walkStart, pace);
  const options = { now: walkStart, floor: later(keptFrom, chainStart), areDaysLarge: pace.areDaysLarge };
  const days: SweptDay[] = [];
  const pages = () => days.reduce((sum, day) => sum + day.pages, 0);
  for (let turn = 0; turn < due && pages() < pace.maxPages; turn += 1) {
    const dates = datesOfTurn(gathering.progress.sweepTurn, options);
    // A young chain has fewer days than turns.
    const next = dates.filter((date) => days.every(({ sweep }) => sweep.date !== date));
    const swept = await sweepEach(gathering, next);
    // The turn is left to the next run where no time was left to begin it.
    if (swept.length === 0 && (next.length > 0 || dates.length === 0)) break;
    gathering.progress = daySwept(gathering.progress);
    days.push(...swept);
    if (swept.at(-1)?.failure !== undefined) break;
  }
  return { sweeps: days.map(({ sweep }) => sweep), failure: days.at(-1)?.failure };
}

interface SweptDay {
  readonly sweep: Sweep;
  readonly pages: number;
  readonly failure: UpstreamError | undefined;
}

/** Ends with the first day for which no time is left, or at which the source fails. */
async function sweepEach(gathering: Gathering, dates: readonly string[]): Promise<readonly SweptDay[]> {
  const days: SweptDay[] = [];
  for (const date of dates) {
    if (gathering.run.clock.remainingMs() <= SWEEP_MIN_MS) break;
    const tooSlow = await gathering.archived.readDay(date).catch(upstreamFailure);
    const watch = watchSweep(date, gathering.archived.events.identitiesOf(date));
    const failure = tooSlow ?? (await readDay(gathering, watch));
    const sweep = watch.result();
    if (sweep === null) break;
    days.push({ sweep, pages: Math.max(watch.pages(), Math.ceil(sweep.archived / PAGE_LIMIT)), failure });
    if (failure !== undefined) break;
  }
  return days;
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

/** Compares the served events of a date with the ids that the archive held of it when the sweep began. */
export function watchSweep(date: string, archived: ReadonlySet<string>) {
  const served = new Set<string>();
  let pages = 0;
  let isWhole = false;
  let late = 0;
  let changed = 0;
  let status: Sweep['status'] | 'not-begun' = 'failed';

  function see(standings: readonly EventStanding[], keptFrom: Date): void {
    pages += 1;
    isWhole = keptFrom.getTime() <= Date.parse(date);
    for (const event of standings) {
      if (event.date !== date || served.has(event.id)) continue;
      served.add(event.id);
      if (event.standing === 'new') late += 1;
      if (event.standing === 'revision') changed += 1;
    }
  }

  function end(walkEnd: WalkEnd): void {
    // A day that the source no longer keeps completely cannot show which events are missing.
    if (walkEnd === 'complete') status = isWhole ? 'complete' : 'partial';
    else status = pages > 0 ? 'partial' : 'not-begun';
  }

  /** Missing events are known only when the whole day was served. Null where no time was left to begin the sweep. */
  function result(): Sweep | null {
    if (status === 'not-begun') return null;
    const missing = status === 'complete' ? [...archived].filter((id) => !served.has(id)).length : 0;
    return { date, status, served: served.size, archived: archived.size, late, missing, changed };
  }

  return { date, see, end, result, pages: () => pages };
}

type SweepWatch = ReturnType<typeof watchSweep>;
