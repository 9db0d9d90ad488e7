/**
 * How long a throttling response asks to wait, in every spelling the live service has been seen to use (and the
 * standard ones). Garbage is as good as nothing: the caller's own back-off then decides.
 */
import type { HttpResponse } from '../shared/ports';

const EPOCH_FROM_SECONDS = 1_000_000_000;

/** Milliseconds to wait, never negative; undefined where the response does not say. */
export function retryAfterMs(
  { status, headers }: Pick<HttpResponse, 'status' | 'headers'>,
  now: Date,
): number | undefined {
  const delays = ['retry-after', 'retryafter', 'x-ratelimit-retryafter'].map((name) => delayMs(headers.get(name), now));
  // The rate limit comes with every answer: only where it is the reason does its reset say when to ask again.
  const resets = status === 429 ? resetsMs(headers, now) : [];
  const wait = [...delays, ...resets].find((ms) => ms !== undefined);
  return wait === undefined ? undefined : Math.max(0, wait);
}

function resetsMs(headers: HttpResponse['headers'], now: Date): readonly (number | undefined)[] {
  const resets = ['ratelimit-reset', 'x-ratelimit-reset'].map((name) => resetMs(headers.get(name), now));
  return [...resets, structuredResetMs(headers.get('ratelimit'))];
}

/** Seconds, whole or not, or an HTTP date. */
function delayMs(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  const seconds = decimal(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = httpDate(text);
  return date && date.getTime() - now.getTime();
}

/** `Date.parse` also finds a date in "wait 30": every HTTP date has a time of day. */
export function httpDate(text = ''): Date | undefined {
  const date = /\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : new Date(date);
}

/** Seconds left, or the epoch second of the reset: nobody waits thirty years, so the size tells them apart. */
function resetMs(text: string | undefined, now: Date): number | undefined {
  const seconds = text === undefined ? undefined : decimal(text);
  if (seconds === undefined) return undefined;
  return seconds >= EPOCH_FROM_SECONDS ? seconds * 1000 - now.getTime() : seconds * 1000;
}

/** `RateLimit: limit=300, remaining=0, reset=12`, or the later draft's `"default";r=0;t=12`. */
function structuredResetMs(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /(?:^|[;,\s])(?:reset|t)=(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]) * 1000;
}

function decimal(text: string): number | undefined {
  return /^\s*[-+]?\d+(\.\d+)?(e\d+)?\s*$/i.test(text) ? Number(text) : undefined;
}
