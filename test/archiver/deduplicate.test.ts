/** What a page brings that is new. What the archive holds, and how it is read, is in archived.test.ts. */
import type { Archived } from '../../lambdas/archiver/archived';
import { createDeduplicator, type DeduplicatorOptions } from '../../lambdas/archiver/deduplicate';
import { createLineIndex } from '../../lambdas/archiver/line-index';
import { type AuditEvent, readEvent } from '../../lambdas/shared/event';
import { sha256 } from '../../lambdas/shared/manifest';

const DATE = '2026-06-12';
const walkStart = new Date(`${DATE}T12:00:00.250Z`);
const readFrom = new Date(`${DATE}T05:30:00.000Z`);

function parse(line: string): AuditEvent {
  return readEvent(Buffer.from(line));
}

function event(id: string | number, timestamp = `${DATE}T10:00:00.000Z`, more = ''): AuditEvent {
  return parse(`{"id":${id},"timestamp":"${timestamp}"${more}}`);
}

const edited = ',"edited":true';

interface ArchivedLines {
  readonly events?: readonly AuditEvent[];
  readonly revisions?: readonly AuditEvent[];
  readonly unfit?: readonly AuditEvent[];
  readonly undated?: DeduplicatorOptions['undated'];
}

/** A deduplicator over an archive that holds these lines. `asked` is what it asks of the archive, in order. */
function deduplicatorOf({ events = [], revisions = [], unfit = [], undated = [] }: ArchivedLines = {}) {
  const asked: string[] = [];
  const index = { events: createLineIndex(), held: createLineIndex(), revised: createLineIndex() };
  for (const { id = '', line } of events) index.events.add(DATE, id, line);
  for (const { id = '', line } of revisions) index.revised.add(DATE, id, line);
  for (const { line } of unfit) index.held.add(DATE, sha256(line), line);
  const archived: Archived = {
    ...index,
    readFrom: async (instant) => void asked.push(`from ${instant.toISOString()}`),
    readDay: async (date) => void asked.push(`day ${date}`),
    proveDay: async (date) => void asked.push(`proof ${date}`),
    forgetBefore: () => undefined,
  };
  const deduplicator = createDeduplicator(archived, { readFrom, undated });
  const sort = (page: readonly AuditEvent[], sweptDate?: string) => deduplicator.sort(page, { walkStart, sweptDate });
  return { ...deduplicator, sort, asked };
}

function sortOnce(page: readonly AuditEvent[], archivedLines: ArchivedLines = {}, sweptDate?: string) {
  return deduplicatorOf(archivedLines).sort(page, sweptDate);
}

const textOf = ({ line }: AuditEvent) => String(line);
const shortHash = ({ line }: AuditEvent) => sha256(line).slice(0, 16);

