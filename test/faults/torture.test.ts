/**
 * Plays every scenario and every case. The last test proves that none was forgotten: `CASES.md` names tests for every
 * case, and each of these tests asked the oracle.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { throughTheAdapter } from './aws-store';
import { orderCases } from './cases-order';
import { runCases } from './cases-runs';
import { sourceCases } from './cases-source';
import { storageCases } from './cases-storage';
import { tamperingCases } from './cases-tampering';
import { BREAKAGES, breakEverywhere } from './exhaustive';
import { METHODS, type Method } from './faults';
import { oracleCalls } from './oracle';
import { scenarios } from './scenarios';

const awsErrors = [
  ['SlowDown', 503],
  ['InternalError', 500],
  ['AccessDenied', 403],
  ['NoSuchBucket', 404],
  ['ExpiredToken', 400],
  ['BadDigest', 400],
  ['ConditionalRequestConflict', 409],
] as const;
const summary: string[] = [];
const broken = new Set<Method>();
let faultPoints = 0;

afterAll(() => console.info([...summary, `${faultPoints} fault points in all`].join('\n')));

describe('the archive survives every breakage of every operation when', () => {
  test.each(scenarios)('$name', async (scenario) => {
    const { operations, points, met } = await breakEverywhere(scenario);
    // Every operation of the untouched run was broken in every way.
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
  test.each([...storageCases, ...runCases, ...sourceCases, ...orderCases, ...tamperingCases])('$name', ({ play }) =>
    play());
});

describe('through the S3 adapter', () => {
  // The adapter waits in real time for the end of a conflict. Here that wait takes no time.
  beforeEach(() => {
    jest.spyOn(globalThis, 'setTimeout').mockImplementation(((then: () => void) => queueMicrotask(then)) as never);
  });

  test.each(awsErrors)('the archive survives %s at every operation', async (...error) => {
    const breakages = BREAKAGES.filter(({ mode }) => mode === 'before' || mode === 'after');
    await breakEverywhere(throughTheAdapter('a run commits several batches', error), breakages);
  });

  test('the archive survives a put whose response is lost', async () => {
    const breakages = BREAKAGES.filter(({ mode }) => mode === 'lost' || mode === 'freeze');
    await breakEverywhere(throughTheAdapter('a run commits several batches'), breakages);
  });
});

test('every case of the table in CASES.md names tests that asked the oracle', () => {
  const rows = readTable(join(import.meta.dirname, 'CASES.md'));
  const asked = new Set([...oracleCalls()].filter(([, calls]) => calls > 0).map(([name]) => name));
  const expected = [...Array.from({ length: 38 }, (_, index) => index + 1), 40, 41, 42, 43, 44, 45];
  expect(rows.map(({ number }) => number)).toEqual(expected);
  for (const { number, tests } of rows) {
    expect({ number, tests: tests.length > 0 }).toEqual({ number, tests: true });
    for (const name of tests) expect({ number, name, asked: asked.has(name) }).toEqual({ number, name, asked: true });
  }
});

/** Reads rows such as `| 7 | what happens | `test`; `test` |`, with the full names of tests as jest prints them. */
function readTable(path: string): { readonly number: number; readonly tests: readonly string[] }[] {
  const rows = readFileSync(path, 'utf8').matchAll(/^\| (\d+) \|[^|]*\|([^|]*)\|$/gm);
  return [...rows].map(([, number, tests = '']) => ({
    number: Number(number),
    tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  }));
}
