/**
 * Archives with good signatures and wrong content, written by a faulty archiver or by somebody who holds the key. Each case
 * changes one thing before it is hashed and signed.
 */
import type { QuarantineReason } from '../../lambdas/shared/event';
import type { Manifest, SegmentEntry, TimeRange } from '../../lambdas/shared/manifest';
import { batchKey, manifestKey } from '../../lambdas/shared/object-keys';
import { verify } from '../../lambdas/verifier/verify';
import {
  type BatchSpec,
  buildArchive,
  eventLine,
  type Objects,
  readerOf,
  sampleBatches,
  testKey,
  walkStartOf,
} from '../support/archive-builder';
import { judge, NOW, saying } from '../support/judge';

const DAY = 'events/team=main/dt=2026-03-10/0000000001.ndjson.gz';
const HELD = 'quarantine/team=main/dt=2026-03-10/0000000001.ndjson.gz';
const M1 = manifestKey('main', 1);
const M2 = manifestKey('main', 2);
const UUID = '00000000-0000-4000-8000-000000000000';
/** Within an hour of the first walk start, so on its date. */
const AT = '2026-03-10T00:30:00.000Z';
const LATER = '2026-03-10T00:40:00.000Z';
const BOTH: BatchSpec = { events: [eventLine(1, AT), eventLine(2, LATER)] };

const NONE = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 };

