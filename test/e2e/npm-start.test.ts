/** `npm start` as a person runs it, looked at from outside: exit codes, what is printed, and the folder it leaves. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startTeamLog } from '../support/team-log';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 600_000;
const scratch = mkdtempSync(join(tmpdir(), 'npm-start-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** So far, both streams. */
  text(): string;
  readonly ended: Promise<Printed>;
}

interface Printed {
  readonly code: number | null;
  readonly text: string;
}

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}, command = 'node') {
  const { POSTMAN_API_KEY: _key, ...inherited } = process.env;
  const program = command === 'node' ? ['cli/audit-archive.mjs', 'local', ...args] : ['start', '--', ...args];
  // A process group of its own, so that it can be killed with all that it started.
  const options = { cwd: ROOT, env: { ...inherited, ...environment }, detached: true } as const;
  const child = spawn(command === 'node' ? process.execPath : command, program, options);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const ended = new Promise<Printed>((resolve) => child.once('close', (code) => resolve({ code, text })));
  return { child, ended, text: () => text } satisfies Started;
}

function killed({ child, ended }: Started): Promise<Printed> {
  process.kill(-Number(child.pid), 'SIGKILL');
  return ended;
}

function demoArguments(name: string, eventsPerDay: number): string[] {
  return ['--data', join(scratch, name), '--events-per-day', String(eventsPerDay)];
}

/** With gzip, sort and cmp alone: what is stored and what was served are the same lines, as often. */
function expectSameLines(demo: string): void {
  const script = `
    cd "$0" && export LC_ALL=C
    find bucket/events bucket/quarantine -name '*.gz' -exec gzip -dc {} + | sort > archived.txt
    sort source/served.ndjson > served.txt
    test -s served.txt && cmp archived.txt served.txt`;
  execFileSync('/bin/sh', ['-c', script, demo], { stdio: 'pipe' });
}

/** The largest segment, and its path as the verifier names it. */
function aSegment(demo: string): { readonly key: string; readonly file: string } {
  const keys = readdirSync(join(demo, 'bucket/events'), { recursive: true, encoding: 'utf8' });
  const [name = ''] = keys
    .filter((key) => key.endsWith('.gz'))
    .sort((a, b) => sizeOf(demo, b) - sizeOf(demo, a) || (a < b ? -1 : 1));
  return { key: `events/${name}`, file: join(demo, 'bucket/events', name) };
}

function sizeOf(demo: string, name: string): number {
  return readFileSync(join(demo, 'bucket/events', name)).length;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the demo team', () => {
  const demo = join(scratch, 'whole', 'demo');
  const args = demoArguments('whole', 3);

  test(
    'is archived, continued, proven and asked, in plain lines where there is no terminal',
    async () => {
      const { code, text } = await start(args, {}, 'npm').ended;
      expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('the same, once each') });
      expect(text).toMatch(/^ {2}100% /m);
      // No cursor movement, no colour.
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expectSameLines(demo);
    },
    TIMEOUT_MS,
  );

  test(
    'goes on with the same archive when started again',
    async () => {
      const { code, text } = await start(args).ended;
      expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('The same archive, continued') });
      expectSameLines(demo);
    },
    TIMEOUT_MS,
  );

  const tamperings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    'one byte flipped': (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
    'one line deleted': (bytes) => gzipSync(gunzipSync(bytes).toString().replace(/^.*\n/, '')),
  };
  test.each(Object.entries(tamperings))(
    '%s by hand: the next start fails, and names the object',
    async (_, tamper) => {
      const { key, file } = aSegment(demo);
      const before = readFileSync(file);
      writeFileSync(file, tamper(before));
      const { code, text } = await start(args).ended;
      expect(code).not.toBe(0);
      expect(text).toContain(key);
      writeFileSync(file, before);
    },
    TIMEOUT_MS,
  );

  test(
    'is good again once the object is as it was',
    async () => {
      expect(await start(args).ended).toMatchObject({ code: 0 });
      expectSameLines(demo);
    },
    TIMEOUT_MS,
  );
});

