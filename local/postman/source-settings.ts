/**
 * How a source server deviates: every reading of the contract that is thinkable, every fault, one switch each, and
 * every combination of switches works.
 */
import type { SourceRequest } from './source-model';

export interface SourceSettings {
  /** The only key that is let in. Change it to rotate. */
  readonly apiKey: string;
  /** What the contract says, or what the live service was seen to do: error bodies, dates without a time, `total`. */
  readonly shape: 'contract' | 'reality';
  readonly cursorPlace: 'meta' | 'top-level' | 'both';
  readonly cursorType: 'string' | 'number';
  /** Added to the row that a cursor stands for; 2n ** 53n makes cursors that no JavaScript number can hold. */
  readonly cursorBase: bigint;
  /** The JSON token that says "no more pages"; null leaves the field out. */
  readonly cursorEnd: string | null;
  /** How many rows each page repeats from the page before it. Keep it below the page size. */
  readonly overlap: number;
  /** What both bounds are compared as: instants; instants cut to 00:00 of their day; or dates against dates. */
  readonly bounds: 'time' | 'midnight' | 'date';
  readonly since: 'inclusive' | 'exclusive' | 'ignored';
  readonly until: 'inclusive' | 'exclusive';
  /** `by-id` follows the direction asked for; of `descending-pages` each ascends in itself. */
  readonly order: 'honoured' | 'always-descending' | 'descending-pages' | 'by-id';
  readonly retentionDays: number;
  /** The server's own cap on a page, whatever was asked for. */
  readonly maxLimit: number;
  /** White space between the tokens of 200 bodies. */
  readonly pretty: boolean;
  readonly rateLimit: { readonly perMinute: number; readonly retryAfter: RetryAfter } | null;
  /** The text served for an event on this very request: the same `raw` back, unless bodies are to drift. */
  readonly drift: ((raw: string, requestNumber: number, row: number) => string) | null;
  /** Asked before every request; requests are numbered from 1. */
  readonly fault: ((requestNumber: number, request: SourceRequest) => Fault | undefined) | null;
}

/** `contract` keeps strictly to the OpenAPI document; `reality` is what the public record says about the live service. */
export function sourceSettings(
  shape: SourceSettings['shape'],
  apiKey: string,
  changes: Partial<SourceSettings> = {},
): SourceSettings {
  return {
    apiKey,
    shape,
    cursorPlace: shape === 'contract' ? 'meta' : 'top-level',
    cursorType: shape === 'contract' ? 'string' : 'number',
    cursorBase: 0n,
    cursorEnd: null,
    overlap: 0,
    bounds: 'time',
    since: 'inclusive',
    until: 'inclusive',
    order: 'honoured',
    retentionDays: 180,
    maxLimit: 300,
    pretty: false,
    rateLimit: null,
    drift: null,
    fault: null,
    ...changes,
  };
}

export type Headers = Readonly<Record<string, string>>;

/** What becomes of the answer on its way: nothing, the connection reset, cut before its end, or never answered. */
export type Delivery = 'whole' | 'reset' | 'truncate' | 'hang';
interface LiteralFault {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: string | Buffer;
}
/** An error, or a malformed 200, that holds all headers of the request: the API key too. */
export interface EchoFault {
  readonly echo: 200 | 401 | 403 | 429 | 500;
}
type PageFault = 'repeat-cursor' | 'empty-page' | 'short-page';
type BodyFault = 'invalid-json' | 'invalid-utf8' | 'byte-order-mark' | 'cut-body';
export type Fault = LiteralFault | EchoFault | PageFault | BodyFault | Exclude<Delivery, 'whole'>;

/** The body with a body fault in it; the very same body for every other fault. */
export function spoil(body: Buffer, fault: Fault | undefined): Buffer {
  if (fault === 'byte-order-mark') return Buffer.concat([Buffer.from('\ufeff'), body]);
  if (fault === 'cut-body') return body.subarray(0, Math.floor(body.length / 2));
  if (fault === 'invalid-json') return Buffer.concat([body.subarray(0, -1), Buffer.from(',}')]);
  if (fault !== 'invalid-utf8') return body;
  // Inside an event's string, where a lenient decoder would let it pass: 0xff occurs nowhere in UTF-8.
  const place = body.indexOf('"message"') + '"message":"'.length;
  return Buffer.concat([body.subarray(0, place), Buffer.from([0xff]), body.subarray(place)]);
}

/** Every way a server was seen, or is allowed, to say how long to wait; and some that mean nothing. */
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
