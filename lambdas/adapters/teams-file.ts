/**
 * `teams.json`, which is deployed beside the code of the function: whoever may invoke the function cannot change it. Lambda
 * and the local world say in `LAMBDA_TASK_ROOT` where the code is.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTeam, TEAMS_FILE, type TeamSettings } from '../shared/contract';

/** Throws `ConfigError` where the file has no settings for the team. */
export async function loadTeam(team: string): Promise<TeamSettings> {
  const file = join(process.env.LAMBDA_TASK_ROOT ?? '', TEAMS_FILE);
  return readTeam(await readFile(file, 'utf8').catch(() => ''), team);
}
