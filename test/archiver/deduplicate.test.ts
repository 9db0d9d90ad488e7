import { createDeduplicator, type DeduplicatorOptions } from '../../lambdas/archiver/deduplicate';
import { type AuditEvent, readEvent } from '../../lambdas/shared/event';
import { type Area, segmentKey } from '../../lambdas/shared/object-keys';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { memoryStore } from '../support/memory-store';

const DATE = '2026-06-12';
const walkStart = new Date(`${DATE}T12:00:00.250Z`);

function parse(line: string): AuditEvent {
  return readEvent(Buffer.from(line));
}

function event(id: string | number, timestamp = `${DATE}T10:00:00.000Z`, more = ''): AuditEvent {
  return parse(`{"id":${id},"timestamp":"${timestamp}"${more}}`);
}

const edited = ',"edited":true';

function segment(...events: readonly AuditEvent[]): Buffer {
  return compress(joinLines(events.map(({ line }) => line)));
}

/** One published segment for each date. */
function stored(area: Area, dates: Readonly<Record<string, readonly AuditEvent[]>>, seq = 1, team = 'main') {
  return Object.entries(dates).map(
    ([date, events]) => [segmentKey(area, team, date, seq), segment(...events)] as const,
  );
}

interface Archive extends Partial<DeduplicatorOptions> {
  readonly objects?: readonly (readonly [string, Buffer])[];
}

function deduplicatorOf({ objects = [], ...changes }: Archive = {}) {
  const store = memoryStore({ objects: new Map(objects) });
  const options = { team: 'main', store, readAgain: undefined, previousWalkStart: undefined, ...changes };
  const deduplicator = createDeduplicator(options);
  const sort = (events: readonly AuditEvent[], sweptDate?: string) =>
    deduplicator.sort(events, { walkStart, sweptDate });
  return { ...deduplicator, store, sort };
}

function sortOnce(events: readonly AuditEvent[], archive: Archive = {}, sweptDate?: string) {
  return deduplicatorOf(archive).sort(events, sweptDate);
}

async function standingsOf(events: readonly AuditEvent[], archive: Archive = {}): Promise<readonly string[]> {
  return (await sortOnce(events, archive)).standings.map(({ standing }) => standing);
}

const textOf = ({ line }: AuditEvent) => String(line);

