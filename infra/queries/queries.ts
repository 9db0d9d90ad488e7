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
 * header does not repeat the common parameters below, unless the query has another default for one of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dateOf, midnight, parseInstant } from '../../lambdas/shared/time';

export interface Query {
  /** The name of the file without `.sql`. */
  readonly name: string;
  readonly purpose: string;
  readonly controls: readonly string[];
  readonly parameters: readonly Parameter[];
  /** Comments that describe the query with all its parameters. They come first in the statement. */
  readonly header: string;
  /** The SQL with its placeholders. */
  readonly sql: string;
}

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

/** For each type, a function that returns why a value is wrong, or undefined if it is right. */
const PROBLEMS = {
  text: (value: string) => (/\p{Cc}/u.test(value) ? 'must be text without control characters' : undefined),
  date: (value: string) => (isDate(value) ? undefined : 'must be a date such as 2026-06-30'),
  number: (value: string) => (/^\d{1,9}$/.test(value) ? undefined : 'must be a whole number from 0 to 999999999'),
  zone: (value: string) => (isZone(value) ? undefined : 'must be a time zone such as Europe/Berlin or UTC'),
};

/** A query with its dates in the wrong order would return no rows, and nobody would know why. */
const DATES_IN_ORDER = [
  ['history_from', 'from'],
  ['from', 'to'],
] as const;

const COMMON_PARAMETERS = [
  '--   team          text  = %            the team; % is all of them',
  '--   history_from  date  = today - 180  first day of the history to compare with, UTC',
  '--   from          date  = today - 30   first day, UTC',
  '--   to            date  = today        last day, UTC',
].map(readParameter);

const FILE =
  /^(?<top>(?<purpose>(?:-- .+\n)+)--\n-- Controls: (?<controls>.+)\n)(?:-- Parameters:\n(?<own>(?:-- {3}.+\n)+))?(?<sql>[^-][\s\S]*)$/;
const PLACEHOLDER = /(?<![\w:]):([a-z][a-z_]*)/g;
const RELATIVE_DATE = /^today(?: - (\d+))?$/;

export function readQueries(): readonly Query[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.sql'));
  return files.sort().map((file) => {
    return readQuery(basename(file, '.sql'), readFileSync(join(import.meta.dirname, file), 'utf8'));
  });
}

/** Throws an error if the text is not a query in the form described above. */
export function readQuery(name: string, text: string): Query {
  const match = FILE.exec(text);
  if (match === null) throw new Error(`${name}.sql does not have the header that queries.ts describes`);
  const { top = '', purpose = '', controls = '', own = '', sql = '' } = match.groups ?? {};
  const used = [...sql.matchAll(PLACEHOLDER)].map(([, placeholder]) => placeholder);
  const common = COMMON_PARAMETERS.filter((each) => used.includes(each.name));
  const declared = (own.match(/.+/g) ?? []).map(readParameter);
  // A common parameter keeps its place, also if the query declares it.
  const parameters = [...new Map([...common, ...declared].map((each) => [each.name, each])).values()];
  return {
    name,
    purpose: purpose.replace(/^-- /gm, '').trim().replaceAll('\n', ' '),
    controls: controls.split('; '),
    parameters,
    header: `${top}-- Parameters:\n${parameterTable(parameters)}`,
    sql: sql.trimEnd(),
  };
}

/** Returns the value of every parameter, or everything that is wrong with the given values. */
export function bind(
  { parameters }: Query,
  given: Readonly<Record<string, string | undefined>>,
  today: Date,
): { values: Values } | { problems: string[] } {
  const unknown = Object.keys(given).filter((name) => !parameters.some((parameter) => parameter.name === name));
  const problems = unknown.map((name) => `there is no parameter ${JSON.stringify(name)}`);
  const values: Record<string, string> = {};
  for (const { name, type, preset, example } of parameters) {
    const value = given[name] ?? (preset === undefined ? undefined : presetValue(type, preset, today));
    const problem = value === undefined ? `must be given, for example ${example}` : PROBLEMS[type](value);
    if (problem !== undefined)
      problems.push(`${name} ${problem}${given[name] === undefined ? '' : `, not ${JSON.stringify(given[name])}`}`);
    else if (value !== undefined) values[name] = value;
  }
  for (const [earlier, later] of DATES_IN_ORDER) {
    const [first, last] = [values[earlier], values[later]];
    if (first && last && first > last) problems.push(`${earlier} must not be later than ${later}`);
  }
  return problems.length > 0 ? { problems } : { values };
}

/** Returns the statement with these values. They must come from `bind`, which checks them. */
export function statement(query: Query, values: Values): string {
  return fill(query, ({ name, type }) => literal(type, values[name] ?? ''));
}

/**
 * Returns the deployed statement. It runs unchanged, and a comment names each parameter so that a person can change it.
 */
export function presetStatement(query: Query): string {
  return fill(query, ({ name, type, preset, example }) => {
    const value = preset ?? example ?? '';
    const days = type === 'date' ? RELATIVE_DATE.exec(value) : null;
    const day = `date_format(current_date - INTERVAL '${days?.[1] ?? 0}' DAY, '%Y-%m-%d')`;
    return `/* ${name} */ ${days === null ? literal(type, value) : day}`;
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

function presetValue(type: ParameterType, preset: string, today: Date): string {
  const days = type === 'date' ? RELATIVE_DATE.exec(preset) : null;
  return days === null ? preset : dateOf(midnight(today, -Number(days[1] ?? 0)));
}

function isType(text: string): text is ParameterType {
  return Object.hasOwn(PROBLEMS, text);
}

/** A UTC date, `YYYY-MM-DD`, that exists. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== undefined;
}

function isZone(text: string): boolean {
  try {
    return /^[A-Za-z]/.test(text) && new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}
