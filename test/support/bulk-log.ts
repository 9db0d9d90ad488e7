/**
 * A log of any size that needs no memory: event k is computed from k whenever it is asked for. It reads every bound as inclusive
 * and every request as ascending, and serves nothing from the future. A cursor is the index of an event.
 */
import type { SourceAnswer, SourceRequest } from '../../local/postman/source-model';

export interface BulkLog {
  readonly events: number;
  /** Events are spread evenly over [from, to), at whole seconds. */
  readonly from: Date;
  readonly to: Date;
  readonly text?: EventText;
}

/** The length of an event, and how many of its bytes gzip cannot foresee. */
export interface EventText {
  readonly bytes: number;
  readonly noise: number;
}

/** The measured average length of one event of the live service, and a text that gzip compresses to a quarter. */
export const LIKE_THE_LIVE_SERVICE: EventText = { bytes: 934, noise: 0.5 };
const FIRST_ID = 500_000_000;
const COMMON_WORDS = 'updated the shared collection in the workspace of the payments team ';

export function createBulkLog({ events, text = LIKE_THE_LIVE_SERVICE, ...span }: BulkLog) {
  const [from, to] = [Math.ceil(span.from.getTime() / 1000), span.to.getTime() / 1000];
  const instantOf = (index: number): number => Math.floor(from + (index * (to - from)) / events) * 1000;

  function answer({ query }: Pick<SourceRequest, 'query'>, now: Date): SourceAnswer {
    const begin = Number(query.get('cursor') ?? indexAt(Date.parse(query.get('since') ?? '')));
    const end = indexAt(Math.min(Date.parse(query.get('until') ?? ''), now.getTime()) + 1);
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
    const action = `"action":"collection.created","timestamp":"${timestamp}","message":"Created ${id}"`;
    const who = `"actor":{"name":"Ada Turner","email":"ada@example.com","id":${60_000_000 + (id % 500)},"active":true}`;
    const data = `"data":{${who},"team":{"name":"Acme Payments","id":70000001},"variables":{"note":"`;
    const head = `{"id":${id},${client},${action},${data}`;
    return `${head}${note(id, text.bytes - head.length - 4)}"}}}`;
  }

  function note(seed: number, length: number): string {
    const noisy = Math.round(Math.max(length, 0) * text.noise);
    let [written, state] = ['', seed];
    while (written.length < noisy) {
      state = Math.imul(state ^ (state >>> 13), 0x5bd1e995) + 1;
      written += `${(state >>> 0).toString(36)} `;
    }
    return (
      written.slice(0, noisy) + COMMON_WORDS.repeat(Math.ceil(length / COMMON_WORDS.length)).slice(0, length - noisy)
    );
  }

  function* lines(): Generator<string> {
    for (let index = 0; index < events; index += 1) yield eventAt(index);
  }

  return { answer, lines };
}
