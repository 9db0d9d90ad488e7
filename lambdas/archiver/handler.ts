/**
 * The archiver Lambda: composition root. It makes the adapters, runs the story, and tells the outcome: one summary line
 * and metrics per run. A failure is thrown, so that Lambda retries, and the alarm rings; a race or a held lease is not
 * one. What is logged or thrown never holds an API key or an event's body.
 */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Context } from 'aws-lambda';
import { version } from '../../package.json';
import { createCheckpointStore } from '../adapters/dynamodb';
import { createTransport } from '../adapters/https';
import { createS3Store } from '../adapters/s3';
import { createSigner } from '../adapters/signer';
import { createApiKeys } from '../adapters/ssm';
import {
  type ArchiveInput,
  archiverEnvironment,
  METRIC_NAMESPACE,
  metricNames,
  type RunSummary,
  readArchiveInput,
} from '../shared/contract';
import { decodeEnvironment } from '../shared/env';
import { Failure, Race } from '../shared/errors';
import { TEAM_PATTERN } from '../shared/object-keys';
import type { Clock, Signer } from '../shared/ports';
import { archive } from './archive';
import { BATCH_LIMITS } from './batch';
import { createSource, type Source } from './source';

/** `requestTimeout` alone only logs. */
const patience = {
  connectionTimeout: 3_000,
  socketTimeout: 30_000,
  requestTimeout: 30_000,
  throwOnRequestTimeout: true,
};
const client = { maxAttempts: 4, requestHandler: patience };
const s3 = new S3Client(client);
const dynamodb = new DynamoDBClient(client);
const apiKeys = createApiKeys(new SSMClient(client));
const transport = createTransport();
const logger = new Logger({ serviceName: 'archiver' });
let signer: Promise<Signer> | undefined;

export async function handler(event: unknown, context: Context): Promise<RunSummary> {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: 'archiver' });
  const clock = createClock(context);
  const startedAt = clock.now();
  const runId = randomUUID();
  let team = 'unknown';
  let source: Source | undefined;

  function summary(outcome: RunSummary['outcome'], more: Partial<RunSummary> = {}): RunSummary {
    const throttled = source?.tally().throttled ?? 0;
    return { outcome, team, runId, throttled, durationMs: clock.now().getTime() - startedAt.getTime(), ...more };
  }

  try {
    team = teamOf(event);
    const input = readArchiveInput(event);
    const environment = decodeEnvironment(archiverEnvironment, process.env);
    source = createTeamSource(input, environment.maxRequestsPerMinute, clock);
    const report = await archive(
      input,
      {
        runId,
        codeVersion: version,
        lookbackHours: environment.lookbackHours,
        batchLimits: BATCH_LIMITS,
        retention: environment.retention,
      },
      {
        store: createS3Store(s3, environment.bucket),
        checkpoints: createCheckpointStore(dynamodb, environment.table),
        source,
        signer: await rememberSigner(environment.signingKey),
        clock,
        logger,
      },
    );
    const told = report === 'held' ? summary('held') : summary('archived', report);
    emit(metrics, told, clock.now());
    logger.info('run', { ...told });
    return told;
  } catch (error) {
    const told =
      error instanceof Race ? summary('race', { detail: error.message }) : summary('failed', describe(error));
    emit(metrics, told, clock.now());
    if (told.outcome === 'race') {
      logger.info('run', { ...told });
      return told;
    }
    logger.error('run', { ...told });
    throw error instanceof Failure ? error : withoutMessage(error);
  } finally {
    metrics.publishStoredMetrics();
  }
}

function createTeamSource(input: ArchiveInput, maxRequestsPerMinute: number, clock: Clock): Source {
  const userAgent = `postman-audit-archive/${version}`;
  return createSource({ ...input, maxRequestsPerMinute, userAgent, transport, apiKeys, clock, logger });
}

/** Also of an input that is refused: the team's own alarm must ring. */
function teamOf(event: unknown): string {
  const team = typeof event === 'object' && event !== null && 'team' in event ? event.team : undefined;
  return typeof team === 'string' && TEAM_PATTERN.test(team) ? team : 'unknown';
}

/** A failed look at the key is not remembered: the next run tries again. */
function rememberSigner(key: string): Promise<Signer> {
  signer ??= createSigner(key, () => new KMSClient(client)).catch((error: unknown) => {
    signer = undefined;
    throw error;
  });
  return signer;
}

function createClock(context: Context): Clock {
  return {
    now: () => new Date(),
    remainingMs: () => context.getRemainingTimeInMillis(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
}

function emit(metrics: Metrics, run: RunSummary, now: Date): void {
  metrics.addDimension('team', run.team);
  if (run.outcome === 'failed') metrics.addMetric(metricNames.failed, MetricUnit.Count, 1);
  if (run.outcome === 'archived') metrics.addMetric(metricNames.succeeded, MetricUnit.Count, 1);
  metrics.addMetric(metricNames.throttled, MetricUnit.Count, run.throttled);
  if (run.counts === undefined) return;
  const { counts, gaps = 0, sweeps = [], position } = run;
  const quarantined = sum(Object.values(counts.quarantined));
  metrics.addMetric(metricNames.eventsArchived, MetricUnit.Count, counts.events);
  metrics.addMetric(metricNames.eventsLate, MetricUnit.Count, counts.late);
  metrics.addMetric(metricNames.quarantined, MetricUnit.Count, quarantined);
  metrics.addMetric(metricNames.revisions, MetricUnit.Count, counts.revisions);
  metrics.addMetric(metricNames.requests, MetricUnit.Count, counts.requests);
  metrics.addMetric(metricNames.gaps, MetricUnit.Count, gaps);
  const [missing, changed] = [sum(sweeps.map((sweep) => sweep.missing)), sum(sweeps.map((sweep) => sweep.changed))];
  metrics.addMetric(metricNames.sweepMissing, MetricUnit.Count, missing);
  metrics.addMetric(metricNames.sweepChanged, MetricUnit.Count, changed);
  if (position !== undefined) {
    metrics.addMetric(metricNames.positionLag, MetricUnit.Seconds, (now.getTime() - Date.parse(position)) / 1000);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function describe(error: unknown): Partial<RunSummary> {
  if (error instanceof Failure) return { code: error.code, detail: error.message };
  return { code: 'unexpected', detail: error instanceof Error ? error.name : 'not an error' };
}

/** A bug's own message may quote what it worked on: only its name and where it was thrown may be told. */
function withoutMessage(error: unknown): Error {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error();
  const clean = new Error(`unexpected ${error instanceof Error ? name : 'failure'}`);
  const from = stack.indexOf(message);
  const frames = from === -1 ? [] : stack.slice(from + message.length).split('\n');
  clean.stack = [`Error: ${clean.message}`, ...frames.filter((line) => /^\s+at /.test(line))].join('\n');
  return clean;
}
