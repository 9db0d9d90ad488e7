/** Exit code 1 means findings. These commands read a good archive, so nothing that goes wrong may end with 1. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const ARCHIVE = 'test/fixtures/format-1';
const COMMAND = 'node "$NODE_ARGS" cli/audit-archive.mjs';
const VERIFY = `${COMMAND} verify ${ARCHIVE}/bucket --key ${ARCHIVE}/public-key.pem`;
const QUERY = `${COMMAND} query who_did_what ${ARCHIVE}/bucket --from 2020-01-01 --csv`;

const scratch = mkdtempSync(join(tmpdir(), 'exit-codes-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The program throws the error as soon as the command has its guard against such errors. */
const thrown = (statement: string) =>
  `process.on('newListener', (name) => setImmediate(() => { if (name === 'uncaughtException') ${statement} }));`;

/** Only the program itself takes the system for Windows, because its loader could not work. */
const ON_WINDOWS = `Object.defineProperty(process, 'platform', {
  get: () => (/cli.main/.test(new Error().stack) ? 'win32' : 'linux'),
});`;

/** Runs a line of shell. `before` is a program that Node runs before the command. */
function run(line: string, { before = '', environment = {} } = {}) {
  const preload = join(scratch, 'before.cjs');
  writeFileSync(preload, before);
  const env = { ...process.env, NODE_ARGS: `--require=${preload}`, ...environment };
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: ROOT, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const oneLine = (...parts: string[]) =>
  expect.stringMatching(new RegExp(`^audit-archive: [^\n]*${parts.join('[^\n]*')}[^\n]*\n$`));

test.each<[string, string, { readonly before?: string; readonly environment?: object }, unknown]>([
  ['the disk is full', `${VERIFY} > /dev/full`, {}, oneLine('incomplete', 'ENOSPC')],
  ['the disk is full while help is printed', `${COMMAND} --help > /dev/full`, {}, oneLine('incomplete', 'ENOSPC')],
  [
    'the packages are not installed',
    `cp -r cli infra lambdas local package*.json ${scratch} && node ${scratch}/cli/audit-archive.mjs --version`,
    {},
    oneLine('cannot be loaded', "'esbuild'", 'npm ci'),
  ],
  [
    'Node is too old',
    VERIFY,
    { before: "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.14.0' } });" },
    oneLine('Node 20.14.0 is too old: install Node 20.15 or newer'),
  ],
  [
    'an error is thrown that nothing handles',
    VERIFY,
    { before: thrown("throw new Error('two\\nlines');") },
    oneLine('two lines'),
  ],
  [
    'a promise is rejected that nothing handles',
    VERIFY,
    { before: thrown("Promise.reject(new Error('lost'));") },
    oneLine('lost'),
  ],
  ['local runs on Windows', `${COMMAND} local`, { before: ON_WINDOWS }, oneLine('local works', 'run it in WSL')],
  ['query reads a folder on Windows', QUERY, { before: ON_WINDOWS }, oneLine('query works', 'run it in WSL')],
  [
    'the message of the SQL engine quotes a control character',
    `${COMMAND} query --sql 'SELECT CAST(chr(27) AS integer)' ${ARCHIVE}/bucket`,
    {},
    oneLine('convert', "'\\\\u\\{1b\\}'"),
  ],
  ['there is no archive', VERIFY.replace('/bucket', '/nothing'), {}, oneLine('there is no folder')],
])('the exit code is 3, with one line that says why, where %s', (_, line, options, stderr) => {
  expect(run(line, options)).toMatchObject({ status: 3, stderr });
});

test('the exit code is 3 where standard error cannot be written either', () => {
  expect(run(`${VERIFY} > /dev/full 2> /dev/full`)).toMatchObject({ status: 3 });
});

test('a file that takes only the first part of the output is an error', () => {
  const file = join(scratch, 'part.csv');
  const stderr = expect.stringMatching(/incomplete.*EFBIG/);
  expect(run(`trap '' XFSZ; ulimit -f 1; ${QUERY} > ${file}`)).toMatchObject({ status: 3, stderr });
  expect(statSync(file).size).toBeGreaterThan(0);
});

test.each([
  ['0 for a good archive', 0, VERIFY],
  ['1 for findings', 1, VERIFY.replace('--key', `--head ${scratch}/heads.json --key`)],
  ['0 for a query', 0, QUERY],
])('a reader that closes the pipe early sees no error, and the exit code is still %s', (_, status, line) => {
  const deleted = [{ team: 'main', seq: 9_999_999, sha256: '0'.repeat(64) }];
  writeFileSync(join(scratch, 'heads.json'), JSON.stringify(deleted));
  expect(run(`set -o pipefail; ${line} | true`)).toMatchObject({
    status,
    stderr: expect.not.stringMatching(/EPIPE|Error/),
  });
});

test('the oldest Node is the one that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
  expect(engines.node).toBe('>=20.15');
});
