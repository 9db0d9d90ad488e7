import { inspect } from 'node:util';
import { PAGE_LIMIT, type Query } from '../../lambdas/archiver/source';
import { ConfigError, Failure } from '../../lambdas/shared/errors';
import { type HttpResponse, TransportError } from '../../lambdas/shared/ports';
import { API_KEY, page, response, type Server, type SourceKit, sourceKit } from '../support/source-kit';
import { virtualClock } from '../support/virtual-clock';

const query: Query = {
  since: new Date('2026-06-09T23:59:59.000Z'),
  until: new Date('2026-06-15T00:00:00.000Z'),
  limit: PAGE_LIMIT,
};
const event = '{"id":558306001,"timestamp":"2026-06-12T11:41:44.000Z"}';

function ask(kit: SourceKit, more: Partial<Query> = {}, reserveMs = 3000) {
  return kit.source.ask({ ...query, ...more }, reserveMs);
}

/** The failure with which `asking` ends. */
async function failureOf(asking: Promise<unknown>): Promise<Failure> {
  const end = await asking.then(
    (answer) => answer,
    (error: unknown) => error,
  );
  if (end instanceof Failure) return end;
  throw new Error(`expected a failure, got ${inspect(end)}`);
}

/** Gives these answers in turn, and the last one from then on. */
function inTurn(...answers: readonly (HttpResponse | TransportError)[]): Server {
  return (_call, number) => {
    const answer = answers[Math.min(number, answers.length) - 1];
    if (answer === undefined || answer instanceof TransportError) throw answer;
    return answer;
  };
}

describe('the request', () => {
  test('a request has every parameter, and the API key in its header', async () => {
    const kit = sourceKit(inTurn(page()));
    await ask(kit, { cursor: '9007199254740993' });
    const [call] = kit.calls;
    expect(call?.url.href).toBe(
      'https://source.test/audit/logs?since=2026-06-09T23%3A59%3A59.000Z&until=2026-06-15T00%3A00%3A00.000Z' +
        '&limit=300&orderBy=asc&cursor=9007199254740993',
    );
    expect(call?.headers).toEqual({
      'x-api-key': API_KEY,
      accept: 'application/json',
      'user-agent': 'audit-archive-test/1',
    });
  });

  test('the request echoes the cursor exactly, and has none for the first page', async () => {
    const cursors = [undefined, 'a b', 'a+b', 'a&since=1', 'a#b', 'ä', '%20', '../x', '{"id":1}'];
    const kit = sourceKit(inTurn(page()));
    for (const cursor of cursors) await ask(kit, { cursor });
    expect(kit.calls.flatMap(({ url }) => url.searchParams.getAll('cursor'))).toEqual(cursors.slice(1));
    expect(kit.calls.flatMap(({ url }) => url.searchParams.getAll('since'))).toHaveLength(cursors.length);
  });

  test('a request goes to the path of the base URL, which may end with slashes', async () => {
    const kit = sourceKit(inTurn(page()), { baseUrl: 'https://source.test/eu/v1//' });
    await ask(kit);
    expect(kit.calls[0]?.url.href).toMatch(/^https:\/\/source\.test\/eu\/v1\/audit\/logs\?/);
  });

  test('a request may take a minute, and no longer than the time left for it', async () => {
    const long = sourceKit(inTurn(page()));
    await ask(long);
    expect(long.calls[0]?.limits.timeoutMs).toBe(60_000);
    const short = sourceKit(inTurn(page()), { clock: virtualClock({ remainingMs: 13_000 }) });
    await ask(short);
    expect(short.calls[0]?.limits.timeoutMs).toBe(10_000);
  });
});

