/**
 * The lint rules of `biome.json` say who may import whom. A rule that refuses nothing would not be noticed, so forbidden
 * and allowed lines are linted here in a folder of their own. The last test holds what no lint rule can see.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const biome = createRequire(join(ROOT, 'package.json')).resolve('@biomejs/biome/bin/biome');

const forbidden: Readonly<Record<string, string>> = {
  'lambdas/shared/x.ts':
    '../adapters/s3 ../archiver/walk ../../cli/exit ../../package.json zod node:fs node:https @aws-sdk/client-s3',
  'lambdas/shared/deep/x.ts': '../../adapters/s3',
  'lambdas/adapters/x.ts': '../archiver/walk ../verifier/verify ../../infra/bundle',
  'lambdas/archiver/x.ts':
    '../adapters/s3 ../verifier/verify ./handler @aws-sdk/client-s3 @smithy/types node:http undici',
  'lambdas/archiver/x/handler.ts': '../../adapters/s3',
  'lambdas/archiver/handler.ts': '../verifier/verify ../../infra/config ../shared/deep/x node:https',
  'lambdas/verifier/verify.ts': '../adapters/s3 ../archiver/head ../../test/support/manifest',
  'lambdas/utils/x.ts': '../shared/json',
  'infra/x.ts':
    '../lambdas/archiver/archive ../lambdas/verifier/findings ../lambdas/adapters/s3 ../lambdas/shared-things',
  'infra/views/x.ts': '../../cli/exit ../../local/world ../../test/x @aws-sdk/client-s3 node:https',
  'cli/x.ts':
    '../lambdas/adapters/s3 ../lambdas/archiver/archive ../lambdas/verifier/handler ../infra/config ../infra/bundler',
  'cli/main.ts': '@aws-sdk/client-athena ../lambdas/archiver/archive ../infra/bundle',
  'cli/aws/x.ts': '../../lambdas/adapters/s3 ../../infra/bundle ../../local/world',
  'local/x.ts': '../cli/exit ../lambdas/adapters/s3 ../lambdas/verifier/verify ../infra/config @aws-sdk/client-s3',
  'local/postman/x.ts': '../../cli/exit ../../lambdas/archiver/archive',
};

const allowed: Readonly<Record<string, string>> = {
  'lambdas/shared/x.ts': './json node:zlib zod/mini',
  'lambdas/adapters/x.ts': '../shared/ports ./s3 @aws-sdk/client-s3 node:https',
  'lambdas/archiver/x.ts': '../shared/json ./walk node:crypto',
  'lambdas/archiver/handler.ts': '../adapters/s3 ../shared/json ./archive @aws-sdk/client-s3 ../../package.json',
  'lambdas/verifier/handler.ts': '../adapters/s3 ./verify @aws-sdk/client-s3',
  'infra/x.ts': '../lambdas/shared/contract ./config aws-cdk-lib/aws-s3 node:path',
  'infra/views/x.ts': '../../lambdas/shared/event ../queries/queries',
  'cli/x.ts':
    '../lambdas/verifier/verify ../lambdas/shared/ports ../infra/queries/queries ../infra/expected ../local/world',
  'cli/main.ts': '../lambdas/adapters/s3 ../infra/expected ./query',
  'cli/aws/x.ts': '../../lambdas/shared/ports @aws-sdk/client-athena ../exit',
  'local/postman/x.ts': '../../lambdas/shared/contract ../../infra/bundle ../host node:http',
};

/** One line for each way to write an import. The names differ, so that the lines can stand in one file. */
function imports(target: string, i: number): string[] {
  return [
    `import { x as a${i} } from '${target}';`,
    `import type { b${i} } from '${target}';`,
    `import { /* isn't it */ type c${i} } from "${target}"`,
    `import * as d${i} from '${target}';`,
    `import '${target}';`,
    `export * from '${target}';`,
    `export type { X as e${i} } from '${target}';`,
    `const f${i} = await import('${target}');`,
    `import g${i} = require('${target}');`,
  ];
}

