import { breakEverywhere } from './exhaustive';
import { mutations, noOp } from './mutations';
import { loadPatched } from './patched-program';
import type * as unpatched from './program';
import { scenarios } from './scenarios';
import { Violation } from './witness';

/** The check that notices, or undefined. */
async function caughtBy(program: typeof unpatched, names: readonly string[]): Promise<string | undefined> {
  const chosen = scenarios.filter(({ name }) => names.includes(name));
  expect(chosen.map(({ name }) => name)).toEqual(names);
  for (const scenario of chosen) {
    try {
      await breakEverywhere({ ...scenario, setup: { ...scenario.setup, program } });
    } catch (error) {
      if (error instanceof Violation) return error.check;
      throw error;
    }
  }
  return undefined;
}

test.each(mutations)('it is noticed when $name', async ({ name, patches, shownBy }) => {
  const check = await caughtBy(await loadPatched(patches), shownBy);
  console.info(`${name}: ${check ?? 'NOT NOTICED'}`);
  expect(check).toBeDefined();
});

test('a change that changes nothing is not noticed', async () => {
  expect(await caughtBy(await loadPatched([noOp]), ['next run', 'several batches'])).toBeUndefined();
});

test('a patch that does not match exactly once is refused', async () => {
  await expect(loadPatched([{ ...noOp, from: 'const' }])).rejects.toThrow(/matches \d+ times/);
  await expect(loadPatched([{ ...noOp, file: 'verifier/verify.ts' }])).rejects.toThrow('no part of the program');
});
