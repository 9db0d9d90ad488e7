/**
 * `npm run bench -- verify` compares the CPU time of verifying an archive with the least that any check of the same bytes costs: to
 * decompress each segment, to hash it, and to parse each line, and to hash every other object and parse the manifests. Both read
 * the same files, take turns, and run in one process.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openFolder } from '../../cli/folder';
import { HOUR_MS } from '../../lambdas/shared/time';
import { verify } from '../../lambdas/verifier/verify';
import { archiveObjects, testKey, writeObject } from '../support/archive-builder';
import { cpuMicros, median, type Row } from './rows';
import { runsOf } from './year';

const DAYS = 91;
const ROUNDS = 9;

/** How many hours of events a manifest holds: of the first run, whose batches are full, and of an hourly schedule. */
const ARCHIVES = { 'full batches': 84, 'one batch an hour': 1 } as const;

export async function benchVerify(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, hours] of Object.entries(ARCHIVES)) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    try {
      rows.push(await measure(folder, name, hours * HOUR_MS));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}

async function measure(folder: string, name: string, everyMs: number): Promise<Row> {
  await writeArchive(folder, everyMs);
  const files = filesIn(folder);
  const [plain, verified]: [number[], number[]] = [[], []];
  let events = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const plainMicros = await cpuMicros(() => {
      events = files.map(readPlainly).reduce((sum, lines) => sum + lines, 0);
    });
    const verifyMicros = await cpuMicros(() => verifyAll(folder, events));
    // The first round only warms the caches and the compiler.
    if (round === 0) continue;
    plain.push(plainMicros / events);
    verified.push(verifyMicros / events);
  }
  const manifests = filesIn(join(folder, 'manifests')).length;
  return {
    what: `processor time of verifying an event, ${name}: ${manifests.toLocaleString('en')} manifests`,
    figure: `${median(verified).toFixed(1)} \u00b5s`,
    yardstick: `${median(plain).toFixed(1)} \u00b5s`,
    ratios: verified.map((each, round) => each / (plain[round] ?? Number.NaN)),
    reach: 2,
  };
}

async function writeArchive(folder: string, everyMs: number): Promise<void> {
  function* batches() {
    for (const lines of runsOf(DAYS, everyMs)) yield { events: lines.map(String) };
  }
  for await (const [key, bytes] of archiveObjects({ batches: batches() })) writeObject(folder, key, bytes);
}

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map(({ parentPath, name }) => join(parentPath, name));
}

/** Returns the number of lines of a segment. */
function readPlainly(file: string): number {
  const bytes = readFileSync(file);
  const isSegment = file.endsWith('.ndjson.gz');
  const content = isSegment ? gunzipSync(bytes) : bytes;
  createHash('sha256').update(content).digest();
  if (file.endsWith('.json')) JSON.parse(String(content));
  if (!isSegment) return 0;
  const lines = String(content).trimEnd().split('\n');
  for (const line of lines) JSON.parse(line);
  return lines.length;
}

async function verifyAll(folder: string, events: number): Promise<void> {
  const { findings, teams } = await verify(await openFolder(folder), { publicKey: testKey, now: new Date() });
  if (findings.length > 0 || teams[0]?.events !== events) throw new Error(`not good: ${JSON.stringify(findings[0])}`);
}
