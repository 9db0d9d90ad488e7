/** A scenario is played in this order: its history, the run that is broken, clean runs, the oracle. */
import { chainOf } from './chain';
import { say, seemsRight, whenClean, whenWoken } from './endings';
import { HOUR } from './events';
import type { Fault } from './faults';
import { consultOracle } from './oracle';
import type { Run, RunOptions } from './run';
import { Violation } from './witness';
import { createWorld, type World, type WorldSetup } from './world';

export interface Scenario extends WorldSetup {
  readonly name: string;
  /** The events before the run that is broken. */
  readonly history?: (world: World) => Promise<void>;
  readonly run?: RunOptions;
  /** The code with which that run fails even if nothing breaks it. */
  readonly fails?: string;
  /** Codes with which it may fail once it is broken, because its time is then too short. */
  readonly mayFail?: readonly string[];
  /** Changes the world after the broken run, before the clean runs. */
  readonly afterwards?: (world: World) => void;
  readonly cleanRuns?: number;
  readonly clean?: RunOptions;
  /** Older events cannot be in the archive. */
  readonly since?: number;
  /** The number of events that only the sweep can find. */
  readonly swept?: number;
  readonly check?: (world: World) => void;
}

/** The world in which the scenario's run begins. */
export async function begin(scenario: Scenario): Promise<World> {
  const world = createWorld(scenario);
  await scenario.history?.(world);
  return world;
}

/** Breaks the run of the scenario with the faults, and checks its ending. */
export async function breakRun(scenario: Scenario, world: World, faults: readonly Fault[]): Promise<Run> {
  const run = await world.run({ ...scenario.run, faults });
  seemsRight(run, scenario);
  return run;
}

/** Plays clean runs an hour later, wakes a frozen run after the first of them, and asks the oracle. */
export async function recover(scenario: Scenario, world: World): Promise<void> {
  world.advance(HOUR);
  scenario.afterwards?.(world);
  const frozen = world.runs.filter(({ isFrozen }) => isFrozen);
  for (let n = 0; n < (scenario.cleanRuns ?? 1); n += 1) {
    const run = await world.run(scenario.clean);
    whenClean(run);
    for (const zombie of frozen.splice(0)) {
      world.wake(zombie);
      await world.settle();
      whenWoken(zombie, scenario);
    }
    world.advance(HOUR);
  }
  await consultOracle(world, scenario);
  scenario.check?.(world);
}

/** Adds the story of the world to a violation. */
export async function explained<T>(name: string, world: World, play: () => Promise<T>): Promise<T> {
  try {
    return await play();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(
      error.check,
      [error.message.slice(error.check.length + 2), name, ...world.runs.map(storyOf), ...chainStory(world)].join('\n'),
    );
  }
}

function storyOf(run: Run): string {
  const broken = run.faulted.map(({ method, mode }) => ` [${method} ${mode}]`).join('');
  const began = new Date(run.startedAt).toISOString();
  return `run ${run.number}, begun ${began}, ended ${say(run)}${broken}: ${run.operations.join(' ')}`;
}

function chainStory(world: World): string[] {
  return chainOf(world).map(({ seq, run, window, position, counts, gaps }) => {
    const gap = gaps.length > 0 ? ', and a gap' : '';
    const read = `read ${window.from} to ${window.to}, claims ${position}`;
    return `manifest ${seq}, ${run.reason}, walk begun ${run.walkStart}: ${read}, ${counts.events} events${gap}`;
  });
}
