/**
 * `npm start`: a realistic team's whole archive, made, continued, proven and asked, on this machine alone; or, with an
 * API key, a real team's. It ends by itself, and its exit code is good only if everything held.
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

/** The demo team. The exit code. */
export async function runDemo({ folder, eventsPerDay, print }: DemoOptions): Promise<number> {
  const at = archivePaths(folder);
  const isNew = !existsSync(at.bucket);
  const team = openTeamFolder(at.source, { seed: SEED, anchor: new Date(), eventsPerDay });
  const apiKey = `PMAK-${randomUUID()}`;
  const source = await startTeam(team, apiKey, at.served);
  const runs = await openShownRuns(folder, print, {
    team: 'demo',
    apiKey,
    baseUrl: source.url,
    maxRequestsPerMinute: 100_000,
  });
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

/** A real team: one run, and its proof. Run it again to go on. The exit code. */
export async function archiveRealTeam({ folder, print, ...team }: RealOptions): Promise<number> {
  const runs = await openShownRuns(folder, print, { team: 'main', maxRequestsPerMinute: 200, ...team });
  try {
    print(`Archiving the team of this key from ${team.baseUrl}, at most 200 requests a minute:`);
    return await conclude(folder, { archived: await runs.run('run'), print, compare: () => true });
  } finally {
    await runs.close();
  }
}

async function startTeam(team: TeamFolder, apiKey: string, served: string): Promise<SourceServer> {
  const model = createSourceModel(team.table, sourceSettings('reality', apiKey));
  const now = () => {
    const instant = new Date();
    team.playTo(instant);
    return instant;
  };
  return startSourceServer(model, { now, served });
}

function compare(bucket: string, source: SourceServer, print: (text: string) => void): boolean {
  const { served, archived, missing, extra } = compareWithSource(bucket, source.servedLines());
  const equal = missing.length + extra.length === 0;
  print('\nCompared with the source, line by line:');
  print(
    `  ${count(served)} distinct lines served, ${count(archived)} archived: ${equal ? 'the same, once each' : 'NOT EQUAL'}`,
  );
  if (missing.length > 0) print(`  ${count(missing.length)} served lines are not in the archive`);
  if (extra.length > 0) print(`  ${count(extra.length)} archived lines were not served, or stand more than once`);
  return equal;
}
