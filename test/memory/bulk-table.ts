/** Logs of any size that need no memory: event k is computed from k whenever it is asked for. */
import type { EventTable } from '../../local/postman/source-table';

export interface BulkOptions {
  readonly events: number;
  /** Events are spread evenly over [from, to), at whole seconds. */
  readonly from: Date;
  readonly to: Date;
}

const FIRST_ROW = 500_000_000;
const ROW_STEP = 3;
/** The measured average length of one event of the live service. */
const EVENT_BYTES = 934;

export function bulkTable({ events, from, to }: BulkOptions): EventTable {
  const first = Math.ceil(from.getTime() / 1000);
  const spacing = (to.getTime() / 1000 - first) / events;
  const at = (index: number): number => Math.floor(first + index * spacing) * 1000;
  return {
    size: () => events,
    at,
    row: (index) => FIRST_ROW + index * ROW_STEP,
    indexOf: (row) => {
      const index = (row - FIRST_ROW) / ROW_STEP;
      return Number.isInteger(index) && index >= 0 && index < events ? index : undefined;
    },
    isVisible: (index, now) => at(index) <= now,
    raw: (index) => bulkEvent(FIRST_ROW + index * ROW_STEP, at(index)),
  };
}

function bulkEvent(id: number, at: number): string {
  const client = `"ip":"203.0.113.${id % 250}","userAgent":"PostmanRuntime/7.44.${id % 9}"`;
  const what = `"action":"collection.created","timestamp":"${new Date(at).toISOString()}","message":"Created ${id}"`;
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
