/** A row of the bench: a figure, its yardstick in the same run, their ratio, and the ratio that this version must reach. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly yardstick: string;
  /** One ratio for each round. Counts need only one. */
  readonly ratios: readonly number[];
  /** The largest ratio that is good, or the smallest if `isFloor`. */
  readonly reach: number;
  readonly isFloor?: boolean;
}

export type Verdict = 'reached' | 'within noise' | 'MISSED';

/** A ratio misses its reach where its median misses it by more than the rounds differ among themselves. */
export function verdictOf({ ratios, reach, isFloor = false }: Row): Verdict {
  const misses = (ratio: number) => (isFloor ? reach - ratio : ratio - reach);
  const miss = misses(median(ratios));
  if (miss <= 0) return 'reached';
  return miss <= spreadOf(ratios) ? 'within noise' : 'MISSED';
}

export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.figure,
    row.yardstick,
    median(row.ratios).toFixed(2),
    row.ratios.length === 1 ? 'once' : spreadOf(row.ratios).toFixed(2),
    `${row.isFloor ? 'at least' : 'at most'} ${row.reach}`,
    verdictOf(row),
  ]);
  const head = ['what', 'figure', 'yardstick', 'ratio', 'spread', 'reach', 'verdict'];
  return [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** The CPU time of all threads of this process, in microseconds. The garbage of earlier work is collected first. */
export async function cpuMicros(work: () => Promise<unknown> | unknown): Promise<number> {
  collectGarbage();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function spreadOf(ratios: readonly number[]): number {
  return Math.max(...ratios) - Math.min(...ratios);
}
