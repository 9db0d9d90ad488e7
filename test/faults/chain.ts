/** Questions that scenarios ask about the chain of a world, and conditions that they set. */
import type { Counts, Manifest } from '../../lambdas/shared/manifest';
import { manifestAt } from '../support/stored';
import { HOUR } from './events';
import type { Run } from './run';
import { Violation } from './witness';
import type { World } from './world';

export function chainOf({ objects }: World): Manifest[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith('manifests/')).sort();
  return keys.flatMap((key) => manifestAt(objects, key) ?? []);
}

export function sum(world: World, count: (counts: Counts) => number): number {
  return chainOf(world).reduce((total, { counts }) => total + count(counts), 0);
}

/** Throws a `Violation` that names the condition if it does not hold. */
export function must(holds: boolean, condition: string): void {
  if (!holds) throw new Violation('scenario', condition);
}

/** A run dies after it has created so many objects: 1 is the batch, 2 the manifest, 3 the first segment. */
export async function diesAfterCreating(world: World, objects: number): Promise<Run> {
  const { operations } = await world.fork().run();
  const creates = operations.flatMap((method, index) => (method === 'store.create' ? [index + 1] : []));
  const run = await world.run({ faults: [{ at: creates[objects - 1] ?? 0, mode: 'die-after' }] });
  must(run.isDead && run.created.length === objects, `the run dies after ${run.created.length} objects`);
  world.advance(HOUR);
  return run;
}
