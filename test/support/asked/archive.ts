/**
 * Archives the hand-written log of `test/fixtures/queries` with the real archiver, in memory and in virtual time. The
 * clock of every run is set, so the archive is the same on every day on which the tests run.
 */
import { archive } from '../../../lambdas/archiver/archive';
import { BATCH_LIMITS } from '../../../lambdas/archiver/batch';
import { EARLIEST_INSTANT } from '../../../lambdas/shared/event';
import type { CheckpointStore, ObjectStore } from '../../../lambdas/shared/ports';
import { parseInstant } from '../../../lambdas/shared/time';
import { createSourceModel } from '../../../local/postman/source-model';
import { type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { testSigner } from '../archive-builder';
import { memoryStore } from '../memory-store';
import { API_KEY, modelServer, sourceKit } from '../source-kit';
import { virtualClock } from '../virtual-clock';
import { readFixture } from './tables';

export type Objects = ReadonlyMap<string, Buffer>;

interface Chain {
  readonly team: 'main' | 'eu';
  readonly source: Partial<SourceSettings> & Pick<SourceSettings, 'shape'>;
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
    source: { shape: 'reality' },
    startDate: '2026-01-01',
    runs: ['2026-03-17T03:00:00.000Z', '2026-03-17T10:00:00.000Z', '2026-03-17T11:00:00.000Z'],
  },
  {
    team: 'eu',
    // Nine days are shorter than the pause between the first two runs, which leaves a gap.
    source: { shape: 'contract', retentionDays: 9 },
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
  for (const chain of CHAINS) {
    const events = eventsOf(chain.team).filter((_, index) => isServed(index));
    await archiveEvents(events, chain, store);
  }
  return store.objects;
}

async function archiveEvents(events: readonly SourceEvent[], chain: Chain, store: ObjectStore): Promise<void> {
  const { team, startDate, runs } = chain;
  const { shape, ...settings } = chain.source;
  const model = createSourceModel(createTable(events), sourceSettings(shape, API_KEY, settings));
  for (const [index, start] of runs.entries()) {
    const clock = virtualClock({ start });
    const { source, logger } = sourceKit(modelServer(model, clock), { clock });
    await archive({
      id: `00000000-0000-4000-8000-00000000000${index + 1}`,
      team,
      scheduledTime: start,
      codeVersion: '0.0.0',
      sourceOrigin: 'https://source.test',
      startDate: new Date(startDate),
      acceptOtherTeam: false,
      lookbackHours: 48,
      batchLimits: BATCH_LIMITS,
      retention: null,
      store,
      checkpoints: noCheckpoint,
      source,
      signer: testSigner,
      clock,
      logger,
      onCommitted: () => undefined,
    });
  }
}

function eventsOf(team: string): SourceEvent[] {
  const { inTime, late } = linesOf(team);
  const events: SourceEvent[] = [];
  for (const raw of [...inTime, ...late]) {
    // The server files a line whose own time means nothing where it stands in the log.
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

/** The checkpoint is only a hint: without it each run finds the head in the bucket. */
const noCheckpoint: CheckpointStore = {
  acquire: async () => ({ seq: undefined }),
  save: async () => 'saved',
  release: async () => undefined,
};
