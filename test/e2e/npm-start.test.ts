/** `npm start` as a person runs it, seen from outside: exit codes, printed lines, and the folder that it leaves. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleInReadme } from '../support/demo-world';
import { scratch } from '../support/scratch';
import { startTeamLog } from '../support/team-log';

const ROOT = join(import.meta.dirname, '../..');
jest.setTimeout(600_000);

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawned(process.execPath, ['cli/audit-archive.mjs', 'local', ...args], environment);
}

function spawned(command: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { POSTMAN_API_KEY: _key, ...inherited } = process.env;
  // It leads a process group of its own, so that it can be killed together with all that it started.
  const child = spawn(command, args, { cwd: ROOT, env: { ...inherited, ...environment }, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code, text }));
  return { child, ended, text: () => text };
}

function killed({ child, ended }: ReturnType<typeof start>) {
  process.kill(-Number(child.pid), 'SIGKILL');
  return ended;
}

function demoArguments(name: string, eventsPerDay: number): string[] {
  return ['--data', join(scratch, name), '--events-per-day', String(eventsPerDay)];
}

/** Shows with gzip, sort and cmp alone that the stored lines are the served lines, each as often. */
function expectSameLines(world: string): void {
  const script = `
    cd "$0" && export LC_ALL=C
    find bucket/events bucket/quarantine -name '*.gz' -exec gzip -dc {} + | sort > archived.txt
    sort source/served.ndjson > served.txt
    test -s served.txt && cmp archived.txt served.txt`;
  execFileSync('/bin/sh', ['-c', script, world], { stdio: 'pipe' });
}

function archivedLines(bucket: string): string[] {
  const script = 'find "$0/events" -name "*.gz" -exec gzip -dc {} +';
  return execFileSync('/bin/sh', ['-c', script, bucket], { encoding: 'utf8' }).split('\n').slice(0, -1);
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => join(parentPath, name));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

/** Text without its numbers, and without the line breaks that depend on their lengths. */
function wording(text: string): string {
  return text.replace(/\d[\d,]*/g, '0').replace(/\s+/g, ' ');
}

const demo = join(scratch, 'whole', 'demo');
const whole = demoArguments('whole', 3);
const SAME = 'the same, each of them once';

test('npm start archives, proves and queries the demo team, and prints what README shows in plain lines', async () => {
  const { code, text } = await spawned('npm', ['start', '--', ...whole], {}).ended;
  expect({ code, text: wording(text) }).toEqual({ code: 0, text: expect.stringContaining(SAME) });
  // `npm-start-text.test.ts` compares every number. Here is another team, in another process.
  const shown = sampleInReadme()
    .split('\n\n')
    .filter((part) => /^[ A-Z]{9}\S/.test(part));
  expect(shown.length).toBeGreaterThan(3);
  for (const part of shown) expect(wording(text.replaceAll(demo, '.archive/demo'))).toContain(wording(part).trim());
  // There is no terminal, so it moves no cursor and uses no colour.
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expectSameLines(demo);
});

test('a second start continues the archive, and a third start fails and names an object that was changed meanwhile', async () => {
  const { code, text } = await start(whole).ended;
  expect({ code, text: wording(text) }).toEqual({ code: 0, text: expect.stringContaining('An earlier start') });
  expectSameLines(demo);

  const file = filesIn(join(demo, 'bucket', 'events')).sort()[0] ?? '';
  const before = readFileSync(file);
  writeFileSync(file, Buffer.from(before.map((byte, at) => (at === before.length >> 1 ? byte ^ 1 : byte))));
  const changed = await start(whole).ended;
  expect(changed.code).not.toBe(0);
  expect(changed.text).toContain(file.slice(join(demo, 'bucket').length + 1));

  writeFileSync(file, before);
  expect(await start(whole).ended).toMatchObject({ code: 0 });
  expectSameLines(demo);
});

