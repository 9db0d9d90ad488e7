/**
 * `npm run bench -- NAME` runs one bench, and `npm run bench` all but `sql`. `--full` adds that and the large sizes, which take
 * long. Only the ratios within one run are valid elsewhere. The exit code is 1 if a ratio misses its reach by more than the noise
 * of its rounds.
 */
import { spawnSync } from 'node:child_process';
import { benchCalls } from './calls';
import { benchCost } from './cost';
import { benchDaily } from './daily';
import { benchHandler } from './handler';
import { benchProcessor } from './processor';
import { formatRows, type Row, verdictOf } from './rows';
import { benchSql } from './sql';
import { benchVerify } from './verify';
import { benchWalk } from './walk';

type Bench = (isFull: boolean) => Promise<readonly Row[]>;

/** A bench that prints tables of its own, without a verdict. */
const printed =
  (print: (isFull: boolean) => Promise<void>): Bench =>
  async (isFull) => {
    await print(isFull);
    return [];
  };

const benches: Readonly<Record<string, Bench>> = {
  walk: benchWalk,
  calls: benchCalls,
  processor: benchProcessor,
  handler: benchHandler,
  verify: benchVerify,
  daily: printed(benchDaily),
  cost: printed(benchCost),
  sql: printed(benchSql),
};

/** These benches take longer than all others together, so they run only when they are named, or with `--full`. */
const LONG: readonly string[] = ['sql'];

export async function run(): Promise<void> {
  const words = process.argv.slice(2);
  const isFull = words.includes('--full');
  const names = words.filter((word) => word !== '--full');
  const unknown = names.find((name) => !Object.hasOwn(benches, name));
  if (unknown !== undefined) throw new Error(`there is no bench "${unknown}": choose from ${Object.keys(benches)}`);
  const asked = names.length > 0 ? names : Object.keys(benches).filter((name) => isFull || !LONG.includes(name));
  const [only = ''] = asked;
  const areGood = asked.length === 1 ? [await runBench(only, isFull)] : asked.map((name) => isGoodAlone(name, isFull));
  if (areGood.includes(false)) process.exitCode = 1;
}

/** Returns whether no row misses its reach. */
async function runBench(name: string, isFull: boolean): Promise<boolean> {
  const rows = (await benches[name]?.(isFull)) ?? [];
  if (rows.length > 0) console.log(`\n${formatRows(rows)}`);
  return rows.every((row) => verdictOf(row) !== 'MISSED');
}

/** Runs the bench in a process of its own: code that was optimised for the values of another bench is slower for its own. */
function isGoodAlone(name: string, isFull: boolean): boolean {
  const [, launch = ''] = process.argv;
  const args = [launch, name, ...(isFull ? ['--full'] : [])];
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status === 0;
}
