/**
 * `npm start`: archives an invented team on this machine alone, then continues, verifies, compares and queries the
 * archive; or, with an API key, archives a real team. It ends by itself. The exit code is 0 only if every step was good.
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { addMs, MINUTE_MS } from '../../lambdas/shared/time';
import { proxyNotice } from '../../local/network';
import { answerAsSource } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';
import { LIVE_SERVICE } from '../../local/postman/source-settings';
import { openTeamFolder, type TeamFolder } from '../../local/postman/team-folder';
import { LEAVER, OFFICE_NETWORKS } from '../../local/postman/team-people';
import { conclude } from './ending';
import { compareWithSource, openServedLines } from './equality';
import { archivePaths } from './local-archive';
import { openProgressRuns } from './progress';
import { type Screen, say, section } from './screen';
import { type RunOnce, showRuns } from './shown-runs';

const SEED = 20;
/**
 * Before each run after the first, new events happen, and events of ten minutes ago appear. Each run reads a quarter of an hour again,
 * so that it finds both.
 */
const ARRIVALS = [
  { fresh: 8, late: 1 },
  { fresh: 3, late: 0 },
  { fresh: 5, late: 2 },
] as const;
const LATE_BY_MS = 10 * MINUTE_MS;

/** Archives the demo team and returns the exit code. */
export async function runDemo(folder: string, screen: Screen, eventsPerDay: number): Promise<number> {
  const at = archivePaths(folder);
  const isNew = !existsSync(at.bucket);
  introduce(screen, isNew);
  const team = openDemoTeam(folder, new Date(), eventsPerDay);
  const apiKey = `PMAK-${randomUUID()}`;
  const served = openServedLines(at.served);
  const source = await startSourceServer((request) => {
    const now = new Date();
    team.playTo(now);
    const answer = answerAsSource(request, { table: team.table, settings: { ...LIVE_SERVICE, apiKey }, now });
    served.add(answer.served.map(({ text }) => text));
    return answer;
  });
  const options = { team: 'demo', apiKey, baseUrl: source.url, maxRequestsPerMinute: 100_000 };
  const runs = await openProgressRuns(folder, options);
  try {
    return await playDemo({ folder, screen, team, served: served.all, run: runs.run, now: () => new Date() });
  } finally {
    await runs.close();
    await source.close();
  }
}

export function openDemoTeam(folder: string, anchor: Date, eventsPerDay: number): TeamFolder {
  return openTeamFolder(archivePaths(folder).source, { seed: SEED, anchor, eventsPerDay });
}

export function introduce(screen: Screen, isNew: boolean): void {
  say(screen, 'The Postman audit archive on this machine, without AWS: about half a minute.');
  const next = isNew
    ? 'The first run reads the 180 days that Postman keeps, and each other run reads what has happened since.'
    : 'An earlier start has archived this team already, so each run reads only what has happened since.';
  section(
    screen,
    'ARCHIVE',
    `An invented team, behind a server that speaks the Postman Audit Logs API. The Lambda function that a deployment uploads archives it, unchanged. ${next}`,
  );
  screen.print('');
}

interface DemoStory {
  readonly folder: string;
  readonly screen: Screen;
  readonly team: TeamFolder;
  /** Each distinct line that the source has ever served. */
  readonly served: ReadonlySet<string>;
  readonly run: RunOnce;
  readonly now: () => Date;
}

/** Returns the exit code. */
export async function playDemo({ folder, screen, team, served, run, now }: DemoStory): Promise<number> {
  const runs = showRuns(screen, run);
  let archived = await runs.run();
  for (const { fresh, late } of archived ? ARRIVALS : []) {
    const happened = now();
    team.arrive(fresh, { at: happened, visibleFrom: happened });
    team.arrive(late, { at: addMs(happened, -LATE_BY_MS), visibleFrom: happened });
    archived = archived && (await runs.run());
  }
  runs.end();
  const compare = () => compareWithSource(archivePaths(folder).bucket, served, screen);
  const parameters = { person: LEAVER.email, office: OFFICE_NETWORKS, domains: 'example.com' };
  return conclude(folder, { team: 'demo', archived, screen, compare, parameters, now: now() });
}

interface RealOptions {
  readonly folder: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly startDate: string | undefined;
  readonly screen: Screen;
}

/** Archives a real team with one run, verifies the archive, and returns the exit code. The next start continues it. */
export async function archiveRealTeam({ folder, screen, ...team }: RealOptions): Promise<number> {
  const notice = proxyNotice(process.env, process.versions.node);
  if (notice !== undefined) say(screen, notice);
  const about = `The team of POSTMAN_API_KEY is archived from ${team.baseUrl} into ${folder}, with at most 200 requests a minute.`;
  say(screen, about, 'ARCHIVE  ');
  screen.print('');
  const archive = await openProgressRuns(folder, { team: 'main', maxRequestsPerMinute: 200, ...team });
  try {
    const runs = showRuns(screen, archive.run);
    const archived = await runs.run();
    runs.end();
    return await conclude(folder, { team: 'main', archived, screen, now: new Date() });
  } finally {
    await archive.close();
  }
}
