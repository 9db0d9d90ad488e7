/** Single answers of the model. Walks under every combination of the settings are in source-model.property.test.ts. */
import { DAY_MS } from '../../../lambdas/shared/time';
import { answerAsSource, type SourceAnswer } from '../../../local/postman/source-model';
import { LIVE_SERVICE, type SourceSettings } from '../../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { cursorOf, trailsOf } from '../../support/naive-client';

const KEY = 'PMAK-of-this-test';
const now = Date.parse('2026-06-30T12:00:00Z');

function event(row: number, more: Partial<SourceEvent> = {}): SourceEvent {
  return { row, at: now - DAY_MS + row * 1000, raw: `{"id":${row},"message":"n"}`, ...more };
}

function start(events: readonly SourceEvent[], changes: Partial<SourceSettings> = {}) {
  const table = createTable(events);
  const settings = { ...LIVE_SERVICE, apiKey: KEY, ...changes };
  function ask(query: Record<string, string> = {}, afterMs = 0): SourceAnswer {
    const asked = { query: new URLSearchParams({ orderBy: 'asc', ...query }), headers: { 'x-api-key': KEY } };
    return answerAsSource({ path: '/audit/logs', ...asked }, { table, settings, now: new Date(now + afterMs) });
  }
  return { table, ask };
}

const text = ({ body }: SourceAnswer): string => String(body);
const rows = (answer: SourceAnswer): number[] => trailsOf(text(answer)).map((raw) => JSON.parse(raw).id);
const five = [1, 2, 3, 4, 5].map((row) => event(row));

test('every odd event is served byte for byte', () => {
  const raws = ODD_EVENTS.map(({ raw }, row) => raw(String(row), now));
  expect(text(start(raws.map((raw, row) => event(row, { raw }))).ask())).toBe(`{"trails":[${raws.join(',')}]}`);
});

test('a late event appears, a removed one disappears, a restored one comes back, and an edited one has its new text', () => {
  const { ask } = start([
    event(1, { visibleFrom: now }),
    event(2, { removedAt: now, restoredAt: now + 10 }),
    event(3, { later: [0, 5].map((ms) => ({ from: now + ms, raw: `{"id":3${ms}}` })) }),
  ]);
  expect([-1, 0, 4, 5, 10].map((afterMs) => rows(ask({}, afterMs)))).toEqual([
    [2, 3],
    [1, 30],
    [1, 30],
    [1, 35],
    [1, 2, 35],
  ]);
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
  [{ cursorPlace: 'meta', cursorType: 'string' }, '"meta":{"nextCursor":"3"}'],
  [{ cursorPlace: 'top-level', cursorBase: 2n ** 53n }, '"nextCursor":9007199254740995'],
  [{ cursorPlace: 'both' }, '"nextCursor":3,"meta":{"nextCursor":3}'],
  [{ cursorEnd: 'null', maxLimit: 3 }, '"nextCursor":null'],
])('with the settings %p the server writes the cursor as %s', (changes, fields) => {
  const answer = start(five.slice(0, 3), { maxLimit: 2, ...changes }).ask();
  expect(text(answer).replace(/^.*\],|\}$/g, '')).toBe(fields);
});

test.each([
  ['a date before the retention', { since: '2025-12-01T00:00:00Z' }, 'since cannot be older than 180 days'],
  ['a limit above 300', { limit: '301' }, 'limit must be'],
  ['a limit of 0', { limit: '0' }, 'limit must be'],
  ['a date without a time', { since: '2026-06-01' }, 'since and until must be'],
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
