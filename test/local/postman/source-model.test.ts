/** Single answers of the model. Walks under every combination of the settings are in source-model.property.test.ts. */
import { createSourceModel, type SourceAnswer } from '../../../local/postman/source-model';
import { type Fault, type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { cursorOf, minified, trailsOf } from '../../support/naive-client';

const KEY = 'PMAK-of-this-test';
const DAY_MS = 86_400_000;
const NOW = new Date('2026-06-30T12:00:00Z');

function event(row: number, more: Partial<SourceEvent> = {}): SourceEvent {
  return { row, at: NOW.getTime() - DAY_MS + row * 1000, raw: `{"id":${row},"message":"n"}`, ...more };
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
    return model.answer(request, new Date(NOW.getTime() + afterMs));
  }
  return { table, model, ask };
}

const text = ({ body }: SourceAnswer): string => body.toString();
const rows = (answer: SourceAnswer): number[] => trailsOf(text(answer)).map((raw) => JSON.parse(raw).id);
const five = [1, 2, 3, 4, 5].map((row) => event(row));

describe('events', () => {
  test('every odd event is served byte for byte, and with white space only between its tokens', () => {
    const raws = ODD_EVENTS.map(({ raw }, row) => raw(String(row), NOW.getTime()));
    const events = raws.map((raw, row) => event(row, { raw }));
    expect(text(start(events).ask())).toBe(`{"trails":[${raws.join(',')}],"meta":{"total":${raws.length}}}`);
    const pretty = trailsOf(text(start(events, { pretty: true }).ask()));
    expect(pretty).not.toEqual(raws);
    expect(pretty.map(minified)).toEqual(raws);
  });

  test('an edited event has its new text from the instant of the edit on', () => {
    const later = [0, 5].map((ms) => ({ from: NOW.getTime() + ms, raw: `{"id":1,"edit":${ms}}` }));
    const { ask } = start([event(1, { later })]);
    const texts = [-1, 0, 4, 5].flatMap((afterMs) => trailsOf(text(ask({}, { afterMs }))));
    expect(texts).toEqual([event(1).raw, '{"id":1,"edit":0}', '{"id":1,"edit":0}', '{"id":1,"edit":5}']);
  });

  test('a drifting event has another text in each answer', () => {
    const { ask } = start([event(1)], { drift: (raw, request) => raw.replace('"n"', `"read ${request}"`) });
    const lines = [ask(), ask()].flatMap((answer) => answer.lines);
    expect(lines).toEqual(['{"id":1,"message":"read 1"}', '{"id":1,"message":"read 2"}']);
  });

  test('a late event appears, a removed one disappears, and a restored one comes back', () => {
    const from = NOW.getTime();
    const { ask } = start([event(1, { visibleFrom: from }), event(2, { removedAt: from, restoredAt: from + 10 })]);
    expect([-1, 0, 10].map((afterMs) => rows(ask({}, { afterMs })))).toEqual([[2], [1], [1, 2]]);
  });

  test('an event that is put with a known row replaces the older one', () => {
    const { table, ask } = start(five);
    table.put([event(2, { at: NOW.getTime(), raw: '{"id":2,"moved":true}' })]);
    expect(rows(ask())).toEqual([1, 3, 4, 5, 2]);
  });

  test('an event that is older than the retention is not served', () => {
    const oldest = NOW.getTime() - 180 * DAY_MS;
    expect(rows(start([event(1, { at: oldest - 1 }), event(2, { at: oldest })]).ask())).toEqual([2]);
  });

  test('the total counts the events of the range that are visible', () => {
    const { ask } = start([...five, event(6, { visibleFrom: NOW.getTime() + 1 })]);
    expect(text(ask({ limit: '1' }))).toContain('"total":5');
  });
});

describe('cursors', () => {
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
    [{ cursorPlace: 'meta', cursorType: 'string' }, '{"trails":[],"meta":{"nextCursor":"2","total":5}}'],
    [{ cursorPlace: 'top-level', cursorType: 'number' }, '{"trails":[],"nextCursor":2,"meta":{"total":5}}'],
    [
      { cursorPlace: 'both', cursorBase: 2n ** 53n },
      '{"trails":[],"nextCursor":"9007199254740994","meta":{"nextCursor":"9007199254740994","total":5}}',
    ],
  ])('the settings %p write the cursor as %s', (changes, body) => {
    expect(text(start(five, changes).ask({ limit: '1' })).replace(/\[.*\]/, '[]')).toBe(body);
  });

  test.each([
    [null, '{"trails":[]}'],
    ['null', '{"trails":[],"nextCursor":null}'],
    ['""', '{"trails":[],"nextCursor":""}'],
    ['0', '{"trails":[],"nextCursor":0}'],
  ])('the last page has the cursor %p', (cursorEnd, body) => {
    expect(text(start([], { cursorEnd }, 'reality').ask())).toBe(body);
  });
});

