/** DuckDB over a folder that holds the bucket: a stand-in for Athena, for looking around; Trino is the real engine. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface Sql {
  ask(statement: string): Promise<Answer>;
  close(): void;
}

export async function openSql(bucket: string): Promise<Sql> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(view('events', join(bucket, 'events')));
  return {
    async ask(statement) {
      const reader = await connection.runAndReadAll(statement);
      return { columns: reader.columnNames(), rows: reader.getRowsJson() };
    },
    close: () => connection.closeSync(),
  };
}

/** One string column of whole lines, as in the Glue table, and typed columns over it. A field may be in either place. */
function view(name: string, folder: string): string {
  const lines = `read_csv('${folder.replaceAll("'", "''")}/*/*/*.ndjson.gz', columns = {'line': 'VARCHAR'}, header = false,
    delim = chr(1), quote = '', escape = '', hive_partitioning = true, hive_types = {'team': 'VARCHAR', 'dt': 'VARCHAR'},
    max_line_size = 33554432, parallel = false)`;
  const field = (...paths: string[]) => `coalesce(${paths.map((path) => `try(line ->> '${path}')`).join(', ')})`;
  return `CREATE VIEW ${name} AS SELECT team, dt, ${field('$.id')} AS id,
    try_cast(${field('$.timestamp')} AS TIMESTAMPTZ) AS event_time, ${field('$.action')} AS action,
    ${field('$.ip')} AS ip, ${field('$.message')} AS message,
    ${field('$.data.actor.id', '$.user.id')} AS actor_id, ${field('$.data.actor.email', '$.user.email')} AS actor_email, line
    FROM ${lines}`;
}
