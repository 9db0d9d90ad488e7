/**
 * Runs SQL in DuckDB on a folder that holds a copy of the bucket. The views and queries are exactly the deployed ones,
 * which are written for Trino, the engine inside Athena. The macros below define those Trino functions that views and
 * queries use, and the tests hold both engines to the same results. One difference is known: DuckDB shortens numbers
 * such as -0 and 1.50.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { views } from '../infra/views/views';
import type { QueryResult, SqlEngine } from './sql-engine';

/** Throws an error if the folder contains no archive. */
export async function openFolderSql(bucket: string): Promise<SqlEngine> {
  if (!existsSync(join(bucket, 'manifests')))
    throw new Error(`there is no archive in ${bucket}: a copy of the bucket contains a folder manifests/`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const statement of [...SETTINGS, ...MACROS]) await connection.run(statement);
  for (const [name, files] of Object.entries(LINES)) {
    await connection.run(`CREATE VIEW ${name} AS ${lines(bucket, files)}`);
  }
  for (const { name, sql } of views) await connection.run(`CREATE VIEW ${name} AS ${sql}`);
  return {
    async ask(statement) {
      const reader = await connection.runAndReadAll(statement);
      const types = reader.columnTypes().map(String);
      return {
        columns: reader.columnNames().map((name, index) => ({ name, kind: kindOf(types[index] ?? '') })),
        rows: reader.getRowsJson().map((row) => row.map((value, index) => asText(value, types[index] ?? ''))),
      };
    },
    close: () => connection.closeSync(),
  };
}

const LINES = {
  event_lines: 'events/*/*/*.ndjson.gz',
  quarantine_lines: 'quarantine/*/*/*.ndjson.gz',
  manifest_lines: 'manifests/*/*.json',
};

/** The days of Athena are UTC days. DuckDB must not download extensions. */
const SETTINGS = ["SET TimeZone = 'UTC'", 'SET autoinstall_known_extensions = false'];

/**
 * JSON functions as in Trino. Text that is not JSON has no fields. DuckDB rejects a whole document that contains half
 * of a surrogate pair, where Trino shows "?". So `whole` replaces each half by "?", after `paired` has marked the
 * complete pairs so that they stay. Both engines use the first of two members with the same key.
 */
const HIGH = '[dD][89abAB][0-9a-fA-F]{2}';
const LOW = '[dD][c-fC-F][0-9a-fA-F]{2}';
const MACROS = [
  String.raw`paired(text) AS regexp_replace(text, '\\u(${HIGH})\\u(${LOW})', chr(1) || '\1\2', 'g')`,
  String.raw`whole(text) AS regexp_replace(regexp_replace(text, '\\u[dD][89a-fA-F]..', '?', 'g'), chr(1) || '(....)(....)', '\\u\1\\u\2', 'g')`,
  'json_text(text) AS CASE WHEN json_valid(text) THEN text WHEN json_valid(whole(paired(text))) THEN whole(paired(text)) END',
  "json_extract_scalar(text, path) AS CASE WHEN json_type(json_text(text), path) NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string(json_text(text), path) END",
  'json_extract(text, path) AS json_extract_path(json_text(text), path)',
  'json_format(value) AS CAST(value AS VARCHAR)',
  'regexp_like(text, pattern) AS regexp_matches(text, pattern)',
  'regexp_extract(text, pattern, part) AS regexp_extract_all(text, pattern, part)[1]',
  'cardinality(list) AS len(list)',
  'element_at(list, place) AS list[place]',
  'array_join(list, separator) AS array_to_string(list, separator)',
  'sequence(first, last, step) AS generate_series(first, last, step)',
  "date_add(unit, number, instant) AS instant + number * CASE unit WHEN 'minute' THEN INTERVAL 1 MINUTE ELSE INTERVAL 1 DAY END",
  // The result counts complete units, not the unit boundaries between the two instants.
  'date_diff(unit, first, last) AS date_sub(unit, first, last)',
  'date_format(instant, format) AS strftime(instant, format)',
  'with_timezone(instant, zone) AS timezone(zone, instant)',
  'at_timezone(instant, zone) AS timezone(zone, instant)',
  'day_of_week(instant) AS isodow(instant)',
  'from_utf8(bytes) AS decode(bytes)',
  // The views only use the length of the result, in bytes.
  "to_utf8(text) AS repeat('.', strlen(text))",
  // DuckDB's hash functions already return hexadecimal text.
  'to_hex(hash) AS hash',
].map((macro) => `CREATE MACRO ${macro}`);

/** The columns are the whole line, and the partitions team and dt, which Athena derives from the object's key. */
function lines(bucket: string, pattern: string): string {
  const [area = ''] = pattern.split('/');
  // A folder exists only once it holds an object, and most archives have nothing in quarantine.
  if (!existsSync(join(bucket, area))) return `SELECT '' AS line, '' AS team, '' AS dt, '' AS "$path" WHERE false`;
  const files = join(bucket, pattern).replaceAll("'", "''");
  return `SELECT * EXCLUDE filename, filename AS "$path" FROM read_csv('${files}', columns = {'line': 'VARCHAR'},
    header = false, delim = chr(1), quote = '', escape = '', max_line_size = 33554432, parallel = false,
    filename = true, hive_partitioning = true, hive_types_autocast = false)`;
}

function kindOf(type: string): QueryResult['columns'][number]['kind'] {
  if (type === 'BOOLEAN') return 'boolean';
  return /INT$|^(FLOAT|DOUBLE|DECIMAL)/.test(type) ? 'number' : 'text';
}

function asText(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(value);
  return type.startsWith('TIMESTAMP')
    ? String(value).replace(/(?:\.(\d+))?$/, (_, digits = '') => `.${digits.slice(0, 3).padEnd(3, '0')}`)
    : String(value);
}
