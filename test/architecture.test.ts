import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { COMPUTED, importsOf, readSources, resolveImport, type SourceFile, usesFetch } from './support/imports';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['lambdas', 'infra', 'cli', 'local'];

/** Who may import whom. A target is a folder or file of ours, a group of `groupOf`, or a module by its name. */
const AREAS: Readonly<Record<string, readonly string[]>> = {
  // Imports nobody: what hashing, compression and bytes need is not somebody.
  'lambdas/shared': ['lambdas/shared', 'node:buffer', 'node:crypto', 'node:zlib'],
  'lambdas/adapters': ['lambdas/adapters', 'lambdas/shared', 'node', 'network', 'sdk', 'package'],
  'lambdas/archiver': ['lambdas/archiver', 'lambdas/shared', 'node', 'package'],
  'lambdas/verifier': ['lambdas/verifier', 'lambdas/shared', 'node', 'package'],
  infra: ['infra', 'lambdas/shared', 'node', 'package', 'package.json'],
  cli: ['cli', 'local', 'lambdas/shared', 'lambdas/verifier', 'node', 'package', 'package.json'],
  local: ['local', 'lambdas/shared', 'node', 'network', 'package', COMPUTED],
};

/** What single files may import beyond their area. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'lambdas/archiver/handler.ts': ['lambdas/adapters', 'sdk', 'package.json'],
  'lambdas/verifier/handler.ts': ['lambdas/adapters', 'sdk', 'package.json'],
  // The composition root of the command line.
  'cli/main.ts': ['lambdas/adapters'],
};

/** What everybody in an area may import, though it lies in a forbidden one. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // The demo runs the very bundle that is deployed, and asks the very views and queries that are deployed.
  cli: ['infra/bundle', 'infra/views', 'infra/queries'],
};

const FETCHERS = [
  'lambdas/adapters/',
  // Passes requests on to the dynalite beside it, on loopback.
  'local/dynamodb.ts',
];

function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const area = Object.keys(AREAS).find((name) => path.startsWith(`${name}/`));
    if (area === undefined) return [`${path} is in no area of the table`];
    const allowed = [...(AREAS[area] ?? []), ...(FILES[path] ?? []), ...(EXCEPTIONS[area] ?? [])];
    const bad = importsOf(text).filter((target) => !isAllowed(resolveImport(path, target), allowed));
    const fetches = usesFetch(text) && !FETCHERS.some((fetcher) => path.startsWith(fetcher));
    return [...bad.map((target) => `${path} imports ${target}`), ...(fetches ? [`${path} uses fetch`] : [])];
  });
}

function isAllowed(target: string, allowed: readonly string[]): boolean {
  // A handler is where a deployed function begins; whoever imported it would have its SDK clients.
  if (/^lambdas\/\w+\/handler$/.test(target)) return false;
  return allowed.some((entry) => target === entry || target.startsWith(`${entry}/`) || groupOf(target) === entry);
}

const NETWORK = /^(node:)?(http2?|https|net|tls|dgram|dns|undici|axios|got|ws|node-fetch)(\/|$)/;

function groupOf(target: string): string | undefined {
  if (/^(@aws-sdk\/|@smithy\/|aws-sdk$)/.test(target)) return 'sdk';
  if (NETWORK.test(target)) return 'network';
  if (target.startsWith('node:')) return 'node';
  const isOurs = target === COMPUTED || /^(\.|\/|(lambdas|infra|cli|local|test|docs)\/|[\w-]+\.json$)/.test(target);
  return isOurs ? undefined : 'package';
}

describe('the import table', () => {
  const sources = readSources(ROOT, FOLDERS);

  test('holds in every file', () => {
    expect(violations(sources)).toEqual([]);
  });

  test('is held against the files that exist', () => {
    expect(sources.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['lambdas/shared/json.ts', 'cli/audit-archive.mjs']),
    );
    expect(sources.flatMap(({ text }) => importsOf(text)).length).toBeGreaterThan(sources.length);
  });

  test('is held against every import that a compiler sees', async () => {
    for (const { path, text } of sources.filter((source) => !source.path.endsWith('.d.ts'))) {
      expect({ path, imports: importsOf(text) }).toEqual({
        path,
        imports: expect.arrayContaining(await compiledImports({ path, text })),
      });
    }
  });
});

async function compiledImports({ path, text }: SourceFile): Promise<string[]> {
  const seen: string[] = [];
  await build({
    stdin: { contents: text, loader: 'ts', sourcefile: path },
    bundle: true,
    write: false,
    format: 'esm',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'listen',
        setup({ onResolve }) {
          onResolve({ filter: /.*/ }, ({ path: target, kind }) => {
            if (kind !== 'entry-point') seen.push(target);
            return kind === 'entry-point' ? undefined : { path: target, external: true };
          });
        },
      },
    ],
  });
  return seen;
}

