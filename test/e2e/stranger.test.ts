/**
 * An auditor verifies a copy on a machine of his own: without network, with nothing in the environment but a PATH, and with a copy
 * that he may only read.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../support/scratch';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURE = join(ROOT, 'test/fixtures/format-1');
const SEGMENT = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const VERIFY = [
  process.execPath,
  join(ROOT, 'cli/audit-archive.mjs'),
  'verify',
  '--key',
  join(FIXTURE, 'public-key.pem'),
];

const isRoot = process.getuid?.() === 0;
const ALONE = [
  ...['unshare', '--net', ...(isRoot ? [] : ['--map-root-user'])],
  // Otherwise root could read and write whatever the modes of the files are.
  ...['setpriv', '--bounding-set=-dac_override,-dac_read_search'],
  ...['env', '-i', `PATH=${process.env.PATH}`],
];

function alone(...command: readonly string[]) {
  const [file = '', ...args] = [...ALONE, ...command];
  return spawnSync(file, args, { encoding: 'utf8', cwd: scratch });
}

const { status: attempt, stderr, error } = alone('true');
const testAlone = attempt === 0 ? test : test.skip;
const reason = attempt === 0 ? '' : ` (skipped, because it is not permitted here: ${error?.message ?? stderr.trim()})`;

/** Makes a read-only copy of the good archive in which something has been changed. */
function copyWith(name: string, change: (copy: string) => void = () => undefined): string {
  const copy = join(scratch, name);
  cpSync(join(FIXTURE, 'bucket'), copy, { recursive: true });
  change(copy);
  spawnSync('chmod', ['-R', 'a-w', copy]);
  return copy;
}

// Only a writable copy can be removed.
afterEach(() => spawnSync('chmod', ['-R', 'u+rwX', scratch]));

testAlone(`the machine has no network, and the copy cannot be written${reason}`, () => {
  const copy = copyWith('read-only');
  const { stdout } = alone('sh', '-c', `grep -c : /proc/net/dev; touch ${copy}/x 2>/dev/null || echo read-only`);
  expect(stdout).toBe('1\nread-only\n');
});

for (const [name, status, says, args] of [
  ['a good copy', 0, 'Good', () => [copyWith('good')]],
  ['a tampered copy', 1, 'segment-missing', () => [copyWith('tampered', (copy) => rmSync(join(copy, SEGMENT)))]],
  ['an empty folder', 1, 'archive-empty', () => [copyWith('empty', (copy) => empty(copy))]],
  ['an unreadable file', 3, 'EACCES', () => [copyWith('closed', (copy) => chmodSync(join(copy, SEGMENT), 0))]],
  ['a wrong flag', 2, "unknown option '--heads'", () => [copyWith('flag'), '--heads', 'x']],
] as const satisfies readonly (readonly [string, number, string, () => readonly string[]])[]) {
  testAlone(`verify ends offline with ${status} for ${name}${reason}`, () => {
    const { status: ended, stdout, stderr } = alone(...VERIFY, ...args());
    expect(`${stdout}${stderr}`).toContain(says);
    expect(ended).toBe(status);
  });
}

const PACKAGE = join(scratch, 'package');

test('an evidence package is made of the archive', () => {
  const period = [
    '--team',
    'main',
    '--from',
    '2026-03-09',
    '--to',
    '2026-03-11',
    '--key',
    join(FIXTURE, 'public-key.pem'),
  ];
  const args = [join(ROOT, 'cli/audit-archive.mjs'), 'evidence', ...period, '--out', PACKAGE, join(FIXTURE, 'bucket')];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(join(PACKAGE, 'report.html')) });
});

/** Makes a read-only copy of the package in which something has been changed. */
function packageWith(name: string, change: (copy: string) => void = () => undefined): string {
  const copy = join(scratch, name);
  cpSync(PACKAGE, copy, { recursive: true });
  change(copy);
  spawnSync('chmod', ['-R', 'a-w', copy]);
  return copy;
}

for (const [name, status, says, make, args] of [
  ['a good package', 0, 'Good', () => packageWith('p-good'), []],
  [
    'a tampered package',
    1,
    'segment-missing',
    () => packageWith('p-bad', (copy) => rmSync(join(copy, 'archive', SEGMENT))),
    [],
  ],
  [
    'a package without its archive',
    3,
    'no folder',
    () => packageWith('p-empty', (copy) => rmSync(join(copy, 'archive'), { recursive: true })),
    [],
  ],
  [
    'an empty folder',
    3,
    'evidence.json is missing',
    () => packageWith('p-none', (copy) => empty(join(copy, 'x'))),
    [join(scratch, 'p-none/x')],
  ],
  [
    'an unreadable file',
    3,
    'EACCES',
    () => packageWith('p-closed', (copy) => chmodSync(join(copy, 'archive', SEGMENT), 0)),
    [],
  ],
  ['another package', 1, 'This is another package', () => packageWith('p-other'), ['--package', 'a'.repeat(64)]],
  ['a hash that is too short', 2, 'a SHA-256 has 64 characters', () => packageWith('p-short'), ['--package', 'abc']],
  [
    'a package without anchors.json',
    3,
    'anchors.json is missing',
    () => packageWith('p-anchors', (copy) => rmSync(join(copy, 'anchors.json'))),
    [],
  ],
  ['a wrong flag', 2, "'--heads'", () => packageWith('p-flag'), ['--heads', 'x']],
] as const satisfies readonly (readonly [string, number, string, () => string, readonly string[]])[]) {
  testAlone(`verify.mjs of a package ends offline with ${status} for ${name}${reason}`, () => {
    const { status: ended, stdout, stderr } = alone(process.execPath, join(make(), 'verify.mjs'), ...args);
    expect(`${stdout}${stderr}`).toContain(says);
    expect(ended).toBe(status);
  });
}

function empty(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}
