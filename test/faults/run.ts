/** One run of the real archiver in a world: its ports, its own clock, and its ending. */

import { createHash, type KeyObject, sign } from 'node:crypto';
import type { ArchiveInput, TeamSettings } from '../../lambdas/shared/contract';
import type { Logger, ObjectStore } from '../../lambdas/shared/ports';
import type { Storage } from '../../local/s3-bucket';
import type { SourceModel } from '../support/test-source';
import type { ItemCell } from './checkpoint-model';
import { MINUTE } from './events';
import { createPerformer, type Fault, type Method, type Trace } from './faults';
import {
  createApiKeys,
  createCheckpoints,
  createSigner,
  createTransport,
  type Mangle,
  type PortContext,
} from './ports';
import type * as unpatched from './program';
import { BATCH_LIMITS } from './program';
import type { Scheduler } from './scheduler';
import type { Witness } from './witness';

export const TEAM = 'main';
export const LOOKBACK_HOURS = 6;
const LATENCY: Readonly<Partial<Record<Method, number>>> = { 'transport.get': 200 };

export interface RunOptions {
  readonly faults?: readonly Fault[];
  /** The difference between the clock of the run and the clock of the world. */
  readonly skewMs?: number;
  readonly timeoutMs?: number;
  /** Lambda kills a run at its deadline. Without this, a late run goes on and may do harm. */
  readonly isKilledAtDeadline?: boolean;
  /** The run is triggered so much later. */
  readonly delayMs?: number;
  readonly latency?: (method: Method) => number;
  readonly settings?: RunSettings;
  readonly input?: Partial<ArchiveInput & TeamSettings>;
  /** Another version of the code. */
  readonly program?: typeof unpatched;
}

export type RunSettings = Partial<Pick<unpatched.Run, 'lookbackHours' | 'batchLimits' | 'retention'>>;

export type Outcome =
  | { readonly kind: 'archived'; readonly manifests: number }
  | { readonly kind: 'held' | 'race' }
  | { readonly kind: 'failed'; readonly code: string; readonly isIntegrity: boolean };

export interface Run extends Trace {
  readonly number: number;
  readonly id: string;
  readonly startedAt: number;
  /** The keys that the run created, in order. */
  readonly created: string[];
  readonly logger: string[];
  /** Infinity if the run is dead or frozen. */
  endedAt: number;
  /** Undefined if the run is dead or frozen. */
  outcome: Outcome | undefined;
}

/** All that the runs of a world share. */
export interface Surroundings {
  readonly program: typeof unpatched;
  readonly scheduler: Scheduler<Run>;
  readonly storage: Storage;
  readonly cell: ItemCell;
  /** The source as it answers a request that arrives now. */
  readonly source: () => SourceModel;
  readonly apiKey: () => string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly witness: Witness;
  readonly maxBodyBytes: number;
  readonly mangle: Mangle;
  readonly createStore: (context: PortContext, storage: Storage) => ObjectStore;
}

export function createRun(number: number, startedAt: number): Run {
  const trace = { operations: [], faulted: [], created: [], logger: [], isDead: false, isFrozen: false };
  return { number, id: uuid(number), startedAt, ...trace, endedAt: Infinity, outcome: undefined };
}

/** The promise never rejects. If the run dies, it never resolves either. */
export async function live(run: Run, options: RunOptions, shared: Surroundings): Promise<void> {
  const around = { ...shared, program: options.program ?? shared.program };
  await around.scheduler.turn(run, options.delayMs ?? 0);
  let manifests = 0;
  try {
    const archived = await around.program.archive({
      ...createPorts(run, options, around),
      onHead: () => undefined,
      onCommitted: () => {
        manifests += 1;
      },
    });
    run.outcome = archived === 'held' ? { kind: 'held' } : { kind: 'archived', manifests };
  } catch (error) {
    run.outcome = outcomeOf(error, around);
  }
  run.endedAt = around.scheduler.now();
}

function createPorts(
  run: Run,
  options: RunOptions,
  around: Surroundings,
): Omit<unpatched.Run, 'onHead' | 'onCommitted'> {
  const { program, scheduler, witness } = around;
  const { skewMs = 0, timeoutMs = 15 * MINUTE, latency = (method) => LATENCY[method] ?? 10 } = options;
  const deadline = scheduler.now() + timeoutMs;
  const killedAt = options.isKilledAtDeadline ? deadline : Infinity;
  const perform = createPerformer({ actor: run, faults: options.faults ?? [], scheduler, latency, killedAt });
  const context = { perform, program };
  const clock = {
    now: () => new Date(scheduler.now() + skewMs),
    remainingMs: () => deadline - scheduler.now(),
    sleep: (ms: number) => scheduler.turn(run, ms),
    random: () => 0.5,
  };
  const logger = createLogger(run, witness);
  const now = (): Date => new Date(scheduler.now());
  const transport = createTransport(context, { ...around, now, wait: clock.sleep });
  const apiKeys = createApiKeys(context, around.apiKey);
  const asked = { baseUrl: 'https://source.example', apiKeyParameter: '/main/api-key', userAgent: 'fault-world' };
  return {
    ...settingsOf(run, options, clock.now()),
    store: around.createStore(
      context,
      noting(around.storage, (key) => run.created.push(key)),
    ),
    checkpoints: createCheckpoints(context, around.cell),
    source: program.createSource({ ...asked, maxRequestsPerMinute: 100_000, transport, apiKeys, clock, logger }),
    signer: createSigner(context, around.keys.publicKey, (message) =>
      sign('sha256', message, { key: around.keys.privateKey, dsaEncoding: 'der' }),
    ),
    clock,
    logger,
  };
}

function settingsOf(run: Run, { input = {}, settings = {} }: RunOptions, now: Date) {
  return {
    id: run.id,
    team: TEAM,
    codeVersion: '0.0.0',
    sourceOrigin: 'https://source.example',
    scheduledTime: input.scheduledTime ?? now.toISOString(),
    startDate: input.startDate ? new Date(input.startDate) : undefined,
    acceptOtherTeamId: input.acceptOtherTeamId ?? null,
    lookbackHours: settings.lookbackHours ?? LOOKBACK_HOURS,
    batchLimits: settings.batchLimits ?? BATCH_LIMITS,
    retention: settings.retention ?? null,
  };
}

/** The same storage, which tells the key of every object that it creates. */
export function noting(storage: Storage, note: (key: string) => unknown): Storage {
  return {
    ...storage,
    create: (key, bytes) => {
      const isNew = storage.create(key, bytes);
      if (isNew) note(key);
      return isNew;
    },
  };
}

function createLogger(run: Run, witness: Witness): Logger {
  const write =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      run.logger.push(`${level} ${message} ${JSON.stringify(fields)}`);
      witness.sawText('a log line', [message, fields]);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn') };
}

function outcomeOf(error: unknown, { program, witness }: Surroundings): Outcome {
  witness.sawText('an error', error);
  if (error instanceof program.Race) return { kind: 'race' };
  if (!(error instanceof program.Failure)) {
    witness.report('unexpected-error', error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { kind: 'failed', code: 'unexpected', isIntegrity: false };
  }
  return { kind: 'failed', code: error.code, isIntegrity: error instanceof program.IntegrityError };
}

/** A UUID that no other run of the world has. */
function uuid(number: number): string {
  const hex = createHash('sha256').update(`run ${number}`).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
