/** Whether a statement is Trino SQL, by a grammar that is not ours: for where Trino itself does not run. */
import { createRequire } from 'node:module';
import { buildSync } from 'esbuild';

interface Grammar {
  validate(sql: string): readonly { readonly message: string; readonly startLine: number }[];
}

/** The package's ES modules leave out file extensions, and its CommonJS ones name ES modules: only a bundle loads. */
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

/** What is wrong with it, by line; empty where nothing is. */
export function trinoProblems(sql: string): string[] {
  return grammar.validate(sql).map(({ startLine, message }) => `line ${startLine}: ${message}`);
}
