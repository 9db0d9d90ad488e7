/**
 * Every scenario, every case, and at the end the proof that nothing was forgotten: the table in `CASES.md` names
 * a test for every case, and that test really asked the oracle.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awsErrors, throughTheAdapter } from './aws-world';
import { orderCases } from './cases-order';
import { runCases } from './cases-runs';
import { sourceCases } from './cases-source';
import { storageCases } from './cases-storage';
import { BREAKAGES, breakEverywhere } from './exhaustive';
import { METHODS, type Method } from './faults';
import { oracleCalls } from './oracle';
import { scenarios } from './scenarios';

const summary: string[] = [];
const broken = new Set<Method>();
let faultPoints = 0;

afterAll(() => console.info([...summary, `${faultPoints} fault points in all`].join('\n')));

describe('the archive survives every breakage of every operation when', () => {
  test.each(scenarios)('$name', async (scenario) => {
    const { operations, points, met } = await breakEverywhere(scenario);
    // What was broken is what the untouched run does: every operation, in every way.
    expect(points).toEqual(new Map(BREAKAGES.map(({ name }) => [name, operations.length])));
    const methods = [...new Set(operations)];
    expect(met).toEqual(new Set(methods.flatMap((method) => BREAKAGES.map(({ name }) => `${method}, ${name}`))));
    for (const method of methods) broken.add(method);
    const count = operations.length * BREAKAGES.length;
    faultPoints += count;
    summary.push(`${scenario.name}: ${operations.length} operations x ${BREAKAGES.length} breakages = ${count}`);
  });

  test('the scenarios break every method of every port', () => expect(broken).toEqual(new Set(METHODS)));
});

describe('case by case', () => {
  test.each([...storageCases, ...runCases, ...sourceCases, ...orderCases])('$name', ({ play }) => play());
});

describe('through the S3 adapter', () => {
  // It waits for a conflict to be over in real time, of which there is none here.
  beforeEach(() => {
    jest.spyOn(globalThis, 'setTimeout').mockImplementation(((then: () => void) => queueMicrotask(then)) as never);
  });

  test.each(awsErrors)('the archive survives %s at every operation', async (...error) => {
    const breakages = BREAKAGES.filter(({ mode }) => mode === 'before' || mode === 'after');
    await breakEverywhere(throughTheAdapter('a run commits several batches', { error }), breakages);
  });

  test('the archive survives a put whose response is lost', async () => {
    const breakages = BREAKAGES.filter(({ mode }) => mode === 'lost' || mode === 'freeze');
    await breakEverywhere(throughTheAdapter('a run commits several batches'), breakages);
  });
});

test('every case of the table names tests that asked the oracle', () => {
  const rows = readTable(join(import.meta.dirname, 'CASES.md'));
  const asked = new Set([...oracleCalls()].filter(([, calls]) => calls > 0).map(([name]) => name));
  const expected = [...Array.from({ length: 38 }, (_, index) => index + 1), 40, 41, 42, 43, 44, 45];
  expect(rows.map(({ number }) => number)).toEqual(expected);
  for (const { number, tests } of rows) {
    expect({ number, tests: tests.length > 0 }).toEqual({ number, tests: true });
    for (const name of tests) expect({ number, name, asked: asked.has(name) }).toEqual({ number, name, asked: true });
  }
});

interface Row {
  readonly number: number;
  /** Whole names, as jest tells them. */
  readonly tests: readonly string[];
}

/** `| 7 | what | `test`; `test` |` */
function readTable(path: string): Row[] {
  const rows = readFileSync(path, 'utf8').matchAll(/^\| (\d+) \|[^|]*\|([^|]*)\|$/gm);
  return [...rows].map(([, number, tests = '']) => ({
    number: Number(number),
    tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  }));
}
