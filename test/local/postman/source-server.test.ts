import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSourceModel } from '../../../local/postman/source-model';
import { type SourceServer, type SourceServerOptions, startSourceServer } from '../../../local/postman/source-server';
import { type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable } from '../../../local/postman/source-table';
import { createSourceTeam } from '../../../local/postman/source-team';
import { minified, walk } from '../../support/naive-client';

const headers = { 'x-api-key': 'PMAK-over-http' };
const NOW = new Date('2026-06-30T12:00:00Z');
const table = createTable(createSourceTeam({ seed: 3, anchor: NOW, days: 10 }).playTo(NOW));
const servers: SourceServer[] = [];

async function start(settings: Partial<SourceSettings> = {}, options: Pick<SourceServerOptions, 'served'> = {}) {
  const model = createSourceModel(table, sourceSettings('reality', headers['x-api-key'], settings));
  const server = await startSourceServer(model, { now: () => NOW, ...options });
  servers.push(server);
  const url = `${server.url}/audit/logs`;
  const get = (query: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`${url}?${new URLSearchParams(query)}`, { headers, redirect: 'manual', ...init });
  const since = '2026-06-21T00:00:00Z';
  const all = () => walk(async (query) => (await get(query)).text(), { since, limit: '300', orderBy: 'asc' });
  return { server, get, all };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

test('the server refuses another API key, and every method but GET', async () => {
  const { server, get } = await start();
  expect((await get({}, { headers: { 'x-api-key': 'PMAK-other' } })).status).toBe(401);
  expect((await get({}, { method: 'POST' })).status).toBe(405);
  expect(server.servedLines()).toEqual([]);
});

test('an answer that a fault resets, cuts short, withholds or redirects does not count as served', async () => {
  const redirect = { status: 307, headers: { location: 'http://127.0.0.1:1/' } } as const;
  const faults = ['reset', 'truncate', 'hang', redirect] as const;
  const { server, get } = await start({ fault: (request) => faults[request - 1] });
  await expect(get()).rejects.toThrow('fetch failed');
  await expect(get().then((response) => response.text())).rejects.toThrow('terminated');
  await expect(get({}, { signal: AbortSignal.timeout(300) })).rejects.toThrow('aborted due to timeout');
  expect((await get()).status).toBe(307);
  expect(server.servedLines()).toEqual([]);
  expect((await get()).status).toBe(200);
});

test('the file of served lines holds each distinct text once as the table holds it, and the next server goes on with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'served-'));
  const served = join(folder, 'served.ndjson');
  const first = await start({ pretty: true }, { served });
  await first.all();
  const { events: texts } = await first.all();
  expect(readFileSync(served, 'utf8')).toBe(texts.map((text) => `${minified(text)}\n`).join(''));

  const second = await start({ drift: (raw) => raw.replace('{', '{"seen":2,') }, { served });
  await second.get({ limit: '3' });
  expect(second.server.servedLines()).toHaveLength(texts.length + 3);
  expect(readFileSync(served, 'utf8').split('\n')).toHaveLength(texts.length + 3 + 1);
  rmSync(folder, { recursive: true });
});

test('no served lines are kept where they are switched off', async () => {
  const { server, get } = await start({}, { served: false });
  expect((await get()).status).toBe(200);
  expect(server.servedLines()).toEqual([]);
});
