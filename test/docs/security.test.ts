/** `docs/security.md` names a test for each of its claims. A claim whose test is renamed or removed must not stay. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { forbidden, forbiddenWithEveryRight, readCalls, required } from '../infra/calls';

const ROOT = join(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const rows = [...text.matchAll(/^\|(.*)\|$/gm)]
  .slice(2)
  .map(([, row = '']) => row.split('|').map((cell) => cell.trim()));
const claims = rows.map(([who = '', what = '', , , tests = '']) => ({
  name: `${who} ${what}`.trim(),
  tests: namesIn(tests),
}));

const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const sources = files.map((file) => readFileSync(join(ROOT, 'test', file), 'utf8')).join('\n');

/** The names that tests make from a table, and the place of their cases. */
const tables: readonly (readonly [RegExp, (...parts: string[]) => boolean])[] = [
  [/^the template allows that (.*)$/, isCall(required)],
  [/^the template denies that (.*)$/, isCall(forbidden)],
  [/^even if its role is given every right, it is denied that (.*)$/, isCall(forbiddenWithEveryRight)],
  [/^after "(.*)" the verifier reports "(.*)"$/, (deed, findings) => sources.includes(`'${deed}', '${findings}'`)],
];

test('the table of security.md has a row for everybody who could harm the archive', () => {
  const who = [...text.matchAll(/^\| \*\*(.+?)\*\*/gm)].map(([, name]) => name);
  const thieves = ['archiver', 'verifier'].map((role) => `Stolen role of the ${role}`);
  expect(who).toEqual(['Outsider', 'Developer', 'Administrator', 'Break glass', ...thieves, 'Auditor']);
});

test.each(claims.filter(({ tests }) => tests.length > 0))('the tests that security.md names exist: $name', ({
  tests,
}) => {
  expect(tests.filter((name) => !exists(name))).toEqual([]);
});

test('security.md says of one row only that no test shows it', () => {
  expect(claims.filter(({ tests }) => tests.length === 0).map(({ name }) => name)).toEqual([
    'do one of these by a detour',
  ]);
});

function exists(name: string): boolean {
  for (const [pattern, isCase] of tables) {
    const match = pattern.exec(name);
    if (match !== null) return isCase(...match.slice(1));
  }
  return sources.includes(`'${name}'`) || sources.includes(`"${name}"`);
}

function isCall(table: string): (name?: string) => boolean {
  const calls = readCalls(table, () => '');
  return (name = '') => name in calls;
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}
