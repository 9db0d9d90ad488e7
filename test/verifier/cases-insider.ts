/**
 * Archives with good signatures and wrong content, written by a faulty archiver or by somebody who holds the key. Each case
 * changes one thing before it is hashed and signed.
 */
import type { QuarantineReason } from '../../lambdas/shared/event';
import type { Manifest, SegmentEntry, TimeRange } from '../../lambdas/shared/manifest';
import { batchKey } from '../../lambdas/shared/object-keys';
import {
  ATTEMPT,
  type BatchSpec,
  buildArchive,
  eventLine,
  type SegmentDraft,
  walkStartOf,
} from '../support/archive-builder';
import { keyOf } from '../support/tampering';
import type { TamperCase } from './cases';

/** Within an hour of the first walk start, so on its date. */
const AT = '2026-03-10T00:30:00.000Z';
const LATER = '2026-03-10T00:40:00.000Z';
const BOTH: BatchSpec = { events: [eventLine(1, AT), eventLine(2, LATER)] };
const LATIN = eventLine(1, AT, { x: '\xff' });
const OVERSIZE = eventLine(9, AT, { padding: 'x'.repeat(16 * 1024 * 1024) });
const revision = { quarantine: [eventLine(1, AT, { edited: true })] };
const outOfRange = eventLine(9, '1970-01-01T00:00:00Z');
/** More than a day ahead of the first walk start, and less than a day ahead of the second. */
const ahead = eventLine(9, '2026-03-11T01:30:00.000Z');
const ODD = ['{}', eventLine(7, 'x'), outOfRange, eventLine(1, AT, { x: 1 })];
const NONE = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 };
const IN_FEBRUARY = keyOf('E1b').replace('2026-03-10', '2026-02-30');
const noId = '{"id":null,"timestamp":"2026-03-10T00:30:00Z"}';
const sweeping = (date: string): BatchSpec => ({
  ...arranged('Q1a', ['{}']),
  amend: (manifest) => {
    const sweep = { status: 'complete', served: 0, archived: 0, late: 0, missing: 0, changed: 0 } as const;
    return { ...manifest, sweeps: [{ date, ...sweep }] };
  },
});
/** One line more of this reason is counted, and one less of another reason. */
function miscounting(reason: QuarantineReason): BatchSpec {
  const amend = ({ counts, ...manifest }: Manifest): Manifest => {
    const other = reason === 'no-id' ? 'bad-timestamp' : 'no-id';
    const quarantined = { ...counts.quarantined, [reason]: 2, [other]: 0 };
    return { ...manifest, counts: { ...counts, revisions: 2, quarantined } };
  };
  return { ...BOTH, quarantine: ODD, amend };
}

const hour = (hours: number) => new Date(Date.UTC(2026, 2, 10) + hours * 3_600_000).toISOString();
const uncovered = { window: { from: hour(1.5), to: hour(2) } };
const gapped = (from: number, to: number) => ({
  ...uncovered,
  gaps: [{ from: hour(from), to: hour(to), reason: 'retention' as const }],
});

/** The line among good ones, so that the first and the last instant are as stated whatever the line is. */
function among(...lines: readonly string[]): readonly string[] {
  return [eventLine(98, '2026-03-10T00:00:00.000Z'), ...lines, eventLine(99, walkStartOf(1).toISOString())];
}

const SEGMENTS: readonly (readonly [what: string, lines: readonly string[], codes: string, raw?: Buffer])[] = [
  ['an event without an id', [`{"timestamp":"${AT}"}`], 'event-unfit'],
  ['an event with two different ids', [`{"id":1,"id":2,"timestamp":"${AT}"}`], 'event-unfit'],
  ['an event of 2019', [eventLine(1, '2019-12-31T23:59:59.999Z')], 'event-unfit date-wrong'],
  ['an event dated two days ahead', [eventLine(1, '2026-03-12T00:30:00.000Z')], 'event-unfit date-wrong'],
  ['an event without a date', among(eventLine(1, 'soon')), 'event-unfit'],
  ['an event of the day before', [eventLine(1, '2026-03-09T23:59:59.999Z')], 'date-wrong'],
  ['an event of the day before by its offset', [eventLine(1, '2026-03-10T00:30:00+01:00')], 'date-wrong'],
  ['events out of order', [eventLine(1, LATER), eventLine(2, AT)], 'lines-unordered'],
  ['ids of one instant out of order', [eventLine(10, AT), eventLine(9, AT)], 'lines-unordered'],
  ['the same line twice', [eventLine(1, AT), eventLine(1, AT)], 'id-repeated lines-unordered'],
  ['one id, as a number and as a string', [eventLine('1', AT), eventLine(1, LATER)], 'id-repeated'],
  ['white space between tokens', among(`{"id":1, "timestamp":"${AT}"}`), 'line-malformed'],
  ['a carriage return', among(`${eventLine(1, AT)}\r`), 'line-malformed'],
  ['an empty line', among(''), 'line-malformed'],
  ['half a line', among(eventLine(1, AT).slice(0, -1)), 'line-malformed'],
  ['brackets that do not match', among(`{"id":1,"timestamp":"${AT}","x":[}}`), 'line-malformed'],
  ['two events on one line', among(eventLine(1, AT) + eventLine(2, AT)), 'line-malformed'],
  ['a byte order mark', among(`\ufeff${eventLine(1, AT)}`), 'line-malformed'],
  ['a line above 16 MB', [OVERSIZE], 'event-unfit'],
  ['bytes that are not UTF-8', among(LATIN), 'line-malformed', Buffer.from(`${among(LATIN).join('\n')}\n`, 'latin1')],
  [
    'a last line without a newline',
    among(),
    'line-malformed segment-misdescribed',
    Buffer.from(`${among().join('\n')}\n{`),
  ],
  ['no lines', [], 'segment-misdescribed'],
];

