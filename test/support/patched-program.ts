/**
 * Loads a part of the product with patched sources, to test what guards it: a test does not guard a rule if it does not
 * notice that the rule is broken. Nothing in `lambdas/` knows of this.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

export interface Patch {
  /** A path below `lambdas/`. */
  readonly file: string;
  /** A text that stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export interface Mutation extends Patch {
  readonly name: string;
  /** The name of a scenario or of a case. */
  readonly shownBy: string;
}

const LAMBDAS = join(import.meta.dirname, '../../lambdas');
const requireBuiltin = createRequire(import.meta.url);

/**
 * Reads a table of mutations by file. Each names what it breaks and what shows it, and then the text to replace and its
 * replacement.
 */
export function readMutations(table: string): Mutation[] {
  const files = [...table.matchAll(/^(\S+)\n((?: .*\n)+)/gm)];
  const read = files.flatMap(([, file = '', block = '']) => {
    const entries = block.matchAll(/^ {2}(\S.*) \| (.*)\n {4}- (.*)\n {4}\+ ?(.*)\n/gm);
    return [...entries].map(([, name = '', shownBy = '', from = '', to = '']) => ({ name, shownBy, file, from, to }));
  });
  if (table.trim().split('\n').length !== files.length + 3 * read.length) throw new Error('a mutation is not readable');
  return read;
}

/**
 * Returns the exports of a file with these patches. Throws if a patch does not match exactly once, because it must follow the code
 * that it breaks.
 */
export async function loadPatched<Program>(path: string, patches: readonly Patch[]): Promise<Program> {
  const applied = new Set<Patch>();
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    logLevel: 'silent',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // There may be only one copy of the SDK, because the world compares the classes of its commands.
    external: ['@aws-sdk/*'],
    plugins: [
      {
        name: 'patch',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\/lambdas\/.*\.ts$/ }, async ({ path }) => {
            const file = relative(LAMBDAS, path);
            const own = patches.filter((patch) => patch.file === file);
            for (const patch of own) applied.add(patch);
            return { loader: 'ts', contents: own.reduce(apply, await readFile(path, 'utf8')) };
          });
        },
      },
    ],
  });
  const unused = patches.find((patch) => !applied.has(patch));
  if (unused !== undefined) throw new Error(`${unused.file} is no part of the program`);
  return evaluate(outputFiles[0]?.text ?? '') as Program;
}

function apply(source: string, { file, from, to }: Patch): string {
  const pattern = patternOf(from);
  const times = source.match(pattern)?.length ?? 0;
  if (times !== 1) throw new Error(`the patch of ${file} matches ${times} times: ${from}`);
  return source.replace(pattern, () => to);
}

/** Where a text stands. A space stands for any white space, so that the text need not follow the lines of the file. */
export function patternOf(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+'), 'g');
}

function evaluate(code: string): unknown {
  const module = { exports: {} };
  new Function('module', 'exports', 'require', code)(module, module.exports, requireBuiltin);
  return module.exports;
}
