/**
 * Trino 435, the engine of Athena 3, and a client for it. It reads objects from S3, and tables and views from Glue under
 * the catalog name of Athena, so that the definitions of the template need no change.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineFolder } from './install';
import { launch } from './process';
import { type AwsServer, REGION } from './servers';

export type Trino = Awaited<ReturnType<typeof startTrino>>;

export interface Result {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** JSON values: numbers for integers and doubles, text for most other types. */
  readonly rows: readonly (readonly unknown[])[];
}

/** The start takes about ten seconds, and the process 0.6 to 1.2 GB. */
export async function startTrino(s3: AwsServer, glue: AwsServer) {
  const home = engineFolder('trino');
  const { url } = await launch('trino', {
    command: (port, folder) => {
      mkdirSync(join(folder, 'catalog'));
      writeProperties(join(folder, 'config.properties'), serverProperties(port, home, folder));
      writeProperties(join(folder, 'log.properties'), logLevels);
      writeProperties(join(folder, 'catalog/awsdatacatalog.properties'), catalogProperties(s3, glue));
      return [
        ...['java', '-Xmx1500M', ...jvmFlags],
        ...['-Duser.timezone=UTC', '-Dfile.encoding=UTF-8', '-Dnode.environment=test', '-Dnode.id=test'],
        `-Dnode.data-dir=${join(folder, 'data')}`,
        `-Dconfig=${join(folder, 'config.properties')}`,
        `-Dlog.levels-file=${join(folder, 'log.properties')}`,
        ...['-cp', `${home}/main:${home}/lib/*`, 'TrinoMain'],
      ];
    },
    isReady: async (address) => {
      const info = (await (await fetch(`${address}/v1/info`)).json()) as { readonly starting: boolean };
      return !info.starting;
    },
  });
  /** Runs one statement without a semicolon. An error begins with a name such as `SYNTAX_ERROR`. */
  const query = (sql: string, database: string) => queryNode(`${url}/v1/statement`, sql, database);
  return { query };
}

/** With these flags the start and the queries took half the CPU time and two thirds of the memory in a measurement. */
const jvmFlags = [
  ...['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:ReservedCodeCacheSize=256M'],
  ...['-XX:+ExitOnOutOfMemoryError', '-Djdk.attach.allowAttachSelf=true'],
];

const logLevels = {
  ...{ 'io.trino': 'WARN', 'io.airlift': 'WARN', Bootstrap: 'ERROR' },
  ...{ 'org.glassfish': 'OFF', 'org.eclipse.jetty': 'WARN', 'org.hibernate': 'WARN' },
};

type Properties = Readonly<Record<string, string | number>>;

function serverProperties(port: number, home: string, folder: string): Properties {
  return {
    coordinator: 'true',
    'node-scheduler.include-coordinator': 'true',
    'http-server.http.port': port,
    'discovery.uri': `http://127.0.0.1:${port}`,
    'node.internal-address': '127.0.0.1',
    'node.bind-ip': '127.0.0.1',
    'query.max-memory': '800MB',
    'query.max-memory-per-node': '800MB',
    'memory.heap-headroom-per-node': '400MB',
    'task.concurrency': 2,
    'catalog.management': 'static',
    'catalog.config-dir': join(folder, 'catalog'),
    'plugin.dir': join(home, 'plugin'),
  };
}

function catalogProperties(s3: AwsServer, glue: AwsServer): Properties {
  return {
    'connector.name': 'hive',
    'hive.metastore': 'glue',
    'hive.metastore.glue.endpoint-url': glue.url,
    'hive.metastore.glue.region': REGION,
    'hive.metastore.glue.aws-access-key': glue.credentials.accessKeyId,
    'hive.metastore.glue.aws-secret-key': glue.credentials.secretAccessKey,
    // Hadoop's own S3 client is not installed.
    'fs.hadoop.enabled': 'false',
    'fs.native-s3.enabled': 'true',
    's3.endpoint': s3.url,
    's3.region': REGION,
    's3.path-style-access': 'true',
    's3.aws-access-key': s3.credentials.accessKeyId,
    's3.aws-secret-key': s3.credentials.secretAccessKey,
    'hive.partition-projection-enabled': 'true',
    'hive.non-managed-table-writes-enabled': 'false',
    // Projected partitions are not registered, so that they have no statistics.
    'hive.table-statistics-enabled': 'false',
  };
}

function writeProperties(file: string, properties: Properties): void {
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}

const NODE_TRIES = 60;

interface Page {
  readonly nextUri?: string;
  readonly columns?: Result['columns'];
  readonly data?: Result['rows'];
  readonly error?: { readonly errorName: string; readonly message: string };
}

/**
 * Trino reports its start some moments before it counts itself among the nodes that know the catalog. A statement that
 * found no node did not run, and can be repeated.
 */
async function queryNode(endpoint: string, sql: string, database: string): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await query(endpoint, sql, database);
    } catch (error) {
      const isEarly = String(error).startsWith('Error: NO_NODES_AVAILABLE');
      if (!isEarly || tries === NODE_TRIES) throw error;
      await sleep(500);
    }
  }
}

/** The protocol of Trino: the statement is posted, and the address of the next page is followed until there is none. */
async function query(endpoint: string, sql: string, database: string): Promise<Result> {
  const session = {
    'X-Trino-User': 'test',
    'X-Trino-Catalog': 'awsdatacatalog',
    'X-Trino-Schema': database,
    'X-Trino-Time-Zone': 'UTC',
  };
  const rows: (readonly unknown[])[] = [];
  let columns: Result['columns'] = [];
  let page = await ask(endpoint, { method: 'POST', headers: session, body: sql });
  for (;;) {
    if (page.error !== undefined) throw new Error(`${page.error.errorName}: ${page.error.message}`);
    if (page.columns !== undefined) columns = page.columns;
    rows.push(...(page.data ?? []));
    if (page.nextUri === undefined) return { columns, rows };
    page = await ask(page.nextUri, { headers: { 'X-Trino-User': 'test' } });
  }
}

async function ask(url: string, request: RequestInit): Promise<Page> {
  for (;;) {
    const response = await fetch(url, request);
    if (response.ok) return (await response.json()) as Page;
    const text = await response.text();
    // With these the protocol tells the client to ask again.
    if (![502, 503, 504].includes(response.status)) throw new Error(`Trino answered ${response.status}: ${text}`);
    await sleep(100);
  }
}