/** Archives of several segments, most of them in quarantine. */
const BATCHES: readonly (readonly [what: string, batches: readonly BatchSpec[], findings: string])[] = [
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
  ['lines of four reasons', [{ ...BOTH, quarantine: ODD }], ''],
  ...(['no-id', 'bad-timestamp', 'out-of-range', 'revision'] as const).map(
    (reason) => [`a count of one ${reason} too many`, [miscounting(reason)], 'counts-wrong M1 M1'] as const,
  ),
  [
    'more lines in the counts than there are',
    [{ quarantine: ['{}'], amend: counting({ quarantined: { ...NONE, 'no-id': 2 } }) }],
    'counts-wrong M1',
  ],
  [
    'a quarantined revision that is not counted as a revision',
    [{ ...BOTH, ...revision, amend: counting({ revisions: 0 }) }],
    'counts-wrong M1',
  ],
  ['an id that is archived again in another batch', [BOTH, {}, { events: [eventLine(2, AT)] }], 'id-repeated E3b'],
  [
    'an id that is archived again under another date',
    [BOTH, {}, { events: [eventLine(2, '2026-03-09T12:00:00.000Z')] }],
    'id-repeated E3a',
  ],
  ['a segment under 30 February', [arranged(IN_FEBRUARY, BOTH.events ?? [])], `date-wrong ${IN_FEBRUARY}`],
  [
    'a segment outside the archive',
    [arranged('x/1.gz', BOTH.events ?? [])],
    'segment-misnamed M1, object-unknown x/1.gz',
  ],
  [
    'lines that are repeated or not in the order of bytes',
    [arranged('Q1b', ['{"b":1}', '{"a":1}', '{"a":1}'])],
    'lines-unordered Q1b',
  ],
];

