/**
 * `audit-archive query` lists, explains and runs the auditors' queries. They are the same queries that are deployed. A
 * wrong parameter is reported as an error, so a result without rows means that the archive contains nothing that
 * matches.
 */

import { type Command, InvalidArgumentError } from 'commander';
import { bind, type Query, readQueries, statement, type Values } from '../infra/queries/queries';
import { plural } from './plural';
import { asCsv, asObjects, asTable } from './query-output';
import { openFolderSql } from './sql';
import type { QueryResult, SqlEngine } from './sql-engine';

const HELP = `
Without NAME, all queries are listed. With --explain, one query is shown with its parameters and its SQL. With PATH, the
query runs on a copy of the bucket in that folder. Without PATH, it runs in Athena on the deployed archive, with the
credentials and the region of the AWS command line.

  audit-archive query who_did_what .archive/demo/bucket --from 2026-06-01 --to 2026-06-30
  audit-archive query everything_one_person_did --param person=ada@example.com --csv > ada.csv`;

/** The price of Athena in most regions. Athena charges at least 10 MB for each query. */
const DOLLARS_PER_TERABYTE = 5;
const LEAST_BYTES = 10_000_000;

export interface QueryFlags {
  readonly param: Values;
  readonly from?: string;
  readonly to?: string;
  readonly explain?: boolean;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly workgroup: string;
}

export interface QueryWorld {
  openAthena(workgroup: string): Promise<SqlEngine>;
  readonly now: Date;
  /** Prints the result to standard output. */
  print(text: string): void;
  /** Prints remarks about the result to standard error. */
  note(text: string): void;
  /** The width of the terminal in characters; undefined if the output is not a terminal. */
  readonly width: number | undefined;
}

export function addQuery(program: Command, openAthena: QueryWorld['openAthena']): void {
  program
    .command('query')
    .description("run one of the auditors' queries on the archive")
    .argument('[name]', 'the name of the query')
    .argument('[path]', 'a folder that holds a copy of the bucket: events/, manifests/, ...')
    .option('--param <name=value>', 'the value of a parameter; repeat the option for each parameter', addParameter, {})
    .option('--from <date>', 'the same as --param from=...')
    .option('--to <date>', 'the same as --param to=...')
    .option('--explain', 'show the query instead of running it')
    .option('--csv', 'print CSV')
    .option('--json', 'print one JSON document')
    .option('--workgroup <name>', 'the Athena workgroup that the deployment printed', 'postman-audit-archive')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, path: string | undefined, flags: QueryFlags, command: Command) => {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const world = { openAthena, now: new Date(), print: console.log, note: console.error, width };
      const wrong = await runQuery({ name, path, flags }, world);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
    });
}

interface Request {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly flags: QueryFlags;
}

/** Returns what is wrong with the request, or undefined. Throws an error if the query cannot be run. */
export async function runQuery({ name, path, flags }: Request, world: QueryWorld): Promise<string | undefined> {
  const queries = readQueries();
  if (name === undefined)
    return void world.print(flags.json ? JSON.stringify(queries.map(described), null, 2) : list(queries));
  const query = queries.find((each) => each.name === name);
  if (query === undefined) return `there is no query ${JSON.stringify(name)}; "audit-archive query" lists all queries`;
  if (flags.explain)
    return void world.print(flags.json ? JSON.stringify(described(query), null, 2) : query.header + query.sql);
  const bound = bind(query, { from: flags.from, to: flags.to, ...flags.param }, world.now);
  if ('problems' in bound)
    return [...bound.problems, `"audit-archive query ${name} --explain" shows the parameters`].join('\n');

  const { values } = bound;
  const engine = await (path === undefined ? world.openAthena(flags.workgroup) : openFolderSql(path, { now: world.now }));
  try {
    const answer = await engine.ask(statement(query, values));
    const periods = answer.rows.length > 0 ? [] : await askPeriods(engine, values.team);
    const asked = periods.filter(({ isAsked }) => isAsked);
    // A team that was never archived has no rows either. Its name is probably misspelled, so this is an error.
    if (periods.length > 0 && asked.length === 0)
      return `the archive contains no team ${values.team}; its teams are ${periods.map(({ team }) => team).join(', ')}`;
    show(answer, { query, values, periods: asked, flags, world });
    return undefined;
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
    '"audit-archive query NAME --explain" shows one query with its parameters and its SQL.',
    '"audit-archive query --help" explains how to run a query.',
  ].join('\n');
}

function described({ name, purpose, controls, parameters }: Query): object {
  return { name, purpose, controls, parameters };
}

/** The period for which a team's log is archived. */
interface Period {
  readonly team: string;
  /** Whether the query's parameter `team` matches this team. */
  readonly isAsked: boolean;
  readonly from: string;
  readonly to: string;
}

async function askPeriods(engine: SqlEngine, pattern = '%'): Promise<readonly Period[]> {
  const { rows } = await engine.ask(periodsStatement(pattern));
  return rows.map(([team, asked, from, to]) => {
    return { team: team ?? '', isAsked: asked === 'true', from: from ?? '', to: to ?? '' };
  });
}

export function periodsStatement(team: string): string {
  return `SELECT team, team LIKE '${team.replaceAll("'", "''")}' AS asked, min(chain_start) AS first, max(position) AS last
FROM manifests
GROUP BY team
ORDER BY team`;
}

interface Shown {
  readonly query: Query;
  readonly values: Values;
  readonly periods: readonly Period[];
  readonly flags: QueryFlags;
  readonly world: QueryWorld;
}

function show(answer: QueryResult, { query, values, periods, flags, world }: Shown): void {
  const asked = Object.entries(values)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
  if (flags.json)
    world.print(
      JSON.stringify({ query: query.name, parameters: values, ...cost(answer), rows: asObjects(answer) }, null, 2),
    );
  else if (flags.csv) world.print(asCsv(answer));
  else if (answer.rows.length > 0) world.print(asTable(answer, { width: world.width }));
  const rows =
    answer.rows.length === 0
      ? 'No rows: nothing in the archive matches this query'
      : `${plural(answer.rows.length, 'row')}, times in UTC`;
  world.note(`${rows}. Parameters: ${asked}`);
  for (const { team, from, to } of periods)
    world.note(`Team ${team} is archived from ${from.slice(0, 19)} to ${to.slice(0, 19)} UTC.`);
  const { scannedBytes, dollars } = cost(answer);
  if (scannedBytes !== undefined)
    world.note(`Athena scanned ${plural(scannedBytes, 'byte')}, which costs about $${dollars?.toFixed(5)}.`);
}

function cost({ scannedBytes }: QueryResult): { scannedBytes?: number; dollars?: number } {
  if (scannedBytes === undefined) return {};
  return { scannedBytes, dollars: (Math.max(scannedBytes, LEAST_BYTES) / 1e12) * DOLLARS_PER_TERABYTE };
}

function addParameter(text: string, earlier: Values): Values {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as name=value.');
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...earlier, [name]: value };
}
