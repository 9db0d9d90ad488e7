import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const root = mkdtempSync(join(tmpdir(), 'bundle-'));

afterAll(() => rmSync(root, { recursive: true }));

/** A checkout in another folder, with the real bundler, a handler of its own and packages of its own. */
function checkout(path: string): string {
  const folder = join(root, path);
  const files = {
    'package.json': '{"type":"module"}',
    'lambdas/archiver/handler.ts': `
      /*! a legal comment */
      import { S3Client } from '@aws-sdk/client-s3';
      import plain from 'plain';
      import dual from 'dual';
      enum Level { Info = 'info' }
      export async function handler(event: { text: string }) {
        return { said: plain(event.text), dual, level: Level.Info, s3: typeof new S3Client({ region: 'x' }).send };
      }`,
    'node_modules/plain/package.json': '{"name":"plain","version":"1.0.0","main":"index.js"}',
    'node_modules/plain/index.js': 'module.exports = (text) => require("./sub").shout(text);',
    'node_modules/plain/sub.js': 'exports.shout = (text) => text.toUpperCase() + "!"',
    'node_modules/dual/package.json': '{"name":"dual","version":"1.0.0","main":"main.js","module":"module.mjs"}',
    'node_modules/dual/main.js': 'module.exports = "from main";',
    'node_modules/dual/module.mjs': 'export default "from module";',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  cpSync(join(repository, 'infra/bundle.ts'), join(folder, 'infra/bundle.ts'));
  for (const name of ['esbuild', '@esbuild', '@aws-sdk']) {
    symlinkSync(join(repository, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return folder;
}

/** Runs the bundler in a process of its own, from the given working directory. */
function build(folder: string, outDir: string, cwd: string) {
  const script = `
    const { bundle } = await import(${JSON.stringify(join(folder, 'infra/bundle.ts'))});
    console.log(JSON.stringify(bundle(${JSON.stringify(outDir)})));`;
  const tsx = createRequire(join(repository, 'package.json')).resolve('tsx');
  const output = execFileSync(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], {
    cwd,
    stdio: 'pipe',
  });
  return JSON.parse(output.toString()) as { file: string; sha256: string; bytes: number };
}

test('the same sources give the same bytes in every folder and from every working directory', () => {
  const here = checkout('a');
  const there = checkout('some/deeper/place with spaces');
  // A stray setting above a checkout must not reach into it.
  writeFileSync(join(root, 'some/tsconfig.json'), '{"compilerOptions":{"target":"es5","jsx":"react"}}');
  const first = build(here, join(here, 'dist/archiver'), here);
  const second = build(there, '../out', join(there, 'lambdas'));
  expect(second.file).toBe(join(there, 'out/index.js'));
  expect(second.sha256).toBe(first.sha256);
  const bytes = readFileSync(first.file);
  expect(bytes.equals(readFileSync(second.file))).toBe(true);
  expect(first).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  expect(bytes.includes(root)).toBe(false);
  expect(bytes.toString()).not.toMatch(/legal comment|sourceMappingURL/);
});

test('the bundle holds all packages and runs on plain Node, even below a package of ES modules', () => {
  const folder = checkout('b');
  const { file } = build(folder, join(folder, 'dist/archiver'), folder);
  rmSync(join(folder, 'node_modules'), { recursive: true });
  const script = `require(${JSON.stringify(file)}).handler({ text: 'works' }).then((said) => console.log(JSON.stringify(said)))`;
  const output = execFileSync(process.execPath, ['-e', script], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  expect(JSON.parse(output.toString())).toEqual({ said: 'WORKS!', dual: 'from module', level: 'info', s3: 'function' });
});

test('a source that cannot be bundled makes the bundler throw', () => {
  const folder = checkout('c');
  writeFileSync(
    join(folder, 'lambdas/archiver/handler.ts'),
    "import missing from 'no-such-package'; export const handler = missing;",
  );
  expect(() => build(folder, join(folder, 'dist'), folder)).toThrow();
});
