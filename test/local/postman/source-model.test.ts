import { createSourceModel, type SourceAnswer } from '../../../local/postman/source-model';
import {
  type Fault,
  RETRY_AFTER,
  type RetryAfter,
  type SourceSettings,
  sourceSettings,
} from '../../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { cursorOf, trailsOf } from '../../support/naive-client';

const KEY = 'PMAK-of-this-test';
const DAY_MS = 86_400_000;
const NOW = new Date('2026-06-30T12:00:00Z');

const event = (row: number, more: Partial<SourceEvent> = {}): SourceEvent => ({
  row,
  at: NOW.getTime() - DAY_MS + row * 1000,
  raw: `{"id":${row},"message":"n"}`,
  ...more,
});

function world(
  events: readonly SourceEvent[],
  changes: Partial<SourceSettings> = {},
  shape: SourceSettings['shape'] = 'contract',
) {
  const table = createTable(events);
  const model = createSourceModel(table, sourceSettings(shape, KEY, changes));
  const ask = (
    query: Record<string, string> = {},
    { now = NOW, key = KEY, path = '/audit/logs' } = {},
  ): SourceAnswer => {
    const headers = { 'x-api-key': key, 'user-agent': 'test' };
    return model.answer({ path, query: new URLSearchParams({ orderBy: 'asc', ...query }), headers }, now);
  };
  return { table, model, ask };
}

const text = ({ body }: SourceAnswer): string => body.toString();
const rows = (answer: SourceAnswer): number[] => trailsOf(text(answer)).map((raw) => JSON.parse(raw).id);
const five = [1, 2, 3, 4, 5].map((row) => event(row));

describe('the texts', () => {
  const raw = '{"id":1,"n":[9007199254740993,1e400,1.0,-0],"a":1,"a":2,"s":"\\ud800 \\u0000 \u2028 ] }","A":{}}';

  test('go out byte for byte, whatever they hold', () => {
    expect(text(world([event(1, { raw })]).ask())).toBe(`{"trails":[${raw}],"meta":{"total":1}}`);
  });

  test('change when the event is edited, and only from then on', () => {
    const { ask } = world([
      event(1, {
        later: [
          { from: NOW.getTime(), raw: '{"id":1,"edit":1}' },
          { from: NOW.getTime() + 5, raw: '{"id":1,"edit":2}' },
        ],
      }),
    ]);
    const at = (ms: number) => trailsOf(text(ask({}, { now: new Date(NOW.getTime() + ms) })));
    expect([-1, 0, 4, 5].flatMap(at)).toEqual([
      event(1).raw,
      '{"id":1,"edit":1}',
      '{"id":1,"edit":1}',
      '{"id":1,"edit":2}',
    ]);
  });

  test('drift on every read where the settings say so', () => {
    const { ask } = world([event(1)], { drift: (body, request) => body.replace('"n"', `"read ${request}"`) });
    expect([ask(), ask()].flatMap(({ lines }) => lines)).toEqual([
      '{"id":1,"message":"read 1"}',
      '{"id":1,"message":"read 2"}',
    ]);
  });
});

describe('what is served when', () => {
  test('late events appear, removed ones go, and come back if restored', () => {
    const from = NOW.getTime();
    const { ask } = world([
      event(1, { visibleFrom: from }),
      event(2, { removedAt: from, restoredAt: from + 10 }),
      event(3),
    ]);
    const at = (ms: number) => rows(ask({}, { now: new Date(from + ms) }));
    expect([at(-1), at(0), at(10)]).toEqual([
      [2, 3],
      [1, 3],
      [1, 2, 3],
    ]);
  });

  test('an event put with a known row takes its place, wherever it is filed now', () => {
    const { table, ask } = world(five);
    table.put([event(2, { at: NOW.getTime(), raw: '{"id":2,"moved":true}' })]);
    expect(rows(ask())).toEqual([1, 3, 4, 5, 2]);
  });

  test('events older than the retention are gone', () => {
    const { ask } = world([
      event(1, { at: NOW.getTime() - 180 * DAY_MS - 1 }),
      event(2, { at: NOW.getTime() - 180 * DAY_MS }),
    ]);
    expect(rows(ask())).toEqual([2]);
  });

  test('the total counts what is visible in the range', () => {
    const { ask } = world([...five, event(6, { visibleFrom: NOW.getTime() + 1 })]);
    expect(text(ask({ limit: '1' }))).toContain('"total":5');
  });

  test('an event that arrives late before the cursor is not in that walk, and disturbs nothing', () => {
    const { table, ask } = world(five);
    const cursor = cursorOf(text(ask({ limit: '3' }))) ?? '';
    table.put([event(6, { at: event(1).at })]);
    expect(rows(ask({ limit: '3', cursor }))).toEqual([4, 5]);
  });
});

