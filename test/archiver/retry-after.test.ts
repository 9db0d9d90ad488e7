import { retryAfterMs } from '../../lambdas/archiver/retry-after';
import { RETRY_AFTER, type RetryAfter } from '../support/retry-after';

const now = new Date('2026-06-12T12:00:00.250Z');
const nowSeconds = Math.floor(now.getTime() / 1000);

function waitOf(headers: Readonly<Record<string, string>>, status = 429): number | undefined {
  return retryAfterMs({ status, headers: new Map(Object.entries(headers)) }, now);
}

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

test.each([
  ['0', 0],
  ['+3', 3000],
  [' 3 ', 3000],
  ['1e3', 1_000_000],
  ['Friday, 12-Jun-26 12:00:10 GMT', 9750],
  ['2026-06-12T12:00:10Z', 9750],
  ...['', ' ', 'soon', 'soon 5', 'wait 30', 'may 5', '5s', '1,5', '0x10', 'Infinity', '1e', '--1', '12:00:10'].map(
    (text): [string, undefined] => [text, undefined],
  ),
])('a Retry-After of "%s" is a wait of %p ms', (text, wait) => {
  expect(waitOf({ 'retry-after': text })).toBe(wait);
});

test.each([
  ['limit=300,remaining=0,reset=12', 12_000],
  ['reset=12', 12_000],
  ['"default";r=0;t=12', 12_000],
  ['"burst"; r=0; t=1, "daily"; r=0; t=99', 1000],
  ['limit=300, remaining=0', undefined],
  ['preset=12', undefined],
  ['reset=soon', undefined],
])('a RateLimit of %s is a wait of %p ms', (text, wait) => {
  expect(waitOf({ ratelimit: text })).toBe(wait);
});

test.each([
  ['ratelimit-reset', String(nowSeconds + 30), 29_750],
  ['x-ratelimit-reset', String(nowSeconds - 30), 0],
  ['x-ratelimit-reset', '-3', 0],
  ['x-ratelimit-reset', '999999999', 999_999_999_000],
  ['x-ratelimit-reset', 'later', undefined],
])('the header %s with the value "%s" is a wait of %p ms', (name, text, wait) => {
  expect(waitOf({ [name]: text })).toBe(wait);
});

/** Each row is the headers, the status of the response, and the wait. */
test.each<[string, Readonly<Record<string, string>>, number, number | undefined]>([
  ['the standard header counts', { 'x-ratelimit-reset': '60', 'retry-after': '2', retryafter: '5' }, 429, 2000],
  ['the next header counts after garbage', { 'retry-after': 'soon', 'ratelimit-reset': '60' }, 429, 60_000],
  ['a failing server is given the time that it asks for', { 'x-ratelimit-retryafter': '5' }, 500, 5000],
  ['the rate limit of a failing server says nothing', { 'ratelimit-reset': '4', ratelimit: 'reset=4' }, 500, undefined],
])('where several headers may be sent, %s', (_name, headers, status, wait) => {
  expect(waitOf(headers, status)).toBe(wait);
});
