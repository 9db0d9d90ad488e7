/**
 * The archiver Lambda: the composition root. It makes the adapters, calls `archive`, and reports: a log line for each committed
 * manifest, one summary line for each run, and the metrics that the alarms read. A failure is thrown, so that Lambda retries. A race
 * or a held lease is not a failure. No log line and no error holds an API key or an event's body.
 */
import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Context } from 'aws-lambda';
import { version } from '../../package.json';
import { awsClient } from '../adapters/aws-client';
import { createCheckpointStore } from '../adapters/dynamodb';
import { transport } from '../adapters/https';
import { emitForArchive, emitForTeam } from '../adapters/metrics';
import { createS3Store } from '../adapters/s3';
import { createSigner } from '../adapters/signer';
import { createApiKeys } from '../adapters/ssm';
import { loadTeam } from '../adapters/teams-file';
import { archiveMetrics, teamMetrics } from '../shared/alarms';
import { archiverEnvironment, type RunSummary, readArchiveInput, storeApiKey } from '../shared/contract';
import { decodeEnvironment } from '../shared/env';
import { Failure, IntegrityError, Race } from '../shared/errors';
import type { Manifest } from '../shared/manifest';
import { TEAM_PATTERN } from '../shared/object-keys';
import type { Clock, Signer } from '../shared/ports';
import { archive } from './archive';
import { BATCH_LIMITS } from './batch';
import type { Met } from './gathering';
import { isNearlyForgotten } from './progress';
import { createSource, type Source } from './source';
import { totalOf } from './totals';

const s3 = new S3Client(awsClient);
const dynamodb = new DynamoDBClient(awsClient);
const apiKeys = createApiKeys(new SSMClient(awsClient));
const logger = new Logger({ serviceName: 'archiver' });
const USER_AGENT = `postman-audit-archive/${version}`;
/** So many unfit lines, and such a share of all lines that a run met, show that the source has changed their form. */
const DRIFT_LINES = 10;
const DRIFT_SHARE = 0.1;
let signer: Promise<Signer> | undefined;

export async function handler(event: unknown, context: Context): Promise<RunSummary> {
  const clock = createClock(context);
  const startedAt = clock.now();
  const runId = randomUUID();
  const committed: Manifest[] = [];
  let team = 'unknown';
  let bucket = '';
  let source: Source | undefined;

  function summary(outcome: RunSummary['outcome'], more: Partial<RunSummary> = {}): RunSummary {
    const durationMs = clock.now().getTime() - startedAt.getTime();
    return {
      outcome,
      team,
      runId,
      ...totalOf(committed),
      throttled: source?.tally().throttled ?? 0,
      durationMs,
      ...more,
    };
  }

  function onCommitted(manifest: Manifest): void {
    committed.push(manifest);
    const { seq, counts, position, gaps } = manifest;
    // Emitted now, because the run may still fail, and no later run tells of this gap.
    if (gaps.length > 0) emitForArchive(archiveMetrics.gap, gaps.length, bucket);
    logger.info('committed', { team, seq, counts, position, gaps });
  }

  function onHead(head: Manifest): void {
    if (!isNearlyForgotten(head, startedAt)) return;
    emitForArchive(archiveMetrics.gap, 1, bucket);
    logger.warn('position', {
      team,
      seq: head.seq,
      position: head.position,
      detail: 'Postman will forget soon what follows',
    });
  }

  try {
    team = teamOf(event);
    const input = readArchiveInput(event);
    const environment = decodeEnvironment(archiverEnvironment, process.env);
    ({ bucket } = environment);
    const settings = await loadTeam(process.env.LAMBDA_TASK_ROOT ?? '', team);
    source = createSource({ ...settings, ...environment, userAgent: USER_AGENT, transport, apiKeys, clock, logger });
    const archived = await archive({
      ...input,
      ...settings,
      ...environment,
      id: runId,
      codeVersion: version,
      sourceOrigin: new URL(settings.baseUrl).origin,
      startDate: settings.startDate === null ? undefined : new Date(settings.startDate),
      batchLimits: BATCH_LIMITS,
      store: createS3Store(s3, environment.bucket),
      checkpoints: createCheckpointStore(dynamodb, environment.table),
      signer: await rememberSigner(environment.signingKey),
      source,
      clock,
      logger,
      onHead,
      onCommitted,
    });
    if (archived === 'held') return logged(summary('held'));
    if (archived === 'not-configured') {
      emitForTeam(teamMetrics.succeeded, 1, { bucket, team });
      return logged(summary('not-configured', { detail: howToConfigure(settings.apiKeyParameter, environment) }));
    }
    const { recovered, met } = archived;
    const hasDrifted = met.unfit >= DRIFT_LINES && met.unfit > met.lines * DRIFT_SHARE;
    if (hasDrifted) emitForArchive(archiveMetrics.drift, 1, bucket);
    emitForTeam(teamMetrics.succeeded, 1, { bucket, team });
    return logged(summary('archived', { recovered, ...(hasDrifted && { detail: driftSentence(met) }) }));
  } catch (error) {
    if (error instanceof Race) return logged(summary('race', { detail: error.message }));
    if (error instanceof IntegrityError) emitForArchive(archiveMetrics.integrity, 1, bucket);
    logger.error('run', { ...summary('failed', describe(error)) });
    throw error instanceof Failure ? error : withoutMessage(error);
  }
}

function logged(summary: RunSummary): RunSummary {
  logger.info('run', { ...summary });
  return summary;
}

function howToConfigure(parameter: string, environment: { readonly encryptionKey: string }): string {
  const { AWS_REGION: region = '' } = process.env;
  return `nobody has stored the API key of this team yet: ${storeApiKey(parameter, { region, ...environment })}`;
}

function driftSentence({ unfit, lines }: Met): string {
  return (
    `${unfit} of ${lines} served lines lack a usable id or timestamp, so they are in quarantine and not in events/; the source ` +
    'may have changed their form: compare one with the contract, and update the archiver'
  );
}

/** Reads the team even from an input that is refused, so that the log line names it. No metric does. */
function teamOf(event: unknown): string {
  const team = typeof event === 'object' && event !== null && 'team' in event ? event.team : undefined;
  return typeof team === 'string' && TEAM_PATTERN.test(team) ? team : 'unknown';
}

/** Keeps the signer for later runs of a warm process. A failed attempt is not kept, so the next run tries again. */
function rememberSigner(key: string): Promise<Signer> {
  signer ??= createSigner(key, () => new KMSClient(awsClient)).catch((error: unknown) => {
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

function describe(error: unknown): Partial<RunSummary> {
  if (error instanceof Failure) return { code: error.code, detail: error.message };
  return { code: 'unexpected', detail: error instanceof Error ? error.name : 'not an error' };
}

/** The message of an unexpected error may quote an event. Only its name and its stack frames are thrown and logged, under the code. */
function withoutMessage(error: unknown): Error {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error();
  const clean = new Error(`unexpected ${error instanceof Error ? name : 'failure'}`);
  clean.name = 'unexpected';
  const from = stack.indexOf(message);
  const frames = from === -1 ? [] : stack.slice(from + message.length).split('\n');
  clean.stack = [`Error: ${clean.message}`, ...frames.filter((line) => /^\s+at /.test(line))].join('\n');
  return clean;
}