describe('refusals', () => {
  test('another key gets the documented 401, and the new key works after a rotation', () => {
    const { model, ask } = world(five);
    expect(ask({}, { key: 'other' })).toMatchObject({ status: 401, lines: [] });
    expect(JSON.parse(text(ask({}, { key: 'other' })))).toEqual({
      error: { name: 'AuthenticationError', message: expect.any(String) },
    });
    model.change({ apiKey: 'rotated' });
    expect([ask().status, ask({}, { key: 'rotated' }).status]).toEqual([401, 200]);
  });

  test.each([
    ['since beyond the retention', { since: '2025-12-01T00:00:00Z' }, 'since cannot be older than 180 days'],
    ['a limit over 300', { limit: '301' }, 'limit must be'],
    ['a limit of 0', { limit: '0' }, 'limit must be'],
    ['a date where the contract wants a date-time', { since: '2026-06-01' }, 'since and until must be'],
    ['an impossible date', { until: '2026-13-01T00:00:00Z' }, 'since and until must be'],
    ['an unknown order', { orderBy: 'up' }, 'orderBy must be'],
    ['a cursor of another server', { cursor: '99' }, 'The cursor is not valid'],
    ['a cursor that is no number', { cursor: 'x' }, 'The cursor is not valid'],
  ])('%s gets a 400 that says so', (_, query, message) => {
    const answer = world(five).ask(query);
    expect([answer.status, text(answer)]).toEqual([400, expect.stringContaining(message)]);
  });

  test('a server that cuts bounds to the day compares days with its retention too', () => {
    const { ask } = world(five, { bounds: 'midnight' });
    const since = (ms: number) => ({ since: new Date(NOW.getTime() - 180 * DAY_MS + ms).toISOString() });
    expect([ask(since(-11 * 3_600_000)).status, ask(since(-13 * 3_600_000)).status]).toEqual([200, 400]);
  });

  test('other paths are not found', () => {
    const { ask } = world([]);
    expect(ask({}, { path: '/me' }).status).toBe(404);
  });

  test.each([
    'contract',
    'reality',
  ] as const)('over the rate: 429 until the minute is over, in the %s shape', (shape) => {
    const { ask } = world(five, { rateLimit: { perMinute: 2, retryAfter: 'RetryAfter' } }, shape);
    const later = new Date(NOW.getTime() + 60_000);
    const answers = [ask(), ask(), ask(), ask({}, { now: later })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
    expect(answers[2]?.headers).toMatchObject({ retryafter: '2' });
    expect(typeof JSON.parse(text(answers[2] as SourceAnswer)).error).toBe(shape === 'contract' ? 'string' : 'object');
  });
});

describe('spellings of retry-after', () => {
  test.each<[RetryAfter, Record<string, string>]>([
    ['Retry-After fraction', { 'retry-after': '1.5' }],
    ['Retry-After date', { 'retry-after': 'Tue, 30 Jun 2026 12:00:02 GMT' }],
    ['Retry-After past date', { 'retry-after': 'Tue, 30 Jun 2026 11:00:00 GMT' }],
    [
      'X-RateLimit-Reset epoch',
      { 'x-ratelimit-limit': '300', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1782820802' },
    ],
    ['absent', {}],
  ])('%s', (name, headers) => {
    expect(RETRY_AFTER[name](2, NOW)).toEqual(headers);
  });
});

describe('faults', () => {
  const faulty = (fault: Fault, shape: SourceSettings['shape'] = 'contract') =>
    world(five, { fault: (request) => (request === 1 ? fault : undefined) }, shape);

  test('a literal answer takes the place of the real one, once', () => {
    const { ask } = faulty({ status: 302, headers: { location: 'http://elsewhere/' } });
    expect(ask()).toMatchObject({ status: 302, headers: { location: 'http://elsewhere/' }, lines: [] });
    expect(ask().status).toBe(200);
  });

  test.each(['reset', 'truncate', 'hang'] as const)('%s spoils the delivery: nothing counts as served', (fault) => {
    expect(faulty(fault).ask()).toMatchObject({ delivery: fault, lines: [], status: 200 });
  });

  test.each(['invalid-json', 'cut-body'] as const)('%s makes a body that no parser reads', (fault) => {
    const answer = faulty(fault).ask();
    expect(() => JSON.parse(text(answer))).toThrow(SyntaxError);
    expect(answer.lines).toEqual([]);
  });

  test('invalid-utf8 sits in an event where a lenient decoder would let it pass', () => {
    const { body } = faulty('invalid-utf8').ask();
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(body)).toThrow('not valid');
    expect(JSON.parse(body.toString()).trails[0].message).toBe('\ufffdn');
  });

  test('byte-order-mark puts one before a good body', () => {
    expect([...faulty('byte-order-mark').ask().body.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x7b]);
  });

  test.each([200, 401, 403, 429, 500] as const)('echo %i holds the key', (echo) => {
    const answer = faulty({ echo }).ask();
    expect([answer.status, text(answer)]).toEqual([echo, expect.stringContaining(KEY)]);
    if (echo === 200) expect(() => JSON.parse(text(answer))).toThrow(SyntaxError);
  });

  test('repeat-cursor answers with the cursor it was asked with', () => {
    const { ask } = world(five, { fault: () => 'repeat-cursor' });
    expect(cursorOf(text(ask({ cursor: '3', limit: '2' })))).toBe('3');
    expect(cursorOf(text(ask({ limit: '2' })))).toBe('1');
  });

  test('empty-page leads to the same events by another cursor, however often', () => {
    const { ask } = world(five, { fault: (request) => (request <= 3 ? 'empty-page' : undefined) });
    const seen = new Set<string>();
    let cursor = '2';
    for (let page = 1; page <= 3; page += 1) {
      const answer = ask({ cursor, limit: '2' });
      expect(rows(answer)).toEqual([]);
      cursor = cursorOf(text(answer)) ?? '';
      seen.add(cursor);
    }
    expect(seen.size).toBe(3);
    expect(rows(ask({ cursor, limit: '2' }))).toEqual([2, 3]);
  });

  test('short-page serves half of what was asked for, and a cursor', () => {
    const answer = faulty('short-page').ask({ limit: '4' });
    expect([rows(answer), cursorOf(text(answer))]).toEqual([[1, 2], '3']);
  });
});

describe('cursors', () => {
  test('of a row outside the range asked for now lead to its nearer end', () => {
    const { ask } = world(five);
    const range = { since: new Date(event(2).at ?? 0).toISOString(), until: new Date(event(4).at ?? 0).toISOString() };
    expect(rows(ask({ ...range, cursor: '1' }))).toEqual([2, 3, 4]);
    expect(rows(ask({ ...range, cursor: '5' }))).toEqual([]);
    expect(rows(ask({ ...range, cursor: '5', orderBy: 'desc' }))).toEqual([4, 3, 2]);
    expect(rows(ask({ ...range, cursor: '1', orderBy: 'desc' }))).toEqual([]);
  });

  test.each([
    [{ cursorPlace: 'meta', cursorType: 'string' }, '{"trails":[],"meta":{"nextCursor":"2","total":5}}'],
    [{ cursorPlace: 'top-level', cursorType: 'number' }, '{"trails":[],"nextCursor":2,"meta":{"total":5}}'],
    [
      { cursorPlace: 'both', cursorBase: 2n ** 53n },
      '{"trails":[],"nextCursor":"9007199254740994","meta":{"nextCursor":"9007199254740994","total":5}}',
    ],
  ] as const)('%j', (changes, body) => {
    const answer = world(five, changes).ask({ limit: '1' });
    expect(text(answer).replace(/\[.*\]/, '[]')).toBe(body);
  });

  test.each([
    [null, '{"trails":[]}'],
    ['null', '{"trails":[],"nextCursor":null}'],
    ['""', '{"trails":[],"nextCursor":""}'],
    ['0', '{"trails":[],"nextCursor":0}'],
  ])('the end is said as %j', (cursorEnd, body) => {
    expect(text(world([], { cursorEnd }, 'reality').ask())).toBe(body);
  });
});
