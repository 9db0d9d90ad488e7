/**
 * A new user believes the README first, so it is tested: everything that it names exists, and its commands run.
 * `test/e2e/npm-start-text.test.ts` compares what `npm start` prints with the sample in the README.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigProblems, readConfig } from '../infra/config';
import { buildArchive, sampleBatches, writeObjects } from './support/archive-builder';
import { inFolder } from './support/judge';
import { synthesise } from './support/synthesised';

const ROOT = join(import.meta.dirname, '..');
const COMMAND = join(ROOT, 'cli/audit-archive.mjs');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const text = read('README.md');
/** README, and the pages that hold what a user types later. */
const handbook = ['README.md', 'docs/settings.md', 'docs/retention.md'].map(read).join('\n');
const pack = JSON.parse(read('package.json'));
const blocks = [...handbook.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)].map(([, kind, body = '']) => ({ kind, body }));
const prose = handbook.replace(/^ *```.*?^ *```$/gms, '');
/** Every piece of text between code marks, outside the code blocks. */
const codes = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
const commands = [...blocks.filter(({ kind }) => kind === 'sh').flatMap(({ body }) => body.split('\n')), ...codes];

const matching = (pattern: RegExp) => [...new Set(commands.flatMap((line) => pattern.exec(line)?.[1] ?? []))];

