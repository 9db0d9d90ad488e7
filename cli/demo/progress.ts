/** How far a run has come, and what it waits for: a bar on a terminal, plain lines anywhere else. */
import { SingleBar } from 'cli-progress';
import type { LogLine } from './local-archive';

/** Shorter waits are no news. */
const TOLD_WAIT_MS = 3000;

export interface Progress {
  /** Takes the handler's log lines: those of pages move it. */
  see(line: LogLine): void;
  end(): void;
}

interface ProgressSpan {
  readonly from: Date;
  readonly to: Date;
}

export function createProgress(span: ProgressSpan, output: NodeJS.WriteStream): Progress {
  const show = output.isTTY ? showBar(output) : showLines(output);
  let served = 0;
  // The swept day comes last, and is an old one.
  let farthest = span.from.getTime();

  return {
    see(line) {
      if (line.message === 'source retry' && Number(line.waitMs) >= TOLD_WAIT_MS) show.waits(describeWait(line));
      if (line.message !== 'page' || typeof line.claim !== 'string') return;
      served += Number(line.events);
      farthest = Math.max(farthest, Math.min(Date.parse(line.claim), span.to.getTime()));
      const share = (farthest - span.from.getTime()) / (span.to.getTime() - span.from.getTime());
      show.at(share, new Date(farthest).toISOString().slice(0, 10), served);
    },
    end: show.end,
  };
}

function showBar(output: NodeJS.WriteStream) {
  const bar = new SingleBar({
    format: '  {bar} {percentage}%  {date}  {served} events  {waits}',
    stream: output,
    hideCursor: true,
  });
  bar.start(100, 0, { date: '', served: 0, waits: '' });
  return {
    at: (share: number, date: string, served: number) =>
      bar.update(Math.floor(share * 100), { date, served: count(served), waits: '' }),
    waits: (waits: string) => bar.update({ waits }),
    end: () => bar.stop(),
  };
}

function showLines(output: NodeJS.WriteStream) {
  let shown = 0;
  return {
    at(share: number, date: string, served: number) {
      const tenth = Math.floor(share * 10);
      if (tenth <= shown) return;
      shown = tenth;
      output.write(`  ${tenth * 10}%  ${date}  ${count(served)} events\n`);
    },
    waits: (waits: string) => output.write(`  ${waits}\n`),
    end: () => undefined,
  };
}

function describeWait({ code, waitMs }: LogLine): string {
  return `${code}: again in ${Math.round(Number(waitMs) / 1000)} s`;
}

export function count(number: number): string {
  return number.toLocaleString('en');
}