describe('a good page', () => {
  test("a page has its events, its cursor and the time of the source's clock", async () => {
    const body = `{"trails":[${event}],"nextCursor":554891778}`;
    const kit = sourceKit(inTurn(response(200, body, { date: 'Fri, 12 Jun 2026 12:00:00 GMT' })));
    const answer = await ask(kit);
    expect(answer).toMatchObject({ kind: 'page', cursor: '554891778', serverTime: new Date('2026-06-12T12:00:00Z') });
    expect(answer.kind === 'page' && answer.events.map(({ line }) => String(line))).toEqual([event]);
  });

  const absurd = ['Thu, 01 Jan 1970 00:00:00 GMT', 'Mon, 22 Jun 2026 12:00:00 GMT'].map((date) => ({ date }));
  test.each([{}, { date: 'now 5' }, ...absurd])('a page with the headers %j tells no time', async (headers) => {
    const kit = sourceKit(inTurn(response(200, '{"trails":[]}', headers)));
    expect(await ask(kit)).toMatchObject({ kind: 'page', serverTime: undefined });
  });
});

test.each([
  [true, '<https://api.example/audit/logs?cursor=5>; rel="next"'],
  [true, '<https://api.example/a>; rel="prev", <https://api.example/b>; REL=next'],
  [false, '<https://api.example/audit/logs?rel=next>; rel="prev"'],
  [false, '<https://api.example/a>; rel="nextish"'],
  [false, undefined],
])('whether a page links to a next one is %p where its header is %s', async (hasNextLink, link) => {
  const kit = sourceKit(inTurn(response(200, '{"trails":[]}', link === undefined ? {} : { link })));
  expect(await ask(kit)).toMatchObject({ kind: 'page', hasNextLink });
});

test('events are asked for newest first where the query says so', async () => {
  const kit = sourceKit(inTurn(page()));
  await ask(kit, { order: 'desc' });
  expect(kit.calls[0]?.url.searchParams.get('orderBy')).toBe('desc');
});

