/** Starts the bulk source server in a process of its own, for tests that measure the memory of the archiver alone. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BulkOptions } from './bulk-table';

export interface SpawnedSource {
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

export async function spawnSource(options: BulkOptions & { readonly apiKey: string }): Promise<SpawnedSource> {
  const file = join(import.meta.dirname, 'bulk-source.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const died = exited.then(([code]) => Promise.reject(new Error(`the source server ended with ${code}`)));
  // Without this, an end that nobody waits for would be an unhandled rejection.
  died.catch(() => undefined);
  const [line] = await Promise.race([once(lines, 'line'), died]);
  const { url } = JSON.parse(String(line)) as { url: string };
  return {
    url,
    pid: Number(child.pid),
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
