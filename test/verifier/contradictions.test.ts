/**
 * Archives with good signatures and wrong content, written by a faulty archiver or by somebody who holds the key. Each case
 * changes one thing before it is hashed and signed.
 */
import type { QuarantineReason } from '../../lambdas/shared/event';
import type { Manifest, SegmentEntry, TimeRange } from '../../lambdas/shared/manifest';
import { batchKey } from '../../lambdas/shared/object-keys';
import { verify } from '../../lambdas/verifier/verify';
import {
  ATTEMPT,
  type BatchSpec,
  buildArchive,
  eventLine,
  readerOf,
  type SegmentDraft,
  sampleBatches,
  testKey,
  walkStartOf,
} from '../support/archive-builder';
import { judge, NOW } from '../support/judge';
import { keyOf, listed, perform, read, shortened } from '../support/tampering';

/** Within an hour of the first walk start, so on its date. */
const AT = '2026-03-10T00:30:00.000Z';
const LATER = '2026-03-10T00:40:00.000Z';
const BOTH: BatchSpec = { events: [eventLine(1, AT), eventLine(2, LATER)] };
const OVERSIZE = eventLine(9, AT, { padding: 'x'.repeat(16 * 1024 * 1024) });

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
    ['a line above 16 MB', [OVERSIZE], 'event-unfit'],
  ])('a segment of events with %s gives a finding', async (_, lines, codes) => {
    const said = await saidOf([arranged('E1b', lines)]);
    const expected = codes.split(' ').map((code) => `${code} E1b`);
    // Without an instant in any line, the builder cannot describe the segment.
    expect(said.filter((finding) => !finding.startsWith('segment-misdescribed'))).toEqual(expected);
  });

  test.each([
    ['bytes that are not UTF-8', Buffer.from(`${eventLine(1, AT, { x: '\xff' })}\n`, 'latin1')],
    ['a last line without a newline', Buffer.from(`${eventLine(1, AT)}\n${eventLine(2, LATER)}`)],
  ])('a segment with %s has a malformed line', async (_, raw) => {
    expect(await saidOf([arranged('E1b', [eventLine(1, AT)], raw)])).toContain('line-malformed E1b');
  });

  test('many findings of one kind in a segment are one finding with the first line, its reason and their number', async () => {
    const lines = [1, 2, 3, 4].map((n) => `{"n":${n},"timestamp":"${AT}"}`);
    const objects = await buildArchive({ batches: [arranged('E1b', lines)] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings).toMatchObject([{ code: 'event-unfit', detail: 'line 1: no-id, and 3 more' }]);
  });

  test('no finding quotes an id or a body', async () => {
    const secret = 'sx1d7f-secret';
    const lines = [eventLine(secret, LATER), eventLine(secret, AT), `{"id":"${secret}"}`, `{${secret}`];
    const objects = await buildArchive({ batches: [arranged('E1b', lines)] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(findings)).not.toContain(secret);
  });
});

