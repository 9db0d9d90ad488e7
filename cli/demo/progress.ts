/** Shows how far a run has come and what it waits for: as a bar on a terminal, and as plain lines anywhere else. */

import { SingleBar } from 'cli-progress';
import type { RunSummary } from '../../lambdas/shared/contract';
import { figure } from '../../lambdas/shared/text';
import { DAY_MS } from '../../lambdas/shared/time';
import { type LogLine, openLocalArchive } from './local-archive';
import type { RunOnce } from './shown-runs';

/** Shorter waits are not shown. */
const LONG_WAIT_MS = 3000;

type Team = Omit<Parameters<typeof openLocalArchive>[0], 'folder' | 'onLog'>;

/** Opens the local archive, and shows how far its first run has come. Later runs take less than a second. */
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

/** `see` receives every log line of the handler; the lines of pages move the progress. */
export function createProgress({ from, to }: Readonly<Record<'from' | 'to', Date>>, output: NodeJS.WriteStream) {
  const view = output.isTTY && process.env.TERM !== 'dumb' ? barView(output) : lineView(output);
  let events = 0;
  // The swept day is read last although it is an old day, so progress never goes back.
  let farthest = from.getTime();

  return {
    see: ({ message, code, waitMs, claim, events: served }: LogLine) => {
      if (message === 'source retry' && Number(waitMs) >= LONG_WAIT_MS) {
        view.wait(`${code}: again in ${Math.round(Number(waitMs) / 1000)} s`);
      }
      if (message !== 'page' || typeof claim !== 'string') return;
      events += Number(served);
      farthest = Math.max(farthest, Math.min(Date.parse(claim), to.getTime()));
      const share = (farthest - from.getTime()) / (to.getTime() - from.getTime());
      view.move(share, new Date(farthest).toISOString().slice(0, 10), figure(events));
    },
    end: view.end,
  };
}

function barView(output: NodeJS.WriteStream) {
  const format = '  {bar} {percentage}%  {date}  {events} events  {wait}';
  const bar = new SingleBar({ format, stream: output, barsize: 20, hideCursor: true, clearOnComplete: true });
  bar.start(100, 0, { date: '', events: 0, wait: '' });
  return {
    move: (share: number, date: string, events: string) =>
      bar.update(Math.floor(share * 100), { date, events, wait: '' }),
    wait: (wait: string) => bar.update({ wait }),
    end: () => bar.stop(),
  };
}

/** One line for each tenth of the way but the last, which the result of the run follows at once. */
function lineView(output: NodeJS.WriteStream) {
  let shown = 0;
  return {
    move: (share: number, date: string, events: string) => {
      const tenth = Math.floor(share * 10);
      if (tenth > shown && tenth < 10) output.write(`  ${tenth * 10}%  ${date}  ${events} events\n`);
      shown = Math.max(shown, tenth);
    },
    wait: (wait: string) => output.write(`  ${wait}\n`),
    end: () => undefined,
  };
}
