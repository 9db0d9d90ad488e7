/** What a server can be like: every reading of the contract, and every fault. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, RETRY_AFTER, type SourceSettings } from '../../local/postman/source-settings';
import { PARAMETER, type Scenario, type World } from '../support/scenario';
import { changesNothing } from './unchanged';

const DAY_MS = 86_400_000;

/** Ties over pages, new and late events, and a run that finds nothing: whatever the server is like. */
async function keepsUp({ source, run }: World): Promise<void> {
  source.happen(40, { hoursAgo: 50 });
  source.happen(650, { hoursAgo: 26, tied: true });
  source.happen(30, { hoursAgo: 1 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 720 } });
  source.happen(5);
  source.happen(3, { hoursAgo: 4 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 8 } });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, revisions: 0 } });
}

type Readings = Readonly<Record<string, Partial<SourceSettings>>>;

const readings: Readings = {
  'is like the live service': {},
  'cuts its bounds to their day': { bounds: 'midnight' },
  'compares dates': { bounds: 'date' },
  'leaves out the first instant': { since: 'exclusive' },
  'leaves out both bounds': { since: 'exclusive', until: 'exclusive' },
  'compares dates and leaves out both': { bounds: 'date', since: 'exclusive', until: 'exclusive' },
  'ignores since': { since: 'ignored' },
  'answers newest first, always': { order: 'always-descending' },
  'orders by id': { order: 'by-id' },
  'has a text cursor at the top': { cursorType: 'string', cursorEnd: '""' },
  'has a number cursor in meta': { cursorPlace: 'meta', cursorEnd: 'null' },
  'has the cursor twice': { cursorPlace: 'both' },
  'has number cursors above 2^53': { cursorBase: 2n ** 53n },
  'repeats events from page to page': { overlap: 7 },
  'prints its JSON prettily': { pretty: true },
  'gives small pages whatever is asked': { maxLimit: 9 },
  'is all of that': {
    bounds: 'date',
    since: 'exclusive',
    until: 'exclusive',
    order: 'always-descending',
    cursorPlace: 'both',
    cursorBase: 2n ** 60n,
    overlap: 7,
    pretty: true,
    maxLimit: 50,
  },
};

export const deviations: readonly Scenario[] = [
  { name: 'from a server that keeps to the contract', shape: 'contract', play: keepsUp },
  ...Object.entries(readings).map(([reading, source]) => ({
    name: `from a server that ${reading}`,
    source,
    play: keepsUp,
  })),
];

/** The fault for the first request of each page, in turn; the page itself comes at the second attempt. */
function onceAPage(faults: readonly Fault[]): SourceSettings['fault'] {
  const met = new Set<string>();
  const left = [...faults];
  return (_, { query }) => (met.has(`${query}`) || !met.add(`${query}`) ? undefined : left.shift());
}

const MALFORMED: readonly Fault[] = [
  'invalid-json',
  'invalid-utf8',
  'byte-order-mark',
  'cut-body',
  'truncate',
  ...['', '{}', '[]', '{"trails":{}}', '{"trails":null}', '<html>', '{"trails":[],"nextCursor":[]}'].map((body) => ({
    status: 200,
    body,
  })),
];

/** Nine pages of ten events, in one window. */
const NINE_PAGES = { source: { maxLimit: 10 } };

async function runOverNinePages({ source, run }: World) {
  source.happen(90, { hoursAgo: 30 });
  const ended = await run({ startDate: new Date(Date.now() - 3 * DAY_MS).toISOString() });
  expect(ended).toMatchObject({ outcome: 'archived', counts: { events: 90 } });
  return ended;
}

