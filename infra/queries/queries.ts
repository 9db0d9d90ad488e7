/**
 * The auditors' queries. Each query is one `.sql` file, and nothing about it is written elsewhere. The header of the
 * file states what the query shows, which controls it serves, and its parameters. The deployed query contains the
 * default values; the command line fills in the values that the user gives.
 *
 *     -- What it shows, in a sentence or two.
 *     --
 *     -- Controls: SOC 2 CC6.1; ISO 27001 A.8.15; PCI DSS 10.2.1
 *     -- Parameters:
 *     --   team    text  = %                  the team; % is all of them
 *     --   from    date  = today - 30         first day, UTC
 *     --   person  text  e.g. ada@acme.com    who
 *
 * A default value follows `=`. A parameter without a default is required, and an example follows `e.g.`. In the SQL a
 * parameter is written `:name`. It is always replaced by one literal, so no value can become part of the statement.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dateOf, midnight, parseInstant } from '../../lambdas/shared/time';

export interface Query {
  /** The name of the file without `.sql`. */
  readonly name: string;
  readonly purpose: string;
  readonly controls: readonly string[];
  readonly parameters: readonly Parameter[];
  /** The content of the whole file. */
  readonly text: string;
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

/**
 * None of these dates may be later than the next one. Otherwise a query would return no rows, and nobody would know
 * why.
 */
const DATES_IN_ORDER = ['history_from', 'from', 'to'];

const PLACEHOLDER = /(?<![\w:]):([a-z][a-z_]*)/g;
const RELATIVE_DATE = /^today(?: - (\d+))?$/;

export function readQueries(): readonly Query[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.sql'));
  return files.sort().map((file) => {
    return readQuery(file.slice(0, -'.sql'.length), readFileSync(join(import.meta.dirname, file), 'utf8'));
  });
}

/** Throws an error if the text is not a query in the form described above. */
export function readQuery(name: string, text: string): Query {
  const header = /^(?:--.*\n)+/.exec(text)?.[0] ?? '';
  const match =
    /^(?<purpose>(?:-- .+\n)+)--\n-- Controls: (?<controls>.+)\n-- Parameters:\n(?<parameters>(?:-- {3}.+\n)+)$/.exec(
      header,
    );
  if (match === null) throw new Error(`${name}.sql does not have the header that queries.ts describes`);
  const { purpose = '', controls = '', parameters = '' } = match.groups ?? {};
  const query = {
    name,
    purpose: purpose
      .trim()
      .replaceAll(/\n?-- /g, ' ')
      .trim(),
    controls: controls.split('; '),
    parameters: parameters
      .trim()
      .split('\n')
      .map((line) => readParameter(name, line)),
    text,
  };
  const used = [...text.slice(header.length).matchAll(PLACEHOLDER)].map(([, placeholder = '']) => placeholder);
  const declared = query.parameters.map((parameter) => parameter.name);
  const odd = [...used.filter((each) => !declared.includes(each)), ...declared.filter((each) => !used.includes(each))];
  if (odd.length > 0)
    throw new Error(`${name}.sql: these parameters are only declared or only used: ${odd.join(', ')}`);
  return query;
}

/** Returns the value of every parameter, or everything that is wrong with the given values. */
export function bind({ parameters }: Query, given: Values, today: Date): { values: Values } | { problems: string[] } {
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
  const dates = DATES_IN_ORDER.filter((name) => values[name] !== undefined);
  for (const [index, name] of dates.entries()) {
    const next = dates[index + 1];
    if (next !== undefined && String(values[name]) > String(values[next]))
      problems.push(`${name} must not be later than ${next}`);
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

function fill({ text, parameters }: Query, replace: (parameter: Parameter) => string): string {
  const header = /^(?:--.*\n)+/.exec(text)?.[0] ?? '';
  const body = text.slice(header.length).replace(PLACEHOLDER, (whole, name) => {
    const parameter = parameters.find((each) => each.name === name);
    return parameter === undefined ? whole : replace(parameter);
  });
  return header + body.trimEnd();
}

function literal(type: ParameterType, value: string): string {
  return type === 'number' ? value : `'${value.replaceAll("'", "''")}'`;
}

function readParameter(query: string, line: string): Parameter {
  const match =
    /^-- {3}(?<name>[a-z_]+) +(?<type>[a-z]+) +(?<kind>=|e\.g\.) (?<value>\S.*?) {2,}(?<meaning>\S.*)$/.exec(line);
  const { name = '', type = '', kind = '', value = '', meaning = '' } = match?.groups ?? {};
  if (!isType(type)) throw new Error(`${query}.sql: this line does not describe a parameter: ${line}`);
  const problem = PROBLEMS[type](presetValue(type, value, new Date(0)));
  if (problem !== undefined) throw new Error(`${query}.sql: ${name} ${problem}: ${value}`);
  return { name, type, meaning, ...(kind === '=' ? { preset: value } : { example: value }) };
}

function presetValue(type: ParameterType, preset: string, today: Date): string {
  const days = type === 'date' ? RELATIVE_DATE.exec(preset) : null;
  return days === null ? preset : dateOf(midnight(today, -Number(days[1] ?? 0)));
}

function isType(text: string): text is ParameterType {
  return Object.hasOwn(PROBLEMS, text);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== undefined;
}

function isZone(text: string): boolean {
  try {
    return /^[A-Za-z]/.test(text) && new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}
