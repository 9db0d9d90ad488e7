/** The command line is bundled once, and again when a source has changed. A small program in a folder of its own stands for it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scratch } from '../support/scratch';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(scratch, 'node_modules/.cache/audit-archive');
const SOURCE = join(scratch, 'infra/near.ts');
const near = (word: string) => `export const near: string[] = [import.meta.dirname, '${word}'];`;

beforeAll(() => {
  for (const folder of ['cli', 'infra', 'lambdas', 'local', 'node_modules']) mkdirSync(join(scratch, folder));
  for (const name of ['esbuild', '@esbuild'])
    symlinkSync(join(ROOT, 'node_modules', name), join(scratch, 'node_modules', name));
  for (const file of ['package.json', 'package-lock.json', 'cli/bundle.mjs'])
    cpSync(join(ROOT, file), join(scratch, file));
  writeFileSync(join(scratch, 'cli/main.ts'), "export { near } from '../infra/near';");
  writeFileSync(SOURCE, near('first'));
});

/** What the program exports, as a new process loads it. */
function started(): unknown {
  const url = pathToFileURL(join(scratch, 'cli/bundle.mjs'));
  const script = `import('${url}').then((b) => b.loadBundled('cli/main.ts')).then((p) => console.log(JSON.stringify(p.near)))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('the first start keeps one bundle, in which each source knows its own folder', () => {
  expect(started()).toEqual([join(scratch, 'infra'), 'first']);
  expect(readdirSync(CACHE)).toHaveLength(1);
});

test('a later start runs the bundle that was kept', () => {
  const [name = ''] = readdirSync(CACHE);
  writeFileSync(join(CACHE, name), readFileSync(join(CACHE, name), 'utf8').replace('first', 'kept'));
  expect(started()).toEqual([join(scratch, 'infra'), 'kept']);
});

test('after a source has changed, the next start makes a new bundle and removes the old one', () => {
  writeFileSync(SOURCE, near('changed'));
  expect(started()).toEqual([join(scratch, 'infra'), 'changed']);
  expect(readdirSync(CACHE)).toHaveLength(1);
});

test('where the bundle cannot be kept, the program starts all the same', () => {
  rmSync(join(scratch, 'node_modules/.cache'), { recursive: true });
  writeFileSync(join(scratch, 'node_modules/.cache'), '');
  expect(started()).toEqual([join(scratch, 'infra'), 'changed']);
});
