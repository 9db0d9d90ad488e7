/**
 * A simulated year of one team, as segments: a week of the demo team, repeated with other ids and days. The lines are the
 * same for every schedule; each run that finds any writes one segment.
 */
import { segmentKey } from '../../lambdas/shared/object-keys';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { DAY_MS, dateOf } from '../../lambdas/shared/time';
import { createSourceTeam } from '../../local/postman/source-team';

export const EVENTS_PER_DAY = 2000;
const DAYS = 365;
const FIRST = new Date('2025-01-06T00:00:00Z');

interface Line {
  /** The time since the week began. */
  readonly afterMs: number;
  readonly raw: string;
}

interface Segment {
  readonly key: string;
  readonly bytes: Buffer;
}

/** The periods that are asked for, all within the year. */
export const PERIODS = {
  'a day': ['2025-06-11', '2025-06-11'],
  'a month': ['2025-06-01', '2025-06-30'],
  'the year': [dateOf(FIRST), dateOf(new Date(FIRST.getTime() + (DAYS - 1) * DAY_MS))],
} as const;

/** The segments in order, one for each `everyMs` that has events. */
export function* yearOf(team: string, everyMs: number): Generator<Segment> {
  let seq = 0;
  for (const lines of runsOf(DAYS, everyMs)) {
    const date = dateOf(instantAt(seq * everyMs));
    seq += 1;
    if (lines.length > 0) yield { key: segmentKey('events', team, date, seq), bytes: compress(joinLines(lines)) };
  }
}

/** The lines of each run. A week is a multiple of `everyMs`. */
export function* runsOf(days: number, everyMs: number): Generator<Buffer[]> {
  const week = weekOfEvents();
  for (let start = 0; start < days * DAY_MS; start += everyMs) yield linesBetween(week, start, start + everyMs);
}

function weekOfEvents(): readonly Line[] {
  const anchor = new Date(FIRST.getTime() + 7 * DAY_MS);
  const team = createSourceTeam({ seed: 1, anchor, days: 7, eventsPerDay: EVENTS_PER_DAY });
  return team
    .playTo(new Date(anchor.getTime() - 1))
    .flatMap(({ at, raw }) => (at === null ? [] : [{ afterMs: at - FIRST.getTime(), raw }]))
    .filter(({ afterMs }) => afterMs >= 0 && afterMs < 7 * DAY_MS)
    .sort((a, b) => a.afterMs - b.afterMs);
}

function linesBetween(week: readonly Line[], start: number, end: number): Buffer[] {
  const number = Math.floor(start / (7 * DAY_MS));
  const [from, to] = [start - number * 7 * DAY_MS, end - number * 7 * DAY_MS];
  const some = week.filter(({ afterMs }) => afterMs >= from && afterMs < to);
  return some.map(({ afterMs, raw }) => {
    const timestamp = instantAt(number * 7 * DAY_MS + afterMs).toISOString();
    return Buffer.from(
      raw
        .replace(/"id":(\d+)/, (_, id) => `"id":${Number(id) + number * 1_000_000}`)
        .replace(/"timestamp":"[^"]*"/, `"timestamp":"${timestamp}"`),
    );
  });
}

function instantAt(afterMs: number): Date {
  return new Date(FIRST.getTime() + afterMs);
}
