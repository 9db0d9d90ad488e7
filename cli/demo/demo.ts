/**
 * `npm start`: archives a realistic demo team on this machine alone, then continues, verifies, compares and queries the
 * archive; or, with an API key, archives a real team. It ends by itself. The exit code is 0 only if every step was good.
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { figure } from '../../lambdas/shared/text';
import { proxyNotice } from '../../local/network';
import { answerAsSource } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';
import { LIVE_SERVICE } from '../../local/postman/source-settings';
import { openTeamFolder, type TeamFolder } from '../../local/postman/team-folder';
import { conclude } from './ending';
import { compareWithSource, openServedLines } from './equality';
import { archivePaths } from './local-archive';
import { openShownRuns } from './shown-runs';

const HOUR_MS = 3_600_000;
const SEED = 20;
const SCHEDULED_RUNS = 5;

interface DemoOptions {
  readonly folder: string;
  readonly eventsPerDay: number;
  readonly print: (text: string) => void;
}

/** Archives the demo team and returns the exit code. */
export async function runDemo({ folder, eventsPerDay, print }: DemoOptions): Promise<number> {
  const at = archivePaths(folder);
  const isNew = !existsSync(at.bucket);
  const team = openTeamFolder(at.source, { seed: SEED, anchor: new Date(), eventsPerDay });
  const apiKey = `PMAK-${randomUUID()}`;
  const served = openServedLines(at.served);
  const source = await startSource(team, apiKey, served.add);
  const options = { team: 'demo', apiKey, baseUrl: source.url, maxRequestsPerMinute: 100_000 };
  const runs = await openShownRuns(folder, print, options);
  try {
    print(
      isNew
        ? `A team of ${figure(team.table.events().length)} events over 180 days. First run:`
        : 'The same archive, continued:',
    );
    let archived = await runs.run(isNew ? 'backfill' : 'first run');
    for (let run = 1; run <= SCHEDULED_RUNS && archived; run += 1) {
      const now = Date.now();
      team.arrive(5 + 3 * run, { at: new Date(now), visibleFrom: new Date(now) });
      team.arrive(run, { at: new Date(now - (run + 1) * HOUR_MS), visibleFrom: new Date(now) });
      archived = await runs.run(`scheduled run ${run}`);
    }
    const compare = () => compareWithSource(at.bucket, served.all, print);
    return await conclude(folder, { team: options.team, archived, print, compare });
  } finally {
    await runs.close();
    await source.close();
  }
}

interface RealOptions {
  readonly folder: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly startDate: string | undefined;
  readonly print: (text: string) => void;
}

/** Archives a real team with one run, verifies the archive, and returns the exit code. The next start continues it. */
export async function archiveRealTeam({ folder, print, ...team }: RealOptions): Promise<number> {
  const notice = proxyNotice(process.env, process.versions.node);
  if (notice !== undefined) print(notice);
  const runs = await openShownRuns(folder, print, { team: 'main', maxRequestsPerMinute: 200, ...team });
  try {
    print(`Archiving the team of this key from ${team.baseUrl}, at most 200 requests a minute:`);
    return await conclude(folder, { team: 'main', archived: await runs.run('run'), print, compare: () => true });
  } finally {
    await runs.close();
  }
}

/** `onServed` receives the lines of every answer before the client does. */
function startSource(team: TeamFolder, apiKey: string, onServed: (lines: readonly string[]) => void) {
  return startSourceServer((request) => {
    const now = new Date();
    team.playTo(now);
    const answer = answerAsSource(request, { table: team.table, settings: { ...LIVE_SERVICE, apiKey }, now });
    onServed(answer.served.map(({ text }) => text));
    return answer;
  });
}