describe('events', () => {
  test('an archived event is known, with another body a revision, and any other event is new', async () => {
    const objects = stored('events', { [DATE]: [event(1), event(2)] });
    const page = [event(1), event(2, undefined, edited), event(3)];
    const lines = await sortOnce(page, { objects });
    expect(lines.standings).toEqual([
      expect.objectContaining({ id: '1', date: DATE, standing: 'known' }),
      expect.objectContaining({ id: '2', date: DATE, standing: 'revision' }),
      expect.objectContaining({ id: '3', date: DATE, standing: 'new' }),
    ]);
    expect(lines.newEvents.map(({ id }) => id)).toEqual(['3']);
    expect(lines.held.map(({ event: held, reason }) => `${reason} ${textOf(held)}`)).toEqual([
      `revision ${textOf(event(2, undefined, edited))}`,
    ]);
    expect(lines).toMatchObject({ known: 1, revisions: 1 });
  });

  test('the same event on two pages is new once', async () => {
    const { sort } = deduplicatorOf();
    expect((await sort([event(1), event(2), event(1)])).known).toBe(1);
    const again = await sort([event(2), event(3)]);
    expect(again.standings.map(({ standing }) => standing)).toEqual(['known', 'new']);
  });

  test('every segment of a date counts, and no segment of another date, team or area', async () => {
    const objects = [
      ...stored('events', { [DATE]: [event(1)] }, 1),
      ...stored('events', { [DATE]: [event(2)] }, 7),
      ...stored('events', { '2026-06-11': [event(3, '2026-06-11T10:00:00.000Z')] }),
      ...stored('events', { [DATE]: [event(4)] }, 1, 'main-2'),
      ...stored('quarantine', { [DATE]: [event(5)] }),
    ];
    const page = [1, 2, 3, 4, 5].map((id) => event(id));
    expect(await standingsOf(page, { objects })).toEqual(['known', 'known', 'new', 'new', 'new']);
  });

  test.each([
    ['an earlier date', '2026-06-11', '2026-06-11T23:00:00Z'],
    ["tomorrow's date", '2026-06-13', '2026-06-13T08:00:00Z'],
  ])('an event that moved here from %s within the span that is read again is a revision', async (_name, date, was) => {
    const objects = stored('events', { [date]: [event(1, was)] });
    const readAgain = { from: new Date('2026-06-11T22:00:00Z'), to: new Date('2026-06-12T09:00:00Z') };
    expect(await standingsOf([event(1)], { objects, readAgain })).toEqual(['revision']);
    expect(await standingsOf([event(1)], { objects })).toEqual(['new']);
  });

  test('the archive is read once for each date', async () => {
    const { sort, store } = deduplicatorOf({ objects: stored('events', { [DATE]: [event(1)] }) });
    for (const id of [1, 2]) await sort([event(id)]);
    expect(store.calls).toEqual([
      `list events/team=main/dt=${DATE}/`,
      `get events/team=main/dt=${DATE}/0000000001.ndjson.gz`,
    ]);
  });

  test('a date that could not be read is not taken for an empty date', async () => {
    let isBroken = true;
    const before = (operation: string) => {
      if (operation === 'get' && isBroken) throw new Error('no answer');
    };
    const store = memoryStore({ objects: new Map(stored('events', { [DATE]: [event(1)] })), before });
    const { archivedIds, sort } = deduplicatorOf({ store });
    await expect(archivedIds(DATE)).rejects.toThrow('no answer');
    isBroken = false;
    expect((await sort([event(1)])).known).toBe(1);
  });

  test('the ids of a date are those that the archive holds of it', async () => {
    const objects = stored('events', { '2026-06-01': [event(1, '2026-06-01T10:00:00Z')] });
    const { archivedIds } = deduplicatorOf({ objects });
    expect([...(await archivedIds('2026-06-01'))]).toEqual(['1']);
    expect([...(await archivedIds('2026-06-02'))]).toEqual([]);
  });

  test('a date that is forgotten is read again where a page has lines of it, and only there', async () => {
    const readAgain = { from: new Date('2026-06-10T12:00:00Z'), to: walkStart };
    const { sort, forgetBefore, store } = deduplicatorOf({ readAgain });
    const old = event(1, '2026-06-11T10:00:00Z');
    const nameless = parse('{"timestamp":"2026-06-11T10:00:00Z"}');
    const page = [old, nameless, event(2)];
    await sort(page);
    const published = [
      ...stored('events', { '2026-06-11': [old] }),
      ...stored('quarantine', { '2026-06-11': [nameless] }),
    ];
    for (const [key, bytes] of published) store.objects.set(key, bytes);
    const calls = store.calls.length;
    forgetBefore(DATE);
    expect(await sort(page)).toMatchObject({ known: 3 });
    expect(store.calls.slice(calls).filter((call) => call.startsWith('list'))).toEqual([
      'list events/team=main/dt=2026-06-11/',
      'list quarantine/team=main/dt=2026-06-11/',
    ]);
  });
});

