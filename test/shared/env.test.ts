import fc from 'fast-check';
import { archiverEnvironment } from '../../lambdas/shared/contract';
import { decodeEnvironment, encodeEnvironment } from '../../lambdas/shared/env';
import { ConfigError } from '../../lambdas/shared/errors';
import { character } from '../support/json-text';

const VALUES = {
  bucket: 'archive-bucket',
  table: 'checkpoints',
  signingKey: 'arn:aws:kms:eu-central-1:111122223333:key/1234',
  encryptionKey: 'alias/archive',
  lookbackHours: 6,
  maxRequestsPerMinute: 200,
  retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const,
};
const ENCODED = encodeEnvironment(archiverEnvironment, VALUES);

function problemsOf(source: Readonly<Record<string, string | undefined>>): string {
  try {
    decodeEnvironment(archiverEnvironment, source);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'environment-invalid') return error.message;
    throw error;
  }
  return 'none';
}

test('any environment of the archiver is decoded as it was encoded, whatever else is set', () => {
  const text = fc.string({ minLength: 1, unit: character });
  const lock = { mode: fc.constantFrom('GOVERNANCE' as const, 'COMPLIANCE' as const), days: fc.integer({ min: 1 }) };
  const retention = fc
    .record({ ...lock, longer: fc.option(fc.nat()) })
    .map(({ longer, ...each }) => ({ ...each, expireAfterDays: longer === null ? null : each.days + longer }));
  const environment = fc.record({
    bucket: text,
    table: text,
    signingKey: text,
    encryptionKey: text,
    lookbackHours: fc.double({ min: 0, max: 720, noNaN: true }).map((hours) => hours + 0),
    maxRequestsPerMinute: fc.integer({ min: 1, max: 100_000 }),
    retention: fc.option(retention),
  });
  fc.assert(
    fc.property(environment, (values) => {
      const source = { PATH: '/bin', ...encodeEnvironment(archiverEnvironment, values) };
      expect(decodeEnvironment(archiverEnvironment, source)).toEqual(values);
    }),
  );
});

test('one error names every variable that is missing or malformed', () => {
  expect(problemsOf({})).toBe(
    'environment: ARCHIVE_BUCKET is not set; CHECKPOINT_TABLE is not set; SIGNING_KEY is not set; ' +
      'ENCRYPTION_KEY is not set; LOOKBACK_HOURS is not set; MAX_REQUESTS_PER_MINUTE is not set; RETENTION is not set',
  );
  expect(problemsOf({ ...ENCODED, ARCHIVE_BUCKET: '', LOOKBACK_HOURS: '-1', RETENTION: '{}' })).toBe(
    'environment: ARCHIVE_BUCKET is not set; LOOKBACK_HOURS must be a number from 0 to 720; ' +
      'RETENTION must be null or {"mode","days","expireAfterDays"}',
  );
});

test.each([
  ...['721', 'NaN', 'Infinity', '6h', ' ', '6,5', '"6"', 'null'].map((value) => ['LOOKBACK_HOURS', value]),
  ...['0', '1e6'].map((value) => ['MAX_REQUESTS_PER_MINUTE', value]),
  ...['GOVERNANCE', '[]', '"null"', 'undefined', '{"mode":"GOVERNANCE"}'].map((value) => ['RETENTION', value]),
  ['RETENTION', '{"mode":"governance","days":400,"expireAfterDays":null}'],
  ['RETENTION', '{"mode":"GOVERNANCE","days":400,"expireAfterDays":"never"}'],
  ['RETENTION', '{"mode":"GOVERNANCE","days":400,"expireAfterDays":399}'],
  // Readers would refuse a manifest that holds a number beyond the safe integers.
  ...['0', '"400"', '1.5', '1e400', '1e300'].flatMap((days) => [
    ['RETENTION', `{"mode":"GOVERNANCE","days":${days},"expireAfterDays":null}`],
    ['RETENTION', `{"mode":"GOVERNANCE","days":1,"expireAfterDays":${days}}`],
  ]),
])('the environment may not hold %s=%s, and the error does not quote the value', (name = '', value = '') => {
  const { expected } = Object.values(archiverEnvironment).find((variable) => variable.name === name) ?? {};
  expect(problemsOf({ ...ENCODED, [name]: value })).toBe(`environment: ${name} must be ${expected}`);
});
