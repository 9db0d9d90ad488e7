/** `audit-archive local` behind a company's proxy that replaces certificates. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTeamLog } from '../support/team-log';

const API_KEY = 'PMAK-canary-of-a-company';
const scratch = mkdtempSync(join(tmpdir(), 'company-network-'));
const certificate = join(scratch, 'root.pem');
const key = join(scratch, 'key.pem');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Serves what the server at `url` serves, with a certificate that no machine trusts. */
async function startTls(url: string) {
  const subject = ['-subj', '/CN=company', '-addext', 'subjectAltName=IP:127.0.0.1'];
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
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

async function archive(environment: Record<string, string>) {
  const args = ['cli/audit-archive.mjs', 'local', '--data', join(scratch, 'data')];
  const env = { ...process.env, POSTMAN_API_KEY: API_KEY, ...environment };
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '../..'), env });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  return { code, text };
}

test('a certificate that is not trusted ends the run at once with a remedy, and the remedy works', async () => {
  const source = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  source.happen(20);
  const tls = await startTls(source.url);
  const refused = await archive({ POSTMAN_BASE_URL: tls.url });
  const sentence =
    /FAILED, source-unavailable: the certificate of 127\.0\.0\.1:\d+ is not trusted \([A-Z_]*CERT\).*set NODE_EXTRA_CA_CERTS to a PEM file/;
  expect(refused).toEqual({ code: 3, text: expect.stringMatching(sentence) });
  const log = readFileSync(join(scratch, 'data', 'postman', 'handler.log'), 'utf8');
  expect(log).not.toContain('source retry');
  const trusted = await archive({ POSTMAN_BASE_URL: tls.url, NODE_EXTRA_CA_CERTS: certificate });
  expect(trusted).toEqual({ code: 0, text: expect.stringContaining('20 new') });
  tls.close();
  await source.close();
});
