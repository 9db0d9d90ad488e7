/** `audit-archive local` behind a company's proxy that replaces certificates. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createProxy, request } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { proxyNotice } from '../../local/network';
import { startTeamLog } from '../support/team-log';

const API_KEY = 'PMAK-canary-of-a-company';
const scratch = mkdtempSync(join(tmpdir(), 'company-network-'));
const certificate = join(scratch, 'root.pem');
const key = join(scratch, 'key.pem');
const opened: { close(): unknown }[] = [];
afterAll(async () => {
  await Promise.all(opened.map((server) => server.close()));
  rmSync(scratch, { recursive: true, force: true });
});

/** Returns the port on this machine. */
async function listen(server: Server): Promise<number> {
  opened.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function startSource(events: number): Promise<string> {
  const source = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  opened.push(source);
  source.happen(events);
  return source.url;
}

/** Serves what the server at `url` serves, with a certificate that no machine trusts, and returns its port. */
async function startTls(url: string): Promise<number> {
  const subject = ['-subj', '/CN=company', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', key, '-out', certificate, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (incoming, outgoing) => {
    const forwarded = request(new URL(incoming.url ?? '', url), { headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.end();
  });
  return listen(server);
}

/** A proxy that opens the connections for which it is asked, to this machine. */
async function startProxy() {
  const asked: string[] = [];
  const server = createProxy().on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const onward = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) end.on('error', () => onward.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(server)}`, asked };
}

async function archive(folder: string, environment: Record<string, string>) {
  const args = ['cli/audit-archive.mjs', 'local', '--data', join(scratch, folder)];
  const env = { ...process.env, POSTMAN_API_KEY: API_KEY, ...environment };
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '../..'), env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  return { code, text };
}

test('a certificate that is not trusted ends the run at once with a remedy, and the remedy works', async () => {
  const url = `https://127.0.0.1:${await startTls(await startSource(20))}`;
  const refused = await archive('data', { POSTMAN_BASE_URL: url });
  const sentence =
    /FAILED, source-unavailable: the certificate of 127\.0\.0\.1:\d+ is not trusted \([A-Z_]*CERT\).*set NODE_EXTRA_CA_CERTS to a PEM file/;
  expect(refused).toEqual({ code: 3, text: expect.stringMatching(sentence) });
  const log = readFileSync(join(scratch, 'data', 'postman', 'handler.log'), 'utf8');
  expect(log).not.toContain('source retry');
  const trusted = await archive('data', { POSTMAN_BASE_URL: url, NODE_EXTRA_CA_CERTS: certificate });
  expect(trusted).toEqual({ code: 0, text: expect.stringContaining('20 new') });
});

test('the source is asked through the proxy where Node can use one, and otherwise the user is told that it is not', async () => {
  const host = `localhost:${await startTls(await startSource(10))}`;
  const proxy = await startProxy();
  const network = { NODE_EXTRA_CA_CERTS: certificate, HTTPS_PROXY: proxy.url };
  const { code, text } = await archive('proxied', { POSTMAN_BASE_URL: `https://${host}`, ...network });
  expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('10 new') });
  const notice = proxyNotice(network, process.versions.node);
  expect(text.includes('A proxy is set, but Node')).toBe(notice !== undefined);
  expect(new Set(proxy.asked)).toEqual(new Set(notice === undefined ? [host] : []));
});
