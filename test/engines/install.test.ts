import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs the installer on a machine with an empty cache and no tool but Node. */
function installOnBareMachine(environment: Readonly<Record<string, string>> = {}) {
  const cache = join(mkdtempSync(join(tmpdir(), 'bare-')), 'engines');
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'install.ts')], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', AUDIT_ARCHIVE_ENGINES: cache, ...environment },
  });
  const installed = existsSync(cache) ? readdirSync(cache) : [];
  rmSync(join(cache, '..'), { recursive: true });
  return { status, said: stderr.split('\n'), installed };
}

test('the installer names the missing tools of each engine, and skips the engine', () => {
  expect(installOnBareMachine()).toEqual({
    status: 0,
    said: expect.arrayContaining([
      'Skipping the tests on versitygw 1.8.0: it needs Go',
      'Skipping the tests on dynamodb-local 11.1.0: it needs Java 17 or newer',
      'Skipping the tests on moto 5.2.5: it needs Python 3 with venv',
      'Skipping the tests on trino 435: it needs a JDK, 17 or newer, and Maven',
    ]),
    installed: [],
  });
});

test('the installer fails in CI if an engine is missing', () => {
  const { status, said } = installOnBareMachine({ CI: 'true' });
  expect(status).not.toBe(0);
  expect(said.join('\n')).toContain('CI runs against every engine, but versitygw 1.8.0: it needs Go;');
});
