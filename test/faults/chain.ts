/** What scenarios ask of a world's chain. */
import type { Counts, Manifest } from '../../lambdas/shared/manifest';
import { manifestAt } from '../support/stored';
import { Violation } from './witness';
import type { World } from './world';

export function chainOf({ objects }: World): Manifest[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith('manifests/')).sort();
  return keys.flatMap((key) => manifestAt(objects, key) ?? []);
}

export function sum(world: World, count: (counts: Counts) => number): number {
  return chainOf(world).reduce((total, { counts }) => total + count(counts), 0);
}

/** Throws a `Violation` that says what does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Violation('scenario', what);
}