const MANIFESTS: readonly (readonly [what: string, amend: (manifest: Manifest) => Manifest, findings: string])[] = [
  ['more events than lines', counting({ events: 3 }), 'counts-wrong M1'],
  ['fewer events than lines', counting({ events: 1 }), 'counts-wrong M1'],
  ['more late events than events', counting({ late: 3 }), 'counts-wrong M1'],
  [
    'fewer lines in a segment, and as few in the counts',
    (m) => counting({ events: 1 })(describing({ lines: 1 })(m)),
    'segment-misdescribed E1b',
  ],
  ['fewer lines in a segment', describing({ lines: 1 }), 'counts-wrong M1, segment-misdescribed E1b'],
  ['another first instant', describing({ first: LATER }), 'segment-misdescribed E1b'],
  ['another last instant', describing({ last: AT }), 'latest-wrong M1, segment-misdescribed E1b'],
  [
    'another hash of the object',
    describing({ objectSha256: '0'.repeat(64) }),
    'batch-differs B1, segment-recompressed E1b',
  ],
  ['a latest instant that no segment has', (m) => ({ ...m, latest: LATER.replace('40', '41') }), 'latest-wrong M1'],
  ['no latest instant', (m) => ({ ...m, latest: null }), 'latest-wrong M1'],
  ['another hash', describing({ sha256: '0'.repeat(64) }), 'batch-differs B1, segment-differs E1b'],
  ['more uncompressed bytes', describing({ bytes: 1000 }), 'batch-differs B1, segment-differs E1b'],
  ['fewer uncompressed bytes', describing({ bytes: 10 }), 'batch-differs B1, segment-malformed E1b'],
  ['more bytes than the format allows', describing({ bytes: 2 ** 52 }), 'batch-differs B1, object-too-large E1b'],
  ['a gap before the first member', describing({ offset: 1 }), 'batch-untiled M1, batch-differs B1'],
  ['a member of no bytes', describing({ length: 0 }), 'batch-untiled M1, batch-differs B1'],
  ['a member beyond the end', describing({ length: 2 ** 52 }), 'batch-untiled M1'],
  [
    'no segments',
    (m) => ({ ...m, segments: [] }),
    'batch-untiled M1, counts-wrong M1, latest-wrong M1, object-unlisted E1b',
  ],
  ['no batch', (m) => ({ ...m, batch: null }), 'batch-untiled M1'],
  [
    'the same segment twice',
    (m) => ({ ...m, segments: [...m.segments, ...m.segments] }),
    'segment-misnamed M1, batch-untiled M1, counts-wrong M1',
  ],
  [
    'a segment of another seq',
    describing({ key: keyOf('E1b').replace('001', '002') }),
    'segment-misnamed M1, object-unlisted E1b',
  ],
  [
    'a segment of another team',
    describing({ key: keyOf('E1b').replace('main', 'other') }),
    'segment-misnamed M1, object-unlisted E1b',
  ],
  [
    'a segment outside the archive',
    describing({ key: '../../../etc/passwd' }),
    'segment-misnamed M1, counts-wrong M1, object-unlisted E1b',
  ],
  [
    'a segment among the manifests',
    describing({ key: keyOf('M1') }),
    'segment-misnamed M1, counts-wrong M1, object-unlisted E1b',
  ],
  ['a batch of another seq', batched(batchKey('main', 2, ATTEMPT)), 'batch-misnamed M1'],
  ['a batch of another team', batched(batchKey('other', 1, ATTEMPT)), 'batch-misnamed M1'],
  ['a batch outside the archive', batched('batches/team=main/../../secret'), 'batch-misnamed M1'],
  ['a predecessor although it is the first', (m) => ({ ...m, previous: '0'.repeat(64) }), 'chain-broken M1'],
  ['a window that ends before it begins', (m) => ({ ...m, window: reversed(m.window) }), 'range-reversed M1'],
  [
    'a gap that ends before it begins',
    (m) => ({ ...m, gaps: [{ ...reversed(m.window), reason: 'retention' as const }] }),
    'range-reversed M1',
  ],
  ['a position after its walk start', (m) => ({ ...m, position: walkStartOf(2).toISOString() }), 'position-wrong M1'],
];

const SECOND_MANIFESTS: readonly (readonly [what: string, fields: object, findings: string])[] = [
  ['a position that goes back', { position: hour(0) }, 'position-wrong M2'],
  ['another start of the chain', { start: hour(0) }, 'start-moved M2'],
  ['a window that leaves time out', uncovered, 'window-hole M2'],
  ['a window that leaves time out, and a gap of that time', gapped(1, 1.5), ''],
  ['a window that leaves time out, and a gap that begins too late', gapped(1.1, 1.5), 'window-hole M2'],
  ['a window that leaves time out, and a gap that ends too early', gapped(1, 1.4), 'window-hole M2'],
  ['another predecessor', { previous: '0'.repeat(64) }, 'chain-broken M2'],
  ['another team', { team: 'other' }, 'manifest-misplaced M2'],
  ['another seq', { seq: 7 }, 'manifest-misplaced M2'],
  ['a newer format', { format: 'postman-audit-archive/2' }, 'format-newer M2'],
  ['a missing field', { window: undefined }, 'manifest-unreadable M2'],
];

export const insiderCases: readonly TamperCase[] = [
  ...SEGMENTS.map(([what, lines, codes, raw]) =>
    named(`a segment of events with ${what}`, withObject(codes), [arranged('E1b', lines, raw)]),
  ),
  ...BATCHES.map(([what, batches, findings]) => named(`an archive with ${what}`, findings, batches)),
  ...MANIFESTS.map(([what, amend, findings]) =>
    named(`a signed manifest with ${what}`, findings, [{ ...BOTH, amend }]),
  ),
  ...SECOND_MANIFESTS.map(([what, fields, findings]) =>
    named(`a second manifest with ${what}`, findings, [BOTH, { amend: (manifest) => ({ ...manifest, ...fields }) }]),
  ),
];

function withObject(codes: string): string {
  return codes
    .split(' ')
    .map((code) => `${code} E1b`)
    .join(', ');
}

function named(name: string, findings: string, batches: readonly BatchSpec[]): TamperCase {
  return { name, findings, tamper: async () => ({ objects: await buildArchive({ batches }) }) };
}

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
