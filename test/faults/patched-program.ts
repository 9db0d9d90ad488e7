/**
 * Loads the program with patched sources, to test the oracle: it does not guard a rule if it does not notice that the
 * rule is broken. Nothing in `lambdas/` knows of this.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import type * as unpatched from './program';

export interface Patch {
  /** A path below `lambdas/`. */
  readonly file: string;
  /** A text that stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

const LAMBDAS = join(import.meta.dirname, '../../lambdas');
const requireBuiltin = createRequire(import.meta.url);

/** Throws if a patch does not match exactly once, because it must follow the code that it breaks. */
export async function loadPatched(patches: readonly Patch[]): Promise<typeof unpatched> {
  const applied = new Set<Patch>();
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'program.ts')],
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
  return evaluate(outputFiles[0]?.text ?? '');
}

function apply(source: string, { file, from, to }: Patch): string {
  const times = source.split(from).length - 1;
  if (times !== 1) throw new Error(`the patch of ${file} matches ${times} times: ${from}`);
  return source.replace(from, () => to);
}

function evaluate(code: string): typeof unpatched {
  const module = { exports: {} };
  new Function('module', 'exports', 'require', code)(module, module.exports, requireBuiltin);
  return module.exports as typeof unpatched;
}
