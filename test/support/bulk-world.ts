/** The real handler, in a process of its own, and a source server for a log of any size, in another one. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type LocalArchive, openLocalArchive } from '../../cli/demo/local-archive';
import { MINUTE_MS } from '../../lambdas/shared/time';
import type { BulkLog } from './bulk-log';

export async function startBulkSource(log: BulkLog) {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'bulk-source.ts'), JSON.stringify(log)];
  const server = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const { value } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
  return { url: String(value), close: () => server.stdin.end() };
}

export function openBulkWorld(folder: string, baseUrl: string, runTimeoutMs = 15 * MINUTE_MS): Promise<LocalArchive> {
  const common = { team: 'big', apiKey: 'PMAK-bulk', maxRequestsPerMinute: 100_000, onLog: () => undefined };
  return openLocalArchive({ ...common, folder, baseUrl, runTimeoutMs });
}

/** The largest memory that the process has used so far. */
export function peakKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
}

/** The processor time that the process has used so far, in milliseconds. Linux counts it in hundredths of a second. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return (user + system) * 10;
}
