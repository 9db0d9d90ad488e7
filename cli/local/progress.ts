/** How far a backfill has come: a bar on a terminal, a plain line every tenth anywhere else. */
import { SingleBar } from 'cli-progress';
import type { LogLine } from './world';

export interface Progress {
  /** Takes the handler's log lines; those of pages move it. */
  see(line: LogLine): void;
  end(): void;
}

export interface ProgressSpan {
  readonly from: Date;
  readonly to: Date;
}

export function createProgress(span: ProgressSpan, output: NodeJS.WriteStream): Progress {
  const show = output.isTTY ? showBar(output) : showLines(output);
  let served = 0;

  return {
    see(line) {
      if (line.message !== 'page' || typeof line.claim !== 'string') return;
      served += Number(line.events);
      const claim = Math.min(Date.parse(line.claim), span.to.getTime());
      const share = (claim - span.from.getTime()) / (span.to.getTime() - span.from.getTime());
      show.at(Math.max(0, share), new Date(claim).toISOString().slice(0, 10), served);
    },
    end: show.end,
  };
}

function showBar(output: NodeJS.WriteStream) {
  const bar = new SingleBar({
    format: '  {bar} {percentage}%  {date}  {served} events',
    stream: output,
    hideCursor: true,
  });
  bar.start(100, 0, { date: '', served: 0 });
  return {
    at: (share: number, date: string, served: number) =>
      bar.update(Math.floor(share * 100), { date, served: count(served) }),
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
    end: () => undefined,
  };
}

export function count(number: number): string {
  return number.toLocaleString('en');
}
