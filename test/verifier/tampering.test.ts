/**
 * Tampering with a good archive by somebody who does not hold the signing key. Each row names the objects by the short names
 * below, and lists every finding that the command must report: no finding may be missing, and none may be added.
 */
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { type Manifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import type { Signer } from '../../lambdas/shared/ports';
import { compress, decompress } from '../../lambdas/shared/segment';
import { buildArchive, createSigner, type Objects, sampleBatches, testSigner } from '../support/archive-builder';
import { judge } from '../support/judge';

/** Events, quarantine, manifest: the number is that of the manifest. `B1` is the batch object of manifest 1. */
const KEYS: Readonly<Record<string, string>> = {
  E1: 'events/team=main/dt=2026-03-09/0000000001.ndjson.gz',
  E1b: 'events/team=main/dt=2026-03-10/0000000001.ndjson.gz',
  E2: 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz',
  Q2: 'quarantine/team=main/dt=2026-03-09/0000000002.ndjson.gz',
  Q2b: 'quarantine/team=main/dt=2026-03-10/0000000002.ndjson.gz',
  E4: 'events/team=main/dt=2026-03-10/0000000004.ndjson.gz',
  ...Object.fromEntries([1, 2, 3, 4, 5].map((seq) => [`M${seq}`, manifestKey('main', seq)])),
};
const [E2 = '', E4 = '', M4 = ''] = [KEYS.E2, KEYS.E4, KEYS.M4];

type Case = readonly [name: string, findings: string, tamper: (archive: Tampering) => unknown];

test('the untouched archive is good', async () => {
  const judgement = await judge(await sample());
  expect(judgement).toMatchObject({ exitCode: 0, clean: true, said: [], objects: 13 });
  expect(judgement.teams).toMatchObject([{ team: 'main', manifests: 4, events: 7, quarantined: 3, head: { seq: 4 } }]);
});

check('removed objects', [
  ['a removed segment', 'segment-missing E1b', (a) => a.take('E1b')],
  ['a removed quarantine segment', 'segment-missing Q2b', (a) => a.take('Q2b')],
  ['a removed batch object', 'batch-missing B2', (a) => a.take('B2')],
  ['a segment removed with its batch object', 'batch-missing B2, segment-missing E2', (a) => a.take('B2', 'E2')],
  // Manifest 2 quarantines a revision of an event that manifest 1 archived. The revision is not accused.
  [
    'the removed event of a revision',
    'batch-missing B1, segment-missing E1, segment-missing E1b',
    (a) => a.take('B1', 'E1', 'E1b'),
  ],
  ['the removed manifest of an empty run', 'manifest-missing M3', (a) => a.take('M3')],
  [
    'a removed manifest in the middle',
    'manifest-missing M2, object-unlisted E2, object-unlisted Q2, object-unlisted Q2b',
    (a) => a.take('M2'),
  ],
  ['the removed first manifest', 'manifest-missing M1, object-unlisted E1, object-unlisted E1b', (a) => a.take('M1')],
  ['the removed newest manifest', 'object-unlisted E4', (a) => a.take('M4')],
  [
    'two removed manifests in a row',
    'manifest-missing M2, object-unlisted E2, object-unlisted Q2, object-unlisted Q2b',
    (a) => a.take('M2', 'M3'),
  ],
  [
    'an archive without manifests',
    'archive-empty manifests/, team-without-manifests manifests/team=main/, object-unlisted E1, object-unlisted E1b, ' +
      'object-unlisted E2, object-unlisted E4, object-unlisted Q2, object-unlisted Q2b',
    (a) => a.take('M1', 'M2', 'M3', 'M4'),
  ],
  ['an empty archive', 'archive-empty manifests/', (a) => a.objects.clear()],
  [
    'an archive of batch objects alone',
    'archive-empty manifests/',
    (a) => a.take(...[...a.objects.keys()].filter((key) => !key.startsWith('batches/'))),
  ],
]);

describe('removed newest manifests with all their objects', () => {
  test('go unnoticed without a saved head', async () => {
    expect(await judge(cutBack(await sample(), 2))).toMatchObject({ exitCode: 0, said: [] });
  });

  test.each([1, 2, 3])('are found by the saved head when %i manifests are left', async (left) => {
    const objects = await sample();
    const heads = await headsOf(objects);
    expect(await judge(objects, heads)).toMatchObject({ exitCode: 0, said: [] });
    expect(await judge(cutBack(objects, left), heads)).toMatchObject({ exitCode: 1, said: [`chain-truncated ${M4}`] });
  });

  test('are found by the saved head even when only an empty run is removed', async () => {
    const objects = await buildArchive({ batches: [...sampleBatches, {}] });
    const heads = await headsOf(objects);
    objects.delete(manifestKey('main', 5));
    expect(await judge(objects)).toMatchObject({ exitCode: 0 });
    expect((await judge(objects, heads)).said).toEqual([`chain-truncated ${manifestKey('main', 5)}`]);
  });

  test('are found by the saved head when a whole team is removed', async () => {
    const main = await sample();
    const both = new Map([...main, ...(await buildArchive({ team: 'other', batches: sampleBatches }))]);
    const heads = await headsOf(both);
    expect(heads.map(({ team }) => team)).toEqual(['main', 'other']);
    const judgement = await judge(main, heads);
    expect(judgement).toMatchObject({ exitCode: 1, said: [`chain-truncated ${manifestKey('other', 4)}`] });
  });

  test('are not reported when the chain has grown since the head was saved', async () => {
    const objects = await sample();
    const [head] = await headsOf(objects);
    const first = { team: 'main', seq: 1, sha256: sha256(payloadOf(objects, manifestKey('main', 1))) };
    expect(await judge(objects, [{ ...first }])).toMatchObject({ exitCode: 0, said: [] });
    expect(head?.sha256).toBe(sha256(payloadOf(objects, M4)));
  });
});

check('added objects', [
  ...[
    E4.replace('004', '005'), // a later number
    E2.replace('dt=2026-03-10', 'dt=2026-03-11'), // a committed number, another date
    `${E4}.bak`,
    'quarantine/team=main/dt=2026-03-10/0000000004.ndjson.gz',
    'events/0000000001.ndjson.gz',
    'events/team=__proto__/dt=x/1.gz',
    `${M4}.old`,
    manifestKey('main', 0),
  ].map((key): Case => [`a planted ${key}`, `object-unlisted ${key}`, (a) => a.put(key, a.read('E2'))]),
  [
    'an empty planted object',
    'object-unlisted events/team=main/dt=2026-03-10/x',
    (a) => a.put('events/team=main/dt=2026-03-10/x', Buffer.alloc(0)),
  ],
  [
    'a planted segment of a team without manifests',
    `team-without-manifests manifests/team=other/, object-unlisted ${E2.replace('main', 'other')}`,
    (a) => a.put(E2.replace('main', 'other'), a.read('E2')),
  ],
  [
    'a manifest with a number far ahead', // One finding, not ten billion.
    `manifest-missing M5, manifest-misplaced ${manifestKey('main', 9_999_999_999)}`,
    (a) => a.put(manifestKey('main', 9_999_999_999), a.read('M4')),
  ],
]);

test('objects outside the archive format give notices only', async () => {
  const objects = await sample();
  for (const key of ['README.txt', 'athena/results/1.csv', 'batches/team=main/notes.txt', 'batches/x']) {
    objects.set(key, Buffer.from('x'));
  }
  const { said, exitCode, findings } = await judge(objects);
  expect(exitCode).toBe(0);
  expect(findings.map(({ severity }) => severity)).toEqual(Array(4).fill('notice'));
  expect(said).toContain('object-unknown batches/team=main/notes.txt');
});

test('batch objects that crashed runs have left are counted and are no finding', async () => {
  const objects = await sample();
  objects.set('batches/team=main/0000000005-00000000-0000-4000-8000-000000000000.gz', Buffer.from('anything'));
  expect(await judge(objects)).toMatchObject({ exitCode: 0, said: [], teams: [{ abandonedBatches: 1 }] });
});

const OTHER_KEY = [1, 2, 3, 4].map((seq) => `signature-other-key M${seq}`).join(', ');

check('signatures', [
  ['an archive signed with another key', OTHER_KEY, async (a) => a.replaceAll(await forgedArchive(createSigner()))],
  [
    'an archive signed with another key that lies beside it',
    `${OTHER_KEY}, object-unknown public.pem`,
    async (a) => {
      const thief = createSigner();
      a.replaceAll(await forgedArchive(thief));
      a.put('public.pem', Buffer.from(thief.publicPem));
    },
  ],
  ['one manifest signed with another key', 'signature-other-key M3', (a) => a.sign('M3', createSigner())],
  [
    'one manifest signed with another key under the name of the pinned key',
    'signature-invalid M3',
    (a) => a.sign('M3', { publicKey: testSigner.publicKey, sign: createSigner().sign }),
  ],
  [
    'a manifest without its signature',
    'manifest-unreadable M3',
    (a) => a.editEnvelope('M3', (envelope) => ({ ...envelope, signatures: [] })),
  ],
  [
    'a manifest with the signature of its neighbour',
    'signature-invalid M3',
    (a) => {
      const { signatures } = JSON.parse(String(a.read('M2')));
      a.editEnvelope('M3', (envelope) => ({ ...envelope, signatures }));
    },
  ],
  [
    'a manifest signed as another payload type',
    'manifest-unreadable M3',
    (a) => a.sign('M3', testSigner, 'application/vnd.postman-audit-archive.report.v1+json'),
  ],
]);

check('changed manifests', [
  [
    'a changed payload',
    'signature-invalid M3, chain-broken M4',
    (a) => a.editPayload('M3', (manifest) => ({ ...manifest, sourceTeams: ['1'] })),
  ],
  ['an envelope with white space', 'manifest-unreadable M3', (a) => a.edit('M3', (text) => `${text} `)],
  [
    'an envelope with a new field',
    'manifest-unreadable M3',
    (a) => a.edit('M3', (text) => text.replace('{', '{"x":1,')),
  ],
  [
    'an envelope with a second signature',
    'manifest-unreadable M3',
    (a) => a.edit('M3', (text) => text.replace(/(\{"keyid.*?\})/, '$1,$1')),
  ],
  ['an emptied manifest', 'manifest-unreadable M3', (a) => a.put('M3', Buffer.alloc(0))],
  ['a manifest replaced by other JSON', 'manifest-unreadable M3', (a) => a.put('M3', Buffer.from('{}'))],
  ['a manifest of 16 MB', 'object-too-large M3', (a) => a.put('M3', Buffer.alloc(16 * 1024 * 1024 + 1, ' '))],
]);

check('objects in other places', [
  ['two exchanged segments', 'segment-differs E1, segment-differs E1b', (a) => a.swap('E1', 'E1b')],
  [
    'an exchanged event and quarantine segment',
    'segment-differs E2, segment-malformed Q2b',
    (a) => a.swap('E2', 'Q2b'),
  ],
  // One finding for each of the five members, and one for the size of each object.
  [
    'two exchanged batch objects',
    [...Array(3).fill('batch-differs B1'), ...Array(4).fill('batch-differs B2')].join(', '),
    (a) => a.swap('B1', 'B2'),
  ],
  [
    'a segment moved to another date',
    `segment-missing E2, object-unlisted ${E2.replace('dt=2026-03-10', 'dt=2026-03-11')}`,
    (a) => {
      a.put(E2.replace('dt=2026-03-10', 'dt=2026-03-11'), a.read('E2'));
      a.take('E2');
    },
  ],
  [
    'two exchanged manifests',
    'manifest-misplaced M2, chain-broken M2, manifest-misplaced M3, chain-broken M3, chain-broken M4, position-wrong M3, ' +
      'latest-wrong M2',
    (a) => a.swap('M2', 'M3'),
  ],
  [
    'a manifest copied over the next',
    'manifest-misplaced M3, chain-broken M3, chain-broken M4',
    (a) => a.put('M3', a.read('M2')),
  ],
  ['a copied head', 'manifest-misplaced M5, chain-broken M5', (a) => a.put(manifestKey('main', 5), a.read('M4'))],
  [
    'an archive copied to another team',
    [...Object.entries(KEYS)]
      .filter(([name]) => name !== 'M5')
      .map(([name, key]) => [
        name.startsWith('M') ? 'manifest-misplaced' : 'object-unlisted',
        key.replace('main', 'other'),
      ])
      .map((words) => words.join(' '))
      .join(', '),
    (a) => {
      for (const [key, bytes] of [...a.objects]) a.put(key.replace('team=main', 'team=other'), bytes);
    },
  ],
]);

check('changed bytes of a segment', [
  ['a second gzip member', 'segment-malformed E2', (a) => a.append('E2', compress(Buffer.from('{}\n')))],
  ['an empty gzip member', 'segment-recompressed E2', (a) => a.append('E2', compress(Buffer.alloc(0)))],
  ['zero padding', 'segment-recompressed E2', (a) => a.append('E2', Buffer.alloc(512))],
  ['a byte after the member', 'segment-malformed E2', (a) => a.append('E2', Buffer.from('\n'))],
  ['a segment without its last byte', 'segment-malformed E2', (a) => a.put('E2', a.read('E2').subarray(0, -1))],
  ['half a segment', 'segment-malformed E2', (a) => a.put('E2', a.read('E2').subarray(0, 40))],
  ['an emptied segment', 'segment-malformed E2', (a) => a.put('E2', Buffer.alloc(0))],
  ['a segment that is not compressed', 'segment-malformed E2', (a) => a.put('E2', a.content('E2'))],
  ['another compression level', 'segment-recompressed E2', (a) => a.put('E2', gzipSync(a.content('E2'), { level: 9 }))],
  ['compression level 0', 'segment-recompressed E2', (a) => a.put('E2', gzipSync(a.content('E2'), { level: 0 }))],
  ['an empty deflate block', 'segment-recompressed E2', (a) => a.put('E2', withEmptyBlock(a.content('E2')))],
  ['a file name in the gzip header', 'segment-recompressed E2', (a) => a.put('E2', withName(a.read('E2')))],
  [
    'another letter in a line',
    'segment-differs E2',
    (a) => a.rewrite('E2', (text) => text.replace('sign_in', 'sign_on')),
  ],
  ['a removed line', 'segment-differs E2', (a) => a.rewrite('E2', (text) => text.replace(/^.*\n/, ''))],
  ['a repeated line', 'segment-malformed E2', (a) => a.rewrite('E2', (text) => text.replace(/^(.*\n)/, '$1$1'))],
  [
    'lines in another order',
    'segment-differs E2',
    (a) => a.rewrite('E2', (text) => text.replace(/^(.*\n)(.*\n)/, '$2$1')),
  ],
  ['a decompression bomb', 'segment-malformed E2', (a) => a.put('E2', gzipSync(Buffer.alloc(300_000_000)))],
]);

// The signature is what fails. The other codes are those that the lines contradict if the manifest is believed.
check('a changed line whose hashes in the manifest are changed too', [
  [
    'a removed line with new hashes',
    'signature-invalid M4, segment-misdescribed E4',
    (a) => a.rewriteWithHashes((text) => text.replace(/^.*\n/, '')),
  ],
  [
    'a repeated line with new hashes',
    'signature-invalid M4, id-repeated E4, lines-unordered E4, segment-misdescribed E4',
    (a) => a.rewriteWithHashes((text) => text.replace(/^(.*\n)/, '$1$1')),
  ],
  [
    'another letter with new hashes',
    'signature-invalid M4',
    (a) => a.rewriteWithHashes((text) => text.replace('sign_in', 'sign_on')),
  ],
]);

check('changed bytes of a batch object', [
  ['a batch object with another byte', 'batch-differs B2', (a) => a.append('B2', Buffer.from('x'))],
  ['a changed byte in the first member', 'batch-differs B2', (a) => a.put('B2', flip(a.read('B2'), 30))],
  ['a changed byte in the gzip header', 'batch-differs B2', (a) => a.put('B2', flip(a.read('B2'), 4))],
  [
    'the same changed byte in a gzip header of the batch object and the segment',
    'batch-differs B2, segment-recompressed E2',
    (a) => {
      a.put('B2', flip(a.read('B2'), 4));
      a.put('E2', flip(a.read('E2'), 4));
    },
  ],
  ['an emptied batch object', Array(4).fill('batch-differs B2').join(', '), (a) => a.put('B2', Buffer.alloc(0))],
]);

function check(group: string, cases: readonly Case[]): void {
  describe(group, () => {
    test.each(cases)('given %s, the verifier reports %s', async (_, findings, tamper) => {
      const objects = await sample();
      await tamper(tampering(objects));
      const { said, exitCode } = await judge(objects);
      expect(said.map(withShortName).sort()).toEqual(findings.split(', ').sort());
      expect(exitCode).toBe(1);
    });
  });
}

function withShortName(finding: string): string {
  const [code, key = ''] = finding.split(' ');
  const [, seq] = /^batches\/team=main\/(\d{10})-/.exec(key) ?? [];
  const known = Object.keys(KEYS).find((name) => KEYS[name] === key);
  return `${code} ${seq === undefined ? (known ?? key) : `B${Number(seq)}`}`;
}

type Tampering = ReturnType<typeof tampering>;

/** The ways to tamper. A name is one of the short names, or a whole key. */
function tampering(objects: Objects) {
  const keyOf = (name: string) =>
    /^B\d$/.test(name)
      ? ([...objects.keys()].find((key) => key.startsWith(`batches/team=main/000000000${name.slice(1)}-`)) ?? name)
      : (KEYS[name] ?? name);

  function read(name: string): Buffer {
    const bytes = objects.get(keyOf(name));
    if (bytes === undefined) throw new Error(`there is no ${name}`);
    return bytes;
  }
  function put(name: string, bytes: Buffer): void {
    objects.set(keyOf(name), bytes);
  }
  function take(...names: readonly string[]): void {
    for (const name of names) if (!objects.delete(keyOf(name))) throw new Error(`there is no ${name}`);
  }
  function swap(one: string, other: string): void {
    const bytes = read(one);
    put(one, read(other));
    put(other, bytes);
  }
  function replaceAll(others: Objects): void {
    objects.clear();
    for (const [key, bytes] of others) objects.set(key, bytes);
  }
  const append = (name: string, more: Buffer) => put(name, Buffer.concat([read(name), more]));
  const content = (name: string) => decompress(read(name), 1_000_000);
  const edit = (name: string, change: (text: string) => string) => put(name, Buffer.from(change(String(read(name)))));
  const editEnvelope = (name: string, change: (envelope: object) => object) =>
    edit(name, (text) => `${JSON.stringify(change(JSON.parse(text)))}\n`);
  const rewrite = (name: string, change: (text: string) => string) =>
    put(name, compress(Buffer.from(change(String(content(name))))));
  const sign = async (name: string, signer: Signer, type = PAYLOAD_TYPE) =>
    put(name, await signEnvelope(type, payloadOf(objects, keyOf(name)), signer));

  /** Changes the payload, and leaves the signature as it was. */
  function editPayload(name: string, change: (manifest: Manifest) => Manifest): void {
    const manifest: Manifest = JSON.parse(String(payloadOf(objects, keyOf(name))));
    const payload = Buffer.from(JSON.stringify(change(manifest))).toString('base64');
    editEnvelope(name, (envelope) => ({ ...envelope, payload }));
  }

  /** Rewrites the only segment of manifest 4, with its batch object and its entry in the manifest. */
  function rewriteWithHashes(change: (text: string) => string): void {
    rewrite('E4', change);
    const [member, lines] = [read('E4'), content('E4')];
    put('B4', member);
    const hashes = { objectSha256: sha256(member), sha256: sha256(lines) };
    const facts = { length: member.length, bytes: lines.length, ...hashes };
    editPayload('M4', (manifest) => ({
      ...manifest,
      batch: { key: keyOf('B4'), bytes: member.length },
      segments: manifest.segments.map((segment) => ({ ...segment, ...facts })),
    }));
  }

  const edits = { append, edit, editEnvelope, editPayload, rewrite, rewriteWithHashes, sign };
  return { objects, read, put, take, swap, replaceAll, content, ...edits };
}

async function sample(): Promise<Objects> {
  return buildArchive({ batches: sampleBatches });
}

function forgedArchive(signer: Signer): Promise<Objects> {
  return buildArchive({ batches: sampleBatches, signer });
}

async function headsOf(objects: Objects) {
  return (await judge(objects)).teams.flatMap(({ head }) => head ?? []);
}

/** Removes the newest manifests with all their objects, and leaves the first ones. */
function cutBack(objects: Objects, left: number): Objects {
  for (const key of objects.keys()) if (Number(/\/(\d{10})[.-]/.exec(key)?.[1]) > left) objects.delete(key);
  return objects;
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
function withEmptyBlock(content: Buffer): Buffer {
  const gzip = compress(content);
  const flushed = deflateRawSync(Buffer.alloc(0), { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat([gzip.subarray(0, 10), flushed, gzip.subarray(10)]);
}

function payloadOf(objects: Objects, key: string): Buffer {
  return Buffer.from(JSON.parse(String(objects.get(key))).payload, 'base64');
}
