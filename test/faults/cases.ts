/** A case is a story that is more than a single broken run. It plays in worlds of its own, and asks the oracle. */
import { must } from './chain';
import { say, whenClean } from './endings';
import { HOUR } from './events';
import { consultOracle } from './oracle';
import type * as unpatched from './program';
import type { Run } from './run';
import type { World } from './world';

export type Program = typeof unpatched | undefined;

export interface Case {
  readonly name: string;
  /** Throws a `Violation` if the archive did not survive. */
  readonly play: (program?: typeof unpatched) => Promise<void>;
}

/** Cases by their names. */
export function namedCases(plays: Readonly<Record<string, Case['play']>>): readonly Case[] {
  return Object.entries(plays).map(([name, play]) => ({ name, play }));
}

/** The next run ends well, and the oracle finds nothing. */
export async function heals(world: World): Promise<void> {
  whenClean(await world.run());
  await consultOracle(world);
  world.advance(HOUR);
}

/** Runs that end well, one an hour. */
export async function cleanRuns(world: World, runs: number, timeoutMs?: number): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    whenClean(await world.run(timeoutMs === undefined ? {} : { timeoutMs }));
    world.advance(HOUR);
  }
}

/** The next run fails with the code, and writes nothing. */
export async function refuses(world: World, code: string): Promise<void> {
  const run = await world.run();
  failsWith(run, code);
  must(run.created.length === 0, `the failed run writes nothing, but it wrote ${run.created.join(' ')}`);
  world.advance(HOUR);
}

export function failsWith(run: Run, code: string): void {
  const hasFailed = run.outcome?.kind === 'failed' && run.outcome.code === code;
  must(hasFailed, `the run ends with ${code}, but it ended ${say(run)}`);
}
