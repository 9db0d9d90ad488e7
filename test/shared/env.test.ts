import { archiverEnvironment } from '../../lambdas/shared/contract';
import {
  decodeEnvironment,
  encodeEnvironment,
  jsonVariable,
  numberVariable,
  textVariable,
} from '../../lambdas/shared/env';
import { ConfigError } from '../../lambdas/shared/errors';

const VALUES = {
  bucket: 'archive-bucket',
  table: 'checkpoints',
  signingKey: 'arn:aws:kms:eu-central-1:111122223333:key/1234',
  lookbackHours: 6,
  maxRequestsPerMinute: 200,
  retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const,
};
const ENCODED = encodeEnvironment(archiverEnvironment, VALUES);

const problemsOf = (source: Readonly<Record<string, string | undefined>>): string => {
  try {
    decodeEnvironment(archiverEnvironment, source);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'environment-invalid') return error.message;
    throw error;
  }
  return 'none';
};

describe("the archiver's environment", () => {
  test('comes back as it was encoded, whatever else is set', () => {
    expect(decodeEnvironment(archiverEnvironment, { PATH: '/bin', ...ENCODED })).toEqual(VALUES);
    const without = { ...VALUES, retention: null, lookbackHours: 0.5 };
    expect(decodeEnvironment(archiverEnvironment, encodeEnvironment(archiverEnvironment, without))).toEqual(without);
  });

  test('has every problem named at once', () => {
    expect(problemsOf({})).toBe(
      'environment: ARCHIVE_BUCKET is not set; CHECKPOINT_TABLE is not set; SIGNING_KEY is not set; ' +
        'LOOKBACK_HOURS is not set; MAX_REQUESTS_PER_MINUTE is not set; RETENTION is not set',
    );
    expect(problemsOf({ ...ENCODED, ARCHIVE_BUCKET: '', LOOKBACK_HOURS: '-1', RETENTION: '{}' })).toBe(
      'environment: ARCHIVE_BUCKET is not set; LOOKBACK_HOURS must be a number from 0 to 720; ' +
        'RETENTION must be null or {"mode","days","expireAfterDays"}',
    );
  });

  test.each([
    ['LOOKBACK_HOURS', '721'],
    ['LOOKBACK_HOURS', 'NaN'],
    ['LOOKBACK_HOURS', 'Infinity'],
    ['LOOKBACK_HOURS', '6h'],
    ['LOOKBACK_HOURS', ' '],
    ['LOOKBACK_HOURS', '6,5'],
    ['MAX_REQUESTS_PER_MINUTE', '0'],
    ['MAX_REQUESTS_PER_MINUTE', '1e6'],
    ['RETENTION', 'GOVERNANCE'],
    ['RETENTION', '{"mode":"GOVERNANCE"}'],
    ['RETENTION', '{"mode":"governance","days":400}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":400,"expireAfterDays":"never"}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":400,"expireAfterDays":399}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":400,"expireAfterDays":1e300}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":0,"expireAfterDays":null}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":"400","expireAfterDays":null}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":1.5,"expireAfterDays":null}'],
    ['RETENTION', '{"mode":"GOVERNANCE","days":1e400,"expireAfterDays":null}'],
    // Signed into a manifest, this number would be refused by every later reader.
    ['RETENTION', '{"mode":"GOVERNANCE","days":1e300,"expireAfterDays":null}'],
    ['RETENTION', '[]'],
    ['RETENTION', '"null"'],
    ['RETENTION', 'undefined'],
  ])('refuses %s=%s', (name, text) => {
    expect(problemsOf({ ...ENCODED, [name]: text })).toMatch(new RegExp(`^environment: ${name} must be `));
  });

  test('quotes no value in its problems', () => {
    const hostile = Object.fromEntries(Object.keys(ENCODED).map((name) => [name, '{"canary']));
    expect(problemsOf(hostile)).not.toContain('canary');
  });
});

test('a variable may hold anything that its kind allows', () => {
  const environment = {
    text: textVariable('TEXT'),
    number: numberVariable('NUMBER', -1e21, 1e21),
    list: jsonVariable<string[]>('LIST', 'a list', (value): value is string[] => Array.isArray(value)),
  };
  const values = { text: '  "\\\n\u2028=;', number: -1e21, list: ['', '\u0000', '\ud83d\ude00'] };
  expect(decodeEnvironment(environment, encodeEnvironment(environment, values))).toEqual(values);
});
