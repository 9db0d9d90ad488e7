/**
 * The exhaustive loop breaks the run of a scenario at its first operation, its second, its third, and so on, until the
 * run ends before the breakage. After each broken run come clean runs and the oracle. Every breakage happens once, and
 * also at all later operations.
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

const ONCE = ['before', 'after', 'lost', 'die-before', 'die-after', 'freeze'] as const;

export const BREAKAGES: readonly Breakage[] = [
  ...ONCE.map((mode) => ({ name: mode, mode })),
  ...(['before', 'after', 'lost'] as const).map((mode) => ({ name: `${mode}, from then on`, mode, forGood: true })),
];

export interface Coverage {
  /** The operations of the untouched run. */
  readonly operations: readonly Method[];
  /** The number of times that each breakage happened. */
  readonly points: ReadonlyMap<string, number>;
  /** The pairs `method, breakage` that happened. */
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
  /** The number of pairs, which are drawn from the name of the scenario. Without it, every pair is played. */
  readonly sample?: number;
}

/** Breaks the recovery from each fault with a second fault. Returns the number of pairs that were played. */
export async function breakTwice(scenario: Scenario, { sample = Infinity }: Sampling = {}): Promise<number> {
  const base = await begin(scenario);
  // A world with a frozen run cannot be forked.
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

/** Every operation of a run with every breakage that makes a difference. A read can fail before or after it alike. */
function pointsOf({ operations }: Run): Fault[] {
  const ofRead: readonly Mode[] = ['before', 'die-before'];
  const ofWrite: readonly Mode[] = ['before', 'after', 'lost', 'die-before', 'die-after', 'freeze'];
  return operations.flatMap((method, index) =>
    (READS.includes(method) ? ofRead : ofWrite).map((mode) => ({ at: index + 1, mode })),
  );
}