describe('lines that may not enter events/', () => {
  test.each([
    ['no-id', event('null')],
    ['no-id', parse('17')],
    ['bad-timestamp', event(9, 'soon')],
    ['out-of-range', event(9, '2019-12-31T23:59:59.999Z')],
  ] as const)('a line that is unfit with the reason %s is held for it', async (reason, odd) => {
    const { held, ...lines } = await sortOnce([odd]);
    expect(held.map((line) => [line.reason, textOf(line.event)])).toEqual([[reason, textOf(odd)]]);
    expect(lines).toEqual({ newEvents: [], known: 0, revisions: 0, standings: [] });
  });

  test('a line is held once in a run, and is known when it is served again', async () => {
    const { sort } = deduplicatorOf();
    const page = [event(9, 'soon'), parse('{"x":1}')];
    expect((await sort(page)).held).toHaveLength(2);
    expect(await sort(page)).toMatchObject({ held: [], known: 2 });
  });

  test('of the revisions of one event, the first is held and the others are counted', async () => {
    const objects = [
      ...stored('events', { [DATE]: [event(1), event(2), event(3)] }),
      ...stored('quarantine', { [DATE]: [event(3, undefined, edited)] }),
    ];
    const page = [
      event('"1"'),
      event(2, undefined, ',"x":1'),
      event(2, undefined, ',"x":2'),
      event(3, undefined, ',"x":1'),
    ];
    const { held, known, revisions } = await sortOnce(page, { objects });
    expect(held.map((line) => textOf(line.event))).toEqual(page.slice(0, 2).map(textOf));
    expect({ known, revisions }).toEqual({ known: 0, revisions: 4 });
  });

  const dated = event(9, '2026-03-04T10:00:00Z', edited);
  test.each([
    ['of its own date, although a sweep met it', dated, '2026-04-05', '2026-03-04', '2026-03-04T10:00:00.000Z'],
    ['of the walk start where it has no instant', event(9, 'soon'), undefined, DATE, walkStart.toISOString()],
    ['of the walk start where it is ahead', event(9, '9999-01-01T00:00:00Z'), undefined, DATE, walkStart.toISOString()],
    ['of the swept day where it has no instant', event(9, 'soon'), '2026-04-05', '2026-04-05', walkStart.toISOString()],
  ])('a line is held in the partition %s', async (_name, odd, sweptDate, date, instant) => {
    const objects = stored('events', { '2026-03-04': [event(9, '2026-03-04T10:00:00Z')] });
    const { held } = await sortOnce([odd], { objects }, sweptDate);
    expect(held.map((line) => [line.date, line.instant.toISOString()])).toEqual([[date, instant]]);
  });

  test('a line with an instant is looked up in the partitions of the dates met, however large the quarantine is', async () => {
    const others = Array.from({ length: 50 }, (_, n) => [`2026-0${1 + (n % 5)}-0${1 + (n % 9)}`, [event(n, 'soon')]]);
    for (const objects of [[], stored('quarantine', Object.fromEntries(others))]) {
      const { sort, store } = deduplicatorOf({ objects });
      await sort([parse('{"timestamp":"2026-06-11T10:00:00Z"}')]);
      expect(store.calls).toEqual([
        `list quarantine/team=main/dt=${DATE}/`,
        'list quarantine/team=main/dt=2026-06-11/',
      ]);
    }
  });

  test('a line without an instant that these dates lack is looked up in the whole quarantine, once in a run', async () => {
    const objects = stored('quarantine', { '2025-01-01': [event(9, 'soon')], '2025-02-02': [event(8, 'soon')] });
    const { sort, store } = deduplicatorOf({ objects });
    const pages = [[event(9, 'soon')], [event(8, 'soon'), event(7, 'soon')]];
    const sorted = [];
    for (const page of pages) sorted.push(await sort(page));
    expect(sorted.map(({ held, known }) => [held.map(({ event }) => event.id), known])).toEqual([
      [[], 1],
      [['7'], 1],
    ]);
    expect(store.calls.filter((call) => call === 'list quarantine/team=main/')).toHaveLength(1);
    expect(store.calls.filter((call) => call.startsWith('get'))).toHaveLength(2);
  });

  const anonymous = parse('{"x":1}');
  test.each<[string, string, Archive, string | undefined]>([
    ['today', DATE, {}, undefined],
    [
      'since the walk start of the run before',
      '2026-06-10',
      { previousWalkStart: new Date('2026-06-10T23:00:00Z') },
      undefined,
    ],
    ['on the day that is swept', '2026-04-05', {}, '2026-04-05'],
    ['on the day after the one that is swept', '2026-04-06', {}, '2026-04-05'],
    ['on any earlier day', '2025-01-01', {}, undefined],
  ])('a line without an instant is known where a run held it %s', async (_name, date, archive, sweptDate) => {
    const odd = [event(9, 'soon'), anonymous];
    const objects = stored('quarantine', { [date]: odd });
    expect(await sortOnce(odd, { ...archive, objects }, sweptDate)).toMatchObject({ held: [], known: 2 });
  });
});

describe('a segment that is damaged', () => {
  test.each([
    ['is not gzip', Buffer.from('{"id":1}\n')],
    ['is cut', segment(event(1)).subarray(0, -3)],
    ['holds a line that is not JSON', compress(Buffer.from('{"id":1 "timestamp":0}\n'))],
    ['has no newline at its end', compress(Buffer.from('{"id":1}'))],
    ['is listed and then gone', undefined],
  ])('a segment that %s stops the run', async (_name, bytes) => {
    const store = { list: async (prefix: string) => [`${prefix}0000000001.ndjson.gz`], get: async () => bytes };
    await expect(sortOnce([event(1)], { store })).rejects.toMatchObject({ code: 'segment-differs' });
  });
});
