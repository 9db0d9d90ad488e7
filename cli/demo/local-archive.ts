/**
 * One archive on this machine. The handler is the bundled one, unmodified, in a process of its own, and finds there what
 * the deployed function finds in AWS: S3 and DynamoDB keep their data in a folder that a person can look into, and SSM
 * keeps the API key in memory.
 */

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../infra/bundle';
import { type ArchiveInput, archiverEnvironment } from '../../lambdas/shared/contract';
import { encodeEnvironment } from '../../lambdas/shared/env';
import { startDynamoDb } from '../../local/dynamodb';
import { awsEnvironment, type InvocationResult, startLambdaProcess } from '../../local/lambda-process';
import { networkEnvironment } from '../../local/network';
import { folderStorage, s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { startSsmServer } from '../../local/ssm-server';

const BUCKET = 'archive';
const TABLE = 'checkpoints';
/** The longest timeout that Lambda allows. */
const LONGEST_RUN_MS = 15 * 60_000;

/** The place of everything below the data folder. */
export function archivePaths(folder: string) {
  return {
    bucket: join(folder, 'bucket'),
    uploads: join(folder, 'uploads'),
    checkpoint: join(folder, 'checkpoint'),
    handler: join(folder, 'handler'),
    log: join(folder, 'handler.log'),
    privateKey: join(folder, 'signing-key.pem'),
    publicKey: join(folder, 'public-key.pem'),
    heads: join(folder, 'heads.json'),
    evidence: join(folder, 'evidence'),
    source: join(folder, 'source'),
    served: join(folder, 'source', 'served.ndjson'),
  };
}

interface LocalArchiveOptions {
  readonly folder: string;
  readonly team: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly startDate?: string | undefined;
  readonly maxRequestsPerMinute: number;
  readonly onLog: (line: LogLine) => void;
  readonly runTimeoutMs?: number;
}

/** One structured log line of the handler; empty for a line that is not a JSON object. */
export type LogLine = Readonly<Record<string, unknown>>;

export type LocalArchive = Awaited<ReturnType<typeof openLocalArchive>>;

export async function openLocalArchive(options: LocalArchiveOptions) {
  const at = archivePaths(options.folder);
  mkdirSync(at.bucket, { recursive: true });
  ensureKeyPair(at);
  const accessKeyId = randomUUID();
  const parameter = `/postman-audit-archive/${options.team}/api-key`;
  const { team, baseUrl, startDate = null } = options;
  const code = bundle(at.handler, [
    { name: team, apiKeyParameter: parameter, baseUrl, startDate, acceptOtherTeamId: null },
  ]);
  const dynamodb = await startDynamoDb(TABLE, at.checkpoint);
  const bucket = s3Bucket(folderStorage(at.bucket, at.uploads));
  const s3 = await startS3Server({ name: BUCKET, bucket, accessKeyId });
  const ssm = await startSsmServer(new Map([[parameter, options.apiKey]]), accessKeyId);
  const environment = {
    ...networkEnvironment(process.env),
    ...awsEnvironment({ s3: s3.url, dynamodb: dynamodb.url, ssm: ssm.url }, accessKeyId),
    ...encodeEnvironment(archiverEnvironment, {
      bucket: BUCKET,
      table: TABLE,
      signingKey: `file:${at.privateKey}`,
      encryptionKey: 'none',
      lookbackHours: 6,
      maxRequestsPerMinute: options.maxRequestsPerMinute,
      retention: null,
    }),
    POWERTOOLS_LOG_LEVEL: 'DEBUG',
  };
  const lambda = await startLambdaProcess(code.file, environment, (line) => {
    appendFileSync(at.log, `${line}\n`);
    options.onLog(readLogLine(line));
  });

  return {
    /** The process of the handler. */
    pid: lambda.pid,
    /** Invokes the handler once, as a schedule does. */
    run(): Promise<InvocationResult> {
      const input: ArchiveInput = { team, scheduledTime: new Date().toISOString() };
      return lambda.invoke(input, options.runTimeoutMs ?? LONGEST_RUN_MS);
    },
    async close() {
      await lambda.close();
      await Promise.all([s3.close(), dynamodb.close(), ssm.close()]);
    },
  };
}

/**
 * The key pair is made once, with the archive. The pinned public key lies outside of the bucket. The private key comes
 * last, so where it exists, both are complete.
 */
export function ensureKeyPair(at: ReturnType<typeof archivePaths>): void {
  if (existsSync(at.privateKey)) return;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(at.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(`${at.privateKey}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  renameSync(`${at.privateKey}.new`, at.privateKey);
}

function readLogLine(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as LogLine) : {};
  } catch {
    return {};
  }
}
