/**
 * What a source file really imports: statements, re-exports, types, dynamic imports and requires. Read from the text,
 * because a compiler drops the imports of types, and a dependency on a type is a dependency too.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { transformSync } from 'esbuild';

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Stands for an import whose target is computed. */
export const COMPUTED = '(computed)';

const COMMENTS = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
const STATEMENTS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<target>.+?)\1/gm,
  /^\s*import\s*(['"])(?<target>.+?)\1/gm,
  /\b(?:import|require(?:\.resolve)?)\s*\(\s*(['"`])(?<target>[^'"`]+)\1/g,
];
const COMPUTED_IMPORT = /\b(?:import|require)\s*\(\s*(?!['"`\s)])/g;

/** Every source file in the folders; a folder that does not exist has none. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path) && !path.includes('node_modules'))
    .sort()
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }));
}

/** The targets as they are written. */
export function importsOf(text: string): string[] {
  const code = text.replace(COMMENTS, ' ');
  const targets = STATEMENTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(({ groups }) => groups?.target ?? ''),
  );
  return [...targets, ...[...code.matchAll(COMPUTED_IMPORT)].map(() => COMPUTED)];
}

/** A relative target as a path from the root, without its extension; any other as it is. */
export function resolveImport(from: string, target: string): string {
  if (!target.startsWith('.')) return target;
  return posix.join(posix.dirname(from), target).replace(/\.[cm]?[jt]s$/, '');
}

/** Whether the code refers to the global `fetch`, under any of its names. esbuild knows which names are global. */
export function usesFetch(text: string): boolean {
  const mark = '__THE_GLOBAL_FETCH__';
  const names = ['fetch', 'globalThis.fetch', 'global.fetch'];
  const { code } = transformSync(text, { loader: 'ts', define: Object.fromEntries(names.map((name) => [name, mark])) });
  return code.includes(mark);
}
