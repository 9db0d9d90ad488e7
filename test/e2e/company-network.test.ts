/** `audit-archive local` behind a company's proxy that replaces certificates. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { proxyNotice } from '../../local/network';
import { scratch } from '../support/scratch';
import { startTeamLog } from '../support/team-log';
import { startTls } from '../support/tls';

const API_KEY = 'PMAK-canary-of-a-company';
const opened: { close(): unknown }[] = [];
afterAll(async () => {
  for (const server of opened) await server.close();
});

/** A source with a certificate that no machine trusts. */
async function startSource(events: number) {
  const source = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  source.happen(events);
  const tls = await startTls(source.url);
  opened.push(tls, source);
  return tls;
}

/** A proxy that opens the connections for which it is asked, to this machine. */
async function startProxy() {
  const asked: string[] = [];
  const server = createServer().on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const onward = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => onward.destroy());
  });
  opened.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function archive(folder: string, environment: Record<string, string>) {
  const args = ['cli/audit-archive.mjs', 'local', '--data', join(scratch, folder)];
  const env = { ...process.env, POSTMAN_API_KEY: API_KEY, ...environment };
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '../..'), env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  // Sentences are broken into lines of the terminal's width.
  return { code, text: text.replace(/\s+/g, ' ') };
}

test('a certificate that is not trusted ends the run at once with a remedy, and the remedy works', async () => {
  const { url, certificate } = await startSource(20);
  const refused = await archive('data', { POSTMAN_BASE_URL: url });
  const sentence =
    /FAILED, source-unavailable: the certificate of 127\.0\.0\.1:\d+ is not trusted \([A-Z_]*CERT\).*set NODE_EXTRA_CA_CERTS to a PEM file/;
  expect(refused).toEqual({ code: 3, text: expect.stringMatching(sentence) });
  const log = readFileSync(join(scratch, 'data', 'postman', 'handler.log'), 'utf8');
  expect(log).not.toContain('source retry');
  const trusted = await archive('data', { POSTMAN_BASE_URL: url, NODE_EXTRA_CA_CERTS: certificate });
  expect(trusted).toEqual({ code: 0, text: expect.stringContaining(' 1 20 = 20 + 0 + 0 1 ') });
});

test('the source is asked through the proxy where Node can use one, and otherwise the user is told that it is not', async () => {
  const { url, certificate } = await startSource(10);
  const host = `localhost:${new URL(url).port}`;
  const proxy = await startProxy();
  const network = { NODE_EXTRA_CA_CERTS: certificate, HTTPS_PROXY: proxy.url };
  const { code, text } = await archive('proxied', { POSTMAN_BASE_URL: `https://${host}`, ...network });
  expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining(' 1 10 = 10 + 0 + 0 1 ') });
  const notice = proxyNotice(network, process.versions.node);
  expect(text.includes('A proxy is set, but Node')).toBe(notice !== undefined);
  expect(new Set(proxy.asked)).toEqual(new Set(notice === undefined ? [host] : []));
});
