import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  BATCH_LIMITS,
  type BatchLimits,
  type OpenBatch,
  type OpenBatchOptions,
  openBatch,
  sealBatch,
} from '../../lambdas/archiver/batch';
import type { HeldLine, PageLines } from '../../lambdas/archiver/deduplicate';
import {
  type AuditEvent,
  compareEvents,
  type DatedEvent,
  instantInRange,
  isDated,
  type QuarantineReason,
  readEvent,
} from '../../lambdas/shared/event';
import { type Counts, sha256 } from '../../lambdas/shared/manifest';
import { decompress, splitLines } from '../../lambdas/shared/segment';
import { dateOf } from '../../lambdas/shared/time';

const options = { team: 'main', seq: 3 };
const nothingHeld = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 };
const walkStart = new Date('2026-06-12T12:00:00.000Z');

function held(line: AuditEvent, reason: QuarantineReason = 'bad-timestamp'): HeldLine {
  const own = instantInRange(line, walkStart) ?? walkStart;
  return { event: line, reason, date: dateOf(own), instant: own };
}

function event(id: string, timestamp = '2026-06-12T10:00:00Z', more = ''): DatedEvent {
  const read = readEvent(Buffer.from(`{"id":${id},"timestamp":"${timestamp}"${more}}`));
  if (!isDated(read)) throw new Error('not dated');
  return read;
}

function odd(line: string): AuditEvent {
  return readEvent(Buffer.from(line));
}

function opened(changes: Partial<OpenBatchOptions> = {}): OpenBatch {
  return openBatch({ limits: BATCH_LIMITS, lateBefore: undefined, requestsBefore: 0, ...changes });
}

function lines(changes: Partial<PageLines>): PageLines {
  return { newEvents: [], held: [], known: 0, revisions: 0, standings: [], ...changes };
}

function batchOf(newEvents: readonly DatedEvent[], odds: readonly AuditEvent[] = []) {
  const batch = opened();
  batch.add(lines({ newEvents, held: odds.map((each) => held(each)) }));
  return batch.close(0);
}

const dated = fc
  .record({ id: fc.nat(9999), seconds: fc.integer({ min: 0, max: 5 * 86_400 }), note: fc.string() })
  .map(({ id, seconds, note }) =>
    event(String(id), new Date(Date.UTC(2026, 5, 8) + seconds * 1000).toISOString(), `,"note":${JSON.stringify(note)}`),
  );
const events = fc.uniqueArray(dated, { selector: ({ id }) => id, maxLength: 40 });
const odds = fc.array(
  fc.integer({ min: 1, max: 30 }).map((id) => odd(`{"id":${id},"timestamp":"soon"}`)),
  { maxLength: 8 },
);

test('a sealed batch holds each line once, in order, in the gzip member of its date', () => {
  const property = fc.property(events, odds, (drawn, drawnOdds) => {
    const { members, segments } = sealBatch(batchOf(drawn, drawnOdds), options);
    let end = 0;
    const sealed: string[] = [];
    for (const segment of segments) {
      expect(segment.offset).toBe(end);
      end += segment.length;
      const content = decompress(members.subarray(segment.offset, end), segment.bytes);
      const own = [...splitLines(content)];
      expect(content).toHaveLength(segment.bytes);
      expect(own).toHaveLength(segment.lines);
      expect(sha256(content)).toBe(segment.sha256);
      expect(sha256(members.subarray(segment.offset, end))).toBe(segment.objectSha256);
      sealed.push(...own.map(String));
      if (segment.key.startsWith('quarantine/')) continue;
      const read = own.map((line) => readEvent(line)).filter(isDated);
      expect(read).toEqual(read.toSorted(compareEvents));
      expect([segment.first, segment.last]).toEqual([read[0], read.at(-1)].map((each) => each?.instant.toISOString()));
      const [date] = new Set(read.map(({ instant }) => dateOf(instant)));
      expect(segment.key).toBe(`events/team=main/dt=${date}/0000000003.ndjson.gz`);
    }
    expect(end).toBe(members.length);
    expect(sealed.toSorted()).toEqual([...drawn, ...drawnOdds].map(({ line }) => String(line)).toSorted());
  });
  fc.assert(property, { numRuns: 150 });
});

test('the whole batch object can be read by any reader of gzip', () => {
  const { members } = sealBatch(
    batchOf([event('1', '2026-06-10T10:00:00Z'), event('2', '2026-06-11T10:00:00Z')], [odd('{"id":null}')]),
    options,
  );
  expect(String(gunzipSync(members))).toBe(
    '{"id":1,"timestamp":"2026-06-10T10:00:00Z"}\n{"id":2,"timestamp":"2026-06-11T10:00:00Z"}\n{"id":null}\n',
  );
});

