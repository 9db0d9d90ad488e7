/**
 * The delay that a throttling response asks for. It is read in each spelling that the live service is known to use, and in the
 * standard ones. A value that cannot be read is ignored, and the caller then uses its own back-off.
 */
import type { HttpResponse } from '../shared/ports';

const EPOCH_FROM_SECONDS = 1_000_000_000;

/** Milliseconds to wait, never negative; undefined where the response states no delay. */
export function retryAfterMs(
  { status, headers }: Pick<HttpResponse, 'status' | 'headers'>,
  now: Date,
): number | undefined {
  const delays = ['retry-after', 'retryafter', 'x-ratelimit-retryafter'].map((name) => delayMs(headers.get(name), now));
  // Every response states the reset of the rate limit. It is the time to wait only where the rate limit is the reason.
  const resets = ['ratelimit-reset', 'x-ratelimit-reset'].map((name) => resetMs(headers.get(name), now));
  const ofLimit = status === 429 ? [...resets, structuredResetMs(headers.get('ratelimit'))] : [];
  const wait = [...delays, ...ofLimit].find((ms) => ms !== undefined);
  return wait === undefined ? undefined : Math.max(0, wait);
}

/** Seconds, whole or not, or an HTTP date. */
function delayMs(text: string | undefined, now: Date): number | undefined {
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = httpDate(text);
  return date && date.getTime() - now.getTime();
}

/** Requires a time of day, which every HTTP date has, because `Date.parse` also accepts a text such as "wait 30". */
export function httpDate(text = ''): Date | undefined {
  const date = /\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : new Date(date);
}

/** Some servers send the seconds that are left, others the epoch second of the reset. Only the latter is a large number. */
function resetMs(text: string | undefined, now: Date): number | undefined {
  const seconds = decimal(text);
  if (seconds === undefined) return undefined;
  return seconds >= EPOCH_FROM_SECONDS ? seconds * 1000 - now.getTime() : seconds * 1000;
}

/** Reads `RateLimit: limit=300, remaining=0, reset=12`, and the form of the later draft, `"default";r=0;t=12`. */
function structuredResetMs(text = ''): number | undefined {
  const [, seconds] = /(?:^|[;,\s])(?:reset|t)=(\d+)/.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function decimal(text = ''): number | undefined {
  return /^\s*[-+]?\d+(\.\d+)?(e\d+)?\s*$/i.test(text) ? Number(text) : undefined;
}