describe('trouble that passes', () => {
  /** Each row is a trouble, and the failure and the number of requests where it does not pass. */
  test.each<[string, HttpResponse | TransportError, string, number]>([
    ...[500, 503, 599, 408, 425].map((status): [string, HttpResponse, string, number] => [
      `a status ${status}`,
      response(status, 'oops'),
      'source-unavailable',
      8,
    ]),
    ['a status 429', response(429, '{"error":"rateLimited","message":"Retry later."}'), 'source-throttled', 8],
    ['a reset', new TransportError('network', 'ECONNRESET'), 'source-unavailable', 8],
    ['a timeout', new TransportError('timeout', 'no whole response within 60000 ms'), 'source-unavailable', 8],
    ['an empty 200', response(200, ''), 'source-contract-broken', 3],
    ['a 200 of HTML', response(200, '<html><body>evil</body></html>'), 'source-contract-broken', 3],
    [
      'a 200 with a malformed event',
      response(200, '{"trails":[{"id":01,"name":"evil"}]}'),
      'source-contract-broken',
      3,
    ],
  ])('after %s the client waits and asks again, up to a bounded number of times', async (_name, trouble, code, attempts) => {
    const kit = sourceKit(inTurn(trouble, trouble, page([event])));
    expect(await ask(kit)).toMatchObject({ kind: 'page' });
    expect(kit.calls).toHaveLength(3);
    expect(kit.calls[2]?.url.href).toBe(kit.calls[0]?.url.href);
    expect(kit.clock.sleeps).toHaveLength(2);
    for (const wait of kit.clock.sleeps) expect(wait).toBeGreaterThanOrEqual(500);
    expect(kit.source.tally().requests).toBe(3);

    const lasting = sourceKit(inTurn(trouble));
    const failure = await failureOf(ask(lasting));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(attempts === 3 ? /answered 200, but: expected / : /the source/);
    expect(failure.message).not.toContain('evil');
    expect(lasting.calls).toHaveLength(attempts);
  });

  test('each wait is longer than the one before, up to half a minute, with jitter', async () => {
    const low = sourceKit(inTurn(response(500)), { clock: virtualClock({ random: () => 0 }) });
    const high = sourceKit(inTurn(response(500)), { clock: virtualClock({ random: () => 0.999 }) });
    await failureOf(ask(low));
    await failureOf(ask(high));
    expect(low.clock.sleeps).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    expect(high.clock.sleeps.map(Math.round)).toEqual([1000, 1999, 3998, 7996, 15_992, 29_985, 29_985]);
  });

  test.each(['0', '-5'])('a Retry-After of "%s" does not let the client ask without waiting', async (wait) => {
    const kit = sourceKit(inTurn(response(429, '{}', { 'retry-after': wait })));
    await failureOf(ask(kit));
    expect(kit.clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(30_000);
  });

  test('the client waits as long as it is told, and counts the responses with status 429', async () => {
    const kit = sourceKit(inTurn(response(429, '{}', { retryafter: '42' }), response(500), response(429), page()));
    await ask(kit);
    expect(kit.clock.sleeps[0]).toBe(42_000);
    expect(kit.source.tally()).toEqual({ requests: 4, throttled: 2 });
  });

  test('each page has its own attempts', async () => {
    const kit = sourceKit((_call, number) => (number % 5 === 0 ? page() : response(500)));
    for (let asked = 0; asked < 4; asked += 1) expect(await ask(kit)).toMatchObject({ kind: 'page' });
    expect(kit.calls).toHaveLength(20);
  });

  test('retries count against the requests per minute', async () => {
    const kit = sourceKit(inTurn(response(500)), { maxRequestsPerMinute: 2 });
    const started = kit.clock.now().getTime();
    await failureOf(ask(kit));
    expect(kit.clock.now().getTime() - started).toBeGreaterThanOrEqual(420_000);
  });
});

describe('time', () => {
  test('without the time for one request, nothing is asked and no key is read', async () => {
    const kit = sourceKit(inTurn(page()), { clock: virtualClock({ remainingMs: 3499 }) });
    expect(await ask(kit)).toEqual({ kind: 'out-of-time' });
    expect(kit.calls).toHaveLength(0);
    expect(kit.keyReads).toHaveLength(0);
  });

  test('without the time for a page as slow as the slowest, nothing more is asked', async () => {
    const kit = sourceKit(inTurn(page()), { clock: virtualClock({ remainingMs: 25_000 }), latencyMs: 10_000 });
    expect(await ask(kit)).toMatchObject({ kind: 'page' });
    expect(await ask(kit)).toEqual({ kind: 'out-of-time' });
    expect(kit.clock.remainingMs()).toBe(15_000);
  });

  test('without the time for the wait of the rate limit, the client stops at once', async () => {
    const kit = sourceKit(inTurn(page()), { clock: virtualClock({ remainingMs: 50_000 }), maxRequestsPerMinute: 1 });
    await ask(kit);
    expect(await ask(kit)).toEqual({ kind: 'out-of-time' });
    expect(kit.clock.sleeps).toEqual([]);
  });

  test.each([
    ['a wait of an hour', response(429, '{}', { 'retry-after': '3600' })],
    ['errors that do not end', response(500)],
    ['resets that do not end', new TransportError('network', 'ECONNRESET')],
  ])('without the time for %s, the client fails and does not look finished', async (_name, trouble) => {
    for (const remainingMs of [4000, 9000, 30_000, 100_000, 200_000]) {
      const kit = sourceKit(inTurn(trouble), { clock: virtualClock({ remainingMs }) });
      expect((await failureOf(ask(kit))).code).toMatch(/source-(throttled|unavailable)/);
      expect(kit.clock.remainingMs()).toBeGreaterThanOrEqual(3000);
    }
  });

  const timeout = new TransportError('timeout', 'no whole response');

  test.each([100_000, 200_000])('with %d ms, timeouts that do not end are a failure', async (remainingMs) => {
    const kit = sourceKit(inTurn(timeout), { clock: virtualClock({ remainingMs }), latencyMs: 59_000 });
    expect((await failureOf(ask(kit))).code).toBe('source-unavailable');
  });

  test('a request that the end of the run cuts short is no failure of the source', async () => {
    const kit = sourceKit(inTurn(timeout), { clock: virtualClock({ remainingMs: 62_000 }) });
    expect(await ask(kit)).toEqual({ kind: 'out-of-time' });
    expect(kit.calls.map(({ limits }) => limits.timeoutMs)).toEqual([59_000]);
  });

  test('the end of the run does not hide that the same page has failed before', async () => {
    const kit = sourceKit(inTurn(response(500), timeout), { clock: virtualClock({ remainingMs: 30_000 }) });
    expect((await failureOf(ask(kit))).code).toBe('source-unavailable');
    expect(kit.calls).toHaveLength(2);
  });
});

describe('an API key that is refused', () => {
  const refusal = response(401, '{"error":{"name":"AuthenticationError","message":"Invalid API Key."}}');

  test.each([
    ['with status 401 is read again, and tried without a wait', [refusal, page([event])], 'page', [false, true]],
    ['with status 403 is read again, and tried without a wait', [response(403), page()], 'page', [false, true]],
    ['before a status 500 is read again once', [refusal, response(500), page()], 'page', [false, true, false]],
    [
      'before and after a status 500 is a failure',
      [refusal, response(500), refusal],
      'api-key-refused',
      [false, true, false],
    ],
  ] as const)('an API key that is refused %s', async (_name, answers, end, keyReads) => {
    const kit = sourceKit(inTurn(...answers), { keys: ['old', 'new'] });
    const outcome = await ask(kit).catch((error: Failure) => error);
    expect('kind' in outcome ? outcome.kind : outcome.code).toBe(end);
    expect(kit.keyReads).toEqual(keyReads);
    expect(kit.clock.sleeps.length).toBe(answers.filter(({ status }) => status === 500).length);
  });

  test.each([
    401, 403,
  ])('the error about a key that is refused twice with status %d says whose key it is and what it needs', async (status) => {
    const kit = sourceKit(inTurn(response(status, '{}')));
    const failure = await failureOf(ask(kit));
    expect(failure).toBeInstanceOf(ConfigError);
    for (const part of ['/team/api-key', 'Enterprise plan', 'Admin or Super Admin', String(status)]) {
      expect(failure.message).toContain(part);
    }
    expect(kit.calls).toHaveLength(2);
  });

  test('an API key that is rotated at any page is replaced for the next page', async () => {
    const keys = ['first', 'second', 'third'];
    const server: Server = ({ headers }, number) =>
      headers['x-api-key'] === keys[Math.floor(number / 3)] ? page() : refusal;
    const kit = sourceKit(server, { keys });
    for (let asked = 0; asked < 5; asked += 1) expect(await ask(kit)).toMatchObject({ kind: 'page' });
    expect(kit.keyReads.filter((isFresh) => isFresh)).toHaveLength(2);
  });
});

describe('an answer that is no page', () => {
  const tooOld = '{"error":{"name":"invalidParamError","message":"since cannot be older than 180 days"}}';
  const capitals = '{"message":"The Since date CANNOT BE OLDER THAN 2026-01-01"}';
  const quota = '{"error":{"name":"serviceLimitExhausted","message":"Your team plan allows 100000 calls."}}';
  const monthly = '{"error":"rateLimited","message":"You have exceeded your monthly API usage limit"}';
  const refused = [400, 404, 410, 402, 418, 204, 206, 100];

  /** Status and body of the answer, the cursor of the request, and the outcome: an answer's kind or a failure's code. */
  test.each<[number, string, string | undefined, string]>([
    [400, tooOld, undefined, 'too-old'],
    [400, tooOld, '5', 'too-old'],
    [400, capitals, undefined, 'too-old'],
    [422, tooOld, undefined, 'source-refused'],
    ...[400, 404, 410].map((status) => [status, '{}', '5', 'cursor-refused'] as [number, string, string, string]),
    ...refused.map(
      (status) => [status, '{"trails":[]}', undefined, 'source-refused'] as [number, string, undefined, string],
    ),
    [429, quota, undefined, 'source-quota-exhausted'],
    [429, monthly, undefined, 'source-quota-exhausted'],
  ])('status %d with the body %s to a request with the cursor %p means %s, at once', async (status, body, cursor, end) => {
    const kit = sourceKit(inTurn(response(status, body, { 'retry-after': '1' })));
    const outcome = await ask(kit, { cursor }).catch((error: Failure) => error);
    expect('kind' in outcome ? outcome.kind : outcome.code).toBe(end);
    expect(kit.source.tally().throttled).toBe(status === 429 ? 1 : 0);
    if (end === 'source-refused') expect(outcome).toMatchObject({ message: expect.stringContaining(String(status)) });
    expect(kit.calls).toHaveLength(1);
  });

  test.each([300, 302, 308])('a redirect with status %d is not followed', async (status) => {
    const kit = sourceKit(inTurn(response(status, '', { location: `https://evil.test/?key=${API_KEY}` })));
    const failure = await failureOf(ask(kit));
    expect(failure).toMatchObject({ code: 'source-redirected', message: expect.stringContaining('baseUrl') });
    expect(kit.calls).toHaveLength(1);
  });

  test('a page that does not fit into memory is left to the walk to split', async () => {
    const kit = sourceKit(inTurn(new TransportError('too-large', 'the response is larger than 1 bytes')));
    expect(await ask(kit)).toEqual({ kind: 'too-large' });
    expect(kit.calls).toHaveLength(1);
  });

  test('an error that is no transport error is passed on as it is', async () => {
    const bug = new RangeError('a bug');
    const kit = sourceKit(() => {
      throw bug;
    });
    await expect(ask(kit)).rejects.toBe(bug);
  });
});

describe('the API key', () => {
  const echoes: readonly [string, HttpResponse][] = [
    ...[200, 302, 400, 401, 404, 429, 500].map((status) => [`a ${status}`, echo(status)] as [string, HttpResponse]),
    ['a 429 of the quota', echo(429, 'monthly usage limit')],
    ['a 200 cut in the key', response(200, `{"trails":[{"key":"${API_KEY}`)],
    ['a 200 with the key as a member', response(200, `{"${API_KEY}":1,"trails":{}}`)],
    ['a 200 with the key twice as a name', response(200, `{"trails":[{"id":${API_KEY}}]}`)],
    ['a 200 with a cursor that is no cursor', response(200, `{"trails":[],"nextCursor":["${API_KEY}"]}`)],
  ];

  test.each(echoes)('an API key that is echoed by %s is in no error and in no log line', async (_name, answer) => {
    for (const cursor of [undefined, '5']) {
      const kit = sourceKit(inTurn(answer), { clock: virtualClock({ remainingMs: 120_000 }) });
      const end: unknown = await ask(kit, { cursor }).catch((error: unknown) => error);
      expect(everythingOf(end)).not.toContain('canary');
      expect(kit.logger.lines.join('\n')).not.toContain('canary');
      if (answer.status === 500) expect(kit.logger.lines.length).toBeGreaterThan(0);
    }
  });

  function echo(status: number, more = ''): HttpResponse {
    const headers = ['location', 'retry-after', 'date', 'ratelimit', 'www-authenticate', 'x-ratelimit-reset'];
    const body = JSON.stringify({ error: { message: `x-api-key: ${API_KEY} ${more}` } });
    return response(status, body, Object.fromEntries(headers.map((name) => [name, `${API_KEY} 5`])));
  }

  /** Everything of an error that could be logged, with hidden fields, causes and the stack. */
  function everythingOf(value: unknown): string {
    const parts = [inspect(value, { depth: null, showHidden: true })];
    for (let error = value; error instanceof Error; error = error.cause) {
      parts.push(error.message, error.stack ?? '', JSON.stringify(error), String(error));
    }
    return parts.join('\n');
  }
});
