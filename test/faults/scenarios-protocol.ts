/** Scenarios of the ways in which a source may read its contract, and of all that can go wrong between it and us. */

import type { HttpResponse } from '../../lambdas/shared/ports';
import type { Fault, SourceSettings } from '../support/test-source';
import { CANARY_KEY, DAY, event, HOUR, MINUTE, SECOND, series } from './events';
import type { Scenario } from './scenario';
import { daysBefore, NOON, new5, ONE, outage, scenario, steady, twoPerBatch } from './steady';
import type { World } from './world';

/** In the order in which they become visible, because a source hands out ids in that order. One of them is late. */
const byId = [
  ...series(200, NOON + 10 * MINUTE, 2, MINUTE),
  event(210, NOON - HOUR, { visibleFrom: NOON + 12 * MINUTE }),
  ...series(220, NOON + 13 * MINUTE, 3, MINUTE),
];

const exclusive = { since: 'exclusive', until: 'exclusive' } as const;
const throttled = { status: 429, headers: { 'retry-after': '3' }, body: '{"error":"rateLimited"}' };
const exhausted = { status: 429, body: '{"error":{"name":"serviceLimitExhausted"}}' };
const redirected = { status: 302, headers: { location: 'https://elsewhere.example/' } };

const rotated = [
  { from: 0, key: `${CANARY_KEY}-old` },
  { from: ONE + SECOND / 2, key: `${CANARY_KEY}-new` },
];

/** Several pages of two from a source with these settings. */
function reading(name: string, source: Partial<SourceSettings>, changes: Partial<Scenario> = {}): Scenario {
  return scenario(name, { more: new5, settings: twoPerBatch, ...changes, source: { maxLimit: 2, ...source } });
}

/** The same after an outage of three days, which is longer than the lookback. */
function backlog(name: string, source: Partial<SourceSettings>): Scenario {
  const events = [...steady, ...series(200, NOON + 5 * HOUR, 7, 10 * HOUR)];
  return reading(name, source, { events, history: outage(3 * DAY), afterwards });
}

/** A source that answers the requests with these numbers with a fault, and all others correctly. */
function passing(name: string, fault: Fault, ...requests: readonly number[]): Scenario {
  return reading(name, { fault: (request) => (requests.includes(request) ? fault : undefined) }, { afterwards });
}

/** A source that answers every request but the first with a fault until the clean run. */
function lasting(name: string, fault: Fault, code: string): Scenario {
  return reading(name, { fault: (request) => (request > 1 ? fault : undefined) }, { fails: code, afterwards });
}

function atEverySecond(fault: Fault): Partial<SourceSettings> {
  return { fault: (request) => (request % 2 ? fault : undefined) };
}

function afterwards({ changeSource }: World): void {
  changeSource({ fault: null });
}

/** Every second answer comes from a server whose clock is two seconds behind. Every third has no date. */
function clocksApart(answer: HttpResponse, number: number): HttpResponse {
  const headers = new Map(answer.headers);
  const date = Date.parse(headers.get('date') ?? '');
  if (number % 2 === 0) headers.set('date', new Date(date - 2 * SECOND).toUTCString());
  if (number % 3 === 0) headers.delete('date');
  return { ...answer, headers };
}

export const protocolScenarios: readonly Scenario[] = [
  reading('the source cuts bounds to midnight', { bounds: 'midnight' }),
  reading('the source cuts bounds to dates and excludes both', { bounds: 'date', ...exclusive }),
  reading('the source excludes both bounds', exclusive),
  reading('the source ignores since', { since: 'ignored' }),
  reading('the source always sorts descending', { order: 'always-descending' }),
  reading(
    'the source always sorts descending, and the last events share an instant',
    { order: 'always-descending' },
    { events: [...steady, ...series(200, NOON + 10 * MINUTE, 2, MINUTE), ...series(300, NOON + 20 * MINUTE, 5, 0)] },
  ),
  reading('the source sends the newest page first', { order: 'descending-pages' }),
  backlog('the source sends the newest page of a backlog first', { order: 'descending-pages' }),
  reading('the source sorts by id', { order: 'by-id' }, { events: [...steady, ...byId] }),
  scenario('the source sorts by id, and one event is dated in the future', {
    source: { maxLimit: 2, order: 'by-id' },
    settings: { ...twoPerBatch, lookbackHours: 0 },
    more: [
      event(103, NOON - MINUTE),
      event(130, NOON + 5 * HOUR),
      event(140, NOON + 6 * HOUR),
      event(150, NOON + 3 * DAY + 10 * HOUR, { visibleFrom: NOON + 7 * HOUR }),
      ...series(200, NOON + 8 * HOUR, 5, MINUTE),
    ],
    history: outage(3 * DAY),
  }),
  backlog('the source always sorts a backlog descending', { order: 'always-descending' }),
  backlog('every second connection is reset during a backlog', atEverySecond('reset')),
  backlog('every second body is cut off during a backlog', atEverySecond('cut-body')),
  reading('two pages hold the same event', { overlap: 1 }),
  reading('two pages of one batch hold the same event', { overlap: 1 }, { settings: {} }),
  reading('the cursor is a string in meta', { cursorPlace: 'meta', cursorType: 'string' }),
  reading('the cursor stands at both places and exceeds 2^53', { cursorPlace: 'both', cursorBase: 2n ** 60n }),
  reading('the last cursor is null, and the JSON is pretty-printed', { cursorEnd: 'null', pretty: true }),
  reading('the last cursor is empty', { cursorEnd: '""' }),
  passing('short pages have a cursor', 'short-page', 1, 2),
  passing('empty pages have a cursor', 'empty-page', 1, 2, 4),
  reading(
    'the cursor expires',
    { fault: (request, { query }) => (request === 2 && query.has('cursor') ? { status: 410 } : undefined) },
    { afterwards },
  ),
  passing('the source throttles some requests', throttled, 2, 3),
  passing('the source answers some requests with server errors', { status: 503 }, 1, 2, 4),
  passing('the connection is reset', 'reset', 2, 3),
  passing('the response is cut off', 'truncate', 1, 3),
  passing('the source does not answer', 'hang', 2),
  passing('the body is cut off', 'cut-body', 1, 2),
  passing('the body is malformed JSON', 'invalid-json', 2),
  passing('the body is not UTF-8', 'invalid-utf8', 2),
  passing('an error echoes the request', { echo: 500 }, 1, 2),
  lasting('every answer is malformed', { echo: 200 }, 'source-contract-broken'),
  lasting('every answer breaks the contract', { status: 200, body: '{"events":[]}' }, 'source-contract-broken'),
  lasting('every answer is a server error', { status: 500 }, 'source-unavailable'),
  lasting('the source throttles every request', { echo: 429 }, 'source-throttled'),
  lasting('the quota is exhausted', exhausted, 'source-quota-exhausted'),
  lasting('the API key is refused', { echo: 401 }, 'api-key-refused'),
  lasting('the source redirects to another host', redirected, 'source-redirected'),
  lasting('the cursor repeats', 'repeat-cursor', 'source-cursor-loop'),
  reading('the API key is rotated between two pages', {}, { keys: rotated }),
  reading(
    'the clocks of the servers differ',
    { maxLimit: 300 },
    { mangle: clocksApart, input: { startDate: daysBefore(3) } },
  ),
  reading('a page does not fit into memory', { maxLimit: 300 }, { maxBodyBytes: 700, settings: {} }),
];
