/** Opens the local archive, and shows how far its first run has come. Later runs take less than a second. */
import type { RunSummary } from '../../lambdas/shared/contract';
import { DAY_MS } from '../../lambdas/shared/time';
import { type LogLine, openLocalArchive } from './local-archive';
import { createProgress } from './progress';
import type { RunOnce } from './shown-runs';

type Team = Omit<Parameters<typeof openLocalArchive>[0], 'folder' | 'onLog'>;

export async function openProgressRuns(folder: string, team: Team) {
  let listen: ((line: LogLine) => void) | undefined;
  let isFirst = true;
  const archive = await openLocalArchive({ ...team, folder, onLog: (line) => listen?.(line) });

  const run: RunOnce = async () => {
    const to = new Date();
    const from = new Date(team.startDate ?? to.getTime() - 180 * DAY_MS);
    const progress = isFirst ? createProgress({ from, to }, process.stderr) : undefined;
    listen = progress?.see;
    const outcome = await archive.run();
    progress?.end();
    isFirst &&= outcome.ok && (outcome.result as RunSummary).outcome === 'held';
    return outcome;
  };

  return { run, close: archive.close };
}
