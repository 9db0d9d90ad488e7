import { asCsv, asObjects, asTable } from '../../cli/query-output';
import type { QueryResult } from '../../cli/sql-engine';

function answer(...texts: readonly (string | null)[]): QueryResult {
  return { columns: [{ name: 'said', kind: 'text' }], rows: texts.map((text) => [text]) };
}

const numbers: QueryResult = {
  columns: [
    { name: 'n', kind: 'number' },
    { name: 'ok', kind: 'boolean' },
  ],
  rows: [
    ['-7', 'true'],
    [null, 'false'],
  ],
};

test.each([
  '\u001b[2J',
  '\u009b31m',
  '\u202e',
  '\u2028',
  '\r',
  '\n',
  '\0',
  '\ud800',
])('a table shows the control character %j as its number', (odd) => {
  const shown = asTable(answer(`a${odd}b`));
  expect(shown).toContain(`a\\u{${odd.charCodeAt(0).toString(16)}}`);
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
});

test('a table is as wide as the terminal at most', () => {
  const lines = asTable(answer('x'.repeat(500)), 60).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBe(60);
});

test('a table states how many rows it leaves out', () => {
  const shown = asTable(answer(...Array<string>(1205).fill('row')));
  expect(shown.split('\n').filter((line) => line.includes('│ row')).length).toBe(200);
  expect(shown).toMatch(/and 1,005 more rows: use --csv or --json to get every row$/);
});

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['\r=1', '"\'\r=1"'],
  ['a,b', '"a,b"'],
  ['say "so"', '"say ""so"""'],
  ['two\nlines', '"two\nlines"'],
  ['a\0b', 'a\\u{0}b'],
  ['plain', 'plain'],
  ['', '""'],
  [null, ''],
])('the text %j is written to CSV as %j, so that no text is a formula', (text, cell) => {
  expect(asCsv(answer(text))).toBe(`said\n${cell}`);
});

test('no name of a column is a formula in CSV', () => {
  const columns = [{ name: '=cmd', kind: 'text' }] as const;
  expect(asCsv({ columns, rows: [] })).toBe("'=cmd");
});

test('negative numbers are written to CSV without a quote', () => {
  expect(asCsv(numbers)).toBe('n,ok\n-7,true\n,false');
});

test('JSON leaves text unchanged, and contains numbers and truth values as such', () => {
  expect(asObjects(answer('=\u001b', null))).toEqual([{ said: '=\u001b' }, { said: null }]);
  expect(asObjects(numbers)).toEqual([
    { n: -7, ok: true },
    { n: null, ok: false },
  ]);
});
