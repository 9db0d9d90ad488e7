import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSourceModel } from '../../../local/postman/source-model';
import { type SourceServer, type SourceServerOptions, startSourceServer } from '../../../local/postman/source-server';
import { type SourceSettings, sourceSettings } from '../../../local/postman/source-settings';
import { createTable } from '../../../local/postman/source-table';
import { createSourceTeam } from '../../../local/postman/source-team';
import { checkedModel, createContractCheck } from '../../support/contract-check';
import { minified, walk } from '../../support/naive-client';

const KEY = 'PMAK-over-http';
const NOW = new Date('2026-06-30T12:00:00Z');
const since = '2026-06-21T00:00:00Z';
const events = {
  contract: createSourceTeam({ seed: 3, anchor: NOW, days: 10, shape: 'contract' }).playTo(NOW),
  reality: createSourceTeam({ seed: 3, anchor: NOW, days: 10 }).playTo(NOW),
};
const servers: SourceServer[] = [];

async function start(
  shape: SourceSettings['shape'] = 'reality',
  settings: Partial<SourceSettings> = {},
  options: Pick<SourceServerOptions, 'served'> = {},
) {
  const model = createSourceModel(createTable(events[shape]), sourceSettings(shape, KEY, settings));
  const checked = checkedModel(model, createContractCheck(shape));
  const server = await startSourceServer(checked, { now: () => NOW, ...options });
  servers.push(server);
  const get = (query: Record<string, string> = {}) =>
    fetch(`${server.url}/audit/logs?${new URLSearchParams(query)}`, {
      headers: { 'x-api-key': KEY },
      redirect: 'manual',
    });
  const all = () => walk(async (query) => (await get(query)).text(), { since, limit: '300', orderBy: 'asc' });
  return { server, violations: checked.violations, get, all };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

test.each([
  'contract',
  'reality',
] as const)('the server serves a team in the %s shape byte for byte, and nothing breaks the contract', async (shape) => {
  const { server, violations, all } = await start(shape);
  const visible = events[shape].filter(({ at, visibleFrom = 0 }) => {
    return (at ?? 0) >= Date.parse(since) && visibleFrom <= NOW.getTime();
  });
  const walked = await all();
  expect([...walked.events].sort()).toEqual(visible.map(({ raw }) => raw).sort());
  expect(walked.pages).toBe(Math.ceil(walked.events.length / 300));
  expect(violations()).toEqual([]);
  expect(server.servedLines()).toEqual(walked.events);
});

test('the server refuses another API key, and every method but GET', async () => {
  const { server } = await start();
  expect((await fetch(`${server.url}/audit/logs`, { headers: { 'x-api-key': 'PMAK-other' } })).status).toBe(401);
  expect((await fetch(`${server.url}/audit/logs`, { method: 'POST' })).status).toBe(405);
  expect(server.servedLines()).toEqual([]);
});

test('an answer that a fault resets, cuts short, withholds or redirects does not count as served', async () => {
  const redirect = { status: 307, headers: { location: 'http://127.0.0.1:1/' } } as const;
  const faults = ['reset', 'truncate', 'hang', redirect] as const;
  const { server, get } = await start('reality', { fault: (request) => faults[request - 1] });
  await expect(get()).rejects.toThrow('fetch failed');
  await expect(get().then((response) => response.text())).rejects.toThrow('terminated');
  const hung = fetch(`${server.url}/audit/logs`, { signal: AbortSignal.timeout(300) });
  await expect(hung).rejects.toThrow('aborted due to timeout');
  expect((await get()).status).toBe(307);
  expect(server.servedLines()).toEqual([]);
  expect((await get()).status).toBe(200);
});

test('the file of served lines holds each distinct text once, and the next server goes on with it', async () => {
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

test('no served lines are kept where they are switched off', async () => {
  const { server, get } = await start('reality', {}, { served: false });
  expect((await get()).status).toBe(200);
  expect(server.servedLines()).toEqual([]);
});