type Lines = Readonly<Record<string, readonly string[]>>;

function linesOf(table: Readonly<Record<string, string>>, firstNumber: number): Lines {
  const lines = (targets: string) => targets.split(' ').flatMap((target, i) => imports(target, firstNumber + i));
  return Object.fromEntries(Object.entries(table).map(([path, targets]) => [path, lines(targets)]));
}

const fetches = ['await fetch(url);', 'globalThis.fetch(url);', 'global.fetch(url);', 'run({ fetch });'];
const alike = ["const fetched = 'fetch(';", '// fetch()', 'function fetch() {}', 'fetch();', 'a.fetch();'];

const refusedLines: Lines = {
  ...linesOf(forbidden, 0),
  ...Object.fromEntries(
    ['lambdas/archiver/walk.ts', 'infra/bundle.ts', 'cli/query.ts', 'local/host.ts'].map((path) => [path, fetches]),
  ),
};
const acceptedLines: Lines = {
  ...linesOf(allowed, 100),
  'lambdas/adapters/https.ts': fetches,
  'local/dynamodb.ts': fetches,
  'lambdas/archiver/alike.ts': alike,
};

describe('the lint rules', () => {
  const paths = [...new Set([...Object.keys(refusedLines), ...Object.keys(acceptedLines)])];
  const files = Object.fromEntries(
    paths.map((path) => [path, [...(refusedLines[path] ?? []), ...(acceptedLines[path] ?? [])]]),
  );
  const found = lint({
    ...files,
    'lambdas/archiver/one.ts': ["import type { Two } from './two';", 'export type One = Two;'],
    'lambdas/archiver/two.ts': ["import type { One } from './one';", 'export type Two = One;'],
  });

  test.each(
    Object.keys(files),
  )('the lint rules refuse in %s the imports and the fetches that are forbidden, and no others', (path) => {
    const rules = ['lint/style/noRestrictedImports', 'lint/style/noRestrictedGlobals'];
    const refused = found.filter((each) => each.path === path && rules.includes(each.rule)).map(({ line }) => line);
    expect([...new Set(refused)].sort()).toEqual([...(refusedLines[path] ?? [])].sort());
  });

  test('the lint rules refuse files that import each other in a circle, even if they import only types', () => {
    const circles = found.filter(({ rule }) => rule === 'lint/suspicious/noImportCycles').map(({ path }) => path);
    expect(circles.sort()).toEqual(['lambdas/archiver/one.ts', 'lambdas/archiver/two.ts']);
  });
});

test('no file computes what it imports, or imports in the middle of an expression or a type', () => {
  // The command line loads the Athena client and esbuild only if they are needed, and the program after its guards.
  const known = ['cli/audit-archive.mjs', 'cli/bundle.mjs', 'cli/main.ts'];
  const product = ['lambdas', 'infra', 'cli', 'local'].filter((folder) => existsSync(join(ROOT, folder)));
  const sources = product.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const odd = sources
    .filter((path) => /\.m?[jt]s$/.test(path))
    .filter((path) => /\b(import|require)\s*\(/.test(readFileSync(join(ROOT, path), 'utf8')));
  expect(sources).toContain('lambdas/shared/json.ts');
  expect(odd.sort()).toEqual(known);
});

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string; readonly start: { readonly line: number } };
}

/** Lints the files in a folder of their own, by the rules of this repository. */
function lint(files: Lines) {
  const root = mkdtempSync(join(tmpdir(), 'architecture-'));
  for (const name of ['biome.json', '.gitignore']) cpSync(join(ROOT, name), join(root, name));
  for (const [path, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), lines.join('\n'));
  }
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 100_000_000 });
  rmSync(root, { recursive: true });
  const diagnostics: readonly Diagnostic[] = JSON.parse(stdout).diagnostics;
  return diagnostics.map(({ category, location: { path, start } }) => {
    return { path, rule: category, line: files[path]?.[start.line - 1] ?? '' };
  });
}
