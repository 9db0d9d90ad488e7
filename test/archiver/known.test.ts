import { createKnown } from '../../lambdas/archiver/known';
import { IntegrityError } from '../../lambdas/shared/errors';
import { type DatedEvent, isDated, readEvent } from '../../lambdas/shared/event';
import { segmentKey } from '../../lambdas/shared/object-keys';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { memoryStore } from '../support/memory-store';

const DATE = '2026-06-12';

function segment(...lines: readonly string[]): Buffer {
  return compress(joinLines(lines.map((line) => Buffer.from(line))));
}

function archived(lines: Readonly<Record<string, readonly string[]>>, seq = 1, team = 'main'): Map<string, Buffer> {
  return new Map(Object.entries(lines).map(([date, of]) => [segmentKey('events', team, date, seq), segment(...of)]));
}

function event(id: string, timestamp = `${DATE}T10:00:00.000Z`, more = ''): DatedEvent {
  const read = readEvent(Buffer.from(`{"id":${id},"timestamp":"${timestamp}"${more}}`));
  if (!isDated(read)) throw new Error('not dated');
  return read;
}

const text = (of: DatedEvent) => String(of.line);

async function knownOf(objects: ReadonlyMap<string, Buffer>, ...dates: readonly string[]) {
  const store = memoryStore({ objects });
  const known = createKnown('main', store);
  await known.load(dates);
  return { known, store };
}

test('an archived event is known, with another body a revision, and anything else is new', async () => {
  const { known } = await knownOf(archived({ [DATE]: [text(event('1')), text(event('2'))] }), DATE);
  expect(known.meet(event('1'))).toBe('known');
  expect(known.meet(event('2', undefined, ',"edited":true'))).toBe('revision');
  expect(known.meet(event('3'))).toBe('new');
});

test('ids are compared by their tokens', async () => {
  const ids = ['1', '9007199254740992', '"a\\u0062"', '"x"'];
  const { known } = await knownOf(archived({ [DATE]: ids.map((id) => text(event(id))) }), DATE);
  const standings = ['"1"', '"01"', '1.0', '9007199254740993', '"ab"', '"X"', '"__proto__"'].map((id) =>
    known.meet(event(id)),
  );
  expect(standings).toEqual(['revision', 'new', 'new', 'new', 'new', 'new', 'new']);
});

test('a new event is known from then on', async () => {
  const { known } = await knownOf(new Map(), DATE);
  expect(known.meet(event('1'))).toBe('new');
  expect(known.meet(event('1'))).toBe('known');
  expect(known.meet(event('1', undefined, ',"edited":true'))).toBe('revision');
  expect([...known.idsOf(DATE).keys()]).toEqual(['1']);
});

test('an event that moved to another loaded date is a revision', async () => {
  const { known } = await knownOf(
    archived({ '2026-06-11': [text(event('1', '2026-06-11T23:59:59Z'))] }),
    '2026-06-11',
    DATE,
  );
  expect(known.meet(event('1', `${DATE}T00:00:00Z`))).toBe('revision');
});

test("all segments of a date are read, and no other team's", async () => {
  const objects = new Map([
    ...archived({ [DATE]: [text(event('1'))] }, 1),
    ...archived({ [DATE]: [text(event('2'))] }, 7),
    ...archived({ [DATE]: [text(event('3'))] }, 7, 'main-2'),
    ...archived({ '2026-06-11': [text(event('4', '2026-06-11T10:00:00Z'))] }, 7),
  ]);
  const { known } = await knownOf(objects, DATE);
  expect(['1', '2', '3', '4'].map((id) => known.meet(event(id)))).toEqual(['known', 'known', 'new', 'new']);
});

test('each date is read once', async () => {
  const { known, store } = await knownOf(archived({ [DATE]: [text(event('1'))] }), DATE, DATE);
  const calls = store.calls.length;
  await known.load([DATE, DATE]);
  expect(store.calls).toHaveLength(calls);
  expect(calls).toBe(2);
});

test('a date that could not be read is not taken for an empty one', async () => {
  let broken = true;
  const objects = archived({ [DATE]: [text(event('1'))] });
  const before = (operation: string) => {
    if (operation === 'get' && broken) throw new Error('no answer');
  };
  const known = createKnown('main', memoryStore({ objects, before }));
  await expect(known.load([DATE])).rejects.toThrow('no answer');
  broken = false;
  await known.load([DATE]);
  expect(known.meet(event('1'))).toBe('known');
});

test('forgetting leaves later dates, and what is forgotten is read again', async () => {
  const { known } = await knownOf(archived({ '2026-06-11': [text(event('1', '2026-06-11T10:00:00Z'))] }), '2026-06-11');
  known.meet(event('2'));
  known.forgetBefore(DATE);
  expect(known.idsOf('2026-06-11').size).toBe(0);
  expect(known.meet(event('2'))).toBe('known');
  await known.load(['2026-06-11']);
  expect(known.meet(event('1', '2026-06-11T10:00:00Z'))).toBe('known');
});

const good = segment(text(event('1')));
test.each([
  ['is no gzip', Buffer.from('{"id":1}\n')],
  ['is empty', Buffer.alloc(0)],
  ['has two members', Buffer.concat([good, good])],
  ['ends in zeros', Buffer.concat([good, Buffer.alloc(3)])],
  ['is cut', good.subarray(0, -3)],
  ['has a flipped byte', flipped(good, 15)],
  ['holds a line that is no JSON', segment('{"id":1 "timestamp":0}')],
  ['holds a line that ends too early', segment('{"id":"1')],
  ['has no newline at its end', compress(Buffer.from('{"id":1}'))],
])('a segment that %s stops the run', async (_name, bytes) => {
  const loading = knownOf(new Map([[segmentKey('events', 'main', DATE, 1), bytes]]), DATE);
  await expect(loading).rejects.toMatchObject({ code: 'segment-differs' });
});

test('a segment that is listed and then gone stops the run', async () => {
  const known = createKnown('main', {
    list: async (prefix) => [`${prefix}0000000001.ndjson.gz`],
    get: async () => undefined,
  });
  await expect(known.load([DATE])).rejects.toBeInstanceOf(IntegrityError);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}
