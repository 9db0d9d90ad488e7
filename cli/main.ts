/** The command line: adds the commands, one file each, and turns the errors that they throw into exit codes. */

import { Command, CommanderError } from 'commander';
import { version } from '../package.json';
import { exitCodes } from './exit';
import { addLocal } from './local';
import { addQuery } from './query';
import { addVerify } from './verify';

const program = new Command('audit-archive')
  .description("Archives a Postman team's audit log, verifies the archive and answers queries from it.")
  .version(version)
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 success, 1 findings or failed checks, 2 wrong usage, 3 the command failed.');

addLocal(program);
addVerify(program);
// Athena is imported only when it is used, because the AWS SDK takes longer to load than the rest of the program.
addQuery(program, async (workgroup) => (await import('./aws/athena')).openAthena(workgroup));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has already printed its message. Help and version also arrive here, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
  console.error(`audit-archive: ${error instanceof Error ? error.message : String(error)}`);
  return exitCodes.failed;
}
