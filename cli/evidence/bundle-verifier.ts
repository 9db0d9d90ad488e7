/** `verify.mjs` of a package: the verifier and all that it needs, bundled into one file that runs on Node alone. */
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { version } from '../../package.json';
import { exitCodes } from '../exit';

/** An old Node must be able to parse the file, and must not end with the exit code of a finding. */
const VERIFIER_HEAD = `// Verifies an evidence package: node verify.mjs. From postman-audit-archive ${version} (Apache-2.0) and zod (MIT).
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  console.error('verify.mjs: Node ' + process.versions.node + ' is too old: install Node 20.15 or newer');
  process.exit(${exitCodes.failed});
}
const require = createRequire(import.meta.url);
const packageFolder = fileURLToPath(new URL('.', import.meta.url));
`;

/** The same version of the sources gives the same bytes on every machine. They are not minified, so that they can be read. */
export function bundlePackageVerifier(): Buffer {
  const { outputFiles } = buildSync({
    entryPoints: ['cli/evidence/verify-command.ts'],
    absWorkingDir: join(import.meta.dirname, '../..'),
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    platform: 'node',
    format: 'iife',
    target: 'node18',
    legalComments: 'none',
    // The command line is bundled too, and its bundler replaces the whole name.
    define: { [['import.meta', 'dirname'].join('.')]: 'packageFolder' },
    banner: { js: VERIFIER_HEAD },
    logLevel: 'warning',
  });
  return Buffer.concat(outputFiles.map(({ contents }) => contents));
}
