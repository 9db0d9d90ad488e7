import type { Headers } from '../../local/postman/source-model';

/** Every way in which a server tells, or is allowed to tell, how long a client must wait; and some meaningless ones. */
export const RETRY_AFTER = {
  'Retry-After seconds': (seconds) => ({ 'retry-after': `${seconds}` }),
  'Retry-After fraction': (seconds) => ({ 'retry-after': (seconds - 0.5).toFixed(1) }),
  'Retry-After date': (seconds, now) => ({ 'retry-after': later(now, seconds).toUTCString() }),
  'Retry-After past date': (_, now) => ({ 'retry-after': later(now, -3600).toUTCString() }),
  'Retry-After negative': () => ({ 'retry-after': '-5' }),
  'Retry-After huge': () => ({ 'retry-after': '1e12' }),
  'Retry-After garbage': () => ({ 'retry-after': 'soon' }),
  RetryAfter: (seconds) => ({ retryafter: `${seconds}` }),
  'X-RateLimit-RetryAfter': (seconds) => ({ 'x-ratelimit-retryafter': `${seconds}` }),
  'RateLimit-Reset': (seconds) => noneLeft('ratelimit', seconds),
  'X-RateLimit-Reset seconds': (seconds) => noneLeft('x-ratelimit', seconds),
  'X-RateLimit-Reset epoch': (seconds, now) => noneLeft('x-ratelimit', Math.ceil(+later(now, seconds) / 1000)),
  RateLimit: (seconds) => ({ 'ratelimit-policy': '300;w=60', ratelimit: `limit=300, remaining=0, reset=${seconds}` }),
  absent: () => ({}),
} as const satisfies Readonly<Record<string, (seconds: number, now: Date) => Headers>>;

export type RetryAfter = keyof typeof RETRY_AFTER;

function noneLeft(prefix: string, reset: number): Headers {
  return { [`${prefix}-limit`]: '300', [`${prefix}-remaining`]: '0', [`${prefix}-reset`]: `${reset}` };
}

function later(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}
