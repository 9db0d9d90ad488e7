/**
 * `audit-archive query`: the auditors' queries, listed, explained and run; the very ones that are deployed. A parameter
 * that is wrong is said to be wrong: an answer without rows means that the archive holds none.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { bind, type Query, readQueries, statement, type Values } from '../infra/queries/queries';
import { asCsv, asObjects, asTable } from './query-output';
import { openFolderSql } from './sql';
import type { QueryResult, SqlEngine } from './sql-engine';

const HELP = `
Without NAME the queries are listed; with --explain one is shown with its parameters and its SQL. A query without PATH is
run by Athena, with the credentials and the region of the AWS command line; with PATH by DuckDB in a copy of the bucket.

  audit-archive query who_did_what .archive/demo/bucket --from 2026-06-01 --to 2026-06-30
  audit-archive query everything_one_person_did --param person=ada@example.com --csv > ada.csv`;

/** In most regions, and never for less than 10 MB a query. */
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
  now(): Date;
  /** What was asked for. */
  print(text: string): void;
  /** What is said about it. */
  note(text: string): void;
  /** Of the terminal, if there is one. */
  readonly width: number | undefined;
}

export function addQuery(program: Command, openAthena: QueryWorld['openAthena']): void {
  program
    .command('query')
    .description('ask the archive what auditors ask')
    .argument('[name]', 'one of the queries')
    .argument('[path]', 'a folder that holds a copy of the bucket: events/, manifests/, ...')
    .option('--param <name=value>', 'a parameter; may be given several times', addParameter, {})
    .option('--from <date>', 'the same as --param from=...')
    .option('--to <date>', 'the same as --param to=...')
    .option('--explain', 'show the query instead of running it')
    .option('--csv', 'print CSV')
    .option('--json', 'print one JSON document')
    .option('--workgroup <name>', 'of Athena, as the stack printed it', 'postman-audit-archive')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, path: string | undefined, flags: QueryFlags, command: Command) => {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const world = { openAthena, now: () => new Date(), print: console.log, note: console.error, width };
      const wrong = await runQuery({ name, path, flags }, world);
      if (wrong !== undefined) command.error(`error: ${wrong}`);
    });
}

interface Request {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly flags: QueryFlags;
}

/** What was wrong with the request, or undefined. Throws where it could not be answered. */
export async function runQuery({ name, path, flags }: Request, world: QueryWorld): Promise<string | undefined> {
  const queries = readQueries();
  if (name === undefined)
    return void world.print(flags.json ? JSON.stringify(queries.map(described), null, 2) : list(queries));
  const query = queries.find((each) => each.name === name);
  if (query === undefined) return `there is no query ${JSON.stringify(name)}; "audit-archive query" lists them`;
  if (flags.explain) return void world.print(flags.json ? JSON.stringify(described(query), null, 2) : explain(query));
  const { from, to, param } = flags;
  const bound = bind(
    query,
    { ...(from !== undefined && { from }), ...(to !== undefined && { to }), ...param },
    world.now(),
  );
  if ('problems' in bound)
    return [...bound.problems, `"audit-archive query ${name} --explain" shows what it takes`].join('\n');
  const { answer, held } = await ask(query, bound.values, { path, flags, world });
  const noTeam = held && teamProblem(held, bound.values.team);
  if (noTeam !== undefined) return noTeam;
  show(answer, { query, values: bound.values, held, flags, world });
  return undefined;
}

/** What the archive holds of a team. */
interface Held {
  readonly team: string;
  /** Whether the query was asked for it. */
  readonly asked: boolean;
  readonly from: string;
  readonly to: string;
}

/** Where there are no rows, also what there is. */
async function ask(
  query: Query,
  values: Values,
  { path, flags, world }: Request & { world: QueryWorld },
): Promise<{ readonly answer: QueryResult; readonly held?: readonly Held[] }> {
  const engine = await (path === undefined ? world.openAthena(flags.workgroup) : openFolderSql(path));
  try {
    const answer = await engine.ask(statement(query, values));
    return answer.rows.length > 0 ? { answer } : { answer, held: await askHeld(engine, values.team) };
  } finally {
    engine.close();
  }
}

async function askHeld(engine: SqlEngine, team = '%'): Promise<readonly Held[]> {
  const { rows } = await engine.ask(heldStatement(team));
  return rows.map(([name, asked, from, to]) => ({
    team: name ?? '',
    asked: asked === 'true',
    from: from ?? '',
    to: to ?? '',
  }));
}

export function heldStatement(team: string): string {
  return `SELECT team, team LIKE '${team.replaceAll("'", "''")}' AS asked, min(chain_start) AS first, max(position) AS last
FROM manifests
GROUP BY team
ORDER BY team`;
}

/** A team that was never archived has no rows either: that is a slip of the pen, not an answer. */
function teamProblem(held: readonly Held[], pattern = '%'): string | undefined {
  if (held.length === 0 || held.some(({ asked }) => asked)) return undefined;
  return `there is no team ${pattern}; the archive has ${held.map(({ team }) => team).join(', ')}`;
}

interface Shown {
  readonly query: Query;
  readonly values: Values;
  readonly held: readonly Held[] | undefined;
  readonly flags: QueryFlags;
  readonly world: QueryWorld;
}

function show(answer: QueryResult, { query, values, held = [], flags, world }: Shown): void {
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
      ? 'No rows: the archive holds nothing like that'
      : `${plural(answer.rows.length, 'row')}, times in UTC`;
  world.note(`${rows}. ${asked}`);
  for (const { team, from, to } of held.filter((each) => each.asked))
    world.note(`Of team ${team} it holds ${from.slice(0, 19)} to ${to.slice(0, 19)} UTC.`);
  const { scannedBytes, dollars } = cost(answer);
  if (scannedBytes !== undefined) world.note(`${plural(scannedBytes, 'byte')} scanned, about $${dollars?.toFixed(5)}.`);
}

function cost({ scannedBytes }: QueryResult): { scannedBytes?: number; dollars?: number } {
  if (scannedBytes === undefined) return {};
  return { scannedBytes, dollars: (Math.max(scannedBytes, LEAST_BYTES) / 1e12) * DOLLARS_PER_TERABYTE };
}

function list(queries: readonly Query[]): string {
  const widest = Math.max(...queries.map(({ name }) => name.length));
  const lines = queries.map(({ name, purpose }) => `  ${name.padEnd(widest)}  ${firstSentence(purpose)}`);
  return [
    'Queries:',
    ...lines,
    '',
    '"audit-archive query NAME --explain" shows one whole, "audit-archive query --help" how to run it.',
  ].join('\n');
}

function explain({ purpose, controls, parameters, name, text }: Query): string {
  const widest = Math.max(...parameters.map((parameter) => parameter.name.length));
  const lines = parameters.map(({ name: parameter, type, meaning, preset, example }) => {
    return `  ${parameter.padEnd(widest)}  ${meaning} (${type}, ${preset === undefined ? `must be given, such as ${example}` : `${preset} unless given`})`;
  });
  const sql = text.replace(/^(?:--.*\n)+/, '').trimEnd();
  return [`${name}: ${purpose}`, '', `Serves ${controls.join('; ')}`, '', 'Parameters:', ...lines, '', sql].join('\n');
}

function described({ name, purpose, controls, parameters }: Query): object {
  return { name, purpose, controls, parameters };
}

function firstSentence(text: string): string {
  return text.replace(/(?<=\.)\s.*$/, '');
}

function plural(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function addParameter(text: string, earlier: Values): Values {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as name=value.');
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...earlier, [name]: value };
}
