/**
 * The auditors' queries as files: their headers are true, their parameters are checked, all of them are Trino SQL, and
 * each has a table with its expected answer, which the tests of the engines compare.
 */
import { archiveStatement } from '../../cli/query-period';
import { networksProblem } from '../../infra/queries/networks';
import { bind, presetStatement, type Query, readQueries, readQuery, statement } from '../../infra/queries/queries';
import { views } from '../../infra/views/views';
import { answerTables, functionTable, networkTable, subjectOf } from '../support/asked/tables';
import { trinoProblems } from '../support/trino-grammar';

const TODAY = new Date('2026-06-15T10:00:00Z');

const HEADER = `-- What it shows.
-- More of it.
--
-- Controls: SOC 2 CC6.1; PCI DSS 10.2.1
-- Parameters:
--   from    date    = today - 3  first day, UTC
--   person  text    e.g. ada     who
--   hours   number  = 7          how many
--   zone    zone    = UTC        where
`;
const BODY = `SELECT 1 FROM events WHERE team = :team AND dt BETWEEN :from AND :to
  AND who = :person AND hour(x::time) = :hours AND z = :zone
`;
const sample = readQuery('sample', HEADER + BODY);

function problemsOf(given: Readonly<Record<string, string>>): readonly string[] {
  const bound = bind(sample, { person: 'ada', ...given }, TODAY);
  return 'problems' in bound ? bound.problems : [];
}

function exampleOf(query: Query): string {
  const examples = query.parameters.flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]]));
  const bound = bind(query, Object.fromEntries(examples), TODAY);
  if ('problems' in bound) throw new Error(bound.problems.join('; '));
  return statement(query, bound.values);
}

test.each(views)('the view $name is Trino SQL', ({ sql }) => {
  expect(trinoProblems(`CREATE VIEW v AS ${sql}`)).toEqual([]);
});

test.each(readQueries())('the query $name is Trino SQL, as deployed and as the command line fills it in', (query) => {
  expect(trinoProblems(presetStatement(query))).toEqual([]);
  expect(trinoProblems(exampleOf(query))).toEqual([]);
});

test('the question of the command line about the archive is Trino SQL', () => {
  expect(trinoProblems(archiveStatement("o'team"))).toEqual([]);
});

test.each(readQueries())('the query $name names controls of all three frameworks', (query) => {
  expect(query.controls.map((control) => control.replace(/^(SOC 2|ISO 27001|PCI DSS) .*/, '$1'))).toEqual([
    'SOC 2',
    'ISO 27001',
    'PCI DSS',
  ]);
});

test.each(
  readQueries(),
)('the query $name filters by team and days wherever it reads events, and uses each of its parameters', (query) => {
  const names = query.parameters.map(({ name }) => name).join(' ');
  expect(names).toMatch(/^team (history_from |from )+to/);
  for (const { name } of query.parameters) expect(query.sql).toMatch(new RegExp(`:${name}\\b`));
  const reads = query.sql.match(/FROM (events|quarantine)\b/g) ?? [];
  const pruned = query.sql.match(/WHERE team LIKE :team\n\s+AND dt BETWEEN :(history_)?from AND :to/g) ?? [];
  // A query that reads no event reads the manifests of the teams.
  if (reads.length === 0) expect(query.sql).toContain('FROM manifests WHERE team LIKE :team');
  expect(pruned.length).toBe(reads.length);
});

test.each(readQueries())('the query $name names a person by email, username, name or id, in this order', ({ sql }) => {
  const names = [...sql.matchAll(/coalesce\(([^()]*actor_email[^()]*)\) AS who\b/g)].map(([, list]) =>
    list?.replaceAll('acts.', ''),
  );
  expect(names.filter((list) => list !== 'actor_email, actor_username, actor_name, actor_id')).toEqual([]);
});

test('each query and each view has a table with its expected answer, and no table is without one', () => {
  const subjects = [...readQueries(), ...views].map(({ name }) => name);
  expect([...new Set(answerTables().map(subjectOf))].sort()).toEqual(subjects.sort());
});

