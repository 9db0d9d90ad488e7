/**
 * Runs SQL in DuckDB on a folder that holds a copy of the bucket. The views and queries are exactly the deployed ones,
 * which are written for Trino, the engine inside Athena. The macros below define those Trino functions that views and
 * queries use, and the tests hold both engines to the same results. One difference is known: DuckDB shortens numbers
 * such as -0 and 1.50.
 */

import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api';
import { views } from '../infra/views/views';
import { splitLines } from '../lambdas/shared/segment';
import { plural } from '../lambdas/shared/text';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import { openFolder } from './folder';
import { type Absence, type CopyOptions, readManifests, readSegments, type StoredManifest } from './sql-copy';
import { kindOf, type QueryResult, type SqlEngine } from './sql-engine';

export type CopySql = Awaited<ReturnType<typeof openCopySql>>;

export async function openFolderSql(path: string, options: CopyOptions): Promise<SqlEngine> {
  return openCopySql(await openFolder(path), path, options);
}

/**
 * Throws `AlteredCopyError` if the copy contradicts its manifests, and another error if it cannot be read. DuckDB never
 * opens a file of the copy: it holds the lines that were checked, and moves them to disk where memory does not suffice.
 */
export async function openCopySql(reader: ArchiveReader, path: string, options: CopyOptions) {
  const { manifests, absent: absentManifests } = await readManifests(reader, options);
  if (manifests.length === 0 && options.onAltered === undefined)
    throw new Error(`there is no archive in ${path}: a copy of the bucket contains a folder manifests/`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const statement of [...SETTINGS, ...MACROS, ...TABLES]) await connection.run(statement);
  const absentSegments = await fillTables(connection, manifests, readSegments(reader, manifests, options));
  for (const { name, sql } of views) await connection.run(`CREATE VIEW ${name} AS ${sql}`);

  /** The same as `ask`, without holding all rows in memory. Read the rows before the next statement. */
  async function stream(statement: string) {
    const result = await (await prepareQuery(connection, statement)).stream();
    const types = result.columnTypes().map(String);
    return {
      columns: result.columnNames().map((name, index) => ({ name, kind: kindOf(types[index] ?? '') })),
      rows: textRows(result, types),
    };
  }

  return {
    remarks: [...remarkOnTrust(options), ...remarkOnAbsent([...absentManifests, ...absentSegments])],
    stream,
    async ask(statement: string): Promise<QueryResult> {
      const { columns, rows } = await stream(statement);
      const all: (readonly (string | null)[])[] = [];
      for await (const some of rows) for (const row of some) all.push(row);
      return { columns, rows: all };
    },
    close: () => connection.closeSync(),
  };
}

async function* textRows(result: DuckDBResult, types: readonly string[]): AsyncGenerator<QueryResult['rows']> {
  for await (const rows of result.yieldRowsJson())
    yield rows.map((row) => row.map((value, index) => asText(value, types[index] ?? '')));
}

/** Without this, DuckDB answers the first of several statements alone, and ignores what follows a NUL character. */
async function prepareQuery(connection: DuckDBConnection, text: string): Promise<DuckDBPreparedStatement> {
  if (text.includes('\0')) throw new Error(`${ONE_QUERY}: it contains a NUL character`);
  const extracted = await connection.extractStatements(text).catch((cause: Error) => {
    throw new Error(`${ONE_QUERY}: ${cause.message}`, { cause });
  });
  if (extracted.count > 1) throw new Error(`${ONE_QUERY}: it contains ${extracted.count} statements`);
  const prepared = await extracted.prepare(0);
  if (prepared.statementType === StatementType.SELECT || prepared.statementType === StatementType.EXPLAIN)
    return prepared;
  throw new Error(`${ONE_QUERY}: ${StatementType[prepared.statementType]} asks for nothing`);
}

const ONE_QUERY = 'the SQL must be one query';

function remarkOnTrust({ publicKey }: CopyOptions): string[] {
  if (publicKey !== undefined) return [];
  return [
    'This copy was not verified: its segments are as its manifests list them, but whoever changed both remains unnoticed.' +
      ' Give the pinned public key with --key, and run "audit-archive verify" for the whole proof.',
  ];
}

function remarkOnAbsent(absences: readonly Absence[]): string[] {
  const [first] = absences.map(({ key }) => key).sort();
  if (first === undefined) return [];
  const lacks = absences.reduce((sum, { objects }) => sum + objects, 0);
  const others = lacks === 1 ? '' : ` and ${lacks - 1} more`;
  return [
    `This copy is not complete: it lacks ${plural(lacks, 'object')} that should be there, ${first}${others}.` +
      ' Their lines are not in the result. Copy the bucket again.',
  ];
}

/** The days of Athena are UTC days. DuckDB must not download extensions, and a statement must not open files. */
const SETTINGS = [
  "SET TimeZone = 'UTC'",
  'SET autoinstall_known_extensions = false',
  'SET enable_external_access = false',
];

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
  'array_min(list) AS list_min(list)',
  'array_max(list) AS list_max(list)',
  'arrays_overlap(list, other) AS list_has_any(list, other)',
  'element_at(list, place) AS list[place]',
  'array_join(list, separator) AS array_to_string(list, separator)',
  'sequence(first, last, step) AS generate_series(first, last, step)',
  "date_add(unit, number, instant) AS instant + number * CASE unit WHEN 'minute' THEN INTERVAL 1 MINUTE ELSE INTERVAL 1 DAY END",
  // The result counts complete units, not the unit boundaries between the two instants.
  'date_diff(unit, first, last) AS date_sub(unit, first, last)',
  // DuckDB has to_base, but not its reverse.
  "from_base(text, radix) AS CAST(CASE radix WHEN 16 THEN '0x' END || text AS BIGINT)",
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

/** The same tables as in the catalog: the whole line, and what Athena derives from the key of its object. */
const TABLES = ['event_lines', 'quarantine_lines', 'manifest_lines'].map(
  (name) => `CREATE TABLE ${name} (line VARCHAR, team VARCHAR, dt VARCHAR, "$path" VARCHAR)`,
);

/** Returns the segments that are absent. */
async function fillTables(
  connection: DuckDBConnection,
  manifests: readonly StoredManifest[],
  segments: ReturnType<typeof readSegments>,
): Promise<Absence[]> {
  const envelopes = await connection.createAppender('manifest_lines');
  const areas = {
    events: await connection.createAppender('event_lines'),
    quarantine: await connection.createAppender('quarantine_lines'),
  };
  const absent: Absence[] = [];
  for (const { envelope, team, key } of manifests) append(envelopes, [envelope, team, '', key]);
  for await (const segment of segments) {
    if (typeof segment === 'string') absent.push({ key: segment, objects: 1 });
    else
      for (const line of splitLines(segment.content))
        append(areas[segment.area], [String(line), segment.team, segment.date, segment.entry.key]);
  }
  for (const appender of [envelopes, areas.events, areas.quarantine]) appender.closeSync();
  return absent;
}

function append(appender: DuckDBAppender, cells: readonly string[]): void {
  for (const cell of cells) appender.appendVarchar(cell);
  appender.endRow();
}

function asText(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(value);
  return type.startsWith('TIMESTAMP')
    ? String(value).replace(/(?:\.(\d+))?(?=(?:\+00)?$)/, (_, digits = '') => `.${digits.slice(0, 3).padEnd(3, '0')}`)
    : String(value);
}