describe('refusals', () => {
  test('another API key is refused with the documented 401, and a rotation changes the key', () => {
    const { model, ask } = start(five);
    const refused = ask({}, { key: 'other' });
    expect(refused).toMatchObject({ status: 401, lines: [] });
    expect(JSON.parse(text(refused))).toEqual({ error: { name: 'AuthenticationError', message: expect.any(String) } });
    model.change({ apiKey: 'rotated' });
    expect([ask().status, ask({}, { key: 'rotated' }).status]).toEqual([401, 200]);
  });

  test('another path is not found', () => {
    expect(start([]).ask({}, { path: '/me' }).status).toBe(404);
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
    const since = (ms: number) => ({ since: new Date(NOW.getTime() - 180 * DAY_MS + ms).toISOString() });
    expect([ask(since(-11 * 3_600_000)).status, ask(since(-13 * 3_600_000)).status]).toEqual([200, 400]);
  });

  test.each([
    ['contract', 'string'],
    ['reality', 'object'],
  ] as const)('above the rate limit, the %s shape answers 429 with a %s until the minute is over', (shape, type) => {
    const { ask } = start(five, { rateLimit: { perMinute: 2, retryAfter: 'RetryAfter' } }, shape);
    const [first, second, third, fourth] = [ask(), ask(), ask(), ask({}, { afterMs: 60_000 })] as const;
    expect([first, second, third, fourth].map(({ status }) => status)).toEqual([200, 200, 429, 200]);
    expect(third.headers).toMatchObject({ retryafter: '2' });
    expect(typeof JSON.parse(text(third)).error).toBe(type);
  });
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

  test.each([
    'reset',
    'truncate',
    'hang',
  ] as const)('the lines of an answer with the fault %s do not count as served', (fault) => {
    expect(answerWith(fault)).toMatchObject({ delivery: fault, lines: [], status: 200 });
  });

  test('invalid-json and cut-body make bodies that no parser reads, and invalid-utf8 one that a strict decoder refuses', () => {
    expect(() => JSON.parse(text(answerWith('invalid-json')))).toThrow(SyntaxError);
    expect(() => JSON.parse(text(answerWith('cut-body')))).toThrow(SyntaxError);
    const { body, lines } = answerWith('invalid-utf8');
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(body)).toThrow('not valid');
    expect(JSON.parse(body.toString()).trails[0].message).toBe('\ufffdn');
    expect(lines).toEqual([]);
  });

  test('byte-order-mark stands before a complete body', () => {
    expect([...answerWith('byte-order-mark').body.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x7b]);
  });

  test.each([200, 401, 403, 429, 500] as const)('echo %i repeats the API key', (echo) => {
    const answer = answerWith({ echo });
    expect([answer.status, text(answer)]).toEqual([echo, expect.stringContaining(KEY)]);
    if (echo === 200) expect(() => JSON.parse(text(answer))).toThrow(SyntaxError);
  });

  test('repeat-cursor answers with the cursor of the request', () => {
    expect(cursorOf(text(answerWith('repeat-cursor', { cursor: '3', limit: '2' })))).toBe('3');
    expect(cursorOf(text(answerWith('repeat-cursor', { limit: '2' })))).toBe('1');
  });

  test('empty-page leads to the same events by a new cursor each time', () => {
    const { ask } = start(five, { fault: (request) => (request <= 2 ? 'empty-page' : undefined) });
    const first = ask({ cursor: '2', limit: '2' });
    const second = ask({ cursor: cursorOf(text(first)) ?? '', limit: '2' });
    expect([rows(first), rows(second)]).toEqual([[], []]);
    expect(cursorOf(text(second))).not.toBe(cursorOf(text(first)));
    expect(rows(ask({ cursor: cursorOf(text(second)) ?? '', limit: '2' }))).toEqual([2, 3]);
  });

  test('short-page serves half of the asked limit and a cursor', () => {
    const answer = answerWith('short-page', { limit: '4' });
    expect([rows(answer), cursorOf(text(answer))]).toEqual([[1, 2], '3']);
  });
});
