/**
 * The fixtures of `test/fixtures/queries`: tables with expected answers, and what is asked for each of them. A table
 * `NAME.csv` belongs to the query NAME, asked with the parameters that `parameters.json` has under that name, or to the
 * statement in `NAME.sql` about the view NAME. A name with a dot is a second table of the query before the dot.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bind, type Query, readQueries, statement, type Values } from '../../../infra/queries/queries';

const FOLDER = join(import.meta.dirname, '../../fixtures/queries');
/** Tables that are not answers about the log. */
const OTHER_TABLES = ['functions', 'networks'];

const parameters: Readonly<Record<string, Values>> = JSON.parse(readFixture('parameters.json'));

export function readFixture(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8');
}

/** The names of all tables with an answer of the archive. */
export function answerTables(): readonly string[] {
  const tables = readdirSync(FOLDER).flatMap((file) => /^(.+)\.csv$/.exec(file)?.[1] ?? []);
  return tables.filter((name) => !OTHER_TABLES.includes(name)).sort();
}

export function subjectOf(table: string): string {
  return table.replace(/\..*$/, '');
}

export function parametersOf(table: string): Values {
  return parameters[table] ?? {};
}

/** The SQL statement whose answer is the table. `changes` replace parameters of the table. */
export function statementOf(table: string, changes: Values = {}): string {
  if (existsSync(join(FOLDER, `${table}.sql`))) return readFixture(`${table}.sql`);
  return statement(queryOf(table), valuesOf(table, changes));
}

/** The parameters of the table, and the defaults of the query. */
export function valuesOf(table: string, changes: Values = {}): Values {
  const bound = bind(queryOf(table), { ...parametersOf(table), ...changes }, new Date());
  if ('problems' in bound) throw new Error(`${table}: ${bound.problems.join('; ')}`);
  return bound.values;
}

function queryOf(table: string): Query {
  const query = readQueries().find(({ name }) => name === subjectOf(table));
  if (query === undefined) throw new Error(`${table}.csv belongs to no query and to no statement`);
  return query;
}

/** For each list of networks, addresses, each with what `sign_ins_outside_networks` finds about it. */
export function networkTable(): readonly { office: string; addresses: readonly (readonly (string | null)[])[] }[] {
  const [, ...rows] = parseCsv(readFixture('networks.csv'));
  const offices = [...new Set(rows.map(([office]) => office ?? ''))];
  return offices.map((office) => ({
    office,
    addresses: rows.flatMap(([each, ...address]) => (each === office ? [address] : [])),
  }));
}

/** The expressions that views and queries may use, and what each engine answers. */
export interface FunctionRow {
  readonly expression: string;
  readonly trino: string | null;
  readonly duckdb: string | null;
}

export function functionTable(): readonly FunctionRow[] {
  const [, ...rows] = parseCsv(readFixture('functions.csv'));
  return rows.map(([expression, trino = null, duckdb = null]) => ({ expression: expression ?? '', trino, duckdb }));
}

/** An empty cell is null, and a quoted empty cell is an empty text. */
function parseCsv(text: string): (string | null)[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)];
      return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? (plain || null));
    });
}
