/** Stories of the source: what it serves, and what goes wrong between it and the archiver. */

import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR_MS } from '../../lambdas/shared/time';
import type { Ended } from '../support/lambda';
import { RETRY_AFTER } from '../support/retry-after';
import { PARAMETER, type Story, type World } from '../support/scenario';
import type { Fault, SourceSettings } from '../support/test-source';
import { changesNothing } from './unchanged';

/** Ties over several pages, new events, late events, and a run in a cold process that finds nothing new. */
async function keepsUp({ source, run, another }: World): Promise<void> {
  source.happen(40, { hoursAgo: 24 * 100 });
  source.happen(650, { hoursAgo: 26, tied: true });
  source.happen(30, { hoursAgo: 1 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 720 } });
  source.happen(5);
  source.happen(3, { hoursAgo: 0.2 });
  expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 8 } });
  const cold = await another();
  expect(await cold.run()).toMatchObject({ outcome: 'archived', counts: { events: 0, revisions: 0 } });
}

/** Most switches of the source server at once. The fault world plays them one by one. */
const AWKWARD: Partial<SourceSettings> = {
  bounds: 'date',
  since: 'exclusive',
  until: 'exclusive',
  order: 'always-descending',
  cursorPlace: 'both',
  cursorBase: 2n ** 60n,
  overlap: 7,
  pretty: true,
  maxLimit: 50,
};

const backfill = 'the first run archives all that the source keeps, and the next ones what is new and late';

export const sourceStories: readonly Story[] = [
  { name: `${backfill}: from a server like the live service`, play: keepsUp },
  { name: `${backfill}: from a server that keeps to the contract`, shape: 'contract', play: keepsUp },
  { name: `${backfill}: from a server that reads the contract in its own way`, source: AWKWARD, play: keepsUp },
  {
    name: 'the first 180 days of a large team take several runs, and the summary of each tells how far it has come',
    source: { maxLimit: 10 },
    play: async ({ source, run, meddle }) => {
      for (let day = 179; day > 0; day -= 1) source.happen(3, { hoursAgo: 24 * day });
      meddle({ before: ({ service }) => (service === 'source' ? sleep(300, undefined) : undefined) });
      const told: Ended[] = [];
      do {
        told.push(await run({ timeoutMs: 12_000 }));
        // If the run fails, the assertion prints the code and the detail of the failure.
        expect({ code: 'none', detail: 'none', ...told.at(-1) }).toMatchObject({
          outcome: 'archived',
          gaps: 0,
          code: 'none',
          detail: 'none',
        });
      } while (Date.parse(told.at(-1)?.position ?? '') < Date.now() - HOUR_MS);
      const positions = told.map(({ position }) => position ?? '');
      expect(positions.length).toBeGreaterThan(2);
      expect(positions).toEqual([...new Set(positions)].sort());
      expect(told.reduce((sum, { counts }) => sum + (counts?.events ?? 0), 0)).toBe(537);
    },
  },
  {
    name: 'each text is archived byte for byte, and what is unfit is quarantined once for each reason',
    play: async ({ source, run }) => {
      const at = Math.floor((Date.now() - HOUR_MS) / 1000) * 1000;
      const timestamp = new Date(at).toISOString();
      source.put(hostileTexts(timestamp).map((raw, row) => ({ row, at, raw })));
      source.misbehave(...unfitTexts(timestamp));
      for (const { raw } of source.happen(1, { bytes: 17 * 2 ** 20 })) source.unfit.add(raw);
      const small = source.happen(1);
      const none = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 };
      const all = { 'no-id': 3, 'bad-timestamp': 3, 'out-of-range': 2, oversize: 1, revision: 0 };
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 9, quarantined: all } });
      for (const event of small) source.edit(event);
      for (const quarantined of [{ ...none, revision: 1 }, none]) {
        expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, quarantined } });
      }
    },
  },
  {
    name: 'a page is asked for again after an error, a malformed body, or a 429 of any spelling',
    source: { maxLimit: 5 },
    play: async ({ source, run }) => {
      const spellings = Object.entries(RETRY_AFTER).filter(([name]) => name !== 'Retry-After huge');
      const throttles = spellings.map(([, spell]) => ({ status: 429, body: '', headers: spell(1, new Date()) }));
      // The throttled answers come last, so that their number shows that the run has met all others.
      source.change({ fault: onceAPage([...BROKEN_ANSWERS, ...throttles]) });
      source.happen(180, { hoursAgo: 30 });
      const counts = { events: 180 };
      expect(await run()).toMatchObject({ outcome: 'archived', throttled: spellings.length, counts });
    },
  },
  {
    name: 'a source that keeps failing makes the run fail with a code, and changes neither archive nor checkpoint',
    source: { maxLimit: 10 },
    play: async (world) => {
      const { source, run, meddle } = world;
      source.happen(40, { hoursAgo: 2 });
      await run();
      source.happen(40);
      await changesNothing(world, async () => {
        for (const [code, lose] of LOST_ANSWERS) {
          meddle({ before: ({ service }) => (service === 'source' ? lose() : undefined) });
          expect(await run({ timeoutMs: 8000 })).toMatchObject({ outcome: 'failed', code });
        }
        meddle({});
        for (const [code, fault] of LASTING_FAULTS) {
          source.change({ fault: () => fault });
          expect(await run({ timeoutMs: 8000 })).toMatchObject({ outcome: 'failed', code });
        }
        expect(await run({ timeoutMs: 3000 })).toMatchObject({ outcome: 'failed', code: 'out-of-time' });
      });
      source.change({ fault: null });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 40 } });
    },
  },
  {
    name: 'a rotated key is read again, between two runs and between two pages',
    source: { maxLimit: 10 },
    play: async ({ source, owner, calls, run }) => {
      const keyReads = () => calls.filter(({ name }) => name === 'GetParameter').length;
      source.happen(5);
      await run();
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
    name: 'before a key is stored nothing is archived or fails, and a key that is refused, malformed or gone fails the run',
    play: async (world) => {
      const { source, owner, run, configure } = world;
      source.happen(10);
      source.change({ apiKey: 'PMAK-canary-another' });
      const detail = expect.stringContaining(PARAMETER);
      await changesNothing(world, async () => {
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'api-key-refused', detail });
        configure({ apiKeyParameter: '/none' });
        expect(await run()).toMatchObject({ outcome: 'not-configured', detail: expect.stringContaining('/none') });
        configure({});
        await owner.putKey(PARAMETER, 'PMAK-canary-another\n');
        expect(await run()).toMatchObject({ outcome: 'failed', code: 'api-key-malformed', detail });
      });
      await owner.putKey(PARAMETER, 'PMAK-canary-another');
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 10 } });
      configure({ apiKeyParameter: '/none' });
      await changesNothing(world, async () => {
        const gone = { code: 'api-key-unreadable', detail: expect.stringContaining('"/none"') };
        expect(await run()).toMatchObject({ outcome: 'failed', ...gone });
      });
    },
  },
];

