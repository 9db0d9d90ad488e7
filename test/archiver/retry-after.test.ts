import { retryAfterMs } from '../../lambdas/archiver/retry-after';
import { RETRY_AFTER, type RetryAfter } from '../support/retry-after';

const now = new Date('2026-06-12T12:00:00.250Z');
const nowSeconds = Math.floor(now.getTime() / 1000);

function waitOf(headers: Readonly<Record<string, string>>, status = 429): number | undefined {
  return retryAfterMs({ status, headers: new Map(Object.entries(headers)) }, now);
}

describe('spellings of the live service', () => {
  const expected: Readonly<Record<RetryAfter, number | undefined>> = {
    'Retry-After seconds': 7000,
    'Retry-After fraction': 6500,
    'Retry-After date': 6750,
    'Retry-After past date': 0,
    'Retry-After negative': 0,
    'Retry-After huge': 1e15,
    'Retry-After garbage': undefined,
    RetryAfter: 7000,
    'X-RateLimit-RetryAfter': 7000,
    'RateLimit-Reset': 7000,
    'X-RateLimit-Reset seconds': 7000,
    'X-RateLimit-Reset epoch': 7750,
    RateLimit: 7000,
    absent: undefined,
  };

  test.each(Object.entries(expected))('the spelling "%s" is a wait of %p ms', (spelling, wait) => {
    expect(waitOf(RETRY_AFTER[spelling as RetryAfter](7, now))).toBe(wait);
  });
});

test.each([
  ['0', 0],
  ['+3', 3000],
  [' 3 ', 3000],
  ['3.25', 3250],
  ['1e3', 1_000_000],
  ['Fri, 12 Jun 2026 12:00:10 GMT', 9750],
  ['Friday, 12-Jun-26 12:00:10 GMT', 9750],
  ['2026-06-12T12:00:10Z', 9750],
])('a Retry-After of "%s" is a wait of %d ms', (text, wait) => {
  expect(waitOf({ 'retry-after': text })).toBe(wait);
});

test.each([
  '',
  ' ',
  'soon',
  'soon 5',
  'wait 30',
  'try again in 5 minutes',
  'may 5',
  'March',
  '5 seconds',
  '5s',
  '1,5',
  '0x10',
  'Infinity',
  'NaN',
  '1e',
  '--1',
  '12:00:10',
])('a Retry-After of "%s" says nothing', (text) => {
  expect(waitOf({ 'retry-after': text })).toBeUndefined();
});

test.each([
  ['limit=300, remaining=0, reset=12', 12_000],
  ['limit=300,remaining=0,reset=12', 12_000],
  ['reset=12', 12_000],
  ['"default";r=0;t=12', 12_000],
  ['"default"; r=0; t=12', 12_000],
  ['"burst";r=0;t=1, "daily";r=0;t=99', 1000],
  ['limit=300, remaining=0', undefined],
  ['preset=12', undefined],
  ['reset=soon', undefined],
])('a RateLimit of %s is a wait of %p ms', (text, wait) => {
  expect(waitOf({ ratelimit: text })).toBe(wait);
});

test.each([
  ['x-ratelimit-reset', String(nowSeconds + 30), 29_750],
  ['ratelimit-reset', String(nowSeconds + 30), 29_750],
  ['x-ratelimit-reset', String(nowSeconds - 30), 0],
  ['x-ratelimit-reset', '-3', 0],
  ['x-ratelimit-reset', '999999999', 999_999_999_000],
  ['x-ratelimit-reset', 'later', undefined],
])('the header %s with the value "%s" is a wait of %p ms', (name, text, wait) => {
  expect(waitOf({ [name]: text })).toBe(wait);
});

describe('where several are sent', () => {
  test('the standard header counts where several are sent', () => {
    const headers = { 'x-ratelimit-reset': '60', 'retry-after': '2', 'x-ratelimit-retryafter': '5' };
    expect(waitOf(headers)).toBe(2000);
  });

  test('the next header counts where the first is garbage', () => {
    expect(waitOf({ 'retry-after': 'soon', retryafter: '', 'x-ratelimit-retryafter': '5' })).toBe(5000);
    expect(waitOf({ 'retry-after': 'soon', 'ratelimit-reset': '60', ratelimit: 'reset=3' })).toBe(60_000);
  });
});

describe('a failing server', () => {
  test('a failing server is given the time that it asks for', () => {
    expect(waitOf({ 'retry-after': '5' }, 503)).toBe(5000);
    expect(waitOf({ 'x-ratelimit-retryafter': '5' }, 500)).toBe(5000);
  });

  test('a failing server says nothing by the rate limit that comes with every answer', () => {
    const headers = {
      'ratelimit-reset': '41',
      'x-ratelimit-reset': '86400',
      ratelimit: 'limit=300, remaining=299, reset=41',
    };
    expect(waitOf(headers, 500)).toBeUndefined();
  });
});
