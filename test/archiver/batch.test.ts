import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { BATCH_LIMITS, createDraft, type Held, sealBatch } from '../../lambdas/archiver/batch';
import {
  type AuditEvent,
  compareEvents,
  type DatedEvent,
  instantInRange,
  isDated,
  type QuarantineReason,
  readEvent,
} from '../../lambdas/shared/event';
import { sha256 } from '../../lambdas/shared/manifest';
import { decompress, splitLines } from '../../lambdas/shared/segment';
import { dateOf } from '../../lambdas/shared/time';

const options = { team: 'main', seq: 3 };
const walkStart = new Date('2026-06-12T12:00:00.000Z');

function held(line: AuditEvent, reason: QuarantineReason = 'bad-timestamp'): Held {
  const own = instantInRange(line, walkStart) ?? walkStart;
  return { event: line, reason, date: dateOf(own), instant: own };
}

function event(id: string, timestamp: string, more = ''): DatedEvent {
  const read = readEvent(Buffer.from(`{"id":${id},"timestamp":"${timestamp}"${more}}`));
  if (!isDated(read)) throw new Error('not dated');
  return read;
}

function odd(line: string): AuditEvent {
  return readEvent(Buffer.from(line));
}

function draftOf(events: readonly DatedEvent[], odds: readonly AuditEvent[] = []) {
  const draft = createDraft(BATCH_LIMITS);
  for (const each of events) draft.add(each);
  for (const each of odds) draft.hold(held(each, 'bad-timestamp'));
  return draft;
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

test("a sealed batch is its lines, each once, in its date's member, in order", () => {
  const property = fc.property(events, odds, (drawn, held) => {
    const { members, segments } = sealBatch(draftOf(drawn, held), options);
    let end = 0;
    const lines: string[] = [];
    for (const segment of segments) {
      expect(segment.offset).toBe(end);
      end += segment.length;
      const content = decompress(members.subarray(segment.offset, end), segment.bytes);
      const own = [...splitLines(content)];
      expect(content).toHaveLength(segment.bytes);
      expect(own).toHaveLength(segment.lines);
      expect(sha256(content)).toBe(segment.sha256);
      expect(sha256(members.subarray(segment.offset, end))).toBe(segment.objectSha256);
      lines.push(...own.map(String));
      if (segment.key.startsWith('quarantine/')) continue;
      const read = own.map((line) => readEvent(line)).filter(isDated);
      expect(read).toEqual(read.toSorted(compareEvents));
      expect([segment.first, segment.last]).toEqual([read[0], read.at(-1)].map((each) => each?.instant.toISOString()));
      const [date] = new Set(read.map(({ instant }) => dateOf(instant)));
      expect(segment.key).toBe(`events/team=main/dt=${date}/0000000003.ndjson.gz`);
    }
    expect(end).toBe(members.length);
    expect(lines.toSorted()).toEqual([...drawn, ...held].map(({ line }) => String(line)).toSorted());
  });
  fc.assert(property, { numRuns: 150 });
});

test('the whole batch can be read by anything that reads gzip', () => {
  const { members } = sealBatch(
    draftOf([event('1', '2026-06-10T10:00:00Z'), event('2', '2026-06-11T10:00:00Z')], [odd('{"id":null}')]),
    options,
  );
  expect(String(gunzipSync(members))).toBe(
    '{"id":1,"timestamp":"2026-06-10T10:00:00Z"}\n{"id":2,"timestamp":"2026-06-11T10:00:00Z"}\n{"id":null}\n',
  );
});

test('ids tie-break by length, then text', () => {
  const at = '2026-06-12T10:00:00Z';
  const drawn = ['10', '9', '"b"', '"a"', '"A"', '100', '"é"'].map((id) => event(id, at));
  const { members } = sealBatch(draftOf(drawn), options);
  const ids = String(gunzipSync(members))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).id);
  expect(ids).toEqual([9, 'A', 'a', 'b', 'é', 10, 100]);
});

test('quarantined lines lie in one segment for each date, with the earliest and the latest instant', () => {
  const lines = [
    '{"id":null,"timestamp":"2026-06-10T23:00:00Z"}',
    '{"id":null,"timestamp":"2026-06-10T01:00:00Z","x":1}',
    '{"id":2,"timestamp":"1970-01-01T00:00:00Z"}',
    '{"id":1}',
  ];
  const { segments } = sealBatch(draftOf([], lines.map(odd)), options);
  const facts = segments.map(({ key, lines, first, last }) => [key, lines, first, last]);
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

test('an empty draft seals to nothing', () => {
  expect(sealBatch(draftOf([]), options)).toEqual({ members: Buffer.alloc(0), segments: [] });
});

describe('a draft', () => {
  test('is full by number, of events and of what is held', () => {
    const draft = createDraft({ events: 3, bytes: 1e9 });
    draft.add(event('1', '2026-06-12T10:00:00Z'));
    draft.hold(held(odd('{"id":2}'), 'bad-timestamp'));
    expect(draft.isFull()).toBe(false);
    draft.add(event('3', '2026-06-12T10:00:00Z'));
    expect(draft.isFull()).toBe(true);
  });

  test('is full by bytes', () => {
    const draft = createDraft({ events: 1e9, bytes: 100 });
    draft.hold(held(odd(`{"id":2,"x":"${'x'.repeat(60)}"}`), 'bad-timestamp'));
    expect(draft.isFull()).toBe(false);
    draft.add(event('1', '2026-06-12T10:00:00Z'));
    expect(draft.isFull()).toBe(true);
  });

  test('keeps its lines though the page they came on is gone', () => {
    const page = Buffer.from('{"id":1,"timestamp":"2026-06-12T10:00:00Z"}{"id":2}');
    const draft = createDraft(BATCH_LIMITS);
    const first = readEvent(page.subarray(0, 43));
    if (isDated(first)) draft.add(first);
    draft.hold(held(readEvent(page.subarray(43)), 'bad-timestamp'));
    page.fill(0x20);
    expect(String(gunzipSync(sealBatch(draft, options).members))).toBe(
      '{"id":1,"timestamp":"2026-06-12T10:00:00Z"}\n{"id":2}\n',
    );
  });
});