describe('the commands of README', () => {
  test('every npm command of README is one of npm, or a script of this project', () => {
    const scripts = matching(/\bnpm (?:run )?([\w:-]+)/).filter((name) => name !== 'ci');
    expect(scripts).toEqual(expect.arrayContaining(['start', 'test', 'types', 'lint']));
    expect(Object.keys(pack.scripts)).toEqual(expect.arrayContaining(scripts));
    expect(existsSync(join(ROOT, 'package-lock.json'))).toBe(true);
  });

  test('every audit-archive command of README is a verb that exists, with options that exist', () => {
    const lines = matching(/\bnpx audit-archive (.*)$/);
    expect(lines.length).toBeGreaterThan(1);
    expect(pack.bin['audit-archive']).toBe('cli/audit-archive.mjs');
    for (const line of lines) {
      const [verb = '', ...rest] = line.split(' ');
      const { status, stdout } = auditArchive([verb, '--help'], ROOT);
      expect({ verb, status }).toEqual({ verb, status: 0 });
      for (const option of rest.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
    }
  });

  test('every cdk command of README exists', () => {
    const verbs = matching(/\b(?:npx )?cdk ([a-z]+)/);
    expect(verbs).toEqual(expect.arrayContaining(['bootstrap', 'deploy', 'destroy']));
    const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/cdk'), ['--help'], { encoding: 'utf8' });
    for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^ +(?:cdk )?${verb}\\b`, 'm'));
  });

  test('README names the oldest version of Node that the package accepts', () => {
    expect(pack.engines.node).toBe(`>=${/Node ([\d.]+) or newer/.exec(text)?.[1]}`);
  });
});

test('the verify command of README accepts a good archive and refuses a changed one', () =>
  inFolder(async (folder) => {
    const demo = join(folder, '.archive/demo');
    writeObjects(await buildArchive({ batches: sampleBatches }), join(demo, 'bucket'));
    writeFileSync(join(demo, 'public-key.pem'), readFileSync(join(folder, 'public.pem')));
    const line = commands.find((command) => command.startsWith('npx audit-archive verify')) ?? '';
    const args = line.split(' ').slice(2);
    expect(auditArchive(args, folder)).toMatchObject({ status: 0, stdout: expect.stringContaining('\nGood: ') });
    writeFileSync(join(demo, 'bucket', 'events', 'planted'), 'x');
    expect(auditArchive(args, folder)).toMatchObject({ status: 1, stdout: expect.stringContaining('events/planted') });
  }));

describe('the settings', () => {
  const rows = [...handbook.matchAll(/^\| `([\w[\].]+)` \| (required|`[^`]+`) \| .+ \|$/gm)];
  const table = new Map(rows.map(([, key = '', value = '']) => [key, value.replaceAll('`', '')]));
  const { teams, retention, alarms, ...common } = readConfig({ teams: [{ name: 'name' }] });
  const places: readonly (readonly [prefix: string, defaults: object, known: readonly string[]])[] = [
    ['', common, knownKeys((unknown) => ({ teams: [{ name: 'main' }], ...unknown }))],
    ['teams[].', teams[0] ?? {}, knownKeys((unknown) => ({ teams: [{ name: 'main', ...unknown }] }))],
    ['alarms.', alarms, knownKeys((unknown) => ({ teams: [{ name: 'main' }], alarms: unknown }))],
    ['retention.', retention, knownKeys((unknown) => ({ teams: [{ name: 'main' }], retention: unknown }))],
  ];

  test('the table of settings lists every setting and no other', () => {
    const known = places.flatMap(([prefix, , keys]) => keys.map((key) => prefix + key));
    const nested = ['teams', 'retention', 'alarms'];
    expect([...table.keys()].sort()).toEqual(known.filter((key) => !nested.includes(key)).sort());
  });

  test('the table of settings gives the true default of each setting', () => {
    for (const [prefix, defaults] of places) {
      for (const [key, value] of Object.entries(defaults)) {
        const told = table.get(prefix + key) ?? '';
        if (prefix + key === 'teams[].name') expect(told).toBe('required');
        else expect([prefix + key, JSON.parse(told.replace('<name>', 'name'))]).toEqual([prefix + key, value]);
      }
    }
  });

  test('the configuration accepts every setting that the steps of README show', () => {
    const shown = codes.filter((code) => /^"\w+": [[{]/.test(code)).map((code) => JSON.parse(`{${code}}`));
    expect(shown.length).toBeGreaterThan(1);
    for (const settings of shown) expect(() => readConfig({ teams: [{ name: 'main' }], ...settings })).not.toThrow();
    expect(() => readConfig(JSON.parse(read('cdk.json')).context.archive)).not.toThrow();
  });
});

test('the deployment prints every output that README names', () => {
  const named = codes.filter((code) => /^[A-Z][a-z]+(?:[A-Z][a-z]+)+$/.test(code));
  expect(named).toEqual(expect.arrayContaining(['PutApiKeyMain', 'FirstQuery', 'PublicKey', 'BreakGlassRole']));
  const { template } = synthesise({ teams: [{ name: 'main' }], auditors: ['arn:aws:iam::111122223333:root'] });
  expect(Object.keys(template.findOutputs('*'))).toEqual(expect.arrayContaining([...new Set(named)]));
});

describe('references in the documents', () => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/format.md',
    'docs/design.md',
    'docs/security.md',
    'docs/runbook.md',
    'docs/settings.md',
    'docs/retention.md',
    'docs/costs.md',
    'docs/performance.md',
  ];

  test.each(documents)('every link of %s leads to a file and a heading that exist', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https:)([^)#]*)#?([^)]*)\)/g)];
    expect(links.length).toBeGreaterThan(document === 'README.md' ? 4 : -1);
    for (const [link, path = '', anchor = ''] of links) {
      const file = path === '' ? document : join(dirname(document), path);
      expect({ link, isThere: existsSync(join(ROOT, file)) }).toEqual({ link, isThere: true });
      if (anchor !== '') expect(anchorsOf(read(file))).toContain(anchor);
    }
  });

  test.each(documents)('every path that %s names exists', (document) => {
    const paths = [...read(document).matchAll(/`((?:cli|docs|infra|lambdas|local|test)\/[\w./-]+)`/g)].map(
      ([, path]) => path,
    );
    expect(paths.filter((path) => path !== undefined && !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('the product is as long as README says', () => {
    const [said = '', ...files] = /in about (\d+) lines: (.*?infra\/archive-stack\.ts)/s.exec(text)?.slice(1) ?? [];
    const names = [...(files[0] ?? '').matchAll(/[\w/-]+\.(?:md|ts)/g)].map(([name]) => name);
    const lines = [...new Set(names)].reduce((sum, name) => sum + read(name).split('\n').length, 0);
    expect(new Set(names).size).toBe(6);
    expect(Math.abs(lines - Number(said))).toBeLessThan(75);
  });
});

function auditArchive(args: readonly string[], cwd: string) {
  return spawnSync(process.execPath, [COMMAND, ...args], { cwd, encoding: 'utf8' });
}

/** The known keys, from the message about an unknown key that resembles none of them. */
function knownKeys(configuration: (unknown: object) => object): readonly string[] {
  try {
    readConfig(configuration({ qqqqqqqqqqqqqqq: 1 }));
  } catch (error) {
    if (error instanceof ConfigProblems) return /known are (.*)$/.exec(error.problems[0] ?? '')?.[1]?.split(', ') ?? [];
    throw error;
  }
  return [];
}

/** The anchors that GitHub makes of the headings. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