describe('lines that may not be where they are', () => {
  test.each<readonly [string, readonly string[], string]>([
    ['an event without an id', ['{"timestamp":"2026-03-10T00:30:00.000Z"}'], 'event-unfit'],
    ['an event with two different ids', [`{"id":1,"id":2,"timestamp":"${AT}"}`], 'event-unfit'],
    ['an event of 2019', [eventLine(1, '2019-12-31T23:59:59.999Z')], 'event-unfit date-wrong'],
    ['an event dated two days ahead', [eventLine(1, '2026-03-12T00:30:00.000Z')], 'event-unfit date-wrong'],
    ['an event without a date', [eventLine(1, 'soon')], 'event-unfit'],
    ['an event of the day before', [eventLine(1, '2026-03-09T23:59:59.999Z')], 'date-wrong'],
    ['an event of the day before by its offset', [eventLine(1, '2026-03-10T00:30:00+01:00')], 'date-wrong'],
    ['events out of order', [eventLine(1, LATER), eventLine(2, AT)], 'lines-unordered'],
    ['ids of one instant out of order', [eventLine(10, AT), eventLine(9, AT)], 'lines-unordered'],
    ['the same line twice', [eventLine(1, AT), eventLine(1, AT)], 'id-repeated lines-unordered'],
    ['one id, as a number and as a string', [eventLine('1', AT), eventLine(1, LATER)], 'id-repeated'],
    ['white space between tokens', [`{"id":1, "timestamp":"${AT}"}`], 'line-malformed'],
    ['a carriage return', [`${eventLine(1, AT)}\r`], 'line-malformed'],
    ['an empty line', [''], 'line-malformed'],
    ['half a line', [eventLine(1, AT).slice(0, -1)], 'line-malformed'],
    ['brackets that do not match', [`{"id":1,"timestamp":"${AT}","x":[}}`], 'line-malformed'],
    ['two events on one line', [eventLine(1, AT) + eventLine(2, AT)], 'line-malformed'],
    ['a byte order mark', [`\ufeff${eventLine(1, AT)}`], 'line-malformed'],
  ])('a segment of events with %s gives a finding', async (_, lines, codes) => {
    const said = await saidOf([{ arrange: () => [{ key: DAY, lines }] }]);
    const expected = codes.split(' ').map((code) => `${code} ${DAY}`);
    // Without an instant in any line, the builder cannot describe the segment.
    expect(said.filter((finding) => !finding.startsWith('segment-misdescribed'))).toEqual(expected);
  });

  test('a line above 16 MB is reported as oversize', async () => {
    const line = eventLine(1, AT, { padding: 'x'.repeat(16 * 1024 * 1024) });
    const { findings, exitCode } = await judge(await buildArchive({ batches: [{ events: [line] }] }));
    expect(exitCode).toBe(1);
    expect(findings[0]).toMatchObject({ code: 'event-unfit', object: DAY, detail: 'line 1: oversize' });
  });

  test.each([
    ['bytes that are not UTF-8', Buffer.from(`${eventLine(1, AT, { x: '\xff' })}\n`, 'latin1')],
    ['a last line without a newline', Buffer.from(`${eventLine(1, AT)}\n${eventLine(2, LATER)}`)],
  ])('a segment with %s has a malformed line', async (_, raw) => {
    const said = await saidOf([{ arrange: () => [{ key: DAY, lines: [eventLine(1, AT)], raw }] }]);
    expect(said).toContain(`line-malformed ${DAY}`);
  });

  test('many findings of one kind in a segment are one finding with the first line and their number', async () => {
    const lines = [5, 4, 3, 2, 1].map((id) => eventLine(id, AT));
    const objects = await buildArchive({ batches: [{ arrange: () => [{ key: DAY, lines }] }] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings).toMatchObject([{ code: 'lines-unordered', detail: 'line 2, and 3 more' }]);
  });

  test('no finding quotes an id or a body', async () => {
    const secret = 'sx1d7f-secret';
    const lines = [eventLine(secret, LATER), eventLine(secret, AT), `{"id":"${secret}"}`, `{${secret}`];
    const objects = await buildArchive({ batches: [{ arrange: () => [{ key: DAY, lines }] }] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(findings)).not.toContain(secret);
  });
});

describe('repeated ids', () => {
  test.each([
    ['in another batch', AT],
    ['under another date', '2026-03-09T12:00:00.000Z'],
  ])('an id archived again %s is a finding that names the later segment and the earlier manifest', async (_, timestamp) => {
    const objects = await buildArchive({ batches: [BOTH, {}, { events: [eventLine(2, timestamp)] }] });
    const { findings, exitCode } = await judge(objects);
    expect(exitCode).toBe(1);
    expect(findings).toMatchObject([
      {
        code: 'id-repeated',
        object: `events/team=main/dt=${timestamp.slice(0, 10)}/0000000003.ndjson.gz`,
        detail: 'line 1: manifest 1 had already archived this id',
      },
    ]);
  });

  test('ids that differ beyond 2^53, in a leading zero or in another team are different', async () => {
    const events = ['9007199254740992', '9007199254740993', '"01"', '1', '1.0'].map(
      (id) => `{"id":${id},"timestamp":"${AT}"}`,
    );
    const main = await buildArchive({ batches: [{ events }] });
    const other = await buildArchive({ team: 'other', batches: [{ events }] });
    expect(await judge(new Map([...main, ...other]))).toMatchObject({ exitCode: 0, said: [] });
  });
});

describe('quarantine', () => {
  test.each<readonly [string, string]>([
    ['an event that could be archived', eventLine(9, AT)],
    ['an event within a day ahead', eventLine(9, '2026-03-11T00:59:59.000Z')],
  ])('quarantine may not hold %s', async (_, line) => {
    const object = HELD.replace('2026-03-10', JSON.parse(line).timestamp.slice(0, 10));
    expect(await saidOf([{ ...BOTH, quarantine: [line] }])).toEqual([`quarantine-unfounded ${object}`]);
  });

  test('quarantine may hold a revision of an event that the same or an earlier manifest archived', async () => {
    const quarantine = [eventLine(1, AT, { edited: true })];
    expect(await saidOf([{ ...BOTH, quarantine }])).toEqual([]);
    expect(await saidOf([BOTH, { quarantine }])).toEqual([]);
  });

  test('quarantine may not hold a revision of an event that a later manifest archived', async () => {
    expect(await saidOf([{ quarantine: [eventLine(1, AT)] }, BOTH])).toEqual([`quarantine-unfounded ${HELD}`]);
  });

  describe.each([
    ['a line with an instant in range', '{"id":null,"timestamp":"2026-03-10T00:30:00Z"}', '2026-03-10', '2026-03-09'],
    ['a line without an instant', '{}', '2026-03-10', '2026-03-09'],
    ['a line with an instant out of range', eventLine(9, '1970-01-01T00:00:00Z'), '2026-03-10', '1970-01-01'],
    ['an oversize line', eventLine(9, AT, { padding: 'x'.repeat(16 * 1024 * 1024) }), '2026-03-10', '2026-03-09'],
  ])('%s', (_, line, right, wrong) => {
    test.each([
      [right, []],
      [wrong, ['date-wrong']],
    ])('a quarantined line in the partition of %s gives %j', async (date, codes) => {
      const key = HELD.replace('2026-03-10', date);
      expect(await saidOf([{ arrange: () => [{ key, lines: [line] }] }])).toEqual(
        codes.map((code) => `${code} ${key}`),
      );
    });
  });

  test('quarantine may hold a line without an instant under the date of a sweep', async () => {
    const key = HELD.replace('2026-03-10', '2026-02-01');
    const arrange = () => [{ key, lines: ['{}'] }];
    const sweep = { status: 'complete', served: 0, archived: 0, late: 0, missing: 0, changed: 0 } as const;
    const sweeping = (date: string) => (manifest: Manifest) => ({ ...manifest, sweeps: [{ date, ...sweep }] });
    expect(await saidOf([{ arrange, amend: sweeping('2026-02-01') }])).toEqual([]);
    expect(await saidOf([{ arrange, amend: sweeping('2026-02-02') }])).toEqual([`date-wrong ${key}`]);
  });

  test('quarantined lines are sorted by bytes, and none is repeated', async () => {
    const arrange = () => [{ key: HELD, lines: ['{"b":1}', '{"a":1}', '{"a":1}'] }];
    expect(await saidOf([{ arrange }])).toEqual([`lines-unordered ${HELD}`]);
  });

  test.each<QuarantineReason>([
    'no-id',
    'bad-timestamp',
    'out-of-range',
    'revision',
  ])('a count of one %s too many is found', async (reason) => {
    const quarantine = ['{}', eventLine(7, 'x'), eventLine(8, '1970-01-01T00:00:00Z'), eventLine(1, AT, { x: 1 })];
    const amend = ({ counts, ...manifest }: Manifest): Manifest => {
      const other = reason === 'no-id' ? 'bad-timestamp' : 'no-id';
      const quarantined = { ...counts.quarantined, [reason]: 2, [other]: 0 };
      return { ...manifest, counts: { ...counts, revisions: 2, quarantined } };
    };
    expect(await saidOf([{ ...BOTH, quarantine }])).toEqual([]);
    expect(await saidOf([{ ...BOTH, quarantine, amend }])).toEqual([`counts-wrong ${M1}`, `counts-wrong ${M1}`]);
  });
});

test.each([
  ['more quarantined lines than there are', { ...NONE, 'no-id': 2 }, 0],
  ['a quarantined revision without a revision', { ...NONE, revision: 1 }, 0],
])('a count of %s is found', async (_, quarantined, revisions) => {
  const amend = (manifest: Manifest) => counting({ quarantined, revisions })(manifest);
  const line = quarantined.revision === 1 ? eventLine(1, AT, { edited: true }) : '{}';
  expect(await saidOf([{ ...BOTH, quarantine: [line], amend }])).toEqual([`counts-wrong ${M1}`]);
});

describe('manifests that contradict their data', () => {
  test.each<readonly [string, (manifest: Manifest) => Manifest, readonly string[]]>([
    ['more events than lines', counting({ events: 3 }), [`counts-wrong ${M1}`]],
    ['fewer events than lines', counting({ events: 1 }), [`counts-wrong ${M1}`]],
    ['more late events than events', counting({ late: 3 }), [`counts-wrong ${M1}`]],
    ['fewer lines in a segment', describing({ lines: 1 }), [`counts-wrong ${M1}`, `segment-misdescribed ${DAY}`]],
    ['another first instant', describing({ first: LATER }), [`segment-misdescribed ${DAY}`]],
    ['another last instant', describing({ last: AT }), [`latest-wrong ${M1}`, `segment-misdescribed ${DAY}`]],
    ['another hash of the object', describing({ objectSha256: '0'.repeat(64) }), [`segment-recompressed ${DAY}`]],
    [
      'a latest instant that no segment has',
      (m) => ({ ...m, latest: LATER.replace('40', '41') }),
      [`latest-wrong ${M1}`],
    ],
    ['no latest instant', (m) => ({ ...m, latest: null }), [`latest-wrong ${M1}`]],
    ['another hash', describing({ sha256: '0'.repeat(64) }), [`segment-differs ${DAY}`]],
    ['more uncompressed bytes', describing({ bytes: 1000 }), [`segment-differs ${DAY}`]],
    ['fewer uncompressed bytes', describing({ bytes: 10 }), [`segment-malformed ${DAY}`]],
    ['more bytes than the format allows', describing({ bytes: 2 ** 52 }), [`object-too-large ${DAY}`]],
    ['a gap before the first member', describing({ offset: 1 }), [`batch-untiled ${M1}`]],
    ['a member of no bytes', describing({ length: 0 }), [`batch-untiled ${M1}`]],
    ['a member beyond the end', describing({ length: 2 ** 52 }), [`batch-untiled ${M1}`]],
    ['no segments', (m) => ({ ...m, segments: [] }), [`batch-untiled ${M1}`, `counts-wrong ${M1}`]],
    ['no batch', (m) => ({ ...m, batch: null }), [`batch-untiled ${M1}`]],
    ['the same segment twice', (m) => ({ ...m, segments: [...m.segments, ...m.segments] }), [`segment-misnamed ${M1}`]],
    ['a segment of another seq', describing({ key: DAY.replace('001', '002') }), [`segment-misnamed ${M1}`]],
    ['a segment of another team', describing({ key: DAY.replace('main', 'other') }), [`segment-misnamed ${M1}`]],
    ['a segment outside the archive', describing({ key: '../../../etc/passwd' }), [`segment-misnamed ${M1}`]],
    ['a segment among the manifests', describing({ key: M1 }), [`segment-misnamed ${M1}`]],
    ['a batch of another seq', batched(batchKey('main', 2, UUID)), [`batch-misnamed ${M1}`]],
    ['a batch of another team', batched(batchKey('other', 1, UUID)), [`batch-misnamed ${M1}`]],
    ['a batch outside the archive', batched('batches/team=main/../../secret'), [`batch-misnamed ${M1}`]],
    ['another team', (m) => ({ ...m, team: 'other' }), [`manifest-misplaced ${M1}`]],
    ['another seq', (m) => ({ ...m, seq: 7 }), [`manifest-misplaced ${M1}`]],
    ['a predecessor although it is the first', (m) => ({ ...m, previous: '0'.repeat(64) }), [`chain-broken ${M1}`]],
    ['a missing field', ({ window: _, ...m }) => m as Manifest, [`manifest-unreadable ${M1}`]],
    ['a window that ends before it begins', (m) => ({ ...m, window: reversed(m.window) }), [`range-reversed ${M1}`]],
    [
      'a gap that ends before it begins',
      (m) => ({ ...m, gaps: [{ ...reversed(m.window), reason: 'retention' as const }] }),
      [`range-reversed ${M1}`],
    ],
    [
      'a position after its walk start',
      (m) => ({ ...m, position: walkStartOf(2).toISOString() }),
      [`position-wrong ${M1}`],
    ],
    [
      'a newer format',
      (m) => ({ ...m, format: 'postman-audit-archive/2' as Manifest['format'] }),
      [`format-newer ${M1}`],
    ],
  ])('a signed manifest with %s is found', async (_, amend, expected) => {
    const { said, exitCode } = await judge(await buildArchive({ batches: [{ ...BOTH, amend }] }));
    expect(exitCode).toBe(1);
    expect(said).toEqual(expect.arrayContaining([...expected]));
  });

  test('an empty segment is found', async () => {
    expect(await saidOf([{ arrange: () => [{ key: DAY, lines: [] }] }])).toEqual([`segment-misdescribed ${DAY}`]);
  });

  test('a segment under 30 February is found', async () => {
    const key = DAY.replace('2026-03-10', '2026-02-30');
    expect(await saidOf([{ arrange: ([first]) => [{ lines: first?.lines ?? [], key }], ...BOTH }])).toEqual([
      `date-wrong ${key}`,
    ]);
  });
});

describe('manifests that contradict the one before', () => {
  const hour = (hours: number) => new Date(Date.UTC(2026, 2, 10) + hours * 3_600_000).toISOString();

  const uncovered = { window: { from: hour(1.5), to: hour(2) } };
  const gapped = (from: number, to: number) => ({
    ...uncovered,
    gaps: [{ from: hour(from), to: hour(to), reason: 'retention' as const }],
  });

  test.each<readonly [string, readonly string[], Partial<Manifest>]>([
    ['a position that goes back', [`position-wrong ${M2}`], { position: hour(0) }],
    ['another start of the chain', [`start-moved ${M2}`], { start: hour(0) }],
    ['a window that leaves time out', [`window-hole ${M2}`], uncovered],
    ['a window that leaves time out, and a gap of that time', [], gapped(1, 1.5)],
    ['a window that leaves time out, and a gap that begins too late', [`window-hole ${M2}`], gapped(1.1, 1.5)],
    ['a window that leaves time out, and a gap that ends too early', [`window-hole ${M2}`], gapped(1, 1.4)],
  ])('a second manifest with %s gives %j', async (_, findings, fields) => {
    expect(await saidOf([BOTH, { amend: (manifest) => ({ ...manifest, ...fields }) }])).toEqual(findings);
  });

  test('a manifest of another chain is found by the next manifest', async () => {
    const objects = await buildArchive({ batches: sampleBatches });
    const sibling = await buildArchive({ batches: [sampleBatches[0] ?? {}, {}] });
    objects.set(M2, sibling.get(M2) ?? Buffer.alloc(0));
    const { said, exitCode } = await judge(objects);
    expect(exitCode).toBe(1);
    expect(said).toContain(`chain-broken ${manifestKey('main', 3)}`);
  });

  test('another manifest in the place of the head is found by the saved head alone', async () => {
    const twins = [await buildArchive({ batches: [{}, {}] }), await buildArchive({ batches: [{}, {}] })];
    const [one, other] = twins;
    if (!one || !other) throw new Error('no twins');
    const heads = (await judge(one)).teams.flatMap(({ head }) => head ?? []);
    const forked: Objects = new Map(other);
    expect(await judge(forked)).toMatchObject({ exitCode: 0 });
    expect(await judge(forked, heads)).toMatchObject({ exitCode: 1, said: [`head-differs ${M2}`] });
  });

  test('a gap counts for the later batches of its run too', async () => {
    const window = { from: hour(1.5), to: hour(2) };
    const gaps = [{ from: hour(1), to: hour(1.5), reason: 'retention' as const }];
    const batches: BatchSpec[] = [
      BOTH,
      { amend: (m) => ({ ...m, window, gaps, position: hour(1) }) },
      { amend: (m) => ({ ...m, window }) },
    ];
    expect(await saidOf(batches)).toEqual([]);
  });

  test('a window after its own walk start is no finding where an earlier clock was ahead', async () => {
    const ahead = (m: Manifest): Manifest => ({
      ...m,
      run: { ...m.run, walkStart: hour(30) },
      window: { ...m.window, to: hour(30) },
      position: hour(30),
    });
    const after = (m: Manifest): Manifest => ({ ...m, window: { from: hour(24), to: hour(2) }, position: hour(30) });
    expect(await saidOf([{ amend: ahead }, { amend: after }])).toEqual([]);
  });
});

describe('unpublished heads', () => {
  const newest = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
  const batches = [BOTH, { events: [eventLine(3, '2026-03-10T01:30:00.000Z')] }];

  test('a head may be unpublished while its batch object is complete', async () => {
    const objects = await buildArchive({ batches });
    objects.delete(newest);
    const judgement = await judge(objects);
    expect(judgement).toMatchObject({ exitCode: 0, said: [`segment-unpublished ${newest}`] });
    expect(judgement.teams).toMatchObject([{ events: 3 }]);
  });

  test('a head may not be unpublished without its batch object', async () => {
    const objects = await buildArchive({ batches });
    objects.delete(newest);
    const batch = [...objects.keys()].find((key) => key.startsWith('batches/team=main/0000000002')) ?? '';
    objects.delete(batch);
    const { said, exitCode } = await judge(objects);
    expect(exitCode).toBe(1);
    expect(said).toEqual([`batch-missing ${batch}`, `segment-missing ${newest}`]);
  });

  test('a manifest before the head may not be unpublished', async () => {
    const objects = await buildArchive({ batches: [...batches, {}] });
    objects.delete(newest);
    expect((await judge(objects)).said).toEqual([`segment-missing ${newest}`]);
  });

  test('a segment of the head that is listed but unreadable is missing and not unpublished', async () => {
    const objects = await buildArchive({ batches });
    const reader = readerOf(objects);
    const get: typeof reader.get = async (key, range) => (key === newest ? undefined : reader.get(key, range));
    const { findings } = await verify({ ...reader, get }, { publicKey: testKey, now: NOW });
    expect(findings.map(saying)).toEqual([`segment-missing ${newest}`]);
  });

  test('a run that commits and publishes while the verifier reads gives no finding', async () => {
    const objects = await buildArchive({ batches });
    const reader = readerOf(objects);
    const before = (await reader.list('')).filter((key) => !key.includes('0000000002'));
    const racing = { ...reader, list: async (prefix: string) => (prefix === '' ? before : reader.list(prefix)) };
    expect((await verify(racing, { publicKey: testKey, now: NOW })).findings.map(saying)).toEqual([]);
  });
});

function counting(counts: Partial<Manifest['counts']>): (manifest: Manifest) => Manifest {
  return (manifest) => ({ ...manifest, counts: { ...manifest.counts, ...counts } });
}

function describing(facts: Partial<SegmentEntry>): (manifest: Manifest) => Manifest {
  return (manifest) => ({ ...manifest, segments: manifest.segments.map((segment) => ({ ...segment, ...facts })) });
}

function batched(key: string): (manifest: Manifest) => Manifest {
  return (manifest) => ({ ...manifest, batch: { key, bytes: manifest.batch?.bytes ?? 0 } });
}

function reversed({ from, to }: TimeRange): TimeRange {
  return { from: to, to: from };
}

/** The findings of the command. Its exit code must agree with them. */
async function saidOf(batches: readonly BatchSpec[]): Promise<readonly string[]> {
  const { said, exitCode } = await judge(await buildArchive({ batches }));
  expect(exitCode).toBe(said.length > 0 ? 1 : 0);
  return said;
}
