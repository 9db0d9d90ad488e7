/**
 * Translates a response of the source: it becomes a page, another named outcome, a retry or a failure. No message quotes the
 * server, because a server may echo the API key.
 */
import { UpstreamError } from '../shared/errors';
import { type HttpResponse, TransportError } from '../shared/ports';
import { DAY_MS } from '../shared/time';
import { type Page, PageError, readPage } from './page';
import { httpDate, retryAfterMs } from './retry-after';

/** Largest clock error that is handled, in days. */
export const CLOCK_DAYS = 2;
/** A malformed 200 is retried less often, because a changed contract would otherwise take the time of the whole run. */
const MAX_MALFORMED = 3;

export type Answer =
  | ({ readonly kind: 'page'; readonly serverTime: Date | undefined; readonly hasNextLink: boolean } & Page)
  /** The source no longer keeps events as old as `since`. */
  | { readonly kind: 'too-old' }
  /** The source does not accept the cursor. */
  | { readonly kind: 'cursor-refused' }
  /** The page would not fit into memory. The caller must ask for fewer events. */
  | { readonly kind: 'too-large' }
  /** Too little time is left for a request and a commit, or the end of the run ended the request. */
  | { readonly kind: 'out-of-time' };

export type PageAnswer = Extract<Answer, { kind: 'page' }>;

interface Retry {
  readonly kind: 'retry';
  readonly failure: UpstreamError;
  readonly waitMs?: number | undefined;
  readonly attempts?: number;
}

/** The outcome of one request. */
export type Attempt = Answer | Retry | { readonly kind: 'key-refused'; readonly status: number };

interface Circumstances {
  /** Whether the request sent a cursor. */
  readonly hasCursor: boolean;
  readonly now: Date;
}

/** Throws `UpstreamError` where a retry is useless. */
export function interpret(response: HttpResponse, { hasCursor, now }: Circumstances): Attempt {
  const { status } = response;
  if (status === 200) return pageOutcome(response, now);
  if (status === 401 || status === 403) return { kind: 'key-refused', status };
  if (status === 429) return throttledOutcome(response, now);
  if (status >= 500 || status === 408 || status === 425) {
    const failure = new UpstreamError('source-unavailable', `the source answered ${status}`);
    return { kind: 'retry', failure, waitMs: retryAfterMs(response, now) };
  }
  if (status >= 300 && status < 400) {
    throw new UpstreamError(
      'source-redirected',
      `the source answered ${status}, a redirect, which is not followed so that the API key goes to no other host; check baseUrl`,
    );
  }
  if (status === 400 && /cannot be older than/i.test(response.body.toString('latin1'))) return { kind: 'too-old' };
  if (hasCursor && [400, 404, 410].includes(status)) return { kind: 'cursor-refused' };
  throw new UpstreamError('source-refused', `the source answered ${status} to GET /audit/logs; check baseUrl`);
}

function pageOutcome(response: HttpResponse, now: Date): Attempt {
  try {
    const { headers, body } = response;
    const hasNextLink = /;\s*rel="?next\b/i.test(headers.get('link') ?? '');
    return {
      kind: 'page',
      serverTime: believableTime(httpDate(headers.get('date')), now),
      hasNextLink,
      ...readPage(body),
    };
  } catch (error) {
    if (!(error instanceof PageError)) throw error;
    const failure = new UpstreamError('source-contract-broken', `the source answered 200, but: ${error.message}`);
    return { kind: 'retry', failure, attempts: MAX_MALFORMED };
  }
}

/** An absurd clock of the source is not believed: the first run would sign it as the start of the chain. */
function believableTime(serverTime: Date | undefined, now: Date): Date | undefined {
  if (serverTime === undefined || Math.abs(serverTime.getTime() - now.getTime()) > CLOCK_DAYS * DAY_MS)
    return undefined;
  return serverTime;
}

function throttledOutcome(response: HttpResponse, now: Date): Attempt {
  if (/serviceLimit|monthly|usage limit/i.test(response.body.toString('latin1'))) {
    throw new UpstreamError(
      'source-quota-exhausted',
      'the Postman API quota is used up; archiving continues when Postman renews it',
    );
  }
  const failure = new UpstreamError('source-throttled', 'the source answered 429');
  return { kind: 'retry', failure, waitMs: retryAfterMs(response, now) };
}

export function transportOutcome(error: unknown): Attempt {
  if (!(error instanceof TransportError)) throw error;
  if (error.kind === 'too-large') return { kind: 'too-large' };
  const failure = new UpstreamError('source-unavailable', `no complete response from the source: ${error.message}`);
  return { kind: 'retry', failure };
}
