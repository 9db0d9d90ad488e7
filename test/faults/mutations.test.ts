import { throughTheAdapter } from './aws-store';
import { orderCases } from './cases-order';
import { runCases } from './cases-runs';
import { sourceCases } from './cases-source';
import { storageCases } from './cases-storage';
import { breakEverywhere } from './exhaustive';
import { type Mutation, mutations, noOp } from './mutations';
import { loadPatched, loadPatchedAws } from './patched-program';
import type * as unpatched from './program';
import { scenarios } from './scenarios';
import { Violation } from './witness';

const cases = [...storageCases, ...runCases, ...sourceCases, ...orderCases];
const summary: string[] = [];

afterAll(() => console.info(summary.join('\n')));

test.each(mutations)('the oracle notices that $name', async (mutation) => {
  const check = await noticedBy(() => show(mutation));
  summary.push(`${mutation.name}: noticed by "${check}" in "${mutation.shownBy}"`);
  expect(check).toBeDefined();
});

test('the oracle notices nothing in a program that is changed without effect', async () => {
  const shows = [...new Set(mutations.map(({ shownBy }) => shownBy))].filter((_, index) => index % 4 === 0);
  const program = await loadPatched([noOp]);
  for (const name of shows) expect([name, await noticedBy(() => play(name, program))]).toEqual([name, undefined]);
});

test('a patch that does not match exactly once is refused', async () => {
  await expect(loadPatched([{ ...noOp, from: 'const' }])).rejects.toThrow(/matches \d+ times/);
  await expect(loadPatched([{ ...noOp, file: 'verifier/verify.ts' }])).rejects.toThrow('no part of the program');
});

async function show(mutation: Mutation): Promise<void> {
  if (!mutation.file.startsWith('adapters/')) return play(mutation.shownBy, await loadPatched([mutation]));
  const { createS3Store, ...program } = await loadPatchedAws([mutation]);
  const scenario = throughTheAdapter(mutation.shownBy, { createS3Store });
  await breakEverywhere({ ...scenario, setup: { ...scenario.setup, program } });
}

async function play(name: string, program: typeof unpatched): Promise<void> {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario !== undefined) {
    await breakEverywhere({ ...scenario, setup: { ...scenario.setup, program } });
    return;
  }
  const found = cases.find((known) => known.name === name);
  if (found === undefined) throw new Error(`there is no scenario and no case "${name}"`);
  await found.play(program);
}

/** The name of the check that found a mistake; undefined if none did. */
async function noticedBy(shown: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await shown();
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error.check;
    throw error;
  }
}
