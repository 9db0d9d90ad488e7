/**
 * The fault world holds the source, the bucket, the checkpoint item and the signing key of one team in memory, under one
 * virtual clock. Any number of runs of the real archiver happen in it. A world at rest can be forked: the copies share
 * nothing that changes.
 */

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ArchiveInput, TeamSettings } from '../../lambdas/shared/contract';
import { createTable } from '../../local/postman/source-table';
import { memoryStorage } from '../support/memory-storage';
import { createSourceModel, type SourceModel, type SourceSettings, sourceSettings } from '../support/test-source';
import type { Item, ItemCell } from './checkpoint-model';
import { CANARY_KEY, type WorldEvent } from './events';
import { createStore, type Mangle } from './ports';
import * as unpatched from './program';
import {
  createRun,
  LOOKBACK_HOURS,
  live,
  noting,
  type Run,
  type RunOptions,
  type RunSettings,
  type Surroundings,
} from './run';
import { createScheduler } from './scheduler';
import { createWitness } from './witness';

export interface WorldSetup {
  /** Epoch milliseconds. */
  readonly start: number;
  readonly events: readonly WorldEvent[];
  readonly source?: Partial<SourceSettings>;
  /** Each run may override these settings and this input. */
  readonly settings?: RunSettings;
  readonly input?: Partial<ArchiveInput & TeamSettings>;
  /** API keys, oldest first. Each is valid from an instant on, both at the source and in the parameter. */
  readonly keys?: readonly { readonly from: number; readonly key: string }[];
  /** The longest body that fits into the memory of a run. */
  readonly maxBodyBytes?: number;
  readonly mangle?: Mangle;
  readonly createStore?: Surroundings['createStore'];
  readonly program?: typeof unpatched;
}

export interface World {
  readonly setup: WorldSetup;
  readonly objects: Map<string, Buffer>;
  readonly cell: ItemCell;
  readonly runs: readonly Run[];
  readonly publicKey: KeyObject;
  /** The changes are valid from the next request on. */
  changeSource(changes: Partial<SourceSettings>): void;
  now(): number;
  advance(ms: number): void;
  /** The event that was served with this text. */
  eventOf(line: string): WorldEvent | undefined;
  /** Triggers a run, which begins when time passes. */
  start(options?: RunOptions): Run;
  /** Lets time pass until every run has ended, has died or is frozen. Throws the first `Violation` of the witness. */
  settle(): Promise<void>;
  run(options?: RunOptions): Promise<Run>;
  /** A frozen run goes on when time passes. */
  wake(run: Run): void;
  /** A copy that goes on independently. The world must be at rest. */
  fork(): World;
}

interface State {
  readonly objects: Map<string, Buffer>;
  readonly item: Item | undefined;
  /** Every text that was ever served, and the row of its event. */
  readonly served: Map<string, number>;
  readonly runs: Run[];
  readonly now: number;
  /** The changes at the source since the setup. */
  readonly changes: Partial<SourceSettings>;
}

const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export function createWorld(setup: WorldSetup): World {
  const empty = { objects: new Map(), item: undefined, served: new Map(), runs: [], changes: {} };
  return restore(setup, { ...empty, now: setup.start });
}

function restore(setup: WorldSetup, { objects, item, served, runs, now, ...state }: State): World {
  const { keys = [{ from: 0, key: CANARY_KEY }], program = unpatched } = setup;
  const cell: ItemCell = { item };
  const scheduler = createScheduler<Run>(now);
  const byRow = new Map(setup.events.map((event) => [event.row, event]));
  const eventOf = (line: string): WorldEvent | undefined => byRow.get(served.get(line) ?? Number.NaN);
  const witness = createWitness(objects, {
    events: setup.events,
    lookbackHours: setup.settings?.lookbackHours ?? LOOKBACK_HOURS,
    isById: setup.source?.order === 'by-id',
    isOutOfOrder: setup.events.some(isMoved),
    idOf: (line) => eventOf(line)?.id,
    beganAt: (runId) => runs.find(({ id }) => id === runId)?.startedAt,
    now: scheduler.now,
  });
  let { changes } = state;
  const source = createSource(setup, changes, served);
  const apiKey = (): string => keys.findLast(({ from }) => from <= scheduler.now())?.key ?? '';
  const around: Surroundings = {
    program,
    scheduler,
    storage: noting(memoryStorage(objects), witness.sawObject),
    cell,
    source: () => {
      source.change({ apiKey: apiKey() });
      return source;
    },
    apiKey,
    keys: keyPair,
    witness,
    maxBodyBytes: setup.maxBodyBytes ?? Infinity,
    mangle: setup.mangle ?? ((answer) => answer),
    createStore: setup.createStore ?? createStore,
  };

  function start(options: RunOptions = {}): Run {
    const run = createRun(runs.length + 1, scheduler.now() + (options.delayMs ?? 0));
    runs.push(run);
    const settings = { ...setup.settings, ...options.settings };
    void live(run, { ...options, settings, input: { ...setup.input, ...options.input } }, around);
    return run;
  }

  async function settle(): Promise<void> {
    await scheduler.drive();
    witness.sawText('the checkpoint item', cell.item);
    for (const run of runs) {
      if (run.outcome === undefined && !run.isDead && !run.isFrozen) witness.report('hangs', `run ${run.number}`);
    }
    const [violation] = witness.violations;
    if (violation !== undefined) throw violation;
  }

  async function run(options: RunOptions = {}): Promise<Run> {
    const started = start(options);
    await settle();
    return started;
  }

  function changeSource(more: Partial<SourceSettings>): void {
    changes = { ...changes, ...more };
    source.change(more);
  }

  function fork(): World {
    const copy = { objects: new Map(objects), served: new Map(served), runs: [...runs] };
    return restore(setup, { ...copy, item: cell.item, now: scheduler.now(), changes });
  }

  const { publicKey } = keyPair;
  const clock = { now: scheduler.now, advance: scheduler.advance, wake: scheduler.thaw };
  return { setup, objects, cell, runs, publicKey, eventOf, changeSource, start, settle, run, fork, ...clock };
}

/** The text of the event gets another timestamp, but the source does not file the event anew. */
function isMoved({ at, later = [] }: WorldEvent): boolean {
  return at !== null && later.some(({ raw }) => !raw.includes(new Date(at).toISOString()));
}

/** A source that notes every text that it serves. */
function createSource(
  { events, source = {} }: WorldSetup,
  changes: Partial<SourceSettings>,
  served: Map<string, number>,
): SourceModel {
  const { drift } = source;
  const settings = sourceSettings('reality', '', {
    ...source,
    ...changes,
    drift: (raw, request, row) => {
      const text = drift?.(raw, request, row) ?? raw;
      served.set(text, row);
      return text;
    },
  });
  return createSourceModel(createTable(events), settings);
}
