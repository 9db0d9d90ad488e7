import type { Mutation } from '../support/patched-program';
import { throughTheAdapter } from './aws-store';
import { orderCases } from './cases-order';
import { runCases } from './cases-runs';
import { sourceCases } from './cases-source';
import { storageCases } from './cases-storage';
import { tamperingCases } from './cases-tampering';
import { breakEverywhere } from './exhaustive';
import { mutations, noOp, patchedArchiver } from './mutations';
import type * as unpatched from './program';
import { scenarios } from './scenarios';
import { Violation } from './witness';

const cases = [...storageCases, ...runCases, ...sourceCases, ...orderCases, ...tamperingCases];
const summary: string[] = [];

/** A sample of the scenarios and cases that show mutations. */
const unaffected = [
  'there are new events',
  'a run commits several batches',
  'more events share an instant at midnight than a batch holds',
  'the source always sorts a backlog descending',
  'ids look alike',
  'an event is edited to the next date while the run reads pages',
  'the source cuts bounds to midnight',
  'the last cursor is null, and the JSON is pretty-printed',
  'the API key belongs to another team',
  'the same trigger arrives twice, at once or later',
  'garbage in the checkpoint item stops the run until the item is deleted',
  'a run with little time stops before its deadline and loses nothing',
];

afterAll(() => console.info(summary.join('\n')));

test.each(mutations)('the oracle notices that $name', async (mutation) => {
  const check = await noticedBy(() => show(mutation));
  summary.push(`${mutation.name}: noticed by "${check}" in "${mutation.shownBy}"`);
  expect(check).toBeDefined();
});

test('the oracle notices nothing in a program that is changed without effect', async () => {
  const program = await patchedArchiver([noOp]);
  for (const name of unaffected) expect([name, await noticedBy(() => play(name, program))]).toEqual([name, undefined]);
}, 300_000);

test('a patch that does not match exactly once is refused', async () => {
  await expect(patchedArchiver([{ ...noOp, from: 'const' }])).rejects.toThrow(/matches \d+ times/);
  await expect(patchedArchiver([{ ...noOp, file: 'verifier/verify.ts' }])).rejects.toThrow('no part of the program');
});

async function show(mutation: Mutation): Promise<void> {
  const program = await patchedArchiver([mutation]);
  if (!mutation.file.startsWith('adapters/')) return play(mutation.shownBy, program);
  await breakEverywhere({ ...throughTheAdapter(mutation.shownBy), program });
}

async function play(name: string, program: typeof unpatched): Promise<void> {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario !== undefined) {
    await breakEverywhere({ ...scenario, program });
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