test('events of one instant are in the order of the length of their ids, then of their text', () => {
  const drawn = ['10', '9', '"b"', '"a"', '"A"', '100', '"é"'].map((id) => event(id));
  const { members } = sealBatch(batchOf(drawn), options);
  const ids = String(gunzipSync(members))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual([9, 'A', 'a', 'b', 'é', 10, 100]);
});

test('held lines are in one segment for each date, with their earliest and their latest instant', () => {
  const odds = [
    '{"id":null,"timestamp":"2026-06-10T23:00:00Z"}',
    '{"id":null,"timestamp":"2026-06-10T01:00:00Z","x":1}',
    '{"id":2,"timestamp":"1970-01-01T00:00:00Z"}',
    '{"id":1}',
  ];
  const { segments } = sealBatch(batchOf([], odds.map(odd)), options);
  const facts = segments.map((segment) => [segment.key, segment.lines, segment.first, segment.last]);
  expect(facts).toEqual([
    [
      'quarantine/team=main/dt=2026-06-10/0000000003.ndjson.gz',
      2,
      '2026-06-10T01:00:00.000Z',
      '2026-06-10T23:00:00.000Z',
    ],
    [
      'quarantine/team=main/dt=2026-06-12/0000000003.ndjson.gz',
      2,
      '2026-06-12T12:00:00.000Z',
      '2026-06-12T12:00:00.000Z',
    ],
  ]);
});

test('an empty batch is sealed to nothing', () => {
  expect(sealBatch(batchOf([]), options)).toEqual({ members: Buffer.alloc(0), segments: [] });
});

const closed = { pages: 0, requests: 0, events: 0, late: 0, known: 0, revisions: 0, quarantined: nothingHeld };

test.each<[string, Partial<OpenBatchOptions>, readonly PageLines[], number, Partial<Counts>]>([
  ['nothing where there was no page', {}, [], 0, {}],
  [
    'pages and what each of them brought',
    {},
    [lines({ newEvents: [event('1')], known: 2 }), lines({ known: 1, revisions: 1 })],
    0,
    { pages: 2, events: 1, known: 3, revisions: 1 },
  ],
  ['the requests that were sent since the batch was opened', { requestsBefore: 5 }, [], 8, { requests: 3 }],
  [
    'held lines by their reason',
    {},
    [lines({ held: [held(odd('{"id":1}')), held(odd('{"id":2}'), 'revision'), held(odd('{"id":3}'), 'revision')] })],
    0,
    { pages: 1, quarantined: { ...nothingHeld, 'bad-timestamp': 1, revision: 2 } },
  ],
  [
    'an event as late that is older than the position',
    { lateBefore: new Date('2026-06-12T09:00:00Z') },
    [lines({ newEvents: ['2026-06-12T09:00:00Z', '2026-06-12T08:59:59.999Z'].map((at, n) => event(String(n), at)) })],
    0,
    { pages: 1, events: 2, late: 1 },
  ],
  [
    'no event as late on a first run',
    {},
    [lines({ newEvents: [event('1', '2026-01-01T00:00:00Z')] })],
    0,
    { pages: 1, events: 1, late: 0 },
  ],
])('a batch counts %s', (_name, changes, pages, requests, counts) => {
  const batch = opened(changes);
  for (const page of pages) batch.add(page);
  expect(batch.close(requests).counts).toEqual({ ...closed, ...counts });
});

test.each<[string, BatchLimits]>([
  ['lines', { events: 3, bytes: 1e9 }],
  ['bytes', { events: 1e9, bytes: 120 }],
])('a batch is full by the number of its %s, of new events and of held lines together', (_name, limits) => {
  const batch = opened({ limits });
  expect(batch.isEmpty()).toBe(true);
  batch.add(lines({ newEvents: [event('1')] }));
  batch.add(lines({ held: [held(odd('{"id":2,"timestamp":"an hour ago, or two"}'))] }));
  expect([batch.isEmpty(), batch.isFull()]).toEqual([false, false]);
  batch.add(lines({ newEvents: [event('3')] }));
  expect(batch.isFull()).toBe(true);
});

test('a batch keeps its lines although the memory of their page is used again', () => {
  const page = Buffer.from('{"id":1,"timestamp":"2026-06-12T10:00:00Z"}{"id":2}');
  const first = readEvent(page.subarray(0, 43));
  const batch = batchOf(isDated(first) ? [first] : [], [readEvent(page.subarray(43))]);
  page.fill(0x20);
  expect(String(gunzipSync(sealBatch(batch, options).members))).toBe(
    '{"id":1,"timestamp":"2026-06-12T10:00:00Z"}\n{"id":2}\n',
  );
});
