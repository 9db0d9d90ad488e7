/**
 * `npm start`: archives a realistic demo team on this machine alone, then continues, verifies, compares and queries the
 * archive; or, with an API key, archives a real team. It ends by itself. The exit code is 0 only if every step was good.
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createSourceModel } from '../../local/postman/source-model';
import { type SourceServer, startSourceServer } from '../../local/postman/source-server';
import { sourceSettings } from '../../local/postman/source-settings';
import { openTeamFolder, type TeamFolder } from '../../local/postman/team-folder';
import { conclude } from './ending';
import { compareWithSource } from './equality';
import { archivePaths } from './local-archive';
import { count } from './progress';
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
  const source = await startSource(team, apiKey, at.served);
  const options = { team: 'demo', apiKey, baseUrl: source.url, maxRequestsPerMinute: 100_000 };
  const runs = await openShownRuns(folder, print, options);
  try {
    print(
      isNew ? `A team of ${count(team.table.size())} events over 180 days. First run:` : 'The same archive, continued:',
    );
    let archived = await runs.run(isNew ? 'backfill' : 'first run');
    for (let run = 1; run <= SCHEDULED_RUNS && archived; run += 1) {
      const now = Date.now();
      team.arrive(5 + 3 * run, { at: new Date(now), visibleFrom: new Date(now) });
      team.arrive(run, { at: new Date(now - (run + 1) * HOUR_MS), visibleFrom: new Date(now) });
      archived = await runs.run(`scheduled run ${run}`);
    }
    return await conclude(folder, { archived, print, compare: () => compare(at.bucket, source, print) });
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
  const runs = await openShownRuns(folder, print, { team: 'main', maxRequestsPerMinute: 200, ...team });
  try {
    print(`Archiving the team of this key from ${team.baseUrl}, at most 200 requests a minute:`);
    return await conclude(folder, { archived: await runs.run('run'), print, compare: () => true });
  } finally {
    await runs.close();
  }
}

function startSource(team: TeamFolder, apiKey: string, served: string): Promise<SourceServer> {
  const now = () => {
    const instant = new Date();
    team.playTo(instant);
    return instant;
  };
  return startSourceServer(createSourceModel(team.table, sourceSettings('reality', apiKey)), { now, served });
}

function compare(bucket: string, source: SourceServer, print: (text: string) => void): boolean {
  const { served, archived, missing, extra } = compareWithSource(bucket, source.servedLines());
  const isEqual = missing + extra === 0;
  print('\nCompared with the source, line by line:');
  print(
    `  ${count(served)} distinct lines served, ${count(archived)} archived: ${isEqual ? 'the same, once each' : 'NOT EQUAL'}`,
  );
  if (missing > 0) print(`  ${count(missing)} served lines are not in the archive`);
  if (extra > 0) print(`  ${count(extra)} archived lines were not served, or occur more than once`);
  return isEqual;
}
