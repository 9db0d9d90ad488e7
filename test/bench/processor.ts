/**
 * `npm run bench -- processor`: the processor time from the bytes of a response to the bytes of a staged batch, beside a good
 * script. The script parses each page, writes each event with `JSON.stringify`, and compresses the lines of each page and date. It
 * keeps no byte as it was sent, and it neither deduplicates nor sorts nor hashes.
 */
import { gzipSync } from 'node:zlib';
import { createArchived } from '../../lambdas/archiver/archived';
import { BATCH_LIMITS, openBatch, sealBatch } from '../../lambdas/archiver/batch';
import { createDeduplicator } from '../../lambdas/archiver/deduplicate';
import { readPage } from '../../lambdas/archiver/page';
import { addMs, DAY_MS } from '../../lambdas/shared/time';
import { createBulkLog, type EventText } from '../support/bulk-log';
import { aChain, aRun } from '../support/run';
import { cpuMicros, median, type Row } from './rows';

const TO = new Date('2026-06-12T00:00:00.000Z');
const FROM = addMs(TO, -10 * DAY_MS);
const EVENTS = 30_000;
const PAGE = 300;
const ROUNDS = 5;

/** Short events that gzip packs well, up to long ones that it packs badly. */
const TEXTS: Readonly<Record<string, EventText>> = {
  '447 bytes, packed 16 to 1': { bytes: 447, noise: 0.05 },
  '934 bytes, packed 8 to 1': { bytes: 934, noise: 0.22 },
  '934 bytes, packed 4 to 1': { bytes: 934, noise: 0.5 },
  '2,048 bytes, packed 3 to 1': { bytes: 2048, noise: 0.6 },
};

export async function benchProcessor(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, text] of Object.entries(TEXTS)) {
    const pages = pagesOf(text);
    const [script, ours]: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const plain = await cpuMicros(() => goodScript(pages));
      const archived = await cpuMicros(() => stagedBatches(pages));
      // The first round only warms the compiler.
      if (round === 0) continue;
      script.push(plain / EVENTS);
      ours.push(archived / EVENTS);
    }
    rows.push({
      what: `processor time of an event, ${name}`,
      figure: `${median(ours).toFixed(1)} \u00b5s`,
      yardstick: `${median(script).toFixed(1)} \u00b5s`,
      ratios: ours.map((each, round) => each / (script[round] ?? Number.NaN)),
      reach: 1.2,
    });
  }
  return rows;
}

function pagesOf(text: EventText): readonly Buffer[] {
  const log = createBulkLog({ events: EVENTS, from: FROM, to: TO, text });
  return Array.from({ length: EVENTS / PAGE }, (_, page) => {
    const query = new URLSearchParams({ cursor: `${page * PAGE}`, until: TO.toISOString(), limit: `${PAGE}` });
    return Buffer.from(log.answer({ query }, TO).body);
  });
}

/** Returns the number of compressed bytes, so that nothing is optimised away. */
function goodScript(pages: readonly Buffer[]): number {
  let written = 0;
  for (const page of pages) {
    const dates = new Map<string, string[]>();
    for (const event of JSON.parse(String(page)).trails) {
      const date = event.timestamp.slice(0, 10);
      const lines = dates.get(date) ?? [];
      dates.set(date, lines);
      lines.push(JSON.stringify(event));
    }
    for (const lines of dates.values()) written += gzipSync(`${lines.join('\n')}\n`).length;
  }
  return written;
}

async function stagedBatches(pages: readonly Buffer[]): Promise<number> {
  const run = aRun();
  const deduplicator = createDeduplicator(createArchived(run, await aChain([])), { readFrom: FROM, undated: [] });
  const open = () => openBatch({ limits: BATCH_LIMITS, lateBefore: undefined, requestsBefore: 0 });
  let batch = open();
  let written = 0;
  for (const [index, page] of pages.entries()) {
    const { events } = readPage(page);
    batch.add(await deduplicator.sort(events, { walkStart: TO, sweptDate: undefined }));
    if (!batch.isFull() && index < pages.length - 1) continue;
    written += sealBatch(batch.close(0), { team: 'main', seq: 1 }).members.length;
    batch = open();
  }
  return written;
}
