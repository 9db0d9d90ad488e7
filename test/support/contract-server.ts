/** The server that a contract is tested with, behind a tap, so that a test can break its answers. */

import type { LocalServer } from '../../local/server';
import { type Meddler, type Service, tap } from './tap';

export interface ContractServer extends LocalServer {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Opens a client, which is destroyed after the last test. */
type Connect<S> = (
  options: Pick<ContractServer, 'credentials'> & Readonly<Record<'endpoint' | 'region', string>>,
  server: S,
) => { destroy(): void };

/** Starts the server before the tests of a suite, and closes it after them. */
export function useServer<S extends ContractServer>(service: Service, start: () => Promise<S>, connect: Connect<S>) {
  let meddler: Meddler = {};
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const server = await start();
    const tapped = await tap(service, server.url, { meddler: () => meddler, onCall: () => undefined });
    const client = connect({ endpoint: tapped.url, region: 'us-east-1', credentials: server.credentials }, server);
    closers.push(async () => client.destroy(), tapped.close, server.close);
  }, 120_000);
  afterAll(async () => {
    for (const close of closers) await close();
  });
  afterEach(() => {
    meddler = {};
  });

  return {
    /** The next calls, up to this number, are applied, and their answers are broken. */
    breakAnswers(count: number, fault: 'reset' | { readonly cutAt: number } = 'reset'): void {
      let left = count;
      meddler = { after: () => (left-- > 0 ? fault : undefined) };
    },
  };
}
