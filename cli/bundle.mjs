// Loads a TypeScript program of this repository without compiling it at each start: it is bundled once, into a file that is
// named after the state of all sources. So a start never meets the bundle of other sources, nor a part of a bundle. The cache
// only saves time. Where it cannot be written, the program is bundled in memory.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction } from 'node:vm';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['cli', 'infra', 'lambdas', 'local'];
/** Packages that are native, or large and seldom needed, stay outside. All others start faster from one file. */
const EXTERNAL = ['@aws-sdk/*', '@duckdb/*', 'aws-cdk-lib', 'constructs', 'dynalite', 'esbuild', 'level'];
const CACHE = join(ROOT, 'node_modules/.cache/audit-archive');

/** Returns the exports of the program. `entry` is a path in the repository. */
export async function loadBundled(entry) {
  const file = join(CACHE, `${stateOf(entry)}.cjs`);
  let code = contentOf(file);
  if (code === undefined) {
    code = await bundle(entry);
    keep(file, code);
  }
  return evaluate(entry, code);
}

/** The same for a program that no user starts: it is bundled each time, without any package. */
export async function loadFresh(entry) {
  return evaluate(entry, await bundle(entry, { packages: 'external' }));
}

function evaluate(entry, code) {
  const module = { exports: {} };
  const run = compileFunction(code, ['module', 'exports', 'require'], { filename: join(ROOT, `${entry}.cjs`) });
  run(module, module.exports, createRequire(join(ROOT, entry)));
  return module.exports;
}

/** The bundle holds absolute paths, so a copy of the repository needs another one. */
function stateOf(entry) {
  const inFolder = (folder) => readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, name));
  const files = ['package.json', 'package-lock.json', ...FOLDERS.flatMap(inFolder)].sort().map((name) => {
    const { mtimeMs, size } = lstatSync(join(ROOT, name));
    return [name, mtimeMs, size];
  });
  return createHash('sha256')
    .update(JSON.stringify([ROOT, entry, files]))
    .digest('hex');
}

function contentOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Also removes older bundles. A start that has just read one of them holds it in memory. */
function keep(file, code) {
  const part = `${file}.${process.pid}`;
  try {
    rmSync(CACHE, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(part, code);
    renameSync(part, file);
  } catch {
    // The checkout may be read-only, or belong to somebody else, or another start is writing the same bundle.
  }
}

async function bundle(entry, packages = { external: EXTERNAL }) {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    ...packages,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // `require` loads what is imported only when it is needed.
    supported: { 'dynamic-import': false },
    logLevel: 'silent',
    plugins: [{ name: 'own-folder', setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, withOwnFolder) }],
  });
  await esbuild.stop();
  return outputFiles[0].text;
}

/** Some sources read files beside themselves. In the bundle, too, `import.meta.dirname` is the folder of the source. */
function withOwnFolder({ path }) {
  const contents = readFileSync(path, 'utf8').replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
  return { loader: 'ts', contents };
}
