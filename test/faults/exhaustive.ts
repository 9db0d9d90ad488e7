/**
 * The exhaustive loop: a scenario's run is broken at its first operation, its second, its third, until it comes through
 * untouched; after each, clean runs; then the oracle. Every kind of breakage, once and from then on.
 */
import { createRandom } from '../../local/postman/random';
import { seemsRight } from './endings';
import { HOUR } from './events';
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
  return explained(scenario.name, world, async () => {
    const run = await breakRun(scenario, world, faults);
    await recover(scenario, world);
    return run;
  });
}

export interface Sampling {
  /** So many pairs, drawn by the scenario's name; without it, every pair there is. */
  readonly sample?: number;
}

/** A second fault while the first is being recovered from. Returns how many pairs were played. */
export async function breakTwice(scenario: Scenario, { sample = Infinity }: Sampling = {}): Promise<number> {
  const base = await begin(scenario);
  // A world in which somebody is frozen cannot be forked.
  const firsts = pointsOf(await base.fork().run(scenario.run)).filter(({ mode }) => mode !== 'freeze');
  const random = createRandom(scenario.name);
  let pairs = 0;
  for (let n = 0; n < (sample < Infinity ? sample : firsts.length); n += 1) {
    const broken = base.fork();
    const first = sample < Infinity ? random.pick(firsts) : firsts[n];
    await explained(scenario.name, broken, () => breakRun(scenario, broken, first === undefined ? [] : [first]));
    broken.advance(HOUR);
    scenario.afterwards?.(broken);
    const seconds = pointsOf(await broken.fork().run(scenario.clean));
    for (const second of sample < Infinity ? [random.pick(seconds)] : seconds) {
      await playSecond(scenario, broken.fork(), second);
      pairs += 1;
    }
  }
  return pairs;
}

function playSecond(scenario: Scenario, world: World, fault: Fault): Promise<void> {
  return explained(scenario.name, world, async () => {
    seemsRight(await world.run({ ...scenario.clean, faults: [fault] }), {});
    await recover(scenario, world);
  });
}

const READS: readonly Method[] = ['store.list', 'store.get', 'apiKeys.read', 'signer.sign'];

/** Every operation of a run with every breakage that makes a difference: before or after a read is all the same. */
function pointsOf({ operations }: Run): Fault[] {
  const ofRead: readonly Mode[] = ['before', 'die-before'];
  const ofWrite: readonly Mode[] = ['before', 'after', 'lost', 'die-before', 'die-after', 'freeze'];
  return operations.flatMap((method, index) =>
    (READS.includes(method) ? ofRead : ofWrite).map((mode) => ({ at: index + 1, mode })),
  );
}
