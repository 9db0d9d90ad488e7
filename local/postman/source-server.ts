/** The source server: answers like the model's over HTTP, on 127.0.0.1 only. */
import { type LocalServer, startServer } from '../server';
import type { SourceAnswer, SourceRequest } from './source-model';

export function startSourceServer(answer: (request: SourceRequest) => SourceAnswer): Promise<LocalServer> {
  return startServer(({ method, target, headers: sent }) => {
    if (method !== 'GET') return { status: 405, headers: {}, body: '' };
    const { pathname: path, searchParams: query } = new URL(target, 'http://source');
    return answer({ path, query, headers: sent });
  });
}
