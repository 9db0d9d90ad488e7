/** The command line: adds the commands, one file each. `audit-archive.mjs` turns the errors that they throw into exit code 3. */

import { Command, CommanderError } from 'commander';
import { version } from '../package.json';
import { addEvidence } from './evidence';
import { exitCodes } from './exit';
import { addLocal } from './local';
import { addQuery } from './query';
import { addRun } from './run';
import { addStatus } from './status';
import { addVerify } from './verify';

const program = new Command('audit-archive')
  .description("Archives a Postman team's audit log, verifies the archive and answers queries from it.")
  .version(version)
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 success, 1 findings or failed checks, 2 wrong usage, 3 the command failed.');

addLocal(program);
// The clients are imported only when they are used, because the AWS SDK takes longer to load than the rest of the program.
async function openBucket(bucket: string) {
  const [{ createLockReader, createS3Store }, { openS3 }] = await Promise.all([
    import('../lambdas/adapters/s3'),
    import('./aws/s3'),
  ]);
  const client = openS3();
  return { ...createS3Store(client, bucket), ...createLockReader(client, bucket) };
}
const openAccount = async () => (await import('./aws/account')).openAccount();
addVerify(program, openBucket);
addEvidence(program, openBucket);
addQuery(program, async (workgroup) => (await import('./aws/athena')).openAthena(workgroup));
const deployed = { openBucket, openAccount, loadInfra: () => import('../infra/expected') };
addStatus(program, deployed);
addRun(program, {
  ...deployed,
  invoke: async (functionArn, input) => (await import('./aws/invoke')).invoke(functionArn, input),
});

program.hook('preAction', (_program, command) => {
  const name = command.name();
  const needsUnix = name === 'local' || name === 'evidence' || (name === 'query' && command.args.length > 1);
  if (process.platform === 'win32' && needsUnix)
    throw new Error(`${name} works with folders of Linux and macOS only: on Windows, run it in WSL ("wsl --install")`);
});

/** Throws every error that is not an error in the usage. The program that starts this one gives it its exit code. */
export async function run(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    // Commander has already printed its message. Help and version also arrive here, with exit code 0.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
  }
}
