/**
 * The part of Trino's SQL that DuckDB answers alike, and that views and queries are held to: every function they call,
 * with the arguments that matter to them. A macro in `cli/sql.ts` is right if both engines give these.
 */
import { readQueries } from '../../../infra/queries/queries';
import { views } from '../../../infra/views/views';
import type { Cell } from './answers';
import type { Asking } from './suite';

const CLOCK = "TIMESTAMP '2026-06-12 23:30:00.000'";
const JSON_TEXT = `'{"a":{"b":"x"},"n":1.5,"t":true,"z":null,"l":[1],"a":2}'`;

const ALIKE: readonly (readonly [expression: string, result: Cell])[] = [
  [`json_extract_scalar(${JSON_TEXT}, '$.a.b')`, 'x'],
  [`json_extract_scalar(${JSON_TEXT}, '$.n')`, '1.5'],
  [`json_extract_scalar(${JSON_TEXT}, '$.t')`, 'true'],
  [`json_extract_scalar(${JSON_TEXT}, '$.z')`, null],
  [`json_extract_scalar(${JSON_TEXT}, '$.l')`, null],
  [`json_extract_scalar(${JSON_TEXT}, '$.none')`, null],
  ["json_extract_scalar('no JSON', '$.a')", null],
  ["json_extract_scalar('[\"x\"]', '$[0]')", 'x'],
  [`json_format(json_extract(${JSON_TEXT}, '$.a'))`, '{"b":"x"}'],
  [`json_format(json_extract(${JSON_TEXT}, '$.l'))`, '[1]'],
  [`json_format(json_extract(${JSON_TEXT}, '$.z'))`, 'null'],
  [`json_format(json_extract(${JSON_TEXT}, '$.none'))`, null],
  ["json_format(json_extract('no JSON', '$.a'))", null],
  ["regexp_like('team.add_member', 'add|remove')", 'true'],
  ["regexp_like('user.x', '^x')", 'false'],
  ["regexp_like('', 'a')", 'false'],
  ["regexp_like(CAST(NULL AS varchar), 'a')", null],
  ["regexp_like('1\n', '1\\z')", 'false'],
  ["regexp_extract('+05:30', '([+-])([0-9]{2})', 2)", '05'],
  ["regexp_extract('none', '([0-9])', 1)", null],
  ["array_join(regexp_extract_all('a1b2', '([a-z])[0-9]', 1), ' ')", 'a b'],
  ["array_join(regexp_extract_all('{1}{2}', '\\{[^}]*\\}'), ' ')", '{1} {2}'],
  ["CAST(cardinality(regexp_extract_all('none', '[0-9]')) AS varchar)", '0'],
  ["element_at(filter(ARRAY['a', 'bb', 'cc'], each -> length(each) = 2), 1)", 'bb'],
  ["element_at(filter(ARRAY['a'], each -> length(each) = 2), 1)", null],
  ["contains(split('a.example,b.example', ','), 'b.example')", 'true'],
  ["contains(split('a.example', ','), 'a')", 'false'],
  ["split_part('ada@example.com', '@', 2)", 'example.com'],
  ["lower('ÄDA@X')", 'äda@x'],
  ["replace('a-b', '-', '')", 'ab'],
  ["substr('2026-06-12T', 1, 10)", '2026-06-12'],
  ["rpad('5', 3, '0')", '500'],
  ["rpad('', 3, '0')", '000'],
  ["coalesce(nullif('a', 'a'), 'b')", 'b'],
  ["concat_ws(' and ', 'a', CAST(NULL AS varchar), 'b')", 'a and b'],
  ["concat_ws(', ', CAST(NULL AS varchar), CAST(NULL AS varchar))", ''],
  ["length(to_utf8('ä€😀'))", '9'],
  ["lower(to_hex(sha256(from_base64('YWJj'))))", 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ["from_utf8(from_base64('w6Q='))", 'ä'],
  ["try(from_base64('YWJj')) IS NULL", 'false'],
  ["TRY_CAST('12' AS bigint)", '12'],
  ["TRY_CAST('x' AS bigint)", null],
  ["CAST(TRY_CAST('2026-02-30 00:00:00.000' AS timestamp(3)) AS varchar)", null],
  ["date_format(TIMESTAMP '2026-06-12 23:30:00.000', '%Y-%m-%d')", '2026-06-12'],
  [`date_format(date_add('minute', -91, ${CLOCK}), '%Y-%m-%d %H')`, '2026-06-12 21'],
  [`date_format(date_add('day', 1, ${CLOCK}), '%Y-%m-%d %H')`, '2026-06-13 23'],
  // Whole units, not borders passed.
  [`date_diff('day', ${CLOCK}, TIMESTAMP '2026-06-13 00:00:00.000')`, '0'],
  [`date_diff('second', ${CLOCK}, TIMESTAMP '2026-06-12 23:31:00.900')`, '60'],
  ["date_diff('minute', TIMESTAMP '2026-06-12 23:30:00.000', TIMESTAMP '2026-06-12 23:31:59.000')", '1'],
  [`date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', ${CLOCK})`, '1781307000000'],
  [`hour(CAST(at_timezone(with_timezone(${CLOCK}, 'UTC'), 'Asia/Kolkata') AS timestamp(3)))`, '5'],
  [`hour(CAST(at_timezone(with_timezone(${CLOCK}, 'UTC'), 'America/New_York') AS timestamp(3)))`, '19'],
  ["day_of_week(TIMESTAMP '2026-06-14 00:00:00.000')", '7'],
  [
    "(SELECT count(*) FROM UNNEST(sequence(DATE '2026-02-27', DATE '2026-03-01', INTERVAL '1' DAY)) AS every (day))",
    '3',
  ],
  ["(SELECT max_by(name, n) FROM (VALUES ('a', 1), ('b', 2)) AS t (name, n))", 'b'],
  ["(SELECT min(n) || max(n) || CAST(count(n) AS varchar) FROM (VALUES ('1'), ('3'), (NULL)) AS t (n))", '132'],
  ['(SELECT max(b) FROM (SELECT lag(n) OVER (ORDER BY n) AS b FROM (VALUES (1), (2), (3)) AS t (n)) AS u)', '2'],
  [
    '(SELECT max(b) FROM (SELECT first_value(n) OVER (ORDER BY n) AS b FROM (VALUES (1), (2), (3)) AS t (n)) AS u)',
    '1',
  ],
];

/** Where they differ, which no view or query may depend on. */
const DIFFERENT: readonly (readonly [expression: string, trino: Cell, duckdb: Cell])[] = [
  // A number that nobody need write so. Lines are the same, and whole, on both.
  [`json_extract_scalar('{"n":1.50}', '$.n')`, '1.50', '1.5'],
  [`json_extract_scalar('{"n":-0}', '$.n')`, '-0', '0'],
  ["(SELECT max_by(name, n) FROM (VALUES ('a', 1), (NULL, 2)) AS t (name, n))", null, 'a'],
];

/** What is written like a call and is none. */
const NO_FUNCTIONS = ['cast', 'try_cast', 'row', 'unnest', 'timestamp', 'varchar', 'in', 'and', 'as', 'over', 'values'];

export function testFunctions(engine: 'trino' | 'duckdb', asking: () => Asking): void {
  const different = DIFFERENT.map(([expression, trino, duckdb]) => [expression, { trino, duckdb }[engine]] as const);

  test.each([...ALIKE, ...different])('%s is %j', async (expression, result) => {
    const { rows } = await asking().ask(`SELECT ${expression}`);
    expect(rows).toEqual([[result]]);
  });
}

export function calledFunctions(): readonly string[] {
  const statements = [...views.map(({ sql }) => sql), ...readQueries().map(({ text }) => text)];
  const called = statements.flatMap((sql) => functionsIn(sql.replace(/--.*$/gm, '').replace(/'(?:[^']|'')*'/g, "''")));
  return [...new Set(called)].filter((name) => !NO_FUNCTIONS.includes(name)).sort();
}

export function functionsAlike(): readonly string[] {
  return [...new Set(ALIKE.flatMap(([expression]) => functionsIn(expression)))];
}

function functionsIn(sql: string): string[] {
  return [...sql.matchAll(/\b(\w+)\(/g)].map(([, name = '']) => name.toLowerCase());
}