describe('repeated ids', () => {
  test.each([
    ['in another batch', AT, 'E3b'],
    ['under another date', '2026-03-09T12:00:00.000Z', 'E3a'],
  ])('an id archived again %s is a finding that names the later segment and the earlier manifest', async (_, timestamp, name) => {
    const objects = await buildArchive({ batches: [BOTH, {}, { events: [eventLine(2, timestamp)] }] });
    const detail = 'line 1: manifest 1 had already archived this id';
    const { findings, exitCode } = await judge(objects);
    expect(findings).toMatchObject([{ code: 'id-repeated', object: keyOf(name), detail }]);
    expect(exitCode).toBe(1);
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
  const revision = { quarantine: [eventLine(1, AT, { edited: true })] };
  const outOfRange = eventLine(9, '1970-01-01T00:00:00Z');
  /** More than a day ahead of the first walk start, and less than a day ahead of the second. */
  const ahead = eventLine(9, '2026-03-11T01:30:00.000Z');
  const noId = '{"id":null,"timestamp":"2026-03-10T00:30:00Z"}';
  const sweeping = (date: string): BatchSpec => ({
    ...arranged('Q1a', ['{}']),
    amend: (manifest) => {
      const sweep = { status: 'complete', served: 0, archived: 0, late: 0, missing: 0, changed: 0 } as const;
      return { ...manifest, sweeps: [{ date, ...sweep }] };
    },
  });

  test.each<readonly [string, readonly BatchSpec[], string]>([
    ['an event that could be archived', [{ ...BOTH, quarantine: [eventLine(9, AT)] }], 'quarantine-unfounded Q1b'],
    [
      'an event within a day ahead',
      [{ ...BOTH, quarantine: [eventLine(9, '2026-03-11T00:59:59.000Z')] }],
      `quarantine-unfounded ${keyOf('Q1b').replace('03-10', '03-11')}`,
    ],
    ['a revision of an event that the same manifest archived', [{ ...BOTH, ...revision }], ''],
    ['a revision of an event that an earlier manifest archived', [BOTH, revision], ''],
    [
      'the very line that an earlier manifest archived',
      [BOTH, { quarantine: BOTH.events ?? [] }],
      'quarantine-unfounded Q2b',
    ],
    ['a line that was dated too far ahead, and was archived later', [{ quarantine: [ahead] }, { events: [ahead] }], ''],
    ['a revision of an event that a later manifest archived', [revision, BOTH], 'quarantine-unfounded Q1b'],
    ['a line under the date of its instant', [arranged('Q1b', [noId])], ''],
    ['a line under another date than that of its instant', [arranged('Q1a', [noId])], 'date-wrong Q1a'],
    ['a line without an instant under the date of the walk start', [arranged('Q1b', ['{}'])], ''],
    ['a line without an instant under another date', [arranged('Q1a', ['{}'])], 'date-wrong Q1a'],
    ['a line without an instant under the date of a sweep', [sweeping('2026-03-09')], ''],
    ['a line without an instant under a date before that of a sweep', [sweeping('2026-03-08')], 'date-wrong Q1a'],
    ['a line with an instant out of range under the date of the walk start', [arranged('Q1b', [outOfRange])], ''],
    ['a line with an instant out of range under another date', [arranged('Q1a', [outOfRange])], 'date-wrong Q1a'],
    ['an oversize line under the date of its instant', [arranged('Q1b', [OVERSIZE])], ''],
    ['an oversize line under another date', [arranged('Q1a', [OVERSIZE])], 'date-wrong Q1a'],
    [
      'lines that are repeated or not in the order of bytes',
      [arranged('Q1b', ['{"b":1}', '{"a":1}', '{"a":1}'])],
      'lines-unordered Q1b',
    ],
  ])('quarantine with %s gives the right findings', async (_, batches, findings) => {
    expect(await saidOf(batches)).toEqual(listed(findings));
  });

  test.each<QuarantineReason>([
    'no-id',
    'bad-timestamp',
    'out-of-range',
    'revision',
  ])('a count of one %s too many is found', async (reason) => {
    const quarantine = ['{}', eventLine(7, 'x'), outOfRange, eventLine(1, AT, { x: 1 })];
    const other = reason === 'no-id' ? 'bad-timestamp' : 'no-id';
    const amend = ({ counts, ...manifest }: Manifest): Manifest => {
      const quarantined = { ...counts.quarantined, [reason]: 2, [other]: 0 };
      return { ...manifest, counts: { ...counts, revisions: 2, quarantined } };
    };
    expect(await saidOf([{ ...BOTH, quarantine }])).toEqual([]);
    expect(await saidOf([{ ...BOTH, quarantine, amend }])).toEqual(listed('counts-wrong M1 M1'));
  });

  test.each([
    ['more quarantined lines than there are', '{}', { 'no-id': 2 }],
    ['a quarantined revision without a revision', eventLine(1, AT, { edited: true }), {}],
  ])('a count of %s is found', async (_, line, more) => {
    const amend = (manifest: Manifest) =>
      counting({ quarantined: { ...manifest.counts.quarantined, ...more }, revisions: 0 })(manifest);
    expect(await saidOf([{ ...BOTH, quarantine: [line], amend }])).toEqual(['counts-wrong M1']);
  });
});

describe('manifests that contradict their data', () => {
  test.each<readonly [string, (manifest: Manifest) => Manifest, string]>([
    ['more events than lines', counting({ events: 3 }), 'counts-wrong M1'],
    ['fewer events than lines', counting({ events: 1 }), 'counts-wrong M1'],
    ['more late events than events', counting({ late: 3 }), 'counts-wrong M1'],
    ['fewer lines in a segment', describing({ lines: 1 }), 'counts-wrong M1, segment-misdescribed E1b'],
    ['another first instant', describing({ first: LATER }), 'segment-misdescribed E1b'],
    ['another last instant', describing({ last: AT }), 'latest-wrong M1, segment-misdescribed E1b'],
    ['another hash of the object', describing({ objectSha256: '0'.repeat(64) }), 'segment-recompressed E1b'],
    ['a latest instant that no segment has', (m) => ({ ...m, latest: LATER.replace('40', '41') }), 'latest-wrong M1'],
    ['no latest instant', (m) => ({ ...m, latest: null }), 'latest-wrong M1'],
    ['another hash', describing({ sha256: '0'.repeat(64) }), 'segment-differs E1b'],
    ['more uncompressed bytes', describing({ bytes: 1000 }), 'segment-differs E1b'],
    ['fewer uncompressed bytes', describing({ bytes: 10 }), 'segment-malformed E1b'],
    ['more bytes than the format allows', describing({ bytes: 2 ** 52 }), 'object-too-large E1b'],
    ['a gap before the first member', describing({ offset: 1 }), 'batch-untiled M1'],
    ['a member of no bytes', describing({ length: 0 }), 'batch-untiled M1'],
    ['a member beyond the end', describing({ length: 2 ** 52 }), 'batch-untiled M1'],
    ['no segments', (m) => ({ ...m, segments: [] }), 'batch-untiled M1, counts-wrong M1'],
    ['no batch', (m) => ({ ...m, batch: null }), 'batch-untiled M1'],
    ['the same segment twice', (m) => ({ ...m, segments: [...m.segments, ...m.segments] }), 'segment-misnamed M1'],
    ['a segment of another seq', describing({ key: keyOf('E1b').replace('001', '002') }), 'segment-misnamed M1'],
    ['a segment of another team', describing({ key: keyOf('E1b').replace('main', 'other') }), 'segment-misnamed M1'],
    ['a segment outside the archive', describing({ key: '../../../etc/passwd' }), 'segment-misnamed M1'],
    ['a segment among the manifests', describing({ key: keyOf('M1') }), 'segment-misnamed M1'],
    ['a batch of another seq', batched(batchKey('main', 2, ATTEMPT)), 'batch-misnamed M1'],
    ['a batch of another team', batched(batchKey('other', 1, ATTEMPT)), 'batch-misnamed M1'],
    ['a batch outside the archive', batched('batches/team=main/../../secret'), 'batch-misnamed M1'],
    ['another team', (m) => ({ ...m, team: 'other' }), 'manifest-misplaced M1'],
    ['another seq', (m) => ({ ...m, seq: 7 }), 'manifest-misplaced M1'],
    ['a predecessor although it is the first', (m) => ({ ...m, previous: '0'.repeat(64) }), 'chain-broken M1'],
    ['a missing field', ({ window: _, ...m }) => m as Manifest, 'manifest-unreadable M1'],
    ['a window that ends before it begins', (m) => ({ ...m, window: reversed(m.window) }), 'range-reversed M1'],
    [
      'a gap that ends before it begins',
      (m) => ({ ...m, gaps: [{ ...reversed(m.window), reason: 'retention' as const }] }),
      'range-reversed M1',
    ],
    ['a position after its walk start', (m) => ({ ...m, position: walkStartOf(2).toISOString() }), 'position-wrong M1'],
    ['a newer format', (m) => ({ ...m, format: 'postman-audit-archive/2' as Manifest['format'] }), 'format-newer M1'],
  ])('a signed manifest with %s is found', async (_, amend, expected) => {
    expect(await saidOf([{ ...BOTH, amend }])).toEqual(expect.arrayContaining(listed(expected)));
  });

  test('an empty segment is found', async () => {
    expect(await saidOf([arranged('E1b', [])])).toEqual(['segment-misdescribed E1b']);
  });

  test('a segment under 30 February is found', async () => {
    const key = keyOf('E1b').replace('2026-03-10', '2026-02-30');
    expect(await saidOf([arranged(key, BOTH.events ?? [])])).toEqual([`date-wrong ${key}`]);
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
    ['a position that goes back', ['position-wrong M2'], { position: hour(0) }],
    ['another start of the chain', ['start-moved M2'], { start: hour(0) }],
    ['a window that leaves time out', ['window-hole M2'], uncovered],
    ['a window that leaves time out, and a gap of that time', [], gapped(1, 1.5)],
    ['a window that leaves time out, and a gap that begins too late', ['window-hole M2'], gapped(1.1, 1.5)],
    ['a window that leaves time out, and a gap that ends too early', ['window-hole M2'], gapped(1, 1.4)],
  ])('a second manifest with %s gives %j', async (_, findings, fields) => {
    expect(await saidOf([BOTH, { amend: (manifest) => ({ ...manifest, ...fields }) }])).toEqual(findings);
  });

  test('a gap counts for the later batches of its run too', async () => {
    const gap = { ...gapped(1, 1.5), position: hour(1) };
    const batches = [gap, uncovered].map((fields): BatchSpec => ({ amend: (m) => ({ ...m, ...fields }) }));
    expect(await saidOf([BOTH, ...batches])).toEqual([]);
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

  test('a manifest of another chain is found by the next manifest', async () => {
    const objects = await buildArchive({ batches: sampleBatches });
    const sibling = await buildArchive({ batches: [sampleBatches[0] ?? {}, {}] });
    objects.set(keyOf('M2'), read(sibling, 'M2'));
    expect(shortened((await judge(objects)).findings)).toContain('chain-broken M3');
  });

  test('another manifest in the place of the head is found by the saved head alone', async () => {
    const objects = await buildArchive({ batches: [{}, {}] });
    const heads = (await judge(objects)).teams.flatMap(({ head }) => head ?? []);
    const forked = await buildArchive({ batches: [{}, {}] });
    expect(await judge(forked)).toMatchObject({ exitCode: 0 });
    expect(await judge(forked, heads)).toMatchObject({ exitCode: 1, said: [`head-differs ${keyOf('M2')}`] });
  });
});

describe('unpublished heads', () => {
  const batches = [BOTH, { events: [eventLine(3, '2026-03-10T01:30:00.000Z')] }];

  test.each<readonly [string, string, readonly BatchSpec[], string, number]>([
    ['a head while its batch object is complete', 'remove E2b', batches, 'segment-unpublished E2b', 0],
    ['no head without its batch object', 'remove E2b B2', batches, 'batch-missing B2, segment-missing E2b', 1],
    ['no manifest before the head', 'remove E2b', [...batches, {}], 'segment-missing E2b', 1],
  ])('%s may be unpublished: "%s"', async (_, deeds, specs, findings, exitCode) => {
    const objects = await buildArchive({ batches: specs });
    perform(objects, deeds);
    const judgement = await judge(objects);
    expect(shortened(judgement.findings)).toEqual(listed(findings));
    // The lines of an unpublished segment are read from its batch object.
    expect(judgement).toMatchObject({ exitCode, teams: [{ events: deeds === 'remove E2b' ? 3 : 2 }] });
  });

  test('a segment of the head that is listed but unreadable is missing and not unpublished', async () => {
    const reader = readerOf(await buildArchive({ batches }));
    const get: typeof reader.get = async (key, range) => (key === keyOf('E2b') ? undefined : reader.get(key, range));
    const { findings } = await verify({ ...reader, get }, { publicKey: testKey, now: NOW });
    expect(shortened(findings)).toEqual(['segment-missing E2b']);
  });

  test('a run that commits and publishes while the verifier reads gives no finding', async () => {
    const reader = readerOf(await buildArchive({ batches }));
    const before = (await reader.list('')).filter((key) => !key.includes('0000000002'));
    const racing = { ...reader, list: async (prefix: string) => (prefix === '' ? before : reader.list(prefix)) };
    expect((await verify(racing, { publicKey: testKey, now: NOW })).findings).toEqual([]);
  });
});

/** A batch of one segment with these lines, or with these bytes. */
function arranged(name: string, lines: readonly string[], raw?: Buffer): BatchSpec {
  const segment: SegmentDraft = { key: keyOf(name), lines, ...(raw && { raw }) };
  return { arrange: () => [segment] };
}

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
  const { findings, exitCode } = await judge(await buildArchive({ batches }));
  expect(exitCode).toBe(findings.length > 0 ? 1 : 0);
  return shortened(findings);
}
