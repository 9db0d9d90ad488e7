/**
 * The peak memory of the handler's process, however much there is to archive, and of the command that verifies the result. The
 * source and the servers are in other processes. This suite is too slow for `npm test`; `npm run test:scale` runs it.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { archivePaths, type LocalArchive } from '../../cli/demo/local-archive';
import type { RunSummary } from '../../lambdas/shared/contract';
import { DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import type { BulkLog } from '../support/bulk-log';
import { openBulkWorld, peakKb, startBulkSource } from '../support/bulk-world';
import { scratch } from '../support/scratch';

const LIMIT_KB = 256 * 1024;
const COMMAND = join(import.meta.dirname, '../../cli/audit-archive.mjs');
/** A module that prints the peak memory of the process, in kB, when it ends. */
const TELL_PEAK = 'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';
jest.setTimeout(30 * 60_000);

async function withWorld(name: string, log: BulkLog, use: (world: LocalArchive) => Promise<void>): Promise<void> {
  const source = await startBulkSource(log);
  const world = await openBulkWorld(join(scratch, name), source.url);
  try {
    await use(world);
  } finally {
    await world.close();
    source.close();
  }
  expect(await archivedEvents(join(scratch, name))).toBe(log.events);
}

/** One run, whose process must have stayed below the limit so far. */
async function measured(world: LocalArchive): Promise<RunSummary> {
  const outcome = await world.run();
  if (!outcome.ok) throw new Error(`${outcome.error.name}: ${outcome.error.message}`);
  const peak = peakKb(world.pid);
  console.info(`peak ${Math.round(peak / 1024)} MB`);
  expect(peak).toBeLessThan(LIMIT_KB);
  return outcome.result as RunSummary;
}

/** The number of archived events by the verifier, which must find nothing, and must stay below the limit too. */
async function archivedEvents(world: string): Promise<number> {
  const { bucket, publicKey } = archivePaths(world);
  const command = ['--import', TELL_PEAK, COMMAND, 'verify', bucket, '--key', publicKey, '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  expect(status).toBe(0);
  console.info(`verifier: peak ${Math.round(Number(stderr) / 1024)} MB`);
  expect(Number(stderr)).toBeLessThan(LIMIT_KB);
  const { findings, teams } = JSON.parse(stdout);
  expect(findings).toEqual([]);
  return teams[0].events;
}

test('a backlog of 1,000,000 events is archived within the memory of the function', async () => {
  const to = new Date(Date.now() - HOUR_MS);
  const log = { events: 1_000_000, from: new Date(to.getTime() - 179 * DAY_MS), to };
  await withWorld('backlog', log, async (world) => {
    let archived = 0;
    while (archived < log.events) archived += (await measured(world)).counts?.events ?? 0;
  });
});

test('200,000 events of twelve minutes are archived, and read again by every run, within the memory of the function', async () => {
  const to = new Date(Date.now() - 1000);
  const from = new Date(to.getTime() - 12 * 60_000);
  await withWorld('burst', { events: 200_000, from, to }, async (world) => {
    expect(await measured(world)).toMatchObject({ counts: { events: 200_000 } });
    for (let again = 0; again < 2; again += 1) {
      const { counts } = await measured(world);
      expect(counts).toMatchObject({ events: 0, revisions: 0 });
      expect(counts?.known).toBeGreaterThanOrEqual(200_000);
    }
  });
});
