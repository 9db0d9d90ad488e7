/**
 * The auditors' queries. Each query is one `.sql` file. The header of the file states what the query shows, which
 * controls it serves, and its parameters. The deployed query contains the default values; the command line fills in the
 * values that the user gives.
 *
 *     -- What it shows, in a sentence or two.
 *     --
 *     -- Controls: SOC 2 CC6.1; ISO 27001 A.8.15; PCI DSS 10.2.1
 *     -- Parameters:
 *     --   person  text    e.g. ada@acme.com  who
 *     --   hours   number  = 7                how many
 *
 * A default value follows `=`. A parameter without a default is required, and an example follows `e.g.`. In the SQL a
 * parameter is written `:name`. It is always replaced by one literal, so no value can become part of the statement. The
 * header does not repeat the common parameters below, unless the query has another default for one of them. `{named}` in
 * the SQL stands for the text of `parts/named.sql`, which may hold parts too.
 *
 * A query whose answer could be a false "nothing" reads the whole archive by default. A query about a pattern, or one that
 * lists every event, may have a shorter period: the command line states the period of every answer.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DAY_MS } from '../../lambdas/shared/time';
import { didYouMean } from '../nearest';
import { FIRST_DATE, isDate, resolveDate } from './dates';
import { networksProblem } from './networks';

export type Query = ReturnType<typeof readQuery>;

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  /** The default value; a parameter without one is required. */
  readonly preset?: string;
  readonly example?: string;
  readonly meaning: string;
}

export type ParameterType = keyof typeof PROBLEMS;
export type Values = Readonly<Record<string, string>>;
type Given = Readonly<Record<string, string | undefined>>;

/** For each type, a function that returns why a value is wrong, or undefined if it is right. */
const PROBLEMS = {
  text: (value: string) => (/\p{Cc}/u.test(value) ? 'must be text without control characters' : undefined),
  date: (value: string) => (isDate(value) ? undefined : 'must be a date such as 2026-06-30, today or yesterday'),
  number: (value: string) => (/^\d{1,9}$/.test(value) ? undefined : 'must be a whole number from 0 to 999999999'),
  zone: (value: string) => (isZone(value) ? undefined : 'must be a time zone such as Europe/Berlin or UTC'),
  networks: networksProblem,
};

/** The later date first. A query with its dates in the wrong order would return no rows, and nobody would know why. */
const DATES_IN_ORDER = [
  ['to', 'from'],
  ['from', 'history_from'],
] as const;

const COMMON_PARAMETERS = [
  '--   team          text  = %      the team; % is all of them',
  `--   history_from  date  = ${FIRST_DATE}  first day of the history to compare with, UTC; no event is older than the default`,
  `--   from          date  = ${FIRST_DATE}  first day, UTC; no event is older than the default`,
  '--   to            date  = today  last day, UTC',
].map(readParameter);

const FILE =
  /^(?<top>(?<purpose>(?:-- .+\n)+)--\n-- Controls: (?<controls>.+)\n)(?:-- Parameters:\n(?<own>(?:-- {3}.+\n)+))?(?<sql>[^-][\s\S]*)$/;
const PLACEHOLDER = /(?<![\w:]):([a-z][a-z_]*)/g;
/** Any day: the deployed statement only needs the distance of each default date from today. */
const SOME_DAY = new Date('2030-01-01T00:00:00Z');
const PART = /\{([a-z]+)\}/g;

export function readQueries(): readonly Query[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.sql'));
  return files.sort().map((file) => {
    return readQuery(basename(file, '.sql'), readFileSync(join(import.meta.dirname, file), 'utf8'));
  });
}

/** Throws an error if the text is not a query in the form described above. */
export function readQuery(name: string, text: string) {
  const match = FILE.exec(text);
  if (match === null) throw new Error(`${name}.sql does not have the header that queries.ts describes`);
  const { top = '', purpose = '', controls = '', own = '', sql: written = '' } = match.groups ?? {};
  const sql = withParts(written);
  const used = [...sql.matchAll(PLACEHOLDER)].map(([, placeholder]) => placeholder);
  const common = COMMON_PARAMETERS.filter((each) => used.includes(each.name));
  const declared = (own.match(/.+/g) ?? []).map(readParameter);
  // A common parameter keeps its place, also if the query declares it.
  const parameters = [...new Map([...common, ...declared].map((each) => [each.name, each])).values()];
  return {
    /** The name of the file without `.sql`. */
    name,
    purpose: purpose.replace(/^-- /gm, '').trim().replaceAll('\n', ' '),
    controls: controls.split('; '),
    parameters,
    /** Comments that describe the query with all its parameters. They come first in the statement. */
    header: `${top}-- Parameters:\n${parameterTable(parameters)}`,
    /** The SQL with its placeholders. */
    sql: sql.trimEnd(),
  };
}

