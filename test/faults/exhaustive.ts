/**
 * The exhaustive loop: a scenario's run is broken at its first operation, its second, its third, until it comes through
 * untouched; after each, clean runs; then the oracle. Every kind of breakage, once and from then on.
 */

import { chainOf } from './chain';
import { HOUR, SECOND } from './events';
import type { Fault, Method, Mode } from './faults';
import { consultOracle } from './oracle';
import type { Run, RunOptions } from './run';
import { Violation } from './witness';
import { createWorld, type World, type WorldSetup } from './world';

/** Clocks tell whole seconds, and not all the same. */
const TOLERANCE = 3 * SECOND;

export interface Scenario {
  readonly name: string;
  readonly setup: WorldSetup;
  /** What happened before the run that is broken. */
  readonly history?: (world: World) => Promise<void>;
  /** The run that is broken. */
  readonly run?: RunOptions;
  /** Codes with which the run may fail although nothing broke it. */
  readonly failures?: readonly string[];
  /** What the world is like afterwards, before the clean runs. */
  readonly afterwards?: (world: World) => void;
  readonly cleanRuns?: number;
  readonly clean?: RunOptions;
  /** What is older cannot be in the archive. */
  readonly since?: number;
  /** What else must hold at the end. */
  readonly check?: (world: World) => void;
}

export interface Breakage {
  readonly name: string;
  readonly mode: Mode;
  readonly forGood?: boolean;
}

export const BREAKAGES: readonly Breakage[] = [
  { name: 'before', mode: 'before' },
  { name: 'after', mode: 'after' },
  { name: 'lost', mode: 'lost' },
  { name: 'die before', mode: 'die-before' },
  { name: 'die after', mode: 'die-after' },
  { name: 'freeze', mode: 'freeze' },
  { name: 'before, from then on', mode: 'before', forGood: true },
  { name: 'after, from then on', mode: 'after', forGood: true },
  { name: 'lost, from then on', mode: 'lost', forGood: true },
];

export interface Coverage {
  /** Of the untouched run. */
  readonly operations: readonly Method[];
  /** How often each breakage was brought about. */
  readonly points: ReadonlyMap<string, number>;
  /** `method, breakage` pairs that were brought about. */
  readonly met: ReadonlySet<string>;
}

export async function breakEverywhere(scenario: Scenario): Promise<Coverage> {
  const base = await beginScenario(scenario);
  const untouched = await breakOnce(scenario, base, undefined);
  const points = new Map<string, number>();
  const met = new Set<string>();
  for (const { name, mode, forGood = false } of BREAKAGES) {
    for (let at = 1; ; at += 1) {
      const run = await breakOnce(scenario, base, { at, mode, forGood });
      const [fault] = run.faulted;
      if (fault === undefined) break;
      points.set(name, at);
      met.add(`${fault.method}, ${name}`);
    }
  }
  return { operations: untouched.operations, points, met };
}

/** The world in which the scenario's run begins. */
export async function beginScenario({ setup, history }: Scenario): Promise<World> {
  const world = createWorld(setup);
  await history?.(world);
  return world;
}

async function breakOnce(scenario: Scenario, base: World, fault: Fault | undefined): Promise<Run> {
  const world = base.fork();
  try {
    const run = await world.run({ ...scenario.run, faults: fault === undefined ? [] : [fault] });
    endsAsItMay(run, scenario, fault);
    await recover(scenario, world, run);
    return run;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(error.check, `${error.message}\n${describe(scenario, fault, world)}`);
  }
}

/** One hour later, clean runs; a frozen run wakes after the first of them. */
export async function recover(scenario: Scenario, world: World, broken: Run): Promise<void> {
  world.advance(HOUR);
  scenario.afterwards?.(world);
  for (let n = 0; n < (scenario.cleanRuns ?? 1); n += 1) {
    const run = await world.run(scenario.clean);
    if (run.outcome?.kind !== 'archived') throw new Violation('no-heal', `the clean run ended ${say(run)}`);
    if (broken.isFrozen) await wake(scenario, world, broken);
    world.advance(HOUR);
  }
  hasComeToNow(world);
  scenario.check?.(world);
  await consultOracle(world, scenario.since);
}

/** The last clean run has seen everything up to its own beginning, and says so. */
function hasComeToNow(world: World): void {
  const position = Date.parse(chainOf(world).at(-1)?.position ?? '');
  const began = world.runs.findLast(({ outcome }) => outcome?.kind === 'archived')?.startedAt ?? Number.NaN;
  if (!(position >= began - TOLERANCE))
    throw new Violation('stuck', `the position is ${new Date(position).toISOString()}`);
}

async function wake(scenario: Scenario, world: World, zombie: Run): Promise<void> {
  world.wake(zombie);
  await world.settle();
  const { outcome } = zombie;
  const mayFail = (code: string) => ['out-of-time', ...(scenario.failures ?? [])].includes(code);
  if (outcome?.kind === 'failed' && !mayFail(outcome.code)) {
    throw new Violation('zombie-fails', `the run that woke up ended ${say(zombie)}`);
  }
}

function endsAsItMay(run: Run, { failures = [] }: Scenario, fault: Fault | undefined): void {
  const { outcome } = run;
  const isHarmless = fault === undefined || (fault.mode === 'lost' && !run.faulted.some(isOfTheSource));
  if (outcome === undefined) return;
  if (outcome.kind === 'race') throw new Violation('self-race', 'a run lost a race against itself');
  if (outcome.kind !== 'failed') return;
  if (outcome.isIntegrity && run.created.length > 0) throw new Violation('wrote-all-the-same', run.created.join(' '));
  if (failures.includes(outcome.code)) return;
  if (outcome.isIntegrity) throw new Violation('false-alarm', `the run ended ${say(run)}`);
  if (isHarmless) throw new Violation('harmless-fault', `the run ended ${say(run)}`);
}

function isOfTheSource({ method }: { readonly method: Method }): boolean {
  return method === 'transport.get';
}

export function say({ outcome, isDead, isFrozen }: Run): string {
  if (outcome === undefined) return isDead ? 'dead' : isFrozen ? 'frozen' : 'nowhere';
  return outcome.kind === 'failed' ? `with ${outcome.code}` : outcome.kind;
}

function describe(scenario: Scenario, fault: Fault | undefined, world: World): string {
  const broken = fault === undefined ? 'untouched' : `${fault.mode} at ${fault.at}${fault.forGood ? ' and on' : ''}`;
  const runs = world.runs.map((run) => `run ${run.number} ${say(run)}: ${run.operations.join(' ')}`);
  return [`scenario "${scenario.name}", ${broken}`, ...runs].join('\n');
}