test('views and queries call only functions to which both engines are known to answer alike', () => {
  const alike = functionTable().filter(({ trino, duckdb }) => trino === duckdb);
  const known = new Set(alike.flatMap(({ expression }) => functionsIn(expression)));
  const statements = [...views.map(({ sql }) => sql), ...readQueries().map((query) => query.sql)];
  const called = statements.flatMap((sql) => functionsIn(sql.replace(/--.*$/gm, '').replace(/'(?:[^']|'')*'/g, "''")));
  expect(called).toContain('json_extract_scalar');
  expect(called.filter((name) => !known.has(name))).toEqual([]);
});

test('a query file is read with its purpose, its controls, and its own and the common parameters', () => {
  const { sql, header, ...described } = sample;
  expect(described).toEqual({
    name: 'sample',
    purpose: 'What it shows. More of it.',
    controls: ['SOC 2 CC6.1', 'PCI DSS 10.2.1'],
    parameters: [
      { name: 'team', type: 'text', preset: '%', meaning: 'the team; % is all of them' },
      { name: 'from', type: 'date', preset: 'today - 3', meaning: 'first day, UTC' },
      { name: 'to', type: 'date', preset: 'today', meaning: 'last day, UTC' },
      { name: 'person', type: 'text', example: 'ada', meaning: 'who' },
      { name: 'hours', type: 'number', preset: '7', meaning: 'how many' },
      { name: 'zone', type: 'zone', preset: 'UTC', meaning: 'where' },
    ],
  });
});

test.each([
  ['no header', BODY],
  ['no controls', HEADER.replace(/-- Controls.*\n/, '') + BODY],
  ['a parameter without meaning', HEADER.replace('  who', '') + BODY],
  ['an unknown type', HEADER.replace('number', 'float ') + BODY],
])('a query file with %s is refused', (_, text) => {
  expect(() => readQuery('sample', text)).toThrow(/does not/);
});

test('a parameter that is not given has its preset, and dates are counted from today', () => {
  expect(bind(sample, { person: 'ada' }, TODAY)).toEqual({
    values: { team: '%', from: '2026-06-12', to: '2026-06-15', person: 'ada', hours: '7', zone: 'UTC' },
  });
});

test.each([
  [{ from: '2026-02-30' }, 'from must be a date such as 2026-06-30, today or yesterday, not "2026-02-30"'],
  [{ from: '07/01/2026' }, 'from must be a date such as 2026-06-30, today or yesterday, not "07/01/2026"'],
  [{ to: 'tomorrow' }, 'to must be a date such as 2026-06-30, today or yesterday, not "tomorrow"'],
  [{ from: '2026-06-16' }, 'from must not be later than to: 2026-06-16 is later than 2026-06-15'],
  [{ hours: '-1' }, 'hours must be a whole number from 0 to 999999999, not "-1"'],
  [{ hours: '1 OR 1=1' }, 'hours must be a whole number from 0 to 999999999, not "1 OR 1=1"'],
  [{ zone: 'Mars/Olympus' }, 'zone must be a time zone such as Europe/Berlin or UTC, not "Mars/Olympus"'],
  [{ zone: '+02:00' }, 'zone must be a time zone such as Europe/Berlin or UTC, not "+02:00"'],
  [{ team: 'a\nb' }, 'team must be text without control characters, not "a\\nb"'],
  [{ tema: 'a' }, 'there is no parameter "tema"; did you mean "team"?'],
])('the parameters %j are refused: %s', (given, problem) => {
  expect(problemsOf(given)).toEqual([problem]);
});

test.each([
  [{}, { history_from: '2020-01-01', from: '2026-06-05', to: '2026-06-15' }],
  [{ to: '2026-03-31' }, { from: '2026-03-21', to: '2026-03-31' }],
  [
    { to: 'yesterday', from: 'to - 1w' },
    { from: '2026-06-07', to: '2026-06-14' },
  ],
  [{ from: '2019-05-01' }, { history_from: '2019-05-01', from: '2019-05-01' }],
])('with %j, a default moves with what was given: %j', (given, dates) => {
  const header = HEADER.replace('today - 3', 'to - 10  ');
  const query = readQuery('sample', `${header}${BODY}  AND x = :history_from\n`);
  expect(bind(query, { person: 'ada', ...given }, TODAY)).toMatchObject({ values: dates });
});

test.each(networkTable())('the networks $office are taken as a parameter', ({ office }) => {
  expect(networksProblem(office)).toBeUndefined();
});

test.each([
  ...['', '10.0.0.0/33', '10.0.0/8', '10.0.0.256', '10.0.0.0-10.0.0.9', '10.0.0.0/8,', '10.0.0.0/-1', '10.0.0.0/8/8'],
  ...['2001:db8::/129', '2001:db8::1::/64', '[2001:db8::]/64', '2001:db8', 'fe80::1%eth0', ':', 'office'],
])('the networks %j are refused, because no address would be in them', (office) => {
  expect(networksProblem(office)).toMatch(/^must be networks such as/);
});

test('a missing parameter is named together with all other problems', () => {
  expect(bind(sample, { hours: 'x', tema: 'y' }, TODAY)).toEqual({
    problems: [
      'there is no parameter "tema"; did you mean "team"?',
      'person must be given, for example ada',
      'hours must be a whole number from 0 to 999999999, not "x"',
    ],
  });
});

test.each([
  "'; DROP TABLE events; --",
  "it's",
  ':team',
  '$1',
  "\\'",
])('a parameter with the value %j stays one literal', (person) => {
  const bound = bind(sample, { person }, TODAY);
  if ('problems' in bound) throw new Error(bound.problems.join('; '));
  const filled = statement(sample, bound.values);
  expect(filled).toContain(`who = '${person.replaceAll("'", "''")}' AND hour(x::time) = 7 AND z = 'UTC'`);
});

test('a deployed query describes all parameters, and runs as it is, on the days before it is run', () => {
  expect(presetStatement(sample)).toBe(`-- What it shows.
-- More of it.
--
-- Controls: SOC 2 CC6.1; PCI DSS 10.2.1
-- Parameters:
--   team    text    = %          the team; % is all of them
--   from    date    = today - 3  first day, UTC
--   to      date    = today      last day, UTC
--   person  text    e.g. ada     who
--   hours   number  = 7          how many
--   zone    zone    = UTC        where
SELECT 1 FROM events WHERE team = /* team */ '%' AND dt BETWEEN /* from */ date_format(current_date - INTERVAL '3' DAY, '%Y-%m-%d') AND /* to */ date_format(current_date - INTERVAL '0' DAY, '%Y-%m-%d')
  AND who = /* person */ 'ada' AND hour(x::time) = /* hours */ 7 AND z = /* zone */ 'UTC'`);
});

/** Keywords that stand before a parenthesis and are not functions. */
const NO_FUNCTIONS = ['cast', 'try_cast', 'row', 'unnest', 'timestamp', 'varchar', 'in', 'and', 'as', 'over', 'values'];

function functionsIn(sql: string): string[] {
  const names = [...sql.matchAll(/\b(\w+)\(/g)].map(([, name = '']) => name.toLowerCase());
  return names.filter((name) => !NO_FUNCTIONS.includes(name));
}