/** Ids that differ in the last digit beyond 2^53, and texts that no serialiser would write in the same way again. */
function hostileTexts(timestamp: string): string[] {
  return [
    `{"id":9007199254740992,"timestamp":"${timestamp}","n":[9007199254740993,1e400,1.0,-0,1E+2]}`,
    `{"id":9007199254740993,"timestamp":"${timestamp}","a":1,"a":2,"A":3,"__proto__":{},"10":1,"2":2}`,
    `{"id":"01","timestamp":"${timestamp}","t":"\\ud800 \\u0000 \\u2028 \u2028 \\n \\/ ../../etc/passwd"}`,
    `{"id":1,"timestamp":"${timestamp}","deep":${'['.repeat(100)}${']'.repeat(100)}}`,
    ...[3, 4, 5].map((id) => `{"id":${id},"timestamp":"${timestamp}"}`),
    `{"id":2,"timestamp":"${timestamp.slice(0, 19)}+05:30","data":{"variables":"{\\"users\\":[]}"}}`,
  ];
}

function unfitTexts(timestamp: string): string[] {
  return [
    `{"timestamp":"${timestamp}","action":"no id"}`,
    `{"id":null,"timestamp":"${timestamp}"}`,
    `{"id":"","timestamp":"${timestamp}"}`,
    '{"id":101}',
    '{"id":102,"timestamp":"last Tuesday"}',
    `{"id":103,"timestamp":"${timestamp.slice(0, 17)}60.000Z"}`,
    '{"id":104,"timestamp":"1970-01-01T00:00:00.000Z"}',
    '{"id":105,"timestamp":"9999-12-31T23:59:59.000Z"}',
  ];
}

/** Breaks the first request for each page in turn; the page itself comes at the second request. */
function onceAPage(faults: readonly Fault[]): SourceSettings['fault'] {
  const met = new Set<string>();
  const left = [...faults];
  return (_, { query }) => (met.has(`${query}`) || !met.add(`${query}`) ? undefined : left.shift());
}

const BROKEN_ANSWERS: readonly Fault[] = [
  ...[500, 502, 503, 504].map((status) => ({ status, body: 'try again' })),
  ...(['cut-body', 'invalid-json', 'invalid-utf8', 'byte-order-mark'] as const),
  ...['', '{}', '{"trails":null}', '<html>', '{"trails":[],"nextCursor":[]}'].map((body) => ({ status: 200, body })),
];

const LOST_ANSWERS = [
  ['source-unavailable', () => 'reset' as const],
  // This answer never arrives, so the end of the run ends the request.
  ['out-of-time', () => new Promise<never>(() => undefined)],
] as const;

const LASTING_FAULTS: readonly (readonly [code: string, fault: Fault])[] = [
  ['source-unavailable', { status: 500, body: '' }],
  ['source-contract-broken', 'invalid-utf8'],
  ['source-cursor-loop', 'repeat-cursor'],
  ['source-throttled', { status: 429, headers: RETRY_AFTER['Retry-After huge']() }],
  ['source-quota-exhausted', { status: 429, body: '{"error":{"name":"serviceLimitExhausted"}}' }],
  ['source-redirected', { status: 302, headers: { location: 'https://elsewhere.test/audit/logs' } }],
  // These answers hold the headers of the request and so the API key, which the oracle looks for in the log.
  ['source-contract-broken', { echo: 200 }],
  ['api-key-refused', { echo: 401 }],
  ['api-key-refused', { echo: 403 }],
  ['source-throttled', { echo: 429 }],
  ['source-unavailable', { echo: 500 }],
];