describe('the import table can fail', () => {
  const one = (path: string, text: string) => violations([{ path, text }]);

  test.each([
    ['lambdas/shared/x.ts', '../adapters/s3'],
    ['lambdas/shared/x.ts', '../archiver/walk'],
    ['lambdas/shared/x.ts', '../../cli/exit'],
    ['lambdas/shared/x.ts', '../../package.json'],
    ['lambdas/shared/x.ts', 'zod'],
    ['lambdas/shared/x.ts', 'node:fs'],
    ['lambdas/shared/x.ts', 'node:https'],
    ['lambdas/shared/x.ts', '@aws-sdk/client-s3'],
    ['lambdas/adapters/x.ts', '../archiver/walk'],
    ['lambdas/adapters/x.ts', '../verifier/verify'],
    ['lambdas/adapters/x.ts', '../../infra/bundle'],
    ['lambdas/archiver/x.ts', '../adapters/s3'],
    ['lambdas/archiver/x.ts', '../verifier/verify'],
    ['lambdas/archiver/x.ts', './handler'],
    ['lambdas/archiver/x.ts', '@aws-sdk/client-s3'],
    ['lambdas/archiver/x.ts', '@smithy/types'],
    ['lambdas/archiver/x.ts', 'node:http'],
    ['lambdas/archiver/x.ts', 'undici'],
    ['lambdas/archiver/x/handler.ts', '../../adapters/s3'],
    ['lambdas/archiver/handler.ts', '../verifier/verify'],
    ['lambdas/archiver/handler.ts', '../../infra/config'],
    ['lambdas/verifier/verify.ts', '../adapters/s3'],
    ['lambdas/verifier/verify.ts', '../archiver/head'],
    ['lambdas/verifier/verify.ts', '../../test/support/manifest'],
    ['infra/x.ts', '../lambdas/archiver/archive'],
    ['infra/x.ts', '../lambdas/verifier/findings'],
    ['infra/x.ts', '../lambdas/adapters/s3'],
    ['infra/x.ts', '../lambdas/shared-things'],
    ['infra/x.ts', '../cli/exit'],
    ['infra/x.ts', '../local/s3-server'],
    ['lambdas/archiver/x.ts', '../../local/s3-server'],
    ['infra/x.ts', '@aws-sdk/client-s3'],
    ['cli/x.ts', '../lambdas/adapters/s3'],
    ['cli/x.ts', '../lambdas/archiver/archive'],
    ['cli/x.ts', '../lambdas/verifier/handler'],
    ['cli/x.ts', '../infra/config'],
    ['cli/x.ts', '../infra/bundler'],
    ['cli/x.ts', '@aws-sdk/client-athena'],
    ['cli/x.ts', 'node:http'],
    ['local/x.ts', '../cli/exit'],
    ['local/x.ts', '../infra/bundle'],
    ['local/x.ts', '../lambdas/adapters/s3'],
    ['local/x.ts', '../lambdas/verifier/verify'],
    ['local/x.ts', '@aws-sdk/client-s3'],
    ['cli/main.ts', '@aws-sdk/client-athena'],
  ])('%s may not import %s, in any way to write it', (path, target) => {
    for (const text of [
      `import { x } from '${target}';`,
      `import type { X } from '${target}';`,
      `import {\n  // isn't it\n  type X,\n} from "${target}"`,
      `import * as x from '${target}';`,
      `import '${target}';`,
      `export * from '${target}';`,
      `export type { X } from '${target}';`,
      `const x = await import('${target}');`,
      `const x = require("${target}");`,
      `type X = import('${target}').X;`,
      `import x = require('${target}');`,
    ]) {
      expect(one(path, text)).toEqual([`${path} imports ${target}`]);
    }
  });

  test.each([
    ['lambdas/shared/x.ts', './json'],
    ['lambdas/shared/x.ts', 'node:zlib'],
    ['lambdas/adapters/x.ts', '@aws-sdk/client-s3'],
    ['lambdas/archiver/x.ts', '../shared/json'],
    ['lambdas/archiver/handler.ts', '../adapters/s3'],
    ['lambdas/verifier/handler.ts', '@aws-sdk/client-s3'],
    ['infra/x.ts', '../lambdas/shared/contract'],
    ['infra/x.ts', 'aws-cdk-lib/aws-s3'],
    ['cli/x.ts', '../lambdas/verifier/verify'],
    ['cli/x.ts', '../infra/bundle'],
    ['cli/demo/x.ts', '../../local/s3-server'],
    ['cli/x.ts', '../infra/queries/queries'],
    ['cli/main.ts', '../lambdas/adapters/s3'],
    ['local/postman/x.ts', '../../lambdas/shared/contract'],
    ['local/x.ts', 'node:http'],
  ])('%s may import %s', (path, target) => {
    expect(one(path, `import { x } from '${target}';`)).toEqual([]);
  });

  test('an import whose target is computed is refused in a Lambda', () => {
    expect(one('lambdas/shared/x.ts', 'const x = await import(name);')).toEqual([
      `lambdas/shared/x.ts imports ${COMPUTED}`,
    ]);
    expect(one('local/x.cjs', 'const x = require(name);')).toEqual([]);
  });

  test('fetch is refused outside the adapters, under any of its names', () => {
    for (const text of ['await fetch(url);', 'globalThis.fetch(url);', 'const f = fetch;', 'run({ fetch });']) {
      expect(one('lambdas/archiver/x.ts', text)).toEqual(['lambdas/archiver/x.ts uses fetch']);
      expect(one('cli/x.ts', text)).toEqual(['cli/x.ts uses fetch']);
      expect(one('lambdas/adapters/x.ts', text)).toEqual([]);
    }
  });

  test('what only looks like an import or like fetch is none', () => {
    expect(
      one('lambdas/shared/x.ts', "// import x from 'zod'; fetch()\n/* require('zod') */\nconst fetched = 'fetch(';"),
    ).toEqual([]);
    expect(one('lambdas/archiver/x.ts', 'function fetch() {}\nfetch();\nsource.fetch();')).toEqual([]);
  });

  test('a file outside every area is refused', () => {
    expect(one('lambdas/utils/x.ts', '')).toEqual(['lambdas/utils/x.ts is in no area of the table']);
    expect(one('lambdas/x.ts', '')).toEqual(['lambdas/x.ts is in no area of the table']);
  });

  test('files are read from the disk, however deep, and a folder that does not exist yet has none', () => {
    const root = mkdtempSync(join(tmpdir(), 'architecture-'));
    const files = {
      'lambdas/shared/deep/er/x.ts': "import '../../../adapters/s3';",
      'local/postman/x.mjs': "import { y } from '../../lambdas/archiver/walk';",
      'local/x.cjs': "require('@aws-sdk/client-s3');",
      'cli/notes.md': "import '../lambdas/adapters/s3';",
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    expect(violations(readSources(root, FOLDERS))).toEqual([
      'lambdas/shared/deep/er/x.ts imports ../../../adapters/s3',
      'local/postman/x.mjs imports ../../lambdas/archiver/walk',
      'local/x.cjs imports @aws-sdk/client-s3',
    ]);
    rmSync(root, { recursive: true });
  });
});
