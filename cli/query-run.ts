/**
 * Answers one request of `audit-archive query`. A wrong parameter is reported as an error, so a result without rows means that
 * the archive contains nothing that matches in the days that the answer names.
 */
import { statSync } from 'node:fs';
import { didYouMean } from '../infra/nearest';
import { FIRST_DATE, resolveDate } from '../infra/queries/dates';
import { bind, type Query, readQueries, statement, type Values } from '../infra/queries/queries';
import { plural } from '../lambdas/shared/text';
import { type Printer, show } from './query-output';
import { askArchive, fromFirstDay, headline } from './query-period';
import { openFolderSql } from './sql';
import type { SqlEngine } from './sql-engine';
import { readKey } from './verify-inputs';

export interface QueryFlags {
  readonly param: Values;
  readonly team?: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly sql?: string;
  readonly key?: string;
  readonly explain?: boolean;
  readonly csv?: boolean;
  readonly excel?: boolean;
  readonly json?: boolean;
  readonly workgroup: string;
}

export interface QueryWorld extends Printer {
  openAthena(workgroup: string): Promise<SqlEngine>;
  readStandardInput(): Promise<string>;
  readonly now: Date;
}

interface Request {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly flags: QueryFlags;
}

/** Returns what is wrong with the request, or undefined. Throws an error if the query cannot be run. */
export async function runQuery(request: Request, world: QueryWorld): Promise<string | undefined> {
  const { name, path, flags } = request;
  if (flags.excel && !flags.csv) return '--excel belongs to --csv';
  if (flags.sql !== undefined) return runStatement(request, flags.sql, world);
  const queries = readQueries();
  const print = (value: object, text: string) => world.print(flags.json ? JSON.stringify(value, null, 2) : text);
  if (name === undefined) return void print(queries.map(described), list(queries));
  const query = queries.find((each) => each.name === name);
  if (query === undefined) return noSuchQuery(name, queries);
  if (flags.explain) return void print(described(query), query.header + query.sql);
  if (path === undefined && flags.key !== undefined) return KEY_WITHOUT_COPY;
  const flagged = Object.entries({ team: flags.team, ...daysOf(flags) }).filter(([, value]) => value !== undefined);
  const given = { ...Object.fromEntries(flagged), ...flags.param };
  const bound = bind(query, given, world.now);
  if ('problems' in bound)
    return [...bound.problems, `"audit-archive query ${name} --explain" shows the parameters`].join('\n');
  const days = { from: bound.values.history_from ?? bound.values.from, to: bound.values.to };
  return withEngine({ path, flags, days }, world, (engine) =>
    answer(engine, { query, bound: bound.values, given, flags }, world),
  );
}

interface Question {
  readonly query: Query;
  readonly bound: Values;
  readonly given: Partial<Values>;
  readonly flags: QueryFlags;
}

async function answer(engine: SqlEngine, { query, bound, given, flags }: Question, world: QueryWorld) {
  const { teams, result } = await askArchive(engine, bound.team ?? '%');
  const asked = teams.filter(({ isAsked }) => isAsked);
  const names = teams.map(({ team }) => team);
  // The name of a team that was never archived is probably misspelled, so this is an error.
  if (teams.length > 0 && asked.length === 0)
    return `the archive contains no team ${bound.team}; its teams are ${names.join(', ')}${didYouMean(bound.team ?? '', names)}`;
  const values = fromFirstDay(bound, given, asked);
  const found = await engine.ask(statement(query, values));
  const parameters = Object.entries(values).map(([each, value]) => `${each} = ${value}`);
  const notes = [headline(found.rows.length, values, asked), `Parameters: ${parameters.join(', ')}`];
  const archived = asked.map(({ team, from, to }) => ({ team, from, to }));
  const subject = { query: query.name, parameters: values, archived };
  show(found, { subject, notes, engine, before: [result], flags, printer: world });
  return undefined;
}

function noSuchQuery(name: string, queries: readonly Query[]): string {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory())
    return `${name} is a folder: give the name of a query before it; "audit-archive query" lists all queries`;
  const known = queries.map((each) => each.name);
  const near = didYouMean(name, known);
  return `there is no query ${JSON.stringify(name)}${near === '' ? '; "audit-archive query" lists all queries' : near}`;
}

/** `--last` counts back from the last day, whichever that is. */
function daysOf({ from, to, last }: QueryFlags): { from?: string | undefined; to?: string | undefined } {
  return { from: last === undefined ? from : `to - ${last}`, to };
}

/** With --sql there is no name, so the first argument is the path. */
async function runStatement(
  { name: path, path: second, flags }: Request,
  sql: string,
  world: QueryWorld,
): Promise<string | undefined> {
  if (second !== undefined) return 'with --sql, give only the path of a copy, and no name of a query';
  if (flags.explain || flags.team !== undefined || Object.keys(flags.param).length > 0)
    return '--param, --team and --explain belong to a query, not to --sql';
  if (path === undefined && (flags.from ?? flags.to ?? flags.last) !== undefined)
    return 'with --sql in Athena, write the days into the statement: WHERE dt BETWEEN ... AND ...';
  if (path === undefined && flags.key !== undefined) return KEY_WITHOUT_COPY;
  const asked = daysOf(flags);
  const to = resolveDate(asked.to ?? 'today', world.now);
  const from = resolveDate(asked.from ?? FIRST_DATE, world.now, { to: to ?? '' });
  if (from === undefined || to === undefined)
    return `--from and --to must be dates such as 2026-06-30, today or yesterday, not ${JSON.stringify(to === undefined ? flags.to : flags.from)}`;
  const isPart = (asked.from ?? asked.to) !== undefined;
  const given = sql === '-' ? await world.readStandardInput() : sql;
  if (given.trim() === '') return 'the statement of --sql is empty';
  return withEngine({ path, flags, days: isPart ? { from, to } : {} }, world, async (engine) => {
    const found = await engine.ask(given);
    const rows = found.rows.length === 0 ? 'No rows' : `${plural(found.rows.length, 'row')}, times in UTC`;
    const notes = [isPart ? `${rows}. Only the segments from ${from} to ${to} were read.` : `${rows}.`];
    show(found, { subject: { sql: given }, notes, engine, flags, printer: world });
    return undefined;
  });
}

const KEY_WITHOUT_COPY = '--key checks a copy: give its path too, or leave --key out';

interface Wanted {
  readonly path: string | undefined;
  readonly flags: QueryFlags;
  readonly days: { readonly from?: string | undefined; readonly to?: string | undefined };
}

async function withEngine<T>(
  { path, flags, days }: Wanted,
  world: QueryWorld,
  work: (engine: SqlEngine) => Promise<T>,
): Promise<T> {
  const publicKey = flags.key === undefined ? undefined : await readKey(flags.key);
  const engine =
    path === undefined
      ? await world.openAthena(flags.workgroup)
      : await openFolderSql(path, { publicKey, from: days.from, to: days.to, now: world.now });
  try {
    return await work(engine);
  } finally {
    engine.close();
  }
}

function list(queries: readonly Query[]): string {
  const widest = Math.max(...queries.map(({ name }) => name.length));
  const lines = queries.map(({ name, purpose }) => `  ${name.padEnd(widest)}  ${purpose.replace(/(?<=\.)\s.*$/, '')}`);
  return [
    'Queries:',
    ...lines,
    '',
    'To see one query with its parameters and its SQL, run "audit-archive query NAME --explain".',
    '"audit-archive query --help" explains how to run a query.',
  ].join('\n');
}

function described({ name, purpose, controls, parameters }: Query): object {
  return { name, purpose, controls, parameters };
}
