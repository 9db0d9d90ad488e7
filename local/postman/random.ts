/** Seeded random numbers. A seed gives the same sequence on every machine and every version of Node. */
import { createHash } from 'node:crypto';

export type Random = ReturnType<typeof createRandom>;

export function createRandom(seed: string) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE();
  /** From 0 up to and without 1. The algorithm is mulberry32, whose 32 bits of state are enough for a demo team. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  /** An integer from 0 up to and without the limit. */
  const below = (limit: number): number => Math.floor(next() * limit);
  function pick<T>(items: readonly T[]): T {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
  return { next, below, pick, chance: (probability: number) => next() < probability };
}
