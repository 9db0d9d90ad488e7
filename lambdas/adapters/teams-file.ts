/** `teams.json`, which is deployed beside the code of the function: whoever may invoke the function cannot change it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTeam, TEAMS_FILE, type TeamSettings } from '../shared/contract';

/** `folder` is that of the code. Throws `ConfigError` where the file has no settings for the team. */
export async function loadTeam(folder: string, team: string): Promise<TeamSettings> {
  return readTeam(await readFile(join(folder, TEAMS_FILE), 'utf8').catch(() => ''), team);
}