export const faults: readonly Scenario[] = [
  {
    name: 'a 429 waits as it is told, in every spelling',
    source: { maxLimit: 5 },
    play: async (world) => {
      const spellings = Object.entries(RETRY_AFTER).filter(([name]) => name !== 'Retry-After huge');
      const body = '{"error":"rateLimited","message":"Slow down"}';
      const throttles = spellings.map(([, spell]) => ({ status: 429, body, headers: spell(1, new Date()) }));
      world.source.change({ fault: onceAPage(throttles) });
      const { throttled, durationMs } = await runOverNinePages(world);
      expect(throttled).toBe(spellings.length);
      expect(durationMs).toBeGreaterThan(500 * spellings.length);
    },
  },
  {
    name: 'a 429 that would outlast the run ends it, and so does a used-up quota',
    play: async (world) => {
      const { source, run } = world;
      source.happen(10);
      const headers = RETRY_AFTER['Retry-After huge']();
      source.change({ fault: () => ({ status: 429, headers, body: '{"error":"rateLimited"}' }) });
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'source-throttled' });
        source.change({ fault: () => ({ status: 429, body: '{"error":{"name":"serviceLimitExhausted"}}' }) });
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'source-quota-exhausted' });
      });
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'errors and broken connections, then good answers',
    ...NINE_PAGES,
    play: async (world) => {
      const errors = [500, 502, 503, 504].map((status) => ({ status, body: 'try again' }));
      world.source.change({ fault: onceAPage([...errors, 'reset', 'truncate']) });
      await runOverNinePages(world);
    },
  },
  {
    name: 'errors for ever fail the run and leave the checkpoint where it was',
    play: async (world) => {
      const { source, run } = world;
      source.happen(10, { hoursAgo: 2 });
      await run();
      source.happen(10);
      for (const fault of [{ status: 500, body: '' }, 'reset', 'hang'] as const) {
        source.change({ fault: () => fault });
        await changesNothing(world, async () => {
          expect(await run({ timeoutMs: 7000 })).toMatchObject({ outcome: 'failed', code: 'source-unavailable' });
        });
      }
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'a malformed 200 is asked for again',
    ...NINE_PAGES,
    play: async (world) => {
      const event = { maxLimit: 5 };
      world.source.change({ ...event, fault: onceAPage(MALFORMED) });
      await runOverNinePages(world);
    },
  },
  {
    name: 'malformed 200s for ever fail the run, and nothing is committed',
    play: async (world) => {
      const { source, run } = world;
      source.happen(10);
      await changesNothing(world, async () => {
        for (const fault of ['invalid-utf8', { status: 200, body: '{}' }] as const) {
          source.change({ fault: () => fault });
          expect(await run()).toMatchObject({ outcome: 'failed', code: 'source-contract-broken' });
        }
      });
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'empty and short pages with a cursor are no end',
    ...NINE_PAGES,
    play: async (world) => {
      world.source.change({ fault: (request) => (['empty-page', 'short-page', undefined] as const)[request % 3] });
      await runOverNinePages(world);
    },
  },
  {
    name: 'a cursor that repeats is a loop: the run fails, and the next one goes on',
    ...NINE_PAGES,
    play: async (world) => {
      const { source, run } = world;
      source.happen(40, { hoursAgo: 20 });
      source.change({ fault: () => 'repeat-cursor' });
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'source-cursor-loop' });
      });
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 40 } });
    },
  },
  {
    name: 'a cursor that expires on the way restarts its window',
    ...NINE_PAGES,
    play: async (world) => {
      const expired = [{ status: 410, body: '{"error":{"name":"cursorExpired"}}' }];
      const once = onceAPage(expired);
      world.source.change({
        fault: (request, asked) => (asked.query.has('cursor') ? once?.(request, asked) : undefined),
      });
      await runOverNinePages(world);
    },
  },
  {
    name: 'a redirect is not followed: the key goes nowhere else',
    play: async (world) => {
      const { source, run } = world;
      source.happen(10);
      let visits = 0;
      const elsewhere = createServer((_, response) => {
        visits += 1;
        response.end('{"trails":[]}');
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
      const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/audit/logs`;
      source.change({ fault: () => ({ status: 302, headers: { location } }) });
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'source-redirected' });
      });
      elsewhere.close();
      expect(visits).toBe(0);
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived' });
    },
  },
  {
    name: 'a rotated key is read afresh, between two runs and between two pages',
    ...NINE_PAGES,
    play: async (world) => {
      const { source, owner, calls, run } = world;
      const keyReads = () => calls.filter(({ name }) => name === 'GetParameter').length;
      await runOverNinePages(world);
      await owner.putKey(PARAMETER, 'PMAK-canary-second');
      source.change({ apiKey: 'PMAK-canary-second' });
      expect(await run()).toMatchObject({ outcome: 'archived' });
      expect(keyReads()).toBe(2);

      source.happen(25);
      await owner.putKey(PARAMETER, 'PMAK-canary-third');
      const rotate = (_: number, { query }: { query: URLSearchParams }) => {
        if (query.has('cursor')) source.change({ apiKey: 'PMAK-canary-third' });
        return undefined;
      };
      source.change({ fault: rotate });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 25 } });
      expect(keyReads()).toBe(3);
    },
  },
  {
    name: 'a key that is refused for good, missing or malformed fails the run by the name of its parameter',
    play: async (world) => {
      const { source, owner, run } = world;
      source.happen(10);
      source.change({ apiKey: 'PMAK-canary-another' });
      const detail = expect.stringContaining(PARAMETER);
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'api-key-refused', detail });
        expect(await run({ apiKeyParameter: '/none' })).toMatchObject({ code: 'api-key-unreadable' });
        await owner.putKey(PARAMETER, 'PMAK-canary-another\n');
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'api-key-malformed', detail });
      });
      await owner.putKey(PARAMETER, 'PMAK-canary-another');
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'a server that echoes the request’s headers, in every status and in headers of its own',
    play: async (world) => {
      const { source, run } = world;
      source.happen(10);
      const codes = { 200: 'source-contract-broken', 401: 'api-key-refused', 403: 'api-key-refused' };
      await changesNothing(world, async () => {
        for (const echo of [200, 401, 403, 429, 500] as const) {
          source.change({ fault: () => ({ echo }) });
          const ended = await run({ timeoutMs: 8000 });
          expect(ended).toMatchObject({
            outcome: 'failed',
            code: { 429: 'source-throttled', 500: 'source-unavailable', ...codes }[echo],
          });
        }
        for (const status of [302, 400, 404, 409]) {
          source.change({
            fault: (_, { headers }) => ({
              status,
              headers: { 'x-echo': String(headers['x-api-key']), 'retry-after': String(headers['x-api-key']) },
              body: JSON.stringify(headers),
            }),
          });
          expect(await run()).toMatchObject({ outcome: 'failed' });
        }
      });
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
    },
  },
  {
    name: 'a deadline in mid-walk leaves a complete prefix, and the next run goes on from there',
    ...NINE_PAGES,
    environment: { maxRequestsPerMinute: 60 },
    play: async (world) => {
      const { source, run, another } = world;
      const startDate = new Date(Date.now() - 3 * DAY_MS).toISOString();
      source.happen(90, { hoursAgo: 30 });
      // Warm, so that the time is spent on pages.
      expect(await run({ baseUrl: 'nowhere' })).toMatchObject({ outcome: 'failed', code: 'input-invalid' });
      const cut = await run({ startDate, timeoutMs: 8000 });
      expect(cut).toMatchObject({ outcome: 'archived', manifests: 1 });
      const { events = 0 } = cut.counts ?? {};
      expect(events).toBeGreaterThan(0);
      expect(events).toBeLessThan(90);
      await changesNothing(world, async () => {
        expect(await run({ timeoutMs: 3000 })).toMatchObject({ outcome: 'failed', code: 'out-of-time' });
      });
      const whole = await (await another({ maxRequestsPerMinute: 100_000 })).run();
      expect(whole).toMatchObject({ outcome: 'archived', counts: { events: 90 - events } });
    },
  },
  {
    name: 'a source that keeps less than it is said to: the oldest that it accepts is found',
    source: { retentionDays: 90 },
    play: async ({ source, run }) => {
      source.happen(5, { hoursAgo: 24 * 100 });
      source.happen(5, { hoursAgo: 24 * 89 });
      source.happen(5);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 }, gaps: 0 });
      source.happen(5);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 5 } });
    },
  },
  {
    name: 'a start date older than what the source keeps is a recorded gap',
    play: async ({ source, run }) => {
      source.happen(5, { hoursAgo: 24 * 100 });
      const startDate = new Date(Date.now() - 400 * DAY_MS).toISOString();
      expect(await run({ startDate })).toMatchObject({ outcome: 'archived', counts: { events: 5 }, gaps: 1 });
    },
  },
];
