/**
 * `npm run bench -- handler`: the processor time of the whole handler on a backlog, over sockets of this machine, beside the
 * least that any archiver does (`floor.ts`), and its memory.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, gunzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { archivePaths } from '../../cli/demo/local-archive';
import { BUNDLE_OPTIONS } from '../../infra/bundle';
import type { RunSummary } from '../../lambdas/shared/contract';
import { splitLines } from '../../lambdas/shared/segment';
import { addMs, DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import { awsEnvironment } from '../../local/lambda-process';
import { s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { type BulkLog, createBulkLog } from '../support/bulk-log';
import { openBulkWorld, peakKb, processorMs, startBulkSource } from '../support/bulk-world';
import { memoryStorage } from '../support/memory-storage';
import type { FloorWork } from './floor';
import { median, type Row } from './rows';

const ROUNDS = 3;
const LIMIT_MB = 256;
const LARGEST = 10_000_000;
/** A large backlog takes many runs. Here a page takes some milliseconds, so a minute stands for the fifteen of a run in AWS. */
const RUN_MS = 60_000;

export async function benchHandler(isFull: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const peaks = new Map<number, number>();
  let before: { readonly events: number; readonly ms: number } | undefined;
  for (const events of isFull ? [10_000, 100_000, 1_000_000, LARGEST] : [10_000, 100_000]) {
    const measured = [];
    for (let round = 0; round < (events > 100_000 ? 1 : ROUNDS); round += 1) measured.push(await measure(events));
    peaks.set(events, Math.max(...measured.map(({ peakMb }) => peakMb)));
    rows.push({
      what: `processor time of the whole handler, ${events.toLocaleString('en')} events`,
      figure: `${(median(measured.map(({ handlerMs }) => handlerMs)) / 1000).toFixed(2)} s`,
      yardstick: `${(median(measured.map(({ floorMs }) => floorMs)) / 1000).toFixed(2)} s`,
      ratios: measured.map(({ handlerMs, floorMs }) => handlerMs / floorMs),
      reach: 1.8,
    });
    const ms = median(measured.map(({ handlerMs }) => handlerMs));
    if (before !== undefined) rows.push(growth(before, { events, ms }));
    before = { events, ms };
  }
  return [...rows, ...(await memoryRows(peaks, isFull))];
}

/** The exponent with which the time grows between two sizes. One means that twice the events take twice the time. */
function growth(small: { events: number; ms: number }, large: { events: number; ms: number }): Row {
  const exponent = Math.log(large.ms / small.ms) / Math.log(large.events / small.events);
  return {
    what: `growth of this time, ${small.events.toLocaleString('en')} to ${large.events.toLocaleString('en')} events`,
    figure: `exponent ${exponent.toFixed(2)}`,
    yardstick: 'exponent 1',
    ratios: [exponent],
    reach: 1.05,
  };
}

async function memoryRows(peaks: ReadonlyMap<number, number>, isFull: boolean): Promise<Row[]> {
  const below = (what: string, mb: number): Row => ({
    what: `memory of the handler, ${what}`,
    figure: `${mb} MB`,
    yardstick: `${LIMIT_MB} MB`,
    ratios: [mb / LIMIT_MB],
    reach: 1,
  });
  const most = below('all backlogs above', Math.max(...peaks.values()));
  if (!isFull) return [most];
  const [small = Number.NaN, large = Number.NaN] = [peaks.get(100_000), peaks.get(LARGEST)];
  const { peakMb } = await measure(600_000, 3);
  return [
    most,
    below('200,000 events a day, with the sweep of a day', peakMb),
    {
      what: `memory of the handler, ${LARGEST.toLocaleString('en')} events beside 100,000`,
      figure: `${large} MB`,
      yardstick: `${small} MB`,
      ratios: [large / small],
      reach: 1.15,
    },
  ];
}

async function measure(events: number, days = 175) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const to = addMs(new Date(), -HOUR_MS);
  const log = { events, from: addMs(to, -days * DAY_MS), to };
  const source = await startBulkSource(log);
  const world = await openBulkWorld(folder, source.url, RUN_MS);
  try {
    const before = processorMs(world.pid);
    for (let archived = 0; archived < events; ) {
      const run = await world.run();
      if (!run.ok) throw new Error(`${run.error.name}: ${run.error.message}`);
      archived += (run.result as RunSummary).counts?.events ?? 0;
    }
    const handlerMs = processorMs(world.pid) - before;
    if (sumOf(archivedLines(archivePaths(folder).bucket)) !== sumOf(createBulkLog(log).lines()))
      throw new Error(`${events} events: the archive does not hold the lines that were served`);
    const floorMs = await floor(folder, source.url, log);
    return { handlerMs, floorMs, peakMb: Math.round(peakKb(world.pid) / 1024) };
  } finally {
    await world.close();
    source.close();
    rmSync(folder, { recursive: true });
  }
}

/** Its time begins before its program is loaded, as that of the handler does. */
const LAUNCH = `
  const before = process.cpuUsage();
  require(process.argv[1]).floor(JSON.parse(process.argv[2])).then(() => {
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000);
  });`;

async function floor(folder: string, url: string, { from, to }: BulkLog): Promise<number> {
  const program = join(folder, 'floor.cjs');
  const entry = join(import.meta.dirname, 'floor.ts');
  buildSync({ entryPoints: [entry], outfile: program, ...BUNDLE_OPTIONS });
  const s3 = await startS3Server({ name: 'floor', bucket: s3Bucket(memoryStorage(new Map())), accessKeyId: 'floor' });
  const objects = sizesIn(archivePaths(folder).bucket);
  const work: FloorWork = { url, since: from.toISOString(), until: to.toISOString(), objects };
  const env = { ...process.env, ...awsEnvironment({ s3: s3.url, dynamodb: s3.url, ssm: s3.url }, 'floor') };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', LAUNCH, program, JSON.stringify(work)], {
      env,
    });
    return Number(stdout);
  } finally {
    await s3.close();
  }
}

function* archivedLines(bucket: string): Generator<Buffer> {
  const files = readdirSync(join(bucket, 'events'), { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of files.filter((entry) => entry.isFile()))
    yield* splitLines(gunzipSync(readFileSync(join(parentPath, name))));
}

/** The number of lines, and the sum of their checksums, which does not depend on their order. */
function sumOf(lines: Iterable<string | Buffer>): string {
  let [count, sum] = [0, 0];
  for (const line of lines) {
    count += 1;
    sum += crc32(line);
  }
  return `${count} ${sum}`;
}

function sizesIn(folder: string): number[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
}
