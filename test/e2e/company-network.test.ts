/** `audit-archive local` behind a company's proxy that replaces certificates. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../support/scratch';
import { startTeamLog } from '../support/team-log';
import { startTls } from '../support/tls';

const API_KEY = 'PMAK-canary-of-a-company';

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
  const trusted = await archive({ POSTMAN_BASE_URL: tls.url, NODE_EXTRA_CA_CERTS: tls.certificate });
  expect(trusted).toEqual({ code: 0, text: expect.stringContaining('20 new') });
  tls.close();
  await source.close();
});
