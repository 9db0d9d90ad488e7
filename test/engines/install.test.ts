import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

test.each([
  ['', /^Skipping the tests on versitygw 1\.8\.0: it needs Go$/m],
  ['true', /CI runs against every engine, but versitygw 1\.8\.0: it needs Go;/],
])('without its tools an engine is not installed, which fails only in CI: CI=%s', (CI, message) => {
  const home = mkdtempSync(join(tmpdir(), 'bare-'));
  const AUDIT_ARCHIVE_ENGINES = join(home, 'engines');
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'install.ts')], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', AUDIT_ARCHIVE_ENGINES, CI },
  });
  expect(stderr).toMatch(message);
  expect(status === 0).toBe(CI === '');
  expect(existsSync(AUDIT_ARCHIVE_ENGINES)).toBe(false);
  rmSync(home, { recursive: true });
});
