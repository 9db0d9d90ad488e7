/**
 * A source server for logs of any size that needs no memory: event k is computed from k whenever it is asked for. It runs
 * in a process of its own, so that its memory does not count for the archiver. Its argument is one JSON text. It prints
 * its URL in one line, and serves until its standard input ends or it is killed.
 */
import type { SourceAnswer, SourceRequest } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';

export interface BulkLog {
  readonly events: number;
  /** Events are spread evenly over [from, to), at whole seconds. */
  readonly from: Date;
  readonly to: Date;
}

const FIRST_ID = 500_000_000;
/** The measured average length of one event of the live service. */
const EVENT_BYTES = 934;

const { events, ...span }: BulkLog = JSON.parse(process.argv[2] ?? '');
const [from, to] = [Math.ceil(Date.parse(String(span.from)) / 1000), Date.parse(String(span.to)) / 1000];
const instantOf = (index: number): number => Math.floor(from + (index * (to - from)) / events) * 1000;

/** Reads every bound as inclusive and every request as ascending. A cursor is the index of an event. */
function answer({ query }: SourceRequest): SourceAnswer {
  const begin = Number(query.get('cursor') ?? indexAt(Date.parse(query.get('since') ?? '')));
  const end = indexAt(Date.parse(query.get('until') ?? '') + 1);
  const next = Math.min(begin + Number(query.get('limit')), end);
  const texts = Array.from({ length: Math.max(next - begin, 0) }, (_, nth) => eventAt(begin + nth));
  const cursor = next < end ? `,"nextCursor":${next}` : '';
  return { status: 200, headers: {}, body: `{"trails":[${texts.join(',')}]${cursor}}`, served: [] };
}

/** The index of the first event that is not before the instant. */
function indexAt(instant: number): number {
  const estimate = Math.floor(((instant / 1000 - from) * events) / (to - from)) - 1;
  let index = Math.min(Math.max(estimate, 0), events);
  while (index < events && instantOf(index) < instant) index += 1;
  return index;
}

function eventAt(index: number): string {
  const [id, timestamp] = [FIRST_ID + index * 3, new Date(instantOf(index)).toISOString()];
  const client = `"ip":"203.0.113.${id % 250}","userAgent":"PostmanRuntime/7.44.${id % 9}"`;
  const what = `"action":"collection.created","timestamp":"${timestamp}","message":"Created ${id}"`;
  const who = `"actor":{"name":"Ada Turner","email":"ada@example.com","id":${60_000_000 + (id % 500)},"active":true}`;
  const data = `"data":{${who},"team":{"name":"Acme Payments","id":70000001},"variables":{"note":"`;
  const head = `{"id":${id},${client},${what},${data}`;
  return `${head}${noise(id, EVENT_BYTES - head.length - 4)}"}}}`;
}

/** gzip compresses such events to a quarter, so that compressing and storing them costs as much as real events do. */
function noise(seed: number, length: number): string {
  let [text, state] = ['', seed];
  while (text.length < length) {
    state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + 1;
    text += `${(state >>> 0).toString(36)} shared `;
  }
  return text.slice(0, length);
}

const { url } = await startSourceServer(answer);
console.log(url);
process.stdin.resume().once('end', () => process.exit());