test(
  'killed in mid-backfill, it waits for the lease when started again, and without a checkpoint goes on at once',
  async () => {
    const demo = join(scratch, 'killed', 'demo');
    const args = demoArguments('killed', 70);
    const cutOff = start(args);
    const log = () => (existsSync(join(demo, 'handler.log')) ? readFileSync(join(demo, 'handler.log'), 'utf8') : '');
    await until(() => log().includes('"committed"') || cutOff.child.exitCode !== null);
    expect(await killed(cutOff)).toMatchObject({ code: null });
    expect(log()).not.toContain('"outcome":"archived"');

    const waiting = start(args);
    await until(() => waiting.text().includes('waiting for its lease') || waiting.child.exitCode !== null);
    expect(await killed(waiting)).toMatchObject({ code: null, text: expect.not.stringContaining('backfill: ') });

    rmSync(join(demo, 'checkpoint'), { recursive: true });
    const again = await start(args).ended;
    expect(again).toMatchObject({ code: 0, text: expect.stringContaining('the same, once each') });
    expectSameLines(demo);
  },
  TIMEOUT_MS,
);

describe('with POSTMAN_API_KEY', () => {
  const apiKey = 'PMAK-canary-of-a-real-team';
  const args = ['--data', join(scratch, 'real')];
  const keyRefused = expect.stringMatching(/: FAILED, api-key-refused: .*POSTMAN_API_KEY/);
  const bucket = join(scratch, 'real', 'postman', 'bucket');

  function archivedLines(): string[] {
    const names = readdirSync(join(bucket, 'events'), { recursive: true, encoding: 'utf8' });
    const segments = names.filter((name) => name.endsWith('.gz')).map((name) => join(bucket, 'events', name));
    return segments.flatMap((file) => gunzipSync(readFileSync(file)).toString().split('\n').slice(0, -1));
  }

  test(
    'archives that team, from its start date, and goes on when started again',
    async () => {
      const source = await startTeamLog({ shape: 'contract', apiKey, settings: {} });
      const environment = {
        POSTMAN_API_KEY: apiKey,
        POSTMAN_BASE_URL: source.url,
        POSTMAN_START_DATE: new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10),
      };
      const old = source.happen(10, { hoursAgo: 24 * 30 });
      source.happen(400, { hoursAgo: 40 });
      const first = await start(args, environment).ended;
      expect(first).toMatchObject({ code: 0, text: expect.stringContaining('400 new') });
      source.happen(7);
      const second = await start(args, environment).ended;
      expect(second).toMatchObject({ code: 0, text: expect.stringContaining('7 new') });
      const wanted = source.visible().filter((line) => !old.some(({ raw }) => raw === line));
      expect(archivedLines().sort()).toEqual([...wanted].sort());

      source.change({ apiKey: 'another' });
      const refused = await start(args, environment).ended;
      expect(refused).toMatchObject({ code: 3, text: keyRefused });
      const fresh = await start(['--data', join(scratch, 'real', 'fresh')], environment).ended;
      expect(fresh).toMatchObject({ code: 3, text: keyRefused });
      expect(fresh.text).toMatch(/FAILED.*\n\nNothing has been archived yet/);
      await source.close();
      const kept = readdirSync(join(scratch, 'real'), { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      const printed = [first, second, refused, fresh].map(({ text }) => text);
      expect([...printed, ...kept].filter((text) => text.includes(apiKey))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test.each([
    ['POSTMAN_BASE_URL', 'http://example.com'],
    ['POSTMAN_START_DATE', 'yesterday'],
  ])('a bad %s is a usage error that names it', async (name, value) => {
    const { code, text } = await start(args, { POSTMAN_API_KEY: apiKey, [name]: value }).ended;
    expect({ code, text }).toEqual({ code: 2, text: expect.stringContaining(name) });
  });
});

test('--help says all of it', async () => {
  const { code, text } = await start(['--help']).ended;
  expect(code).toBe(0);
  for (const word of ['--data', '--events-per-day', 'POSTMAN_API_KEY', 'POSTMAN_BASE_URL', 'POSTMAN_START_DATE']) {
    expect(text).toContain(word);
  }
});
