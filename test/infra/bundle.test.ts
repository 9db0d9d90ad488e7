/** The code of the function: the same bytes for the deployed stack and the local world. `cdk synth` runs as a person runs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Bundle, bundle } from '../../infra/bundle';
import { readConfig } from '../../infra/config';
import { readTeam } from '../../lambdas/shared/contract';
import { scratch } from '../support/scratch';

const repository = join(import.meta.dirname, '../..');
const teams = readConfig({ teams: Array.from({ length: 100 }, (_, i) => ({ name: `team-${i}` })) }).teams;
const here = bundle(join(scratch, 'here'), teams);
const bytes = readFileSync(here.file);

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync('npx', ['--no-install', command, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}

test('the same sources give the same bytes in every folder, from every working directory, and for whatever teams', () => {
  const checkout = join(scratch, 'some/deeper/place with spaces');
  mkdirSync(checkout, { recursive: true });
  for (const name of ['package.json', 'lambdas', 'infra/bundle.ts']) {
    cpSync(join(repository, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(checkout, 'node_modules'));
  // A stray setting above a checkout must not reach into it.
  writeFileSync(join(scratch, 'some/tsconfig.json'), '{"compilerOptions":{"target":"es5","jsx":"react"}}');
  const script = `
    const { bundle } = await import(${JSON.stringify(join(checkout, 'infra/bundle.ts'))});
    console.log(JSON.stringify(bundle('../out', [])));`;
  const tsx = createRequire(import.meta.url).resolve('tsx');
  const options = { cwd: join(checkout, 'lambdas'), encoding: 'utf8' } as const;
  const output = execFileSync(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], options);
  const there = JSON.parse(output) as Bundle;
  expect(there).toEqual({ ...here, file: join(checkout, 'out/index.js') });
  expect(readFileSync(there.file).equals(bytes)).toBe(true);
  expect(here).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  expect(readFileSync(join(checkout, 'out/teams.json'), 'utf8')).toBe('{}');
  for (const path of [scratch, repository, 'sourceMappingURL']) expect(bytes.includes(path)).toBe(false);
});

test('the settings of a hundred teams lie beside the code, each under the name of its team', () => {
  const text = readFileSync(join(dirname(here.file), 'teams.json'), 'utf8');
  expect(Object.keys(JSON.parse(text))).toEqual(teams.map(({ name }) => name));
  for (const { name, schedule: _, ...settings } of teams) expect(readTeam(text, name)).toEqual(settings);
});

test('cdk synth succeeds without a warning, and uploads the file that the local world spawns, small enough to start fast', () => {
  const out = join(scratch, 'cdk.out');
  const { status, stderr } = run('cdk', ['synth', '--quiet', '--output', out]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.not.stringMatching(/ERROR|WARN(ING)?\b|feature flag/),
  });
  const assets = readdirSync(out).filter((name) => /^asset\.[0-9a-f]+$/.test(name));
  const [code = '', verifier = ''] = assets
    .map((name) => join(out, name))
    .sort((a, b) => readdirSync(b).length - readdirSync(a).length);
  expect(readdirSync(code).sort()).toEqual(['index.js', 'package.json', 'teams.json']);
  expect(readdirSync(verifier).sort()).toEqual(['index.js', 'package.json']);
  expect(readFileSync(join(code, 'index.js')).equals(bytes)).toBe(true);
  expect(bytes.length).toBeLessThan(720_000);
}, 180_000);

test('cdk synth names all that is wrong with a configuration, without a stack trace, and fails', () => {
  const never = ['cron(0 0 1 1 ? 2030)', 'cron(0 0 31 2 ? *)', 'cron(0 0 1 * ? *)', 'cron(0 5 ? * MON-FRI 2020)'];
  const teams = never.map((schedule, index) => ({ name: `team-${index}`, schedule }));
  const archive = { teams: [...teams, { name: 'Main' }], stages: 'dev' };
  const [app, tsx] = ['infra/app.ts', 'node_modules/.bin/tsx'].map((name) => join(repository, name));
  mkdirSync(join(scratch, 'wrong'));
  writeFileSync(join(scratch, 'wrong/cdk.json'), JSON.stringify({ app: `${tsx} ${app}`, context: { archive } }));
  const { status, stderr } = spawnSync(join(repository, 'node_modules/.bin/cdk'), ['synth'], {
    cwd: join(scratch, 'wrong'),
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const problems = never.map((_, index) => `teams[${index}].schedule: "${never[index]}" `);
  for (const problem of [...problems, 'teams[4].name: must be ', 'unknown key "stages"; did you mean "stage"']) {
    expect(stderr).toContain(`\n  - ${problem}`);
  }
  expect(stderr).not.toMatch(/^ *at /m);
}, 180_000);
