/**
 * Archives the hand-written log of `test/fixtures/queries` with the real archiver, in memory and in virtual time. The
 * clock of every run is set, so the archive is the same on every day on which the tests run.
 */
import { archive } from '../../../lambdas/archiver/archive';
import { EARLIEST_INSTANT } from '../../../lambdas/shared/event';
import { parseInstant } from '../../../lambdas/shared/time';
import type { SourceEvent } from '../../../local/postman/source-table';
import { memoryStore } from '../memory-store';
import { aRunAt } from '../run';
import type { SourceSettings } from '../test-source';
import { readFixture } from './tables';

export type Objects = ReadonlyMap<string, Buffer>;

interface Chain {
  readonly team: 'main' | 'eu';
  readonly settings?: Partial<SourceSettings>;
  readonly startDate: string;
  /** When each run begins. */
  readonly runs: readonly string[];
}

/** Between the first two runs of `main`, and before the last run of `eu`. */
const LATE_EVENTS_APPEAR = new Date('2026-03-17T04:00:00Z');
const LAST_DAY = new Date('2026-03-18T00:00:00Z');

const CHAINS: readonly Chain[] = [
  {
    team: 'main',
    startDate: '2026-01-01',
    runs: ['2026-03-17T03:00:00.000Z', '2026-03-17T10:00:00.000Z', '2026-03-17T11:00:00.000Z'],
  },
  {
    team: 'eu',
    // Nine days are shorter than the pause between the first two runs, which leaves a gap.
    settings: { cursorPlace: 'meta', cursorType: 'string', retentionDays: 9 },
    startDate: '2026-03-03T12:00:00.000Z',
    runs: ['2026-03-05T12:00:00.000Z', '2026-03-17T03:00:00.000Z', '2026-03-17T10:00:00.000Z'],
  },
];

/** The lines of a team's log: those that are there in time, and those that appear late. */
export function linesOf(team: string): { readonly inTime: readonly string[]; readonly late: readonly string[] } {
  return { inTime: readLines(`${team}.ndjson`), late: readLines(`${team}-late.ndjson`) };
}

export interface LogOptions {
  /** Tells which lines of a team's log the source serves, by their index. All of them if it is left out. */
  readonly isServed?: (index: number) => boolean;
}

export async function archiveLog({ isServed = () => true }: LogOptions = {}): Promise<Objects> {
  const store = memoryStore();
  for (const { team, settings, startDate, runs } of CHAINS) {
    const events = eventsOf(team).filter((_, index) => isServed(index));
    for (const [index, start] of runs.entries()) {
      const id = `00000000-0000-4000-8000-00000000000${index + 1}`;
      const changes = { id, team, codeVersion: '0.0.0', sourceOrigin: 'https://source.test', store };
      const reads = { startDate: new Date(startDate), lookbackHours: 48 };
      await archive(aRunAt(start, { events, settings }, { ...changes, ...reads }));
    }
  }
  return store.objects;
}

function eventsOf(team: string): SourceEvent[] {
  const { inTime, late } = linesOf(team);
  const events: SourceEvent[] = [];
  for (const raw of [...inTime, ...late]) {
    // The server files a line without a usable time under the time of the line before it.
    const at = instantOf(raw) ?? events.at(-1)?.at ?? 0;
    const visibleFrom = late.includes(raw) ? LATE_EVENTS_APPEAR.getTime() : at;
    events.push({ row: events.length + 1, at, raw, visibleFrom });
  }
  return events;
}

function instantOf(raw: string): number | undefined {
  const instant = parseInstant(String(JSON.parse(raw).timestamp));
  return instant && instant >= EARLIEST_INSTANT && instant < LAST_DAY ? instant.getTime() : undefined;
}

function readLines(file: string): readonly string[] {
  return readFixture(file).trimEnd().split('\n');
}
