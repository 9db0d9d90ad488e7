/**
 * `audit-archive query` lists, explains and runs the auditors' queries, which are the deployed ones, and runs SQL of the
 * user's own. A wrong parameter is reported as an error, so a result without rows means that the archive contains
 * nothing that matches.
 */

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { bind, isDate, type Query, readQueries, statement, type Values } from '../infra/queries/queries';
import { readPublicKey } from '../lambdas/shared/dsse';
import { exitCodes } from './exit';
import { type Printer, show } from './query-output';
import { openFolderSql } from './sql';
import { AlteredCopyError } from './sql-copy';
import type { SqlEngine } from './sql-engine';

const HELP = `
Without NAME, all queries are listed. With --explain, one query is shown with its parameters and its SQL. With PATH, the
query runs on a copy of the bucket in that folder. Without PATH, it runs in Athena on the deployed archive, with the
credentials and the region of the AWS command line. With --sql, NAME is left out, and the statement reads the views
events, quarantine, manifests and events_ocsf. Only the segments of the days from --from to --to of a copy are read then.

  audit-archive query who_did_what .archive/demo/bucket --from 2026-06-01 --to 2026-06-30
  audit-archive query everything_one_person_did --param person=ada@example.com --csv > ada.csv
  audit-archive query --sql "SELECT action, count(*) FROM events GROUP BY action" .archive/demo/bucket

A copy is compared with its manifests while it is read. If they differ, nothing is answered, and the exit code is 1. With
--key, the signatures of the manifests are checked too.`;

export interface QueryFlags {
  readonly param: Values;
  readonly from?: string;
  readonly to?: string;
  readonly sql?: string;
  readonly key?: string;
  readonly explain?: boolean;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly workgroup: string;
}

export interface QueryWorld extends Printer {
  openAthena(workgroup: string): Promise<SqlEngine>;
  readStandardInput(): Promise<string>;
  readonly now: Date;
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
    .option('--sql <statement>', 'run this statement instead of a query; - reads it from standard input')
    .option('--key <file>', 'check the manifests of the copy with the public key that was saved when it was set up')
    .option('--explain', 'show the query instead of running it')
    .option('--csv', 'print CSV')
    .option('--json', 'print one JSON document')
    .option('--workgroup <name>', 'the Athena workgroup that the deployment printed', 'postman-audit-archive')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, path: string | undefined, flags: QueryFlags, command: Command) => {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const readStandardInput = () => text(process.stdin);
      const print = { print: console.log, note: console.error, width };
      try {
        const world = { openAthena, readStandardInput, now: new Date(), ...print };
        const wrong = await runQuery({ name, path, flags }, world);
        if (wrong !== undefined) command.error(`error: ${wrong}`);
      } catch (error) {
        if (!(error instanceof AlteredCopyError)) throw error;
        console.error(`audit-archive: ${error.message}`);
        process.exitCode = exitCodes.findings;
      }
    });
}

interface Request {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly flags: QueryFlags;
}

/** Returns what is wrong with the request, or undefined. Throws an error if the query cannot be run. */
export async function runQuery(request: Request, world: QueryWorld): Promise<string | undefined> {
  const { name, path, flags } = request;
  if (flags.sql !== undefined) return runStatement(request, flags.sql, world);
  const queries = readQueries();
  if (name === undefined)
    return void world.print(flags.json ? JSON.stringify(queries.map(described), null, 2) : list(queries));
  const query = queries.find((each) => each.name === name);
  if (query === undefined) return `there is no query ${JSON.stringify(name)}; "audit-archive query" lists all queries`;
  if (flags.explain)
    return void world.print(flags.json ? JSON.stringify(described(query), null, 2) : query.header + query.sql);
  if (path === undefined && flags.key !== undefined) return KEY_WITHOUT_COPY;
  const bound = bind(query, { from: flags.from, to: flags.to, ...flags.param }, world.now);
  if ('problems' in bound)
    return [...bound.problems, `"audit-archive query ${name} --explain" shows the parameters`].join('\n');

  const { values } = bound;
  const days = { from: values.history_from ?? values.from, to: values.to };
  return withEngine({ path, flags, days }, world, async (engine) => {
    const answer = await engine.ask(statement(query, values));
    const periods = answer.rows.length > 0 ? [] : await askPeriods(engine, values.team);
    const asked = periods.filter(({ isAsked }) => isAsked);
    // A team that was never archived has no rows either. Its name is probably misspelled, so this is an error.
    if (periods.length > 0 && asked.length === 0)
      return `the archive contains no team ${values.team}; its teams are ${periods.map(({ team }) => team).join(', ')}`;
    const parameters = Object.entries(values).map(([each, value]) => `${each} = ${value}`);
    const notes = [`Parameters: ${parameters.join(', ')}`, ...asked.map(periodNote)];
    show(answer, { subject: { query: query.name, parameters: values }, notes, engine, flags, printer: world });
    return undefined;
  });
}

/** With --sql there is no name, so the first argument is the path. */
async function runStatement(
  { name: path, path: second, flags }: Request,
  sql: string,
  world: QueryWorld,
): Promise<string | undefined> {
  if (second !== undefined) return 'with --sql, give only the path of a copy, and no name of a query';
  if (flags.explain || Object.keys(flags.param).length > 0)
    return '--param and --explain belong to a query, not to --sql';
  if (path === undefined && (flags.from ?? flags.to) !== undefined)
    return 'with --sql in Athena, write the days into the statement: WHERE dt BETWEEN ... AND ...';
  if (path === undefined && flags.key !== undefined) return KEY_WITHOUT_COPY;
  const wrong = [flags.from, flags.to].find((day) => day !== undefined && !isDate(day));
  if (wrong !== undefined) return `--from and --to must be dates such as 2026-06-30, not ${JSON.stringify(wrong)}`;
  const given = sql === '-' ? await world.readStandardInput() : sql;
  if (given.trim() === '') return 'the statement of --sql is empty';
  return withEngine({ path, flags, days: flags }, world, async (engine) => {
    show(await engine.ask(given), { subject: { sql: given }, notes: [], engine, flags, printer: world });
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
  const publicKey = flags.key === undefined ? undefined : readPublicKey(await readFile(flags.key));
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
    '"audit-archive query NAME --explain" shows one query with its parameters and its SQL.',
    '"audit-archive query --help" explains how to run a query.',
  ].join('\n');
}

function described({ name, purpose, controls, parameters }: Query): object {
  return { name, purpose, controls, parameters };
}

/** The period for which each team's log is archived, and whether the query's parameter `team` matches the team. */
async function askPeriods(engine: SqlEngine, pattern = '%') {
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

function periodNote({ team, from, to }: Awaited<ReturnType<typeof askPeriods>>[number]): string {
  return `Team ${team} is archived from ${from.slice(0, 19)} to ${to.slice(0, 19)} UTC.`;
}

export function addParameter(text: string, earlier: Values): Values {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as name=value.');
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...earlier, [name]: value };
}
