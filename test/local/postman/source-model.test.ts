/** Single answers of the model. Walks under every combination of the settings are in source-model.property.test.ts. */
import { DAY_MS } from '../../../lambdas/shared/time';
import { createSourceModel, type SourceAnswer } from '../../../local/postman/source-model';
import { type Fault, type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { cursorOf, minified, trailsOf } from '../../support/naive-client';

const KEY = 'PMAK-of-this-test';
const NOW = new Date('2026-06-30T12:00:00Z');
const now = NOW.getTime();

function event(row: number, more: Partial<SourceEvent> = {}): SourceEvent {
  return { row, at: now - DAY_MS + row * 1000, raw: `{"id":${row},"message":"n"}`, ...more };
}

function start(
  events: readonly SourceEvent[],
  changes: Partial<SourceSettings> = {},
  shape: SourceSettings['shape'] = 'contract',
) {
  const table = createTable(events);
  const model = createSourceModel(table, sourceSettings(shape, KEY, changes));
  function ask(
    query: Record<string, string> = {},
    { afterMs = 0, key = KEY, path = '/audit/logs' } = {},
  ): SourceAnswer {
    const request = { path, query: new URLSearchParams({ orderBy: 'asc', ...query }), headers: { 'x-api-key': key } };
    return model.answer(request, new Date(now + afterMs));
  }
  return { table, model, ask };
}

const text = ({ body }: SourceAnswer): string => body.toString();
const rows = (answer: SourceAnswer): number[] => trailsOf(text(answer)).map((raw) => JSON.parse(raw).id);
const five = [1, 2, 3, 4, 5].map((row) => event(row));

test('every odd event is served byte for byte, and with white space only between its tokens', () => {
  const raws = ODD_EVENTS.map(({ raw }, row) => raw(String(row), now));
  const events = raws.map((raw, row) => event(row, { raw }));
  expect(text(start(events).ask())).toBe(`{"trails":[${raws.join(',')}],"meta":{"total":${raws.length}}}`);
  const pretty = trailsOf(text(start(events, { pretty: true }).ask()));
  expect(pretty).not.toEqual(raws);
  expect(pretty.map(minified)).toEqual(raws);
});

test('a late event appears, a removed one disappears, a restored one comes back, and an edited one has its new text', () => {
  const { ask } = start([
    event(1, { visibleFrom: now }),
    event(2, { removedAt: now, restoredAt: now + 10 }),
    event(3, { later: [0, 5].map((ms) => ({ from: now + ms, raw: `{"id":3${ms}}` })) }),
  ]);
  expect([-1, 0, 4, 5, 10].map((afterMs) => rows(ask({}, { afterMs })))).toEqual([
    [2, 3],
    [1, 30],
    [1, 30],
    [1, 35],
    [1, 2, 35],
  ]);
});

test('a drifting event has another text in each answer', () => {
  const { ask } = start([event(1)], { drift: (raw, request) => raw.replace('"n"', `"read ${request}"`) });
  const lines = [ask(), ask()].flatMap((answer) => answer.lines);
  expect(lines).toEqual(['{"id":1,"message":"read 1"}', '{"id":1,"message":"read 2"}']);
});

test('an event that is put with a known row replaces the older one', () => {
  const { table, ask } = start(five);
  table.put([event(2, { at: now, raw: '{"id":2,"moved":true}' })]);
  expect(rows(ask())).toEqual([1, 3, 4, 5, 2]);
});

test('an event that is older than the retention is not served', () => {
  const oldest = now - 180 * DAY_MS;
  expect(rows(start([event(1, { at: oldest - 1 }), event(2, { at: oldest })]).ask())).toEqual([2]);
});

test('an event that appears before the cursor does not disturb the walk', () => {
  const { table, ask } = start(five);
  const cursor = cursorOf(text(ask({ limit: '3' }))) ?? '';
  table.put([event(6, { at: event(1).at })]);
  expect(rows(ask({ limit: '3', cursor }))).toEqual([4, 5]);
});

test('a cursor outside of the asked range leads to the nearer end of the range', () => {
  const { ask } = start(five);
  const range = { since: new Date(event(2).at ?? 0).toISOString(), until: new Date(event(4).at ?? 0).toISOString() };
  expect(rows(ask({ ...range, cursor: '1' }))).toEqual([2, 3, 4]);
  expect(rows(ask({ ...range, cursor: '5' }))).toEqual([]);
  expect(rows(ask({ ...range, cursor: '5', orderBy: 'desc' }))).toEqual([4, 3, 2]);
});

test.each<[Partial<SourceSettings>, string]>([
  [{ cursorPlace: 'meta', cursorType: 'string' }, '"meta":{"nextCursor":"3","total":3}'],
  [{ cursorPlace: 'top-level', cursorType: 'number' }, '"nextCursor":3,"meta":{"total":3}'],
  [{ cursorBase: 2n ** 53n }, '"meta":{"nextCursor":"9007199254740995","total":3}'],
  [{ cursorPlace: 'both' }, '"nextCursor":"3","meta":{"nextCursor":"3","total":3}'],
  [{ cursorEnd: 'null', maxLimit: 3 }, '"meta":{"nextCursor":null,"total":3}'],
  [{ cursorEnd: '""', maxLimit: 3 }, '"meta":{"nextCursor":"","total":3}'],
  [{ maxLimit: 3 }, '"meta":{"total":3}'],
])('the settings %p write the cursor and the number of visible events as %s', (changes, fields) => {
  const events = [...five.slice(0, 3), event(6, { visibleFrom: now + 1 })];
  expect(text(start(events, { maxLimit: 2, ...changes }).ask()).replace(/^.*\],|\}$/g, '')).toBe(fields);
});

