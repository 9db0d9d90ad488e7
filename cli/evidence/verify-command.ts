/** `verify.mjs` of an evidence package. It is bundled into one file that runs on Node alone, without a network. */
import { parseArgs } from 'node:util';
import { asciiOnly } from '../../lambdas/shared/text';
import { exitCodes } from '../exit';
import { verifyPackage } from './verify-package';

const USAGE = `Usage: node verify.mjs [FOLDER] [--package SHA256] [--key FILE] [--head FILE]

Verifies the evidence package in FOLDER, which is the folder of this file unless another one is given.
  --package SHA256  the SHA-256 of the package that the company sent you apart from this folder
  --key FILE        a public key that did not come with the package
  --head FILE       an anchor, or a file of "audit-archive verify --save-head", that did not come with the package

Exit codes: 0 good, 1 findings, 2 wrong usage, 3 the package could not be read.`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      package: { type: 'string' },
      key: { type: 'string' },
      head: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (positionals.length > 1) throw new Error(`one folder is verified at a time, not ${positionals.length}`);
  const packageSha256 = values.package?.trim().toLowerCase();
  if (packageSha256 !== undefined && !/^[0-9a-f]{64}$/.test(packageSha256))
    throw new Error('a SHA-256 has 64 characters, each of them a digit or a letter from a to f');
  return { ...values, packageSha256, folder: positionals[0] ?? import.meta.dirname };
}

async function run(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments();
  } catch (error) {
    console.error(`error: ${(error as Error).message}\n\n${USAGE}`);
    return exitCodes.usage;
  }
  if (given.help) {
    console.log(USAGE);
    return exitCodes.good;
  }
  return verifyPackage(given.folder, { ...given, now: new Date(), print: console.log });
}

function fail(error: unknown): never {
  console.error(`verify.mjs: ${asciiOnly(error instanceof Error ? error.message : String(error))}`);
  process.exit(exitCodes.failed);
}

process.on('uncaughtException', fail);
run().then((exitCode) => {
  process.exitCode = exitCode;
}, fail);
