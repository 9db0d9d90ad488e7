/** The command line: composes the verbs, one file each, and turns what they throw into exit codes. */
import { Command, CommanderError } from 'commander';
import { version } from '../package.json';
import { exitCodes } from './exit';
import { addLocal } from './local';
import { addQuery } from './query';
import { addVerify } from './verify';

const program = new Command('audit-archive')
  .description("Keeps a Postman team's audit log, and proves it.")
  .version(version)
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 good, 1 findings, 2 wrong usage, 3 could not do it.');

addLocal(program);
addVerify(program);
// Only where it is needed: the SDK takes longer to load than all the rest.
addQuery(program, async (workgroup) => (await import('./aws/athena')).openAthena({ workgroup }));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message already; help and version end this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
  console.error(`audit-archive: ${error instanceof Error ? error.message : String(error)}`);
  return exitCodes.failed;
}