function withParts(sql: string): string {
  return sql.replace(PART, (_, part) =>
    withParts(readFileSync(join(import.meta.dirname, 'parts', `${part}.sql`), 'utf8').trimEnd()),
  );
}

/** Returns the value of every parameter, or everything that is wrong with the given values. */
export function bind({ parameters }: Query, given: Given, today: Date): { values: Values } | { problems: string[] } {
  const unknown = Object.keys(given).filter((name) => !parameters.some((parameter) => parameter.name === name));
  const names = parameters.map(({ name }) => name);
  const problems = unknown.map((name) => `there is no parameter ${JSON.stringify(name)}${didYouMean(name, names)}`);
  const values = valuesOf(parameters, given, today);
  for (const { name, type, preset, example } of parameters) {
    const value = values[name];
    // A default that is relative to a wrong date has no value. The wrong date is the problem.
    if (value === undefined && preset !== undefined) continue;
    const problem = value === undefined ? `must be given, for example ${example}` : PROBLEMS[type](value);
    if (problem !== undefined)
      problems.push(`${name} ${problem}${given[name] === undefined ? '' : `, not ${JSON.stringify(given[name])}`}`);
  }
  for (const [later, earlier] of DATES_IN_ORDER) {
    const [first, last] = [values[earlier], values[later]];
    if (problems.length === 0 && first && last && first > last)
      problems.push(`${earlier} must not be later than ${later}: ${first} is later than ${last}`);
  }
  return problems.length > 0 ? { problems } : { values };
}

/** The given values and the defaults, with all dates as `YYYY-MM-DD`. A wrong date stays as it is. */
function valuesOf(parameters: readonly Parameter[], given: Given, today: Date): Values {
  const texts = parameters.map(({ name, preset }) => [name, given[name] ?? preset] as const);
  const values = Object.fromEntries(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
  for (const [later, name] of [['', 'to'], ...DATES_IN_ORDER] as const) {
    const { [name]: text, [later]: bound = '9999', ...others } = values;
    if (text === undefined) continue;
    const date = resolveDate(text, today, { ...others, [later]: bound });
    // A default moves with the later date, so nobody is told that a date which they did not give is wrong.
    if (date !== undefined) values[name] = given[name] === undefined && date > bound ? bound : date;
    else if (given[name] === undefined) delete values[name];
  }
  return values;
}

/** Returns the statement with these values. They must come from `bind`, which checks them. */
export function statement(query: Query, values: Values): string {
  return fill(query, ({ name, type }) => literal(type, values[name] ?? ''));
}

/**
 * Returns the deployed statement. It runs unchanged, and a comment names each parameter so that a person can change it.
 */
export function presetStatement(query: Query): string {
  const values = valuesOf(query.parameters, {}, SOME_DAY);
  return fill(query, ({ name, type, example = '' }) => {
    const value = values[name] ?? example;
    const days = (SOME_DAY.getTime() - Date.parse(value)) / DAY_MS;
    const isFixed = type !== 'date' || value === FIRST_DATE;
    return `/* ${name} */ ${isFixed ? literal(type, value) : `date_format(current_date - INTERVAL '${days}' DAY, '%Y-%m-%d')`}`;
  });
}

function fill({ header, sql, parameters }: Query, textOf: (parameter: Parameter) => string): string {
  const texts = new Map(parameters.map((parameter) => [parameter.name, textOf(parameter)]));
  return header + sql.replace(PLACEHOLDER, (placeholder, name) => texts.get(name) ?? placeholder);
}

function literal(type: ParameterType, value: string): string {
  return type === 'number' ? value : `'${value.replaceAll("'", "''")}'`;
}

function readParameter(line: string): Parameter {
  const match =
    /^-- {3}(?<name>[a-z_]+) +(?<type>[a-z]+) +(?<kind>=|e\.g\.) (?<value>\S.*?) {2,}(?<meaning>\S.*)$/.exec(line);
  const { name = '', type = '', kind = '', value = '', meaning = '' } = match?.groups ?? {};
  if (!isType(type)) throw new Error(`this line does not describe a parameter: ${line}`);
  return { name, type, meaning, ...(kind === '=' ? { preset: value } : { example: value }) };
}

/** The parameters as the header of a file describes them, in columns. */
function parameterTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(({ name, type, preset, example }) => {
    return [name, type, preset === undefined ? `e.g. ${example}` : `= ${preset}`];
  });
  const padded = (cell: string, column: number) =>
    cell.padEnd(Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = parameters.map(({ meaning }, index) => [...(rows[index] ?? []).map(padded), meaning].join('  '));
  return lines.map((line) => `--   ${line}\n`).join('');
}

function isType(text: string): text is ParameterType {
  return Object.hasOwn(PROBLEMS, text);
}

function isZone(text: string): boolean {
  try {
    return /^[A-Za-z]/.test(text) && new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}
