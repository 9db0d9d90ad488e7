/**
 * `audit-archive query` lists, explains and runs the auditors' queries, which are the deployed ones, and runs SQL of the
 * user's own.
 */

import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Values } from '../infra/queries/queries';
import { exitCodes } from './exit';
import { type QueryFlags, type QueryWorld, runQuery } from './query-run';
import { AlteredCopyError } from './sql-copy';

const HELP = `
Without NAME, all queries are listed. With --explain, one query is shown with its parameters and its SQL. With PATH, the
query runs on a copy of the bucket in that folder. Without PATH, it runs in Athena on the deployed archive, with the
credentials and the region of the AWS command line. With --sql, NAME is left out, and the statement reads the views
events, quarantine, manifests and events_ocsf. Only the segments of the days from --from to --to of a copy are read then.

A date is 2026-06-30, today, yesterday or "today - 7". Every answer states the days that were asked for and the days that the
archive has.

  audit-archive query who_did_what .archive/demo/bucket --from 2026-06-01 --to 2026-06-30
  audit-archive query who_did_what .archive/demo/bucket --team demo --last 7d
  audit-archive query everything_about_one_person --param person=ada@example.com --csv > ada.csv
  audit-archive query --sql "SELECT action, count(*) FROM events GROUP BY action" .archive/demo/bucket

A copy is compared with its manifests while it is read. If they differ, nothing is answered, and the exit code is 1. With
--key, the signatures of the manifests are checked too.`;

export function addQuery(program: Command, openAthena: QueryWorld['openAthena']): void {
  program
    .command('query')
    .description("run one of the auditors' queries on the archive")
    .argument('[name]', 'the name of the query')
    .argument('[path]', 'a folder that holds a copy of the bucket: events/, manifests/, ...')
    .option('--param <name=value>', 'the value of a parameter; repeat the option for each parameter', addParameter, {})
    .option('--team <name>', 'the team; % is all of them (the same as --param team=...)')
    .option('--from <date>', 'the first day, UTC (the same as --param from=...)')
    .option('--to <date>', 'the last day, UTC (the same as --param to=...)')
    .addOption(
      new Option('--last <time>', 'the days, weeks or months before the last day: 7d, 4w or 3m')
        .argParser(parseLast)
        .conflicts('from'),
    )
    .option('--sql <statement>', 'run this statement instead of a query; - reads it from standard input')
    .option('--key <file>', 'check the manifests of the copy with the public key that was saved when it was set up')
    .option('--explain', 'show the query instead of running it')
    .option('--csv', 'print CSV')
    .option(
      '--excel',
      'with --csv: begin with the mark of UTF-8, and cut fractions of seconds, so that Excel reads the file',
    )
    .option('--json', 'print one JSON document')
    .option('--workgroup <name>', 'the Athena workgroup that the deployment printed', 'postman-audit-archive')
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, path: string | undefined, flags: QueryFlags, command: Command) => {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const readStandardInput = () => text(process.stdin);
      const print = { print: console.log, note: console.error, width };
      try {
        const world = { openAthena, readStandardInput, now: new Date(), ...print };
        const wrong = await runQuery({ name, path, flags }, world);
        if (wrong !== undefined) command.error(`error: ${wrong}`);
      } catch (error) {
        if (!(error instanceof AlteredCopyError)) throw error;
        console.error(`audit-archive: ${error.message}`);
        process.exitCode = exitCodes.findings;
      }
    });
}

function parseLast(text: string): string {
  if (!/^\d{1,5}[dwm]$/.test(text)) throw new InvalidArgumentError('Write it as 7d, 4w or 3m.');
  return text;
}

export function addParameter(text: string, earlier: Values): Values {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as name=value.');
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...earlier, [name]: value };
}
