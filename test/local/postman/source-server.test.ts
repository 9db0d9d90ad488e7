import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContractCheck } from '../../../local/postman/contract-check';
import { createSourceModel } from '../../../local/postman/source-model';
import {
  type Exchange,
  type SourceServer,
  type SourceServerOptions,
  startSourceServer,
} from '../../../local/postman/source-server';
import { type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable } from '../../../local/postman/source-table';
import { createSourceTeam } from '../../../local/postman/source-team';
import { minified, walk } from '../../support/naive-client';

const KEY = 'PMAK-over-http';
const NOW = new Date('2026-06-30T12:00:00Z');
const RANGE = { since: '2026-06-21T00:00:00Z', until: '2026-06-29T00:00:00.000Z' };
const events = {
  contract: createSourceTeam({ seed: 3, anchor: NOW, days: 10, shape: 'contract' }).playTo(NOW),
  reality: createSourceTeam({ seed: 3, anchor: NOW, days: 10 }).playTo(NOW),
};
const servers: SourceServer[] = [];

async function start(
  shape: SourceSettings['shape'] = 'reality',
  changes: Partial<SourceSettings> = {},
  options: Partial<SourceServerOptions> = {},
) {
  const model = createSourceModel(createTable(events[shape]), sourceSettings(shape, KEY, changes));
  const server = await startSourceServer(model, { now: () => NOW, ...options });
  servers.push(server);
  const get = (query: Record<string, string> = {}, path = '/audit/logs') => {
    return fetch(`${server.url}${path}?${new URLSearchParams(query)}`, {
      headers: { 'x-api-key': KEY },
      redirect: 'manual',
    });
  };
  const all = (query: Record<string, string> = RANGE) =>
    walk(async (parameters) => (await get(parameters)).text(), { limit: '300', orderBy: 'asc', ...query });
  return { server, model, get, all };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const visible = (shape: SourceSettings['shape'], from: number, to: number) =>
  events[shape]
    .filter(({ at, visibleFrom }) => (at ?? 0) >= from && (at ?? 0) < to && (visibleFrom ?? 0) <= NOW.getTime())
    .map(({ raw }) => raw);

describe('a walk over HTTP', () => {
  test.each([
    'contract',
    'reality',
  ] as const)('in the %s shape serves the range verbatim, and nothing breaks the contract', async (shape) => {
    const { server, all } = await start(shape, {}, { check: createContractCheck(shape) });
    const walked = await all();
    expect([...walked.events].sort()).toEqual(
      visible(shape, Date.parse(RANGE.since), Date.parse(RANGE.until) + 1).sort(),
    );
    expect(walked.pages).toBe(Math.ceil(walked.events.length / 300));
    expect(server.violations()).toEqual([]);
    expect(server.servedLines()).toEqual(walked.events);
  });

  const places = (['meta', 'top-level', 'both'] as const).flatMap((cursorPlace) =>
    (['string', 'number'] as const).flatMap((cursorType) =>
      [0n, 2n ** 53n].map((cursorBase) => ({ cursorPlace, cursorType, cursorBase, pretty: cursorType === 'number' })),
    ),
  );
  const readings = (['time', 'midnight', 'date'] as const).flatMap((bounds) =>
    (['inclusive', 'exclusive', 'ignored'] as const).flatMap((since) =>
      (['inclusive', 'exclusive'] as const).flatMap((until) =>
        (['honoured', 'always-descending', 'descending-pages', 'by-id'] as const).map((order) => ({
          bounds,
          since,
          until,
          order,
        })),
      ),
    ),
  );

  test('returns every event in range at least once wherever the cursor stands and whatever its type', async () => {
    const wanted = visible('reality', Date.parse(RANGE.since), Date.parse(RANGE.until) + 1).sort();
    for (const changes of places) {
      const { all } = await start('reality', changes);
      expect((await all()).events.map(minified).sort()).toEqual(wanted);
    }
  });

  test('asked a day wider on both sides, returns every event in range under every reading of bounds and order', async () => {
    const wanted = visible('reality', Date.parse(RANGE.since) + 86_400_000, Date.parse(RANGE.until) - 86_400_000);
    expect(wanted.length).toBeGreaterThan(800);
    for (const changes of readings) {
      const { all } = await start('reality', changes);
      const served = new Set((await all()).events);
      expect(wanted.filter((raw) => !served.has(raw))).toEqual([]);
    }
  });
});

describe('the server', () => {
  test('tells its clock in the Date header, and each exchange to its observer, without headers', async () => {
    const seen: Exchange[] = [];
    const { get } = await start('reality', {}, { observe: (exchange) => seen.push(exchange) });
    const response = await get({ limit: '7' });
    expect(response.headers.get('date')).toBe('Tue, 30 Jun 2026 12:00:00 GMT');
    expect(seen).toMatchObject([{ method: 'GET', path: '/audit/logs', status: 200, delivery: 'whole', lines: 7 }]);
    expect(seen[0]?.query.get('limit')).toBe('7');
    expect(JSON.stringify(seen)).not.toContain(KEY);
  });

  test('refuses another method', async () => {
    const { server } = await start();
    expect((await fetch(`${server.url}/audit/logs`, { method: 'POST' })).status).toBe(405);
  });

  test('says which request and which answer broke the contract, but forgives injected faults', async () => {
    const fault = (request: number) => (request === 1 ? ({ status: 500, body: '<html>' } as const) : undefined);
    const { server, get } = await start(
      'contract',
      { fault, cursorType: 'number' },
      { check: createContractCheck('contract') },
    );
    await get(RANGE);
    expect(server.violations()).toEqual([]);
    await get({ since: 'yesterday' });
    await get({ ...RANGE, limit: '5' });
    expect(server.violations()).toEqual([
      'query/since: must match format "date-time"',
      'answer 200/meta/nextCursor: must be string',
    ]);
  });

  test('resets, cuts short, hangs and redirects where the fault says so, and counts none of it as served', async () => {
    const faults = [
      'reset',
      'truncate',
      'hang',
      { status: 307, headers: { location: 'http://127.0.0.1:1/' } },
    ] as const;
    const { server, get } = await start('reality', { fault: (request) => faults[request - 1] });
    await expect(get()).rejects.toThrow('fetch failed');
    await expect(get().then((response) => response.text())).rejects.toThrow('terminated');
    const hung = fetch(`${server.url}/audit/logs`, { signal: AbortSignal.timeout(300) });
    await expect(hung).rejects.toThrow('aborted due to timeout');
    expect((await get()).status).toBe(307);
    expect(server.servedLines()).toEqual([]);
    expect((await get()).status).toBe(200);
  });
});

describe('the record of served lines', () => {
  test('holds each distinct text once, minified, and survives the process in its file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'served-'));
    const served = join(folder, 'served.ndjson');
    const first = await start('reality', { pretty: true }, { served });
    await first.all();
    const { events: texts } = await first.all();
    expect(readFileSync(served, 'utf8')).toBe(texts.map((text) => `${minified(text)}\n`).join(''));

    const second = await start('reality', { drift: (raw) => raw.replace('{', '{"seen":2,') }, { served });
    await second.get({ limit: '3' });
    expect(second.server.servedLines()).toHaveLength(texts.length + 3);
    expect(readFileSync(served, 'utf8').split('\n')).toHaveLength(texts.length + 3 + 1);
    rmSync(folder, { recursive: true });
  });

  test('is not kept where it is switched off', async () => {
    const { server, get } = await start('reality', {}, { served: false });
    expect((await get()).status).toBe(200);
    expect(server.servedLines()).toEqual([]);
  });
});