test('another API key is refused with the documented 401, and a rotation changes the key', () => {
  const { model, ask } = start(five);
  const refused = ask({}, { key: 'other' });
  expect(refused).toMatchObject({ status: 401, lines: [] });
  expect(JSON.parse(text(refused))).toEqual({ error: { name: 'AuthenticationError', message: expect.any(String) } });
  model.change({ apiKey: 'rotated' });
  expect([ask().status, ask({}, { key: 'rotated' }).status]).toEqual([401, 200]);
});

test.each([
  ['a date before the retention', { since: '2025-12-01T00:00:00Z' }, 'since cannot be older than 180 days'],
  ['a limit above 300', { limit: '301' }, 'limit must be'],
  ['a limit of 0', { limit: '0' }, 'limit must be'],
  ['a date without a time in the contract shape', { since: '2026-06-01' }, 'since and until must be'],
  ['an impossible date', { until: '2026-13-01T00:00:00Z' }, 'since and until must be'],
  ['an unknown order', { orderBy: 'up' }, 'orderBy must be'],
  ['a cursor of another server', { cursor: '99' }, 'The cursor is not valid'],
  ['a cursor that is not a number', { cursor: 'x' }, 'The cursor is not valid'],
])('%s is refused with a 400 that says so', (_, query, message) => {
  const answer = start(five).ask(query);
  expect([answer.status, text(answer)]).toEqual([400, expect.stringContaining(message)]);
});

test('a server that cuts bounds to their day compares days with its retention', () => {
  const { ask } = start(five, { bounds: 'midnight' });
  const since = (ms: number) => ({ since: new Date(now - 180 * DAY_MS + ms).toISOString() });
  expect([ask(since(-11 * 3_600_000)).status, ask(since(-13 * 3_600_000)).status]).toEqual([200, 400]);
});

test.each([
  ['contract', 'string'],
  ['reality', 'object'],
] as const)('above the rate limit, the %s shape answers 429 with a %s until the minute is over', (shape, type) => {
  const { ask } = start(five, { rateLimit: { perMinute: 2, headers: () => ({ retryafter: '2' }) } }, shape);
  const [first, second, third, fourth] = [ask(), ask(), ask(), ask({}, { afterMs: 60_000 })] as const;
  expect([first, second, third, fourth].map(({ status }) => status)).toEqual([200, 200, 429, 200]);
  expect(third.headers).toMatchObject({ retryafter: '2' });
  expect(typeof JSON.parse(text(third)).error).toBe(type);
});

describe('faults', () => {
  const answerWith = (fault: Fault, query: Record<string, string> = {}) =>
    start(five, { fault: () => fault }).ask(query);

  test('a literal fault replaces the answer, in the request that it is set for alone', () => {
    const redirect = { status: 302, headers: { location: 'http://elsewhere/' } };
    const { ask } = start(five, { fault: (request) => (request === 1 ? redirect : undefined) });
    expect(ask()).toMatchObject({ ...redirect, lines: [] });
    expect(ask().status).toBe(200);
  });

  test('a fault in a body makes it unreadable for a strict parser, and its lines do not count as served', () => {
    const parse = ({ body }: SourceAnswer) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    for (const fault of ['invalid-json', 'cut-body', 'invalid-utf8'] as const) {
      expect(answerWith(fault).lines).toEqual([]);
      expect(() => parse(answerWith(fault))).toThrow();
    }
    expect(JSON.parse(text(answerWith('invalid-utf8'))).trails[0].message).toBe('\ufffdn');
    expect([...answerWith('byte-order-mark').body.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x7b]);
  });

  test.each([200, 401, 403, 429, 500] as const)('echo %i repeats the API key', (echo) => {
    const answer = answerWith({ echo });
    expect([answer.status, text(answer)]).toEqual([echo, expect.stringContaining(KEY)]);
    if (echo === 200) expect(() => JSON.parse(text(answer))).toThrow(SyntaxError);
  });

  test('repeat-cursor answers with the cursor of the request, and short-page with half of the asked events', () => {
    expect(cursorOf(text(answerWith('repeat-cursor', { cursor: '3', limit: '2' })))).toBe('3');
    expect(cursorOf(text(answerWith('repeat-cursor', { limit: '2' })))).toBe('1');
    const half = answerWith('short-page', { limit: '4' });
    expect([rows(half), cursorOf(text(half))]).toEqual([[1, 2], '3']);
  });

  test('empty-page leads to the same events by a new cursor each time', () => {
    const { ask } = start(five, { fault: (request) => (request <= 2 ? 'empty-page' : undefined) });
    const first = ask({ cursor: '2', limit: '2' });
    const second = ask({ cursor: cursorOf(text(first)) ?? '', limit: '2' });
    expect([rows(first), rows(second)]).toEqual([[], []]);
    expect(cursorOf(text(second))).not.toBe(cursorOf(text(first)));
    expect(rows(ask({ cursor: cursorOf(text(second)) ?? '', limit: '2' }))).toEqual([2, 3]);
  });
});