describe('events', () => {
  test('an archived event is known, with another body a revision, and any other event is new', async () => {
    const page = [event(1), event(2, undefined, edited), event(3)];
    const lines = await sortOnce(page, { events: [event(1), event(2)] });
    expect(lines.standings).toEqual([
      { id: '1', date: DATE, standing: 'known' },
      { id: '2', date: DATE, standing: 'revision' },
      { id: '3', date: DATE, standing: 'new' },
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

  test('an id that quarantine holds as a revision stays a revision, although its first body was not read', async () => {
    const revision = event(1, undefined, edited);
    for (const served of [revision, event(1), event(1, undefined, ',"x":1')]) {
      const lines = await sortOnce([served], { revisions: [revision] });
      expect(lines).toMatchObject({ newEvents: [], held: [], revisions: 1, known: 0 });
    }
  });

  test('an id that became a revision in this run stays one', async () => {
    const { sort } = deduplicatorOf({ events: [event(1)] });
    expect((await sort([event(1, undefined, edited)])).held).toHaveLength(1);
    expect(await sort([event(1, undefined, edited)])).toMatchObject({ held: [], revisions: 1 });
  });

  test('an id that quarantine holds only as an unfit line is new as an event', async () => {
    const lines = await sortOnce([event(9)], { unfit: [event(9, 'soon')] });
    expect(lines.newEvents.map(textOf)).toEqual([textOf(event(9))]);
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
    expect(lines).toEqual({ newEvents: [], known: 0, revisions: 0, unfit: 1, standings: [] });
  });

  test('a line that quarantine holds, or that this run has held, is known', async () => {
    const [named, nameless] = [event(9, 'soon'), parse('{"x":1}')];
    expect(await sortOnce([named, nameless], { unfit: [named, nameless] })).toMatchObject({ held: [], known: 2 });
    const { sort } = deduplicatorOf();
    expect((await sort([named, nameless])).held).toHaveLength(2);
    expect(await sort([named, nameless])).toMatchObject({ held: [], known: 2 });
  });

  test('unfit lines of one id are told apart by their content, and none stands for a revision', async () => {
    const placeholders = [event('"N/A"', 'bad', ',"x":1'), event('"N/A"', 'bad', ',"x":2')];
    expect((await sortOnce(placeholders)).held).toHaveLength(2);
    const lines = await sortOnce([event(9, undefined, edited)], { events: [event(9)], unfit: [event(9, 'soon')] });
    expect(lines.held.map(({ reason }) => reason)).toEqual(['revision']);
  });

  test('an archived event or revision that a wrong clock takes for dated ahead is known', async () => {
    const ahead = event(9, '2026-06-14T10:00:00Z');
    expect(await sortOnce([ahead], { events: [ahead] })).toMatchObject({ held: [], known: 1 });
    expect(await sortOnce([ahead], { revisions: [ahead] })).toMatchObject({ held: [], known: 1 });
  });

  test('a revision that a wrong clock once took for an event that is dated ahead is not held again', async () => {
    const revision = event(1, undefined, edited);
    const lines = await sortOnce([revision], { events: [event(1)], unfit: [revision] });
    expect(lines).toMatchObject({ held: [], revisions: 1 });
  });

  test('of the revisions of one event, the first is held and the others are counted', async () => {
    const page = [event('"1"'), event(2, undefined, ',"x":1'), event(2, undefined, ',"x":2')];
    const { held, known, revisions } = await sortOnce(page, { events: [event(1), event(2)] });
    expect(held.map((line) => textOf(line.event))).toEqual(page.slice(0, 2).map(textOf));
    expect({ known, revisions }).toEqual({ known: 0, revisions: 3 });
  });

  const dated = event(9, '2026-03-04T10:00:00Z', edited);
  test.each([
    ['of its own date', dated, undefined, '2026-03-04', '2026-03-04T10:00:00.000Z'],
    ['of the walk start where it has no instant', event(9, 'soon'), undefined, DATE, walkStart.toISOString()],
    ['of the walk start where it is ahead', event(9, '9999-01-01T00:00:00Z'), undefined, DATE, walkStart.toISOString()],
    ['of the swept day where it has no instant', event(9, 'soon'), '2026-04-05', '2026-04-05', walkStart.toISOString()],
  ])('a line is held in the partition %s', async (_name, odd, sweptDate, date, instant) => {
    const { held } = await sortOnce([odd], { events: [event(9, '2026-03-04T10:00:00Z')] }, sweptDate);
    expect(held.map((line) => [line.date, line.instant.toISOString()])).toEqual([[date, instant]]);
  });
});

describe('lines without an instant', () => {
  const odd = (n: number) => event(n, 'soon');

  test('a line that earlier runs have met is known, and no other', async () => {
    const lines = await sortOnce([odd(1), odd(2)], { undated: [shortHash(odd(1))] });
    expect(lines.held.map(({ event: held }) => held.id)).toEqual(['2']);
    expect(lines.known).toBe(1);
  });

  test('a line with an instant is not known by the list', async () => {
    const nameless = event('null');
    expect((await sortOnce([nameless], { undated: [shortHash(nameless)] })).held).toHaveLength(1);
  });

  test('the list holds what this run has met, new or known, before what earlier runs have met', async () => {
    const { sort, undated } = deduplicatorOf({ undated: ['older', shortHash(odd(1)), 'oldest'], unfit: [odd(2)] });
    await sort([event(7), event('null'), odd(2)]);
    await sort([odd(1), odd(3), event(4, '9999-01-01T00:00:00Z')]);
    const met = [odd(2), odd(1), odd(3), event(4, '9999-01-01T00:00:00Z')].map(shortHash);
    expect(undated()).toEqual([...met, 'older', 'oldest']);
  });

  test('the list forgets the oldest beyond a hundred', async () => {
    const { sort, undated } = deduplicatorOf({ undated: Array.from({ length: 100 }, (_, n) => `older ${n}`) });
    await sort([odd(1)]);
    expect(undated()).toHaveLength(100);
    expect([undated().at(0), undated().at(1), undated().at(-1)]).toEqual([shortHash(odd(1)), 'older 0', 'older 98']);
  });
});

describe('what is read first', () => {
  test.each([
    ['the instant from which the walk reads', [event(1)], readFrom.toISOString()],
    ['the instant of an event that is older', [event(1, '2026-06-10T08:00:00Z'), event(2)], '2026-06-10T08:00:00.000Z'],
    ['the midnight before the walk for a line without an instant', [event(1, 'soon')], `${DATE}T00:00:00.000Z`],
    ['the instant from which the walk reads where a page is empty', [], readFrom.toISOString()],
  ])('the archive is read from %s', async (_name, page, instant) => {
    const { sort, asked } = deduplicatorOf();
    await sort(page);
    expect(asked).toEqual([`from ${instant}`]);
  });

  test('the day before the walk is read once, however many pages hold lines without an instant', async () => {
    const { sort, asked } = deduplicatorOf();
    for (const page of [[event(1)], [event(2, 'soon')], [event(3, 'soon')], [event(4), event(5, 'soon')]])
      await sort(page);
    const day = `from ${DATE}T00:00:00.000Z`;
    expect(asked).toEqual([`from ${readFrom.toISOString()}`, day, `from ${DATE}T10:00:00.000Z`]);
  });
});

describe('a sweep', () => {
  const swept = '2026-04-05';
  const onDay = event(1, `${swept}T23:59:59Z`);
  const around = [
    event(2, '2026-04-04T23:59:59Z'),
    event(3, '2026-04-06T00:00:00Z'),
    event('null', '2026-04-06T01:00:00Z'),
  ];

  test('events of other days are left to their own sweep', async () => {
    const { sort, asked } = deduplicatorOf();
    const lines = await sort([...around, onDay], swept);
    expect(lines).toMatchObject({
      newEvents: [{ id: '1' }],
      held: [],
      known: 0,
      standings: [{ id: '1', date: swept }],
    });
    expect(asked).toEqual([`proof ${swept}`]);
  });

  test.each<[string, readonly AuditEvent[], ArchivedLines, boolean]>([
    ['an event that is new', [onDay], {}, true],
    ['a revision that is new', [event(1, `${swept}T08:00:00Z`, edited)], { events: [onDay] }, true],
    ['an unfit line that is new', [event(9, 'soon')], {}, true],
    ['a known event', [onDay], { events: [onDay] }, false],
    ['a known unfit line', [event(9, 'soon')], { unfit: [event(9, 'soon')] }, false],
    ['only events of other days', around, {}, false],
  ])('a page with %s is sorted, and the day is proved only where anything is new', async (_name, page, archivedLines, isProved) => {
    const { sort, asked } = deduplicatorOf(archivedLines);
    await sort(page, swept);
    expect(asked).toEqual(isProved ? [`proof ${swept}`] : []);
  });
});
