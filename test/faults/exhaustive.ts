/**
 * The exhaustive loop: a scenario's run is broken at its first operation, its second, its third, until it comes through
 * untouched; after each, clean runs; then the oracle. Every kind of breakage, once and from then on.
 */
import type { Fault, Method, Mode } from './faults';
import type { Run } from './run';
import { begin, breakRun, explained, recover, type Scenario } from './scenario';
import type { World } from './world';

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

export async function breakEverywhere(scenario: Scenario, breakages = BREAKAGES): Promise<Coverage> {
  const base = await begin(scenario);
  const untouched = await play(scenario, base.fork(), []);
  const points = new Map<string, number>();
  const met = new Set<string>();
  for (const { name, ...breakage } of breakages) {
    for (let at = 1; ; at += 1) {
      const run = await play(scenario, base.fork(), [{ ...breakage, at }]);
      const [fault] = run.faulted;
      if (fault === undefined) break;
      points.set(name, at);
      met.add(`${fault.method}, ${name}`);
    }
  }
  return { operations: untouched.operations, points, met };
}

function play(scenario: Scenario, world: World, faults: readonly Fault[]): Promise<Run> {
  return explained(scenario, world, async () => {
    const run = await breakRun(scenario, world, faults);
    await recover(scenario, world);
    return run;
  });
}
