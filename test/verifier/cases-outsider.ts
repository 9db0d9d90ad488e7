/** Tampering with a good archive of two teams by somebody who does not hold the signing key. */
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { batchKey, manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import type { Signer } from '../../lambdas/shared/ports';
import { compress, decompress } from '../../lambdas/shared/segment';
import {
  ATTEMPT,
  buildArchive,
  createSigner,
  type Objects,
  sampleBatches,
  testSigner,
  twoTeams,
} from '../support/archive-builder';
import { editEnvelope, editPayload, keyOf, payloadOf, perform, read, withOtherS } from '../support/tampering';
import type { TamperCase } from './cases';

/** Without a function, the name is the deed, in the words of `tampering.ts`. */
type Row = readonly [name: string, findings: string, tamper?: (objects: Objects) => unknown];

const OTHER_DATE = segmentKey('events', 'main', '2026-03-11', 2);
const THIRD_TEAM = segmentKey('events', 'third', '2026-03-10', 2);
const FAR_AHEAD = manifestKey('main', 9_999_999_999);
const JUNK = [
  ...['README.txt', 'athena/results/1.csv', 'batches/team=main/notes.txt', 'batches/x', 'anchors/team=main/notes.txt'],
  // Desktop systems leave such files in a copy.
  ...['events/.DS_Store', 'events/team=main/dt=2026-03-10/._0000000002.ndjson.gz', 'manifests/team=main/Thumbs.db'],
];

const ROWS: readonly Row[] = [
  ['remove E1b', 'segment-missing E1b'],
  ['remove Q2b', 'segment-missing Q2b'],
  ['remove B2', 'batch-missing B2'],
  ['remove B2 E2b', 'batch-missing B2, segment-missing E2b'],
  // Manifest 2 quarantines a revision of an event that manifest 1 archived. The revision is not accused.
  ['remove B1 E1a E1b', 'batch-missing B1, segment-missing E1a E1b'],
  ['remove M3', 'manifest-missing M3'],
  ['remove M2', 'manifest-missing M2, object-unlisted E2b Q2a Q2b'],
  ['remove M1', 'manifest-missing M1, object-unlisted E1a E1b'],
  ['remove M4', 'object-unlisted E4b'],
  // A batch is staged only after the manifest before it was committed, so batch 4 proves that manifest 3 was there.
  ['remove M3 M4 E4b', 'chain-truncated B4'],
  ['remove M2 M3 M4 E2b Q2a Q2b E4b B2', 'chain-truncated B4'],
  ['remove M2 M3', 'manifest-missing M2, object-unlisted E2b Q2a Q2b'],
  [
    'remove-team other, remove M1 M2 M3 M4',
    'archive-empty manifests/, team-without-manifests manifests/team=main/, object-unlisted E1a E1b E2b E4b Q2a Q2b',
  ],
  [
    'remove-team other, remove M1 M2 M3 M4 E1a E1b E2b E4b Q2a Q2b',
    'archive-empty manifests/, team-without-manifests manifests/team=main/',
  ],
  ['remove-team other, remove-team main', 'archive-empty manifests/'],
  ['remove other:M2', 'manifest-missing other:M2'],

  ...[
    'E5b', // a later number
    OTHER_DATE, // a committed number
    `${keyOf('E4b')}.bak`,
    'Q4b',
    'events/0000000001.ndjson.gz',
    'events/team=__proto__/dt=x/1.gz',
    `${keyOf('M4')}.old`,
    manifestKey('main', 0),
  ].map((key): Row => [`copy E2b ${key}`, `object-unlisted ${key}`]),
  [`copy E2b ${THIRD_TEAM}`, `team-without-manifests manifests/team=third/, object-unlisted ${THIRD_TEAM}`],
  // One finding, not ten billion.
  [`copy M4 ${FAR_AHEAD}`, `manifest-missing M5, manifest-misplaced ${FAR_AHEAD}`],
  ['an empty object is planted', 'object-unlisted E3b', (objects) => objects.set(keyOf('E3b'), Buffer.alloc(0))],
  [
    'a batch object of a team without manifests is planted',
    'team-without-manifests manifests/team=third/',
    (objects) => objects.set(batchKey('third', 1, ATTEMPT), Buffer.from('anything')),
  ],
  ...JUNK.map((key): Row => [`copy E2b ${key}`, `object-unknown ${key}`]),

  ['swap E1a E1b', 'segment-differs E1a E1b'],
  ['swap E2b Q2b', 'segment-differs E2b, segment-malformed Q2b'],
  // One finding for each of the five members, and one for the size of each object.
  ['swap B1 B2', 'batch-differs B1 B1 B1 B2 B2 B2 B2'],
  [`copy E2b ${OTHER_DATE}, remove E2b`, `segment-missing E2b, object-unlisted ${OTHER_DATE}`],
  ['swap M2 M3', 'manifest-misplaced M2 M3, chain-broken M2 M3 M4, position-wrong M3, latest-wrong M2'],
  ['copy M2 M3', 'manifest-misplaced M3, chain-broken M3 M4'],
  ['copy M4 M5', 'manifest-misplaced M5, chain-broken M5'],
  // Objects that are moved between teams.
  ['copy E2b other:E2b', 'object-unlisted other:E2b'],
  ['copy other:E1a E3a, remove other:E1a', 'segment-missing other:E1a, object-unlisted E3a'],
  ['swap E1b other:E1b', 'segment-differs E1b, segment-malformed other:E1b'],
  ['swap B1 other:B1', 'batch-differs B1 B1 B1 other:B1 other:B1 other:B1'],
  [
    'swap M2 other:M2',
    'manifest-misplaced M2 other:M2, chain-broken M2 M3 other:M2 other:M3, latest-wrong M2 M3, object-unlisted E2b Q2a Q2b',
  ],
  ['copy other:M3 M5', 'manifest-misplaced M5, chain-broken M5, latest-wrong M5, position-wrong M5'],
  [
    'all objects of a team are replaced by those of another',
    'manifest-misplaced M1 M2 M3, object-unlisted E1a E1b E3b',
    (objects) => {
      perform(objects, 'remove-team main');
      for (const [key, bytes] of [...objects]) objects.set(key.replace('team=other', 'team=main'), bytes);
    },
  ],
  [
    'a team is copied to another one',
    [
      ...['M1', 'M2', 'M3', 'M4'].map((name) => `manifest-misplaced ${keyOf(name).replace('main', 'third')}`),
      ...['E1a', 'E1b', 'E2b', 'E4b', 'Q2a', 'Q2b'].map(
        (name) => `object-unlisted ${keyOf(name).replace('main', 'third')}`,
      ),
    ].join(', '),
    (objects) => {
      for (const [key, bytes] of [...objects]) objects.set(key.replace('team=main', 'team=third'), bytes);
    },
  ],

  [
    'another key signs a whole archive, and lies beside it',
    'signature-other-key M1 M2 M3 M4, object-unknown public.pem',
    async (objects) => {
      const thief = createSigner();
      const forged = await buildArchive({ batches: sampleBatches, signer: thief });
      for (const [key, bytes] of forged.set('public.pem', Buffer.from(thief.publicPem))) objects.set(key, bytes);
    },
  ],
  ['another key signs one manifest', 'signature-other-key M3', (objects) => sign(objects, 'M3', createSigner())],
  [
    'another key signs one manifest under the name of the pinned key',
    'signature-invalid M3',
    (objects) => sign(objects, 'M3', { publicKey: testSigner.publicKey, sign: createSigner().sign }),
  ],
  [
    'a manifest loses its signature',
    'manifest-unreadable M3',
    (objects) => editEnvelope(objects, 'M3', (envelope) => ({ ...envelope, signatures: [] })),
  ],
  [
    'a manifest gets the signature of its neighbour',
    'signature-invalid M3',
    (objects) => {
      const { signatures } = JSON.parse(String(read(objects, 'M2')));
      editEnvelope(objects, 'M3', (envelope) => ({ ...envelope, signatures }));
    },
  ],
  [
    'the signature of a manifest gets the other value of s, which needs no key',
    'signature-invalid M3',
    (objects) => objects.set(keyOf('M3'), withOtherS(read(objects, 'M3'))),
  ],
  [
    'a manifest is signed as another payload type',
    'manifest-unreadable M3',
    (objects) => sign(objects, 'M3', testSigner, 'application/vnd.postman-audit-archive.report.v1+json'),
  ],
  [
    'a payload is changed',
    'signature-invalid M3, chain-broken M4',
    (objects) => editPayload(objects, 'M3', (manifest) => ({ ...manifest, sourceTeams: ['1'] })),
  ],

  ...bytesOf('M3', [
    ['gets white space', 'manifest-unreadable', (bytes) => Buffer.from(`${bytes} `)],
    ['gets a new field', 'manifest-unreadable', (bytes) => Buffer.from(String(bytes).replace('{', '{"x":1,'))],
    [
      'gets a second signature',
      'manifest-unreadable',
      (bytes) => Buffer.from(String(bytes).replace(/(\{"keyid.*?\})/, '$1,$1')),
    ],
    ['is emptied', 'manifest-unreadable', () => Buffer.alloc(0)],
    ['is replaced by other JSON', 'manifest-unreadable', () => Buffer.from('{}')],
    ['is replaced by 16 MB', 'object-too-large', () => Buffer.alloc(16 * 1024 * 1024 + 1, ' ')],
  ]),

  ...bytesOf('E2b', [
    ['gets a second gzip member', 'segment-malformed', (gzip) => Buffer.concat([gzip, compress(Buffer.from('{}\n'))])],
    ['gets an empty gzip member', 'segment-recompressed', (gzip) => Buffer.concat([gzip, compress(Buffer.alloc(0))])],
    ['gets zero padding', 'segment-recompressed', (gzip) => Buffer.concat([gzip, Buffer.alloc(512)])],
    ['gets a byte after the member', 'segment-malformed', (gzip) => Buffer.concat([gzip, Buffer.from('\n')])],
    ['loses its last byte', 'segment-malformed', (gzip) => gzip.subarray(0, -1)],
    ['is cut in half', 'segment-malformed', (gzip) => gzip.subarray(0, 40)],
    ['is emptied', 'segment-malformed', () => Buffer.alloc(0)],
    ['is not compressed', 'segment-malformed', (gzip) => contentOf(gzip)],
    ['has another compression level', 'segment-recompressed', (gzip) => gzipSync(contentOf(gzip), { level: 9 })],
    ['has compression level 0', 'segment-recompressed', (gzip) => gzipSync(contentOf(gzip), { level: 0 })],
    ['gets an empty deflate block', 'segment-recompressed', withEmptyBlock],
    ['gets a file name in its gzip header', 'segment-recompressed', withName],
    ['gets another letter in a line', 'segment-differs', rewritten('sign_in', 'sign_on')],
    ['loses a line', 'segment-differs', rewritten(/^.*\n/, '')],
    ['gets a line twice', 'segment-malformed', rewritten(/^(.*\n)/, '$1$1')],
    ['gets its lines in another order', 'segment-differs', rewritten(/^(.*\n)(.*\n)/, '$2$1')],
    ['becomes a decompression bomb', 'segment-malformed', () => gzipSync(Buffer.alloc(300_000_000))],
  ]),

  ...bytesOf('B2', [
    ['gets another byte', 'batch-differs', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['gets a changed byte in its first member', 'batch-differs', (bytes) => flip(bytes, 30)],
    ['gets a changed byte in its first gzip header', 'batch-differs', (bytes) => flip(bytes, 4)],
  ]),

  [
    'the same byte changes in a gzip header of the batch object and of the segment',
    'batch-differs B2, segment-recompressed E2b',
    (objects) => {
      for (const name of ['B2', 'E2b']) objects.set(keyOf(name), flip(read(objects, name), 4));
    },
  ],
  [
    'a name is hidden in the gzip header of the batch object and of the segment',
    'batch-differs B4 B4, segment-recompressed E4b',
    (objects) => {
      for (const name of ['B4', 'E4b']) objects.set(keyOf(name), withName(read(objects, name)));
    },
  ],
  [
    'the batch object and the segment are compressed again alike',
    'batch-differs B4 B4, segment-recompressed E4b',
    (objects) => {
      for (const name of ['B4', 'E4b'])
        objects.set(keyOf(name), gzipSync(contentOf(read(objects, name)), { level: 0 }));
    },
  ],
  // One finding for each of the three members, and one for the size.
  ['B2 is emptied', 'batch-differs B2 B2 B2 B2', (objects) => objects.set(keyOf('B2'), Buffer.alloc(0))],
  // The signature is what fails. The other codes are those that the lines contradict if the manifest is believed.
  [
    'a line is removed, with new hashes',
    'signature-invalid M4, segment-misdescribed E4b',
    (objects) => rewriteWithHashes(objects, rewritten(/^.*\n/, '')),
  ],
  [
    'a line is repeated, with new hashes',
    'signature-invalid M4, id-repeated E4b, lines-unordered E4b, segment-misdescribed E4b',
    (objects) => rewriteWithHashes(objects, rewritten(/^(.*\n)/, '$1$1')),
  ],
  [
    'a letter is changed, with new hashes',
    'signature-invalid M4',
    (objects) => rewriteWithHashes(objects, rewritten('sign_in', 'sign_on')),
  ],
];

export const outsiderCases: readonly TamperCase[] = ROWS.map(
  ([name, findings, tamper = (objects: Objects) => perform(objects, name)]) => ({
    name,
    findings,
    async tamper() {
      const objects = await twoTeams();
      await tamper(objects);
      return { objects };
    },
  }),
);

/** Changes of the bytes of one object, which has the only finding. */
function bytesOf(name: string, changes: readonly [string, string, (bytes: Buffer) => Buffer][]): readonly Row[] {
  return changes.map(([change, code, bend]) => [
    `${name} ${change}`,
    `${code} ${name}`,
    (objects) => objects.set(keyOf(name), bend(read(objects, name))),
  ]);
}

async function sign(objects: Objects, name: string, signer: Signer, type = PAYLOAD_TYPE): Promise<void> {
  objects.set(keyOf(name), await signEnvelope(type, payloadOf(objects, name), signer));
}

function contentOf(gzip: Buffer): Buffer {
  return decompress(gzip, 1_000_000);
}

/** Replaces the first match in the lines. */
function rewritten(pattern: string | RegExp, replacement: string): (gzip: Buffer) => Buffer {
  return (gzip) => compress(Buffer.from(String(contentOf(gzip)).replace(pattern, replacement)));
}

/** Rewrites the only segment of manifest 4, with its batch object and its entry in the manifest. */
function rewriteWithHashes(objects: Objects, rewrite: (gzip: Buffer) => Buffer): void {
  const member = rewrite(read(objects, 'E4b'));
  const lines = contentOf(member);
  for (const name of ['E4b', 'B4']) objects.set(keyOf(name), member);
  const hashes = { objectSha256: sha256(member), sha256: sha256(lines) };
  const facts = { length: member.length, bytes: lines.length, ...hashes };
  editPayload(objects, 'M4', (manifest) => ({
    ...manifest,
    batch: { key: keyOf('B4'), bytes: member.length },
    segments: manifest.segments.map((segment) => ({ ...segment, ...facts })),
  }));
}

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function withName(gzip: Buffer): Buffer {
  const header = Buffer.from(gzip.subarray(0, 10));
  header[3] = 8;
  return Buffer.concat([header, Buffer.from('name\0'), gzip.subarray(10)]);
}

/** The same content with an empty block in front, which every reader accepts. */
function withEmptyBlock(gzip: Buffer): Buffer {
  const flushed = deflateRawSync(Buffer.alloc(0), { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat([gzip.subarray(0, 10), flushed, gzip.subarray(10)]);
}
