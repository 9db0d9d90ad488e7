/**
 * Runs of the archiver in simulated time. A request and a call of AWS take as long as the bench says. The CPU time that this
 * process really uses passes too, multiplied as on a slower processor; what the simulated source uses does not pass.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { archive } from '../../lambdas/archiver/archive';
import { BATCH_LIMITS } from '../../lambdas/archiver/batch';
import { createSource } from '../../lambdas/archiver/source';
import type { Manifest } from '../../lambdas/shared/manifest';
import type { Clock, ObjectStore, Transport } from '../../lambdas/shared/ports';
import { checkpointModel } from '../faults/checkpoint-model';
import { testSigner } from '../support/archive-builder';
import { type BulkLog, createBulkLog } from '../support/bulk-log';
import { memoryStore } from '../support/memory-store';
import { aRun } from '../support/run';

const RUN_MS = 15 * 60_000;

export interface SimulationOptions {
  readonly log: BulkLog;
  readonly start: Date;
  /** The chain begins at this instant. */
  readonly startDate: Date;
  readonly maxRequestsPerMinute?: number;
  /** How long a page takes, a call of S3 or KMS, and a call of DynamoDB. */
  readonly latency?: { readonly page: number; readonly s3: number; readonly dynamodb: number };
  /** How many times as long the work of the processor takes as here. Zero counts no work. */
  readonly slowness?: number;
  /** The objects that the bucket holds at the start. */
  readonly objects?: ReadonlyMap<string, Buffer>;
}

/** The facts of one run. */
export interface SimulatedRun {
  readonly manifests: readonly Manifest[];
  /** When each page was answered, in simulated milliseconds. */
  readonly pagesAt: readonly number[];
  readonly served: number;
  readonly calls: Readonly<Record<'list' | 'get' | 'create', number>>;
  /** The processor time of the archiver, without that of the source. */
  readonly cpuMs: number;
  /** How long the run took, in simulated time. */
  readonly durationMs: number;
}

const NOTHING = { page: 0, s3: 0, dynamodb: 0 };

export function simulate(options: SimulationOptions) {
  const { log, start, latency = NOTHING, slowness = 0, maxRequestsPerMinute = 1e6, objects = new Map() } = options;
  const bulk = createBulkLog(log);
  const time = createTime(start.getTime(), slowness);
  const store = memoryStore({ objects });
  const checkpoints = checkpointModel({ item: undefined });

  const slowStore: ObjectStore = {
    list: (...args) => time.after(latency.s3, () => store.list(...args)),
    get: (...args) => time.after(latency.s3, () => store.get(...args)),
    create: (...args) => time.after(latency.s3, () => store.create(...args)),
  };

  async function run(): Promise<SimulatedRun> {
    const pagesAt: number[] = [];
    const manifests: Manifest[] = [];
    let served = 0;
    const startedAt = time.now();
    const deadline = startedAt + RUN_MS;
    const clock: Clock = {
      now: () => new Date(time.now()),
      remainingMs: () => deadline - time.now(),
      sleep: (ms) => time.after(ms, () => undefined),
      random: () => 0.5,
    };
    const transport: Transport = {
      get: (url) =>
        time.after(latency.page, () => {
          const query = { query: url.searchParams };
          const body = time.uncounted(() => Buffer.from(bulk.answer(query, clock.now()).body));
          served += time.uncounted(() => String(body).split('{"id":').length - 1);
          pagesAt.push(time.now());
          return { status: 200, headers: new Map(), body };
        }),
    };
    const common = aRun({ clock });
    const source = createSource({
      baseUrl: 'https://source.test',
      apiKeyParameter: '/key',
      maxRequestsPerMinute,
      userAgent: 'bench/1',
      transport,
      apiKeys: { read: async () => 'PMAK-bench' },
      clock,
      logger: common.logger,
    });
    store.calls.length = 0;
    const before = time.cpuMs();
    const { dynamodb } = latency;
    await time.drive(
      archive({
        ...common,
        id: randomUUID(),
        startDate: options.startDate,
        batchLimits: BATCH_LIMITS,
        store: slowStore,
        checkpoints: {
          acquire: (lease) => time.after(dynamodb, () => checkpoints.acquire(lease)),
          save: (lease, checkpoint) => time.after(dynamodb, () => checkpoints.save(lease, checkpoint)),
          release: (lease, outcome) => time.after(dynamodb, () => checkpoints.release(lease, outcome)),
        },
        signer: { ...testSigner, sign: (message) => time.after(latency.s3, () => testSigner.sign(message)) },
        source,
        onCommitted: (manifest) => manifests.push(manifest),
      }),
    );
    const made = (operation: string) => store.calls.filter((call) => call.startsWith(`${operation} `)).length;
    const calls = { list: made('list'), get: made('get'), create: made('create') };
    return { manifests, pagesAt, served, calls, cpuMs: time.cpuMs() - before, durationMs: time.now() - startedAt };
  }

  return { run, store, advanceTo: time.advanceTo };
}

interface Timer {
  readonly at: number;
  readonly ring: () => void;
}

function createTime(start: number, slowness: number) {
  let now = start;
  let timers: Timer[] = [];
  let uncountedMs = 0;
  const processMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
  const cpuMs = () => processMs() - uncountedMs;

  /** Rings the next timer whenever everything rests, until the work has ended. */
  async function drive(work: Promise<unknown>): Promise<void> {
    let hasEnded = false;
    const ended = work.finally(() => {
      hasEnded = true;
    });
    ended.catch(() => undefined);
    for (let before = cpuMs(); ; before = cpuMs()) {
      await setImmediate();
      now += (cpuMs() - before) * slowness;
      if (hasEnded) return void (await ended);
      const [first, ...others] = timers;
      if (first === undefined) continue; // Other threads are decompressing.
      const next = others.reduce((a, b) => (b.at < a.at ? b : a), first);
      timers = timers.filter((timer) => timer !== next);
      now = Math.max(now, next.at);
      next.ring();
    }
  }

  /** Waits for so much simulated time, and then does the work. */
  async function after<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
    if (ms > 0) await new Promise<void>((ring) => timers.push({ at: now + ms, ring }));
    return work();
  }

  function uncounted<T>(work: () => T): T {
    const before = processMs();
    const result = work();
    uncountedMs += processMs() - before;
    return result;
  }

  return {
    now: () => now,
    advanceTo: (instant: number) => {
      now = Math.max(now, instant);
    },
    cpuMs,
    drive,
    after,
    uncounted,
  };
}
