/**
 * Requests one page from the Postman Audit Logs API. It retries with jittered back-off within the time left, waits as long as
 * a throttling response asks, and reads the API key again when the key is refused. Every answer becomes a named outcome or a
 * failure. No message quotes the server, because a server may echo the API key.
 */
import { ConfigError, type UpstreamError } from '../shared/errors';
import { type ApiKeys, type Clock, type Logger, type Transport, TransportError } from '../shared/ports';
import { type Answer, type Attempt, interpret, transportOutcome } from './answer';
import { createRateLimit } from './rate-limit';

export const PAGE_LIMIT = 300;
const MAX_ATTEMPTS = 8;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** With less time left than this, no request is sent. */
const MIN_REQUEST_MS = 500;

export interface Query {
  readonly since: Date;
  readonly until: Date;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Ascending unless stated. */
  readonly order?: 'asc' | 'desc';
}

export type Source = ReturnType<typeof createSource>;

export interface SourceOptions {
  readonly baseUrl: string;
  readonly apiKeyParameter: string;
  readonly maxRequestsPerMinute: number;
  readonly userAgent: string;
  readonly transport: Transport;
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createSource(options: SourceOptions) {
  const { clock, logger } = options;
  const rate = createRateLimit(options.maxRequestsPerMinute, clock);
  let requests = 0;
  let throttled = 0;
  let slowestMs = 0;

  /** `reserveMs` is the time that must be left after the answer, for the commit above all. */
  async function ask(query: Query, reserveMs: number): Promise<Answer> {
    const left = () => clock.remainingMs() - reserveMs;
    let refreshed = false;
    let fresh = false;
    let failure: UpstreamError | undefined;
    for (let attempt = 1; ; attempt += 1) {
      if (left() < rate.waitMs() + Math.max(MIN_REQUEST_MS, slowestMs * 1.5)) {
        if (failure !== undefined) throw failure;
        return { kind: 'out-of-time' };
      }
      await rate.take();
      const result = await attemptOnce(query, fresh, left());
      fresh = result.kind === 'key-refused';
      if (result.kind === 'key-refused') {
        if (refreshed) throw refusedKey(result.status, options.apiKeyParameter);
        refreshed = true;
        continue;
      }
      if (result.kind === 'out-of-time' && failure !== undefined) throw failure;
      if (result.kind !== 'retry') return result;
      failure = result.failure;
      if (attempt >= (result.attempts ?? MAX_ATTEMPTS)) throw failure;
      // The back-off is the minimum, because a source that always asks to "retry after 0" must not be flooded.
      const wait = Math.max(result.waitMs ?? 0, backoffMs(attempt, clock.random()));
      if (wait + MIN_REQUEST_MS > left()) throw failure;
      logger.warn('source retry', { attempt, code: failure.code, waitMs: Math.round(wait) });
      await clock.sleep(wait);
    }
  }

  async function attemptOnce(query: Query, freshKey: boolean, timeLeftMs: number): Promise<Attempt> {
    const key = await options.apiKeys.read(options.apiKeyParameter, freshKey);
    if (key === undefined) throw missingKey(options.apiKeyParameter);
    const headers = { 'x-api-key': key, accept: 'application/json', 'user-agent': options.userAgent };
    const limits = { timeoutMs: Math.min(REQUEST_TIMEOUT_MS, timeLeftMs), maxBytes: MAX_BODY_BYTES };
    requests += 1;
    const asked = clock.now().getTime();
    try {
      const response = await options.transport.get(pageUrl(options.baseUrl, query), headers, limits);
      if (response.status === 429) throttled += 1;
      return interpret(response, { hasCursor: query.cursor !== undefined, now: clock.now() });
    } catch (error) {
      // The end of the run ended this request too, so it does not show that the source is unavailable.
      const isCutShort = error instanceof TransportError && error.kind === 'timeout' && timeLeftMs < REQUEST_TIMEOUT_MS;
      if (!isCutShort) return transportOutcome(error);
      logger.warn('source request cut short', { timeoutMs: Math.round(timeLeftMs) });
      return { kind: 'out-of-time' };
    } finally {
      slowestMs = Math.max(slowestMs * 0.9, clock.now().getTime() - asked);
    }
  }

  /** False where nobody has stored an API key yet. */
  const hasApiKey = async () => (await options.apiKeys.read(options.apiKeyParameter, false)) !== undefined;
  /** `tally` returns the running totals since the run began. */
  return { ask, hasApiKey, tally: () => ({ requests, throttled }) };
}

/** Sends every parameter with every page, because the live service does not keep them with the cursor. */
function pageUrl(baseUrl: string, query: Query): URL {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/audit/logs`);
  url.searchParams.set('since', query.since.toISOString());
  url.searchParams.set('until', query.until.toISOString());
  url.searchParams.set('limit', String(query.limit));
  url.searchParams.set('orderBy', query.order ?? 'asc');
  if (query.cursor !== undefined) url.searchParams.set('cursor', query.cursor);
  return url;
}

function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt);
  return ceiling / 2 + (ceiling / 2) * random;
}

function missingKey(parameter: string): ConfigError {
  return new ConfigError(
    'api-key-unreadable',
    `there is no SSM parameter "${parameter}"; store the team's API key in it as a SecureString`,
  );
}

function refusedKey(status: number, parameter: string): ConfigError {
  return new ConfigError(
    'api-key-refused',
    `the source answered ${status} to the API key in SSM parameter "${parameter}", also after reading it again. ` +
      'The audit log needs a Postman Enterprise plan and the key of a user with the Admin or Super Admin role: ' +
      'store such a key in the parameter',
  );
}
