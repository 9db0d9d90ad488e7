/** Checks with a foreign grammar whether a statement is Trino SQL, so that tests can do so without Trino. */

import { createRequire } from 'node:module';
import { buildSync } from 'esbuild';

interface Grammar {
  validate(sql: string): readonly { readonly message: string; readonly startLine: number }[];
}

/** Only a bundle loads: the ES modules leave out file extensions, and the CommonJS modules import ES modules. */
function loadGrammar(): Grammar {
  const { outputFiles } = buildSync({
    stdin: { contents: "export { TrinoSQL } from 'dt-sql-parser'", resolveDir: import.meta.dirname },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    write: false,
    logLevel: 'error',
  });
  const module = { exports: {} as { TrinoSQL: new () => Grammar } };
  new Function('module', 'exports', 'require', outputFiles[0]?.text ?? '')(
    module,
    module.exports,
    createRequire(import.meta.url),
  );
  return new module.exports.TrinoSQL();
}

const grammar = loadGrammar();

/** The problems of a statement by line; empty if there are none. */
export function trinoProblems(sql: string): string[] {
  return grammar.validate(sql).map(({ startLine, message }) => `line ${startLine}: ${message}`);
}
