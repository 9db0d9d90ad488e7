import fc from 'fast-check';
import { archiverEnvironment } from '../../lambdas/shared/contract';
import { decodeEnvironment, encodeEnvironment } from '../../lambdas/shared/env';
import { ConfigError } from '../../lambdas/shared/errors';
import { character } from '../support/json-text';

const text = fc.string({ minLength: 1, unit: character });
const values = fc.record({
  bucket: text,
  table: text,
  signingKey: text,
  lookbackHours: fc.double({ min: 0, max: 720, noNaN: true }).map((hours) => hours + 0),
  maxRequestsPerMinute: fc.integer({ min: 1, max: 100_000 }),
  retention: fc.option(
    fc
      .record({
        mode: fc.constantFrom('GOVERNANCE' as const, 'COMPLIANCE' as const),
        days: fc.integer({ min: 1 }),
        longer: fc.option(fc.nat()),
      })
      .map(({ longer, ...lock }) => ({ ...lock, expireAfterDays: longer === null ? null : lock.days + longer })),
  ),
});

test('any environment comes back as it was encoded', () => {
  fc.assert(
    fc.property(values, (set) => {
      expect(decodeEnvironment(archiverEnvironment, encodeEnvironment(archiverEnvironment, set))).toEqual(set);
    }),
    { numRuns: 200 },
  );
});

test('exactly the variables that are missing or malformed are named', () => {
  const names = Object.values(archiverEnvironment).map(({ name }) => name);
  const checked = ['LOOKBACK_HOURS', 'MAX_REQUESTS_PER_MINUTE', 'RETENTION'];
  fc.assert(
    fc.property(
      values,
      fc.subarray(names, { minLength: 1 }),
      fc.constantFrom(undefined, '', 'x'),
      (set, bad, value) => {
        const encoded: Record<string, string | undefined> = encodeEnvironment(archiverEnvironment, set);
        const problems = bad.filter((name) => value !== 'x' || checked.includes(name));
        for (const name of problems) encoded[name] = value;
        if (problems.length === 0) return;
        const named = (message: string) => message.split(/[;:] /).flatMap((part) => /^[A-Z_]+/.exec(part) ?? []);
        try {
          decodeEnvironment(archiverEnvironment, encoded);
          throw new Error('taken');
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          expect(named(String((error as Error).message)).sort()).toEqual([...problems].sort());
        }
      },
    ),
    { numRuns: 200 },
  );
});
