/** `audit-archive local`, which is `npm start`. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { baseUrlProblem } from '../lambdas/shared/contract';
import { parseDateOrInstant } from '../lambdas/shared/time';
import { lockFolder } from '../local/level';
import { archiveRealTeam, runDemo } from './demo/demo';
import { openScreen } from './demo/screen';

const HELP = `
Without POSTMAN_API_KEY an invented team is archived from a server on this machine: 180 days of it, then a few more runs
while new and late events arrive. Then the archive is verified, compared with what was served, and asked in SQL.

With POSTMAN_API_KEY the team of that key (Enterprise plan, Admin or Super Admin role) is archived into DIR/postman:
  POSTMAN_BASE_URL     https://api.getpostman.com unless set; https://api.eu.postman.com for a team in the EU
  POSTMAN_START_DATE   an ISO 8601 date: archive from there instead of from all that Postman keeps (first run only)
In a company network, NODE_EXTRA_CA_CERTS (a PEM file) and HTTPS_PROXY with NO_PROXY are used; a proxy needs Node 22.21
or 24.

The archive, its keys and the handler's log stay in DIR. Run it again to go on with the same archive.`;

interface LocalFlags {
  readonly data: string;
  readonly eventsPerDay: number;
}

export function addLocal(program: Command): void {
  program
    .command('local')
    .description('archive into a folder on this machine, with the very handler that is deployed')
    .option('--data <dir>', 'where everything is kept', '.archive')
    .option('--events-per-day <n>', 'of a new demo team', wholeNumber, 200)
    .addHelpText('after', HELP)
    .action(async ({ data, eventsPerDay }: LocalFlags, command: Command) => {
      const { POSTMAN_API_KEY: apiKey, POSTMAN_BASE_URL: baseUrl, POSTMAN_START_DATE: startDate } = process.env;
      const screen = openScreen(process.stdout);
      if (apiKey === undefined || apiKey === '') {
        process.exitCode = await locked(join(data, 'demo'), (folder) => runDemo(folder, screen, eventsPerDay));
        return;
      }
      const real = {
        apiKey,
        baseUrl: checkedUrl(baseUrl || 'https://api.getpostman.com', command),
        startDate: checkedDate(startDate || undefined, command),
        screen,
      };
      process.exitCode = await locked(join(data, 'postman'), (folder) => archiveRealTeam({ folder, ...real }));
    });
}

/** Two runs in one folder would read and write each other's unfinished files. */
async function locked<T>(folder: string, work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const lock = await lockFolder(folder);
  try {
    return await work(folder);
  } finally {
    await lock.close();
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 to 999999');
  return Number(text);
}

function checkedUrl(url: string, command: Command): string {
  const problem = baseUrlProblem(url);
  return problem === undefined ? url : command.error(`error: POSTMAN_BASE_URL: ${problem}`);
}

function checkedDate(text: string | undefined, command: Command): string | undefined {
  if (text === undefined) return undefined;
  const date = parseDateOrInstant(text);
  return date === undefined ? command.error('error: POSTMAN_START_DATE must be an ISO 8601 date') : date.toISOString();
}
