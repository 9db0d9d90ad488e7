/** TLS in front of a local server, for a client that insists on it. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { scratch } from './scratch';

/** Serves what the server at `url` serves, with a certificate that no machine trusts until it is told to. */
export async function startTls(url: string) {
  const certificate = join(scratch, 'root.pem');
  const key = join(scratch, 'key.pem');
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
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The file that `NODE_EXTRA_CA_CERTS` must name. */
    certificate,
    close: () => server.close(),
  };
}
