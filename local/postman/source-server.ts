/** The source server: answers like the model's over HTTP, on 127.0.0.1 only. */
import { createServer } from 'node:http';
import { type LocalServer, listenOnLoopback } from '../server';
import type { SourceAnswer, SourceRequest } from './source-model';

export function startSourceServer(answer: (request: SourceRequest) => SourceAnswer): Promise<LocalServer> {
  const server = createServer(({ method, url = '/', headers: sent }, response) => {
    if (method !== 'GET') {
      response.writeHead(405).end();
      return;
    }
    const { pathname, searchParams } = new URL(url, 'http://source');
    const texts = Object.entries(sent).map(([name, value]) => [name, String(value)]);
    const { status, headers, body } = answer({
      path: pathname,
      query: searchParams,
      headers: Object.fromEntries(texts),
    });
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
  });
  return listenOnLoopback(server);
}
