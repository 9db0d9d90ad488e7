import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { BATCH_LIMITS, openBatch, sealBatch } from '../../lambdas/archiver/batch';
import type { HeldLine, PageLines } from '../../lambdas/archiver/deduplicate';
import type { BatchLimits } from '../../lambdas/archiver/run';
import { compareEvents, type DatedEvent, instantInRange, isDated, readEvent } from '../../lambdas/shared/event';
import { sha256 } from '../../lambdas/shared/manifest';
import { decompress, splitLines } from '../../lambdas/shared/segment';
import { dateOf } from '../../lambdas/shared/time';

const options = { team: 'main', seq: 3 };
const walkStart = new Date('2026-06-12T12:00:00.000Z');

function event(id: string, timestamp = '2026-06-12T10:00:00Z', more = ''): DatedEvent {
  const read = readEvent(Buffer.from(`{"id":${id},"timestamp":"${timestamp}"${more}}`));
  if (!isDated(read)) throw new Error('not dated');
  return read;
}

function held(line: string, reason: HeldLine['reason'] = 'bad-timestamp'): HeldLine {
  const read = readEvent(Buffer.from(line));
  const instant = instantInRange(read, walkStart) ?? walkStart;
  return { event: read, reason, date: dateOf(instant), instant };
}

function lines(changes: Partial<PageLines>): PageLines {
  return { newEvents: [], held: [], known: 0, revisions: 0, unfit: 0, standings: [], ...changes };
}

const dated = fc
  .record({ id: fc.nat(9999), seconds: fc.integer({ min: 0, max: 5 * 86_400 }), note: fc.string() })
  .map(({ id, seconds, note }) =>
    event(String(id), new Date(Date.UTC(2026, 5, 8) + seconds * 1000).toISOString(), `,"note":${JSON.stringify(note)}`),
  );
const events = fc.uniqueArray(dated, { selector: ({ id }) => id, maxLength: 40 });
const odds = fc.array(
  fc.integer({ min: 1, max: 30 }).map((id) => held(`{"id":${id},"timestamp":"soon"}`)),
  { maxLength: 8 },
);

test('a sealed batch holds each line once, in order, in the gzip member of its date', () => {
  const property = fc.property(events, odds, (drawn, drawnOdds) => {
    const { members, segments } = sealBatch({ events: drawn, held: drawnOdds }, options);
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
    const all = [...drawn, ...drawnOdds.map((odd) => odd.event)];
    expect(sealed.toSorted()).toEqual(all.map(({ line }) => String(line)).toSorted());
  });
  fc.assert(property, { numRuns: 150 });
});

test('held lines are in one segment for each date, with their earliest and their latest instant', () => {
  const odd = [
    '{"id":null,"timestamp":"2026-06-10T23:00:00Z"}',
    '{"id":null,"timestamp":"2026-06-10T01:00:00Z","x":1}',
    '{"id":2,"timestamp":"1970-01-01T00:00:00Z"}',
    '{"id":1}',
  ];
  const { segments } = sealBatch({ events: [], held: odd.map((line) => held(line)) }, options);
  const [ten, twelve] = ['2026-06-10', '2026-06-12'].map((date) => `quarantine/team=main/dt=${date}`);
  expect(segments.map(({ key, lines: count, first, last }) => [key, count, first, last])).toEqual([
    [`${ten}/0000000003.ndjson.gz`, 2, '2026-06-10T01:00:00.000Z', '2026-06-10T23:00:00.000Z'],
    [`${twelve}/0000000003.ndjson.gz`, 2, '2026-06-12T12:00:00.000Z', '2026-06-12T12:00:00.000Z'],
  ]);
});

test('an empty batch is sealed to nothing', () => {
  expect(sealBatch({ events: [], held: [] }, options)).toEqual({ members: Buffer.alloc(0), segments: [] });
});

test('a batch counts what its pages brought, held lines by their reason, and the requests since it was opened', () => {
  const lateBefore = new Date('2026-06-12T09:00:00Z');
  const batch = openBatch({ limits: BATCH_LIMITS, lateBefore, requestsBefore: 5 });
  const newEvents = [event('1', '2026-06-12T09:00:00Z'), event('2', '2026-06-12T08:59:59.999Z')];
  const odd = [held('{"id":1}'), held('{"id":2}', 'revision'), held('{"id":3}', 'revision')];
  batch.add(lines({ newEvents, known: 2 }));
  batch.add(lines({ held: odd, known: 1, revisions: 2 }));
  expect(batch.close(8).counts).toEqual({
    pages: 2,
    requests: 3,
    events: 2,
    late: 1,
    known: 3,
    revisions: 2,
    quarantined: { 'no-id': 0, 'bad-timestamp': 1, 'out-of-range': 0, oversize: 0, revision: 2 },
  });
});

test.each<[string, BatchLimits]>([
  ['lines', { events: 3, bytes: 1e9 }],
  ['bytes', { events: 1e9, bytes: 120 }],
])('a batch is full by the number of its %s, of new events and of held lines together', (_name, limits) => {
  const batch = openBatch({ limits, lateBefore: undefined, requestsBefore: 0 });
  expect(batch.isEmpty()).toBe(true);
  batch.add(lines({ newEvents: [event('1', '2020-01-01T00:00:00Z')] }));
  batch.add(lines({ held: [held('{"id":2,"timestamp":"an hour ago, or two"}')] }));
  expect([batch.isEmpty(), batch.isFull()]).toEqual([false, false]);
  batch.add(lines({ newEvents: [event('3')] }));
  expect(batch.isFull()).toBe(true);
  // Nothing is late in a first run.
  expect(batch.close(0).counts).toMatchObject({ events: 2, late: 0 });
});

test('any reader of gzip reads the lines of a batch', () => {
  const batch = openBatch({ limits: BATCH_LIMITS, lateBefore: undefined, requestsBefore: 0 });
  batch.add(lines({ newEvents: [event('1', '2026-06-12T10:00:00Z')], held: [held('{"id":2}')] }));
  const { members } = sealBatch(batch.close(0), options);
  expect(String(gunzipSync(members))).toBe('{"id":1,"timestamp":"2026-06-12T10:00:00Z"}\n{"id":2}\n');
});

test.each([
  ['one event', 1],
  ['one event in three', 33],
  ['most events', 66],
  ['every event', 100],
])('a batch keeps at most twice the memory of its lines where %s of a page is new', (_name, wanted) => {
  const line = `{"id":1,"timestamp":"2026-06-12T10:00:00Z","more":"${'x'.repeat(10_000)}"}`;
  const page = Buffer.from(line.repeat(100));
  const all = Array.from({ length: 100 }, (_, n) => readEvent(page.subarray(n * line.length, (n + 1) * line.length)));
  const batch = openBatch({ limits: BATCH_LIMITS, lateBefore: undefined, requestsBefore: 0 });
  batch.add(lines({ newEvents: all.slice(0, wanted).filter(isDated) }));
  const { events } = batch.close(0);
  expect(events.every((each) => String(each.line) === line)).toBe(true);
  const memories = [...new Set(events.map((each) => each.line.buffer))];
  const kept = memories.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  expect(kept).toBeLessThanOrEqual(2 * wanted * line.length);
});