test('a start that was killed in its backfill is continued: after its lease, or at once without a checkpoint', async () => {
  const world = join(scratch, 'killed', 'demo');
  const args = demoArguments('killed', 70);
  const cutOff = start(args);
  const log = () => (existsSync(join(world, 'handler.log')) ? readFileSync(join(world, 'handler.log'), 'utf8') : '');
  await until(() => log().includes('"committed"') || cutOff.child.exitCode !== null);
  expect(await killed(cutOff)).toMatchObject({ code: null });
  expect(log()).not.toContain('"outcome":"archived"');

  const waiting = start(args);
  await until(() => waiting.text().includes('An earlier run was cut off') || waiting.child.exitCode !== null);
  expect(await killed(waiting)).toMatchObject({ code: null, text: expect.not.stringContaining('manifests') });

  rmSync(join(world, 'checkpoint'), { recursive: true });
  const again = await start(args).ended;
  expect({ code: again.code, text: wording(again.text) }).toEqual({ code: 0, text: expect.stringContaining(SAME) });
  expectSameLines(world);
});

const API_KEY = 'PMAK-canary-of-a-real-team';
const real = ['--data', join(scratch, 'real')];

test('with POSTMAN_API_KEY it archives that team from its start date, continues, and keeps and prints no key', async () => {
  const source = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  const environment = {
    POSTMAN_API_KEY: API_KEY,
    POSTMAN_BASE_URL: source.url,
    POSTMAN_START_DATE: new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10),
  };
  const old = source.happen(10, { hoursAgo: 24 * 30 });
  source.happen(400, { hoursAgo: 40 });
  const first = await start(real, environment).ended;
  expect(first).toMatchObject({ code: 0, text: expect.stringMatching(/ = +400 /) });
  source.happen(7);
  const second = await start(real, environment).ended;
  expect(second).toMatchObject({ code: 0, text: expect.stringMatching(/ = +7 /) });
  const wanted = source.visible().filter((line) => !old.some(({ raw }) => raw === line));
  expect(archivedLines(join(scratch, 'real', 'postman', 'bucket')).sort()).toEqual([...wanted].sort());

  source.change({ apiKey: 'another' });
  const keyRefused = expect.stringMatching(/FAILED, api-key-refused: Postman refused the key in POSTMAN_API_KEY/);
  const refused = await start(real, environment).ended;
  expect(refused).toMatchObject({ code: 3, text: keyRefused });
  const fresh = await start(['--data', join(scratch, 'real', 'fresh')], environment).ended;
  expect(fresh).toMatchObject({ code: 3, text: keyRefused });
  expect(wording(fresh.text)).toMatch(/FAILED.*POSTMAN_BASE_URL=\S+ Nothing has been archived yet/);
  expect(fresh.text).not.toContain('SSM');
  await source.close();
  const kept = filesIn(join(scratch, 'real')).map((file) => readFileSync(file, 'latin1'));
  const printed = [first, second, refused, fresh].map(({ text }) => text);
  expect([...printed, ...kept].filter((text) => text.includes(API_KEY))).toEqual([]);
});

test('with POSTMAN_API_KEY it says that no line has a usable timestamp, where the source has changed their form', async () => {
  const source = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  source.misbehave(...Array.from({ length: 120 }, (_, id) => `{"id":${id},"timestamp":${Date.now()}}`));
  const environment = { POSTMAN_API_KEY: API_KEY, POSTMAN_BASE_URL: source.url };
  const { code, text } = await start(['--data', join(scratch, 'numbers')], environment).ended;
  const note = / = +0 \+ +120 \+ .*NOTE: (\d+) of \1 served lines lack a usable id or timestamp/;
  expect({ code, text: text.replace(/\s+/g, ' ') }).toEqual({ code: 0, text: expect.stringMatching(note) });
  await source.close();
});

test.each([
  ['POSTMAN_BASE_URL', 'http://example.com'],
  ['POSTMAN_START_DATE', 'yesterday'],
])('a bad %s is a usage error that names it', async (name, value) => {
  const { code, text } = await start(real, { POSTMAN_API_KEY: API_KEY, [name]: value }).ended;
  expect({ code, text }).toEqual({ code: 2, text: expect.stringContaining(name) });
});

test('--help names every option and every variable of npm start', async () => {
  const { code, text } = await start(['--help']).ended;
  expect(code).toBe(0);
  for (const word of ['--data', '--events-per-day', 'POSTMAN_API_KEY', 'POSTMAN_BASE_URL', 'POSTMAN_START_DATE']) {
    expect(text).toContain(word);
  }
});
