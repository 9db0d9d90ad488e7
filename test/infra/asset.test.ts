/** Runs `cdk synth` as a person runs it, in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../infra/bundle';

const folder = mkdtempSync(join(tmpdir(), 'asset-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync('npx', ['--no-install', command, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}

describe('cdk synth', () => {
  const out = join(folder, 'cdk.out');

  it('succeeds without a warning with the configuration in the repository', () => {
    const { status, stderr } = run('cdk', ['synth', '--quiet', '--output', out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringMatching(/ERROR|WARN(ING)?\b/) });
  }, 180_000);

  it('uploads the file that the local world spawns, and the file is small enough to start fast', () => {
    const manifest = JSON.parse(readFileSync(join(out, 'postman-audit-archive.assets.json'), 'utf8'));
    const asset = Object.values<{ readonly source: { readonly path: string } }>(manifest.files).find(({ source }) =>
      source.path.startsWith('asset.'),
    );
    const code = join(out, asset?.source.path ?? '');
    expect(readdirSync(code).sort()).toEqual(['index.js', 'package.json']);
    const deployed = readFileSync(join(code, 'index.js'));
    const local = bundle(join(folder, 'local'));
    expect(createHash('sha256').update(deployed).digest('hex')).toBe(local.sha256);
    expect(deployed.length).toBeLessThan(700_000);
  });

  it('names what is wrong with a configuration, without a stack trace, and fails', () => {
    const archive = { teams: [{ name: 'Main' }], stages: 'dev' };
    const { status, stderr } = run('tsx', ['infra/app.ts'], { CDK_CONTEXT_JSON: JSON.stringify({ archive }) });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /cannot be deployed:\n {2}- teams\[0\]\.name: must be .*\n {2}- unknown key "stages"; did you mean "stage"/,
    );
    expect(stderr).not.toMatch(/^ *at /m);
  });
});
