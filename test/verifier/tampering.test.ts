/**
 * Tampering with a good archive by somebody who does not hold the signing key. Each case tampers, and returns all that
 * the command must say: nothing less, and nothing that is only an echo of it.
 */
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { type Manifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { compress, decompress } from '../../lambdas/shared/segment';
import { buildArchive, createSigner, type Objects, sampleBatches, testSigner } from '../support/archive-builder';
import { judge } from '../support/judge';

const FIRST_DAY = 'events/team=main/dt=2026-03-09/0000000001.ndjson.gz';
const SECOND_DAY = 'events/team=main/dt=2026-03-10/0000000001.ndjson.gz';
const SECOND = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const HELD = 'quarantine/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const HELD_BEFORE = 'quarantine/team=main/dt=2026-03-09/0000000002.ndjson.gz';
const FOURTH = 'events/team=main/dt=2026-03-10/0000000004.ndjson.gz';
const M1 = manifestKey('main', 1);
const M2 = manifestKey('main', 2);
const M3 = manifestKey('main', 3);
const M4 = manifestKey('main', 4);

type Case = readonly [what: string, tamper: (objects: Objects) => Said | Promise<Said>];
type Said = readonly string[];

test('the archive that is tampered with below is good', async () => {
  const judgement = await judge(await sample());
  expect(judgement).toMatchObject({ exitCode: 0, clean: true, said: [], objects: 13 });
  expect(judgement.teams).toMatchObject([{ team: 'main', manifests: 4, events: 7, quarantined: 3, head: { seq: 4 } }]);
});

describe('something is removed', () => {
  cases([
    ['a segment', (objects) => [`segment-missing ${take(objects, SECOND_DAY)}`]],
    ['a quarantine segment', (objects) => [`segment-missing ${take(objects, HELD)}`]],
    ['a batch object', (objects) => [`batch-missing ${take(objects, batchOf(objects, 2))}`]],
    [
      'a segment and the batch object that has its bytes',
      (objects) => [`batch-missing ${take(objects, batchOf(objects, 2))}`, `segment-missing ${take(objects, SECOND)}`],
    ],
    [
      'the archived event of a quarantined revision: the revision is not accused',
      (objects) => {
        const batch = take(objects, batchOf(objects, 1));
        const segments = [FIRST_DAY, SECOND_DAY].map((key) => `segment-missing ${take(objects, key)}`);
        return [`batch-missing ${batch}`, ...segments];
      },
    ],
    ['the manifest of an empty run', (objects) => [`manifest-missing ${take(objects, M3)}`]],
    [
      'a manifest in the middle',
      (objects) => [`manifest-missing ${take(objects, M2)}`, ...unlisted(SECOND, HELD_BEFORE, HELD)],
    ],
    ['the first manifest', (objects) => [`manifest-missing ${take(objects, M1)}`, ...unlisted(FIRST_DAY, SECOND_DAY)]],
    ['the newest manifest', (objects) => removing(objects, [M4], unlisted(FOURTH))],
    [
      'two manifests in a row',
      (objects) => removing(objects, [M2, M3], [`manifest-missing ${M2}`, ...unlisted(SECOND, HELD_BEFORE, HELD)]),
    ],
    [
      'all manifests',
      (objects) =>
        removing(
          objects,
          [M1, M2, M3, M4],
          [
            'archive-empty manifests/',
            'team-without-manifests manifests/team=main/',
            ...unlisted(FIRST_DAY, SECOND_DAY, SECOND, HELD_BEFORE, HELD, FOURTH),
          ],
        ),
    ],
    ['everything', (objects) => removing(objects, [...objects.keys()], ['archive-empty manifests/'])],
    [
      'everything but the staged batches',
      (objects) => {
        const others = [...objects.keys()].filter((key) => !key.startsWith('batches/'));
        return removing(objects, others, ['archive-empty manifests/']);
      },
    ],
  ]);
});

describe('the newest of a chain is removed without a trace', () => {
  test('goes unseen without a saved head, as the report says', async () => {
    expect(await judge(cutBack(await sample(), 2))).toMatchObject({ exitCode: 0, said: [] });
  });

  test.each([1, 2, 3])('is found by the saved head, %i manifests left', async (left) => {
    const objects = await sample();
    const heads = await headsOf(objects);
    expect(await judge(objects, heads)).toMatchObject({ exitCode: 0, said: [] });
    expect(await judge(cutBack(objects, left), heads)).toMatchObject({ exitCode: 1, said: [`chain-truncated ${M4}`] });
  });

  test('the last empty run alone is found by the saved head', async () => {
    const objects = await buildArchive({ batches: [...sampleBatches, {}] });
    const heads = await headsOf(objects);
    objects.delete(manifestKey('main', 5));
    expect(await judge(objects)).toMatchObject({ exitCode: 0 });
    expect((await judge(objects, heads)).said).toEqual([`chain-truncated ${manifestKey('main', 5)}`]);
  });

  test('a whole team is found by the saved head', async () => {
    const main = await sample();
    const both = new Map([...main, ...(await buildArchive({ team: 'other', batches: sampleBatches }))]);
    const heads = await headsOf(both);
    expect(heads.map(({ team }) => team)).toEqual(['main', 'other']);
    const judgement = await judge(main, heads);
    expect(judgement).toMatchObject({ exitCode: 1, said: [`chain-truncated ${manifestKey('other', 4)}`] });
  });

  test('a chain that went on since is no finding', async () => {
    const objects = await sample();
    const [head] = await headsOf(objects);
    const first = { team: 'main', seq: 1, sha256: sha256(payloadOf(objects, M1)) };
    expect(await judge(objects, [{ ...first }])).toMatchObject({ exitCode: 0, said: [] });
    expect(head?.sha256).toBe(sha256(payloadOf(objects, M4)));
  });
});

describe('something is added', () => {
  cases([
    ['a segment of a later seq', (objects) => unlisted(put(objects, FOURTH.replace('004', '005'), anyBytes(objects)))],
    [
      'a segment of a committed seq and another date',
      (objects) => unlisted(put(objects, date(SECOND, '11'), anyBytes(objects))),
    ],
    ['a file that is no segment', (objects) => unlisted(put(objects, `${FOURTH}.bak`, anyBytes(objects)))],
    ['an empty file', (objects) => unlisted(put(objects, 'events/team=main/dt=2026-03-10/x', Buffer.alloc(0)))],
    ['a quarantine segment', (objects) => unlisted(put(objects, HELD.replace('002', '004'), anyBytes(objects)))],
    ['events of no team', (objects) => unlisted(put(objects, 'events/0000000001.ndjson.gz', anyBytes(objects)))],
    [
      'events of a team with a forbidden name',
      (objects) => unlisted(put(objects, 'events/team=../dt=x/1.gz'.replace('..', '__proto__'), anyBytes(objects))),
    ],
    ['a file among the manifests', (objects) => unlisted(put(objects, `${M4}.old`, anyBytes(objects)))],
    ['a manifest numbered 0', (objects) => unlisted(put(objects, manifestKey('main', 0), read(objects, M1)))],
    [
      'events of a team without a chain',
      (objects) => {
        const planted = put(objects, SECOND.replace('main', 'other'), anyBytes(objects));
        return ['team-without-manifests manifests/team=other/', ...unlisted(planted)];
      },
    ],
    [
      'a manifest far ahead: one finding, not ten billion',
      (objects) => {
        const planted = put(objects, manifestKey('main', 9_999_999_999), read(objects, M4));
        return [`manifest-missing ${manifestKey('main', 5)}`, `manifest-misplaced ${planted}`];
      },
    ],
  ]);

  test('what lies outside the format is only noticed', async () => {
    const objects = await sample();
    for (const key of ['README.txt', 'athena/results/1.csv', 'batches/team=main/notes.txt', 'batches/x']) {
      objects.set(key, Buffer.from('x'));
    }
    const { said, exitCode, findings } = await judge(objects);
    expect(exitCode).toBe(0);
    expect(findings.map(({ severity }) => severity)).toEqual(Array(4).fill('notice'));
    expect(said).toContain('object-unknown batches/team=main/notes.txt');
  });

  test('batch objects that crashed runs left behind are counted', async () => {
    const objects = await sample();
    objects.set('batches/team=main/0000000005-00000000-0000-4000-8000-000000000000.gz', Buffer.from('anything'));
    expect(await judge(objects)).toMatchObject({ exitCode: 0, said: [], teams: [{ abandonedBatches: 1 }] });
  });
});

describe('somebody else signs', () => {
  cases([
    [
      'the whole archive, with another key',
      async (objects) => {
        const forged = await buildArchive({ batches: sampleBatches, signer: createSigner() });
        replaceAll(objects, forged);
        return [M1, M2, M3, M4].map((key) => `signature-other-key ${key}`);
      },
    ],
    [
      'the whole archive, and lays the other public key beside it',
      async (objects) => {
        const thief = createSigner();
        replaceAll(objects, await buildArchive({ batches: sampleBatches, signer: thief }));
        put(objects, 'public.pem', Buffer.from(thief.publicPem));
        return [...[M1, M2, M3, M4].map((key) => `signature-other-key ${key}`), 'object-unknown public.pem'];
      },
    ],
    [
      'one manifest, with another key',
      async (objects) => [
        `signature-other-key ${put(objects, M3, await signEnvelope(PAYLOAD_TYPE, payloadOf(objects, M3), createSigner()))}`,
      ],
    ],
    [
      'one manifest, with another key under the name of the pinned one',
      async (objects) => {
        const disguised = { publicKey: testSigner.publicKey, sign: createSigner().sign };
        return [
          `signature-invalid ${put(objects, M3, await signEnvelope(PAYLOAD_TYPE, payloadOf(objects, M3), disguised))}`,
        ];
      },
    ],
    [
      'nothing: the signature is taken off',
      (objects) => [
        `manifest-unreadable ${editEnvelope(objects, M3, (envelope) => ({ ...envelope, signatures: [] }))}`,
      ],
    ],
    [
      'nothing: the signature of the neighbour is put on',
      (objects) => {
        const { signatures } = JSON.parse(String(read(objects, M2)));
        return [`signature-invalid ${editEnvelope(objects, M3, (envelope) => ({ ...envelope, signatures }))}`];
      },
    ],
    [
      'the right payload, of another type',
      async (objects) => {
        const type = 'application/vnd.postman-audit-archive.report.v1+json';
        return [
          `manifest-unreadable ${put(objects, M3, await signEnvelope(type, payloadOf(objects, M3), testSigner))}`,
        ];
      },
    ],
  ]);
});

describe('a manifest is changed', () => {
  cases([
    [
      'its payload',
      (objects) => [
        `signature-invalid ${editPayload(objects, M3, (manifest) => ({ ...manifest, sourceTeams: ['1'] }))}`,
        `chain-broken ${M4}`,
      ],
    ],
    ['white space in its envelope', (objects) => [`manifest-unreadable ${edit(objects, M3, (text) => `${text} `)}`]],
    [
      'a field added to its envelope',
      (objects) => [`manifest-unreadable ${edit(objects, M3, (text) => text.replace('{', '{"x":1,'))}`],
    ],
    [
      'a second signature',
      (objects) => [`manifest-unreadable ${edit(objects, M3, (text) => text.replace(/(\{"keyid.*?\})/, '$1,$1'))}`],
    ],
    ['replaced by nothing', (objects) => [`manifest-unreadable ${put(objects, M3, Buffer.alloc(0))}`]],
    ['replaced by another file', (objects) => [`manifest-unreadable ${put(objects, M3, Buffer.from('{}'))}`]],
    ['blown up', (objects) => [`object-too-large ${put(objects, M3, Buffer.alloc(16 * 1024 * 1024 + 1, ' '))}`]],
  ]);
});

describe('objects change places', () => {
  cases([
    [
      'two segments',
      (objects) => {
        swap(objects, FIRST_DAY, SECOND_DAY);
        return [FIRST_DAY, SECOND_DAY].map((key) => `segment-differs ${key}`);
      },
    ],
    [
      'an event segment and a quarantine segment',
      (objects) => {
        swap(objects, SECOND, HELD);
        return [`segment-differs ${SECOND}`, `segment-malformed ${HELD}`];
      },
    ],
    [
      'two batch objects',
      (objects) => {
        const [one, two] = [batchOf(objects, 1), batchOf(objects, 2)];
        swap(objects, one, two);
        // Each of the five members, and each object's size.
        return [one, one, one, two, two, two, two].map((key) => `batch-differs ${key}`);
      },
    ],
    [
      'a segment moves to another date',
      (objects) => {
        const moved = put(objects, date(SECOND, '11'), read(objects, SECOND));
        return [`segment-missing ${take(objects, SECOND)}`, ...unlisted(moved)];
      },
    ],
    [
      'two manifests',
      (objects) => {
        swap(objects, M2, M3);
        return [
          `manifest-misplaced ${M2}`,
          `chain-broken ${M2}`,
          `manifest-misplaced ${M3}`,
          `chain-broken ${M3}`,
          `chain-broken ${M4}`,
          `position-wrong ${M3}`,
          `latest-wrong ${M2}`,
        ];
      },
    ],
    [
      'a manifest is copied over the next',
      (objects) => {
        put(objects, M3, read(objects, M2));
        return [`manifest-misplaced ${M3}`, `chain-broken ${M3}`, `chain-broken ${M4}`];
      },
    ],
    [
      'a manifest is copied behind the head',
      (objects) => {
        const copy = put(objects, manifestKey('main', 5), read(objects, M4));
        return [`manifest-misplaced ${copy}`, `chain-broken ${copy}`];
      },
    ],
    [
      "a team's whole chain is copied to another team",
      (objects) => {
        const copies = [...objects].map(([key, bytes]) => put(objects, key.replace('team=main', 'team=other'), bytes));
        const chain = copies.filter((key) => key.startsWith('manifests/'));
        const data = copies.filter((key) => /^(events|quarantine)/.test(key));
        return [...chain.map((key) => `manifest-misplaced ${key}`), ...unlisted(...data)];
      },
    ],
  ]);
});

describe('bytes of a segment change', () => {
  const content = (objects: Objects, key: string) => decompress(read(objects, key), 1_000_000);
  cases([
    [
      'a second gzip member',
      (objects) => [`segment-malformed ${append(objects, SECOND, compress(Buffer.from('{}\n')))}`],
    ],
    [
      'an empty gzip member',
      (objects) => [`segment-recompressed ${append(objects, SECOND, compress(Buffer.alloc(0)))}`],
    ],
    ['zero padding', (objects) => [`segment-recompressed ${append(objects, SECOND, Buffer.alloc(512))}`]],
    ['one byte at the end', (objects) => [`segment-malformed ${append(objects, SECOND, Buffer.from('\n'))}`]],
    [
      'its trailer is cut',
      (objects) => [`segment-malformed ${put(objects, SECOND, read(objects, SECOND).subarray(0, -1))}`],
    ],
    [
      'half of it is cut',
      (objects) => [`segment-malformed ${put(objects, SECOND, read(objects, SECOND).subarray(0, 40))}`],
    ],
    ['all of it is cut', (objects) => [`segment-malformed ${put(objects, SECOND, Buffer.alloc(0))}`]],
    [
      'its compression is taken off',
      (objects) => [`segment-malformed ${put(objects, SECOND, content(objects, SECOND))}`],
    ],
    [
      'another level',
      (objects) => [`segment-recompressed ${put(objects, SECOND, gzipSync(content(objects, SECOND), { level: 9 }))}`],
    ],
    [
      'no compression at all',
      (objects) => [`segment-recompressed ${put(objects, SECOND, gzipSync(content(objects, SECOND), { level: 0 }))}`],
    ],
    [
      'an empty deflate block',
      (objects) => [`segment-recompressed ${put(objects, SECOND, withEmptyBlock(content(objects, SECOND)))}`],
    ],
    [
      'a file name in the gzip header',
      (objects) => [`segment-recompressed ${put(objects, SECOND, withName(read(objects, SECOND)))}`],
    ],
    [
      'another letter, same length',
      (objects) => [`segment-differs ${rewrite(objects, SECOND, (text) => text.replace('sign_in', 'sign_on'))}`],
    ],
    ['a line less', (objects) => [`segment-differs ${rewrite(objects, SECOND, (text) => text.replace(/^.*\n/, ''))}`]],
    [
      'a line twice',
      (objects) => [`segment-malformed ${rewrite(objects, SECOND, (text) => text.replace(/^(.*\n)/, '$1$1'))}`],
    ],
    [
      'lines in another order',
      (objects) => [`segment-differs ${rewrite(objects, SECOND, (text) => text.replace(/^(.*\n)(.*\n)/, '$2$1'))}`],
    ],
    ['a bomb', (objects) => [`segment-malformed ${put(objects, SECOND, gzipSync(Buffer.alloc(300_000_000)))}`]],
  ]);

  function rewrite(objects: Objects, key: string, change: (text: string) => string): string {
    return put(objects, key, compress(Buffer.from(change(String(content(objects, key))))));
  }
});

describe('a line changes, and the hash in the manifest with it', () => {
  cases([
    ['a line less', mended((text) => text.replace(/^.*\n/, ''), ['segment-misdescribed'])],
    [
      'a line twice',
      mended((text) => text.replace(/^(.*\n)/, '$1$1'), ['id-repeated', 'lines-unordered', 'segment-misdescribed']),
    ],
    ['another letter', mended((text) => text.replace('sign_in', 'sign_on'), [])],
  ]);

  /** The signature is what fails; the codes are what the lines then contradict, if somebody believed the manifest. */
  function mended(change: (text: string) => string, codes: Said): Case[1] {
    return (objects) => {
      const batch = batchOf(objects, 4);
      const content = Buffer.from(change(String(decompress(read(objects, FOURTH), 1000))));
      const member = compress(content);
      put(objects, FOURTH, member);
      put(objects, batch, member);
      const hashes = { objectSha256: sha256(member), sha256: sha256(content) };
      const facts = { length: member.length, bytes: content.length, ...hashes };
      editPayload(objects, M4, (manifest) => ({
        ...manifest,
        batch: { key: batch, bytes: member.length },
        segments: manifest.segments.map((segment) => ({ ...segment, ...facts })),
      }));
      return [`signature-invalid ${M4}`, ...codes.map((code) => `${code} ${FOURTH}`)];
    };
  }
});

describe('bytes of a batch object change', () => {
  const bytes = (objects: Objects) => read(objects, batchOf(objects, 2));
  cases([
    ['it grows', (objects) => [`batch-differs ${append(objects, batchOf(objects, 2), Buffer.from('x'))}`]],
    [
      'a byte in its first member',
      (objects) => [`batch-differs ${put(objects, batchOf(objects, 2), flip(bytes(objects), 30))}`],
    ],
    [
      'a byte of the gzip header of its first member',
      (objects) => [`batch-differs ${put(objects, batchOf(objects, 2), flip(bytes(objects), 4))}`],
    ],
    [
      'a byte of the gzip header of its first member, and of the segment alike',
      (objects) => {
        const batch = put(objects, batchOf(objects, 2), flip(bytes(objects), 4));
        return [
          `batch-differs ${batch}`,
          `segment-recompressed ${put(objects, SECOND, flip(read(objects, SECOND), 4))}`,
        ];
      },
    ],
    [
      'it is emptied',
      (objects) => Array<string>(4).fill(`batch-differs ${put(objects, batchOf(objects, 2), Buffer.alloc(0))}`),
    ],
  ]);
});

function cases(list: readonly Case[]): void {
  test.each(list)('%s', async (_, tamper) => {
    const objects = await sample();
    const expected = await tamper(objects);
    const { said, exitCode } = await judge(objects);
    expect([...said].sort()).toEqual([...expected].sort());
    expect(exitCode).toBe(1);
  });
}

async function sample(): Promise<Objects> {
  return buildArchive({ batches: sampleBatches });
}

async function headsOf(objects: Objects) {
  return (await judge(objects)).teams.flatMap(({ head }) => head ?? []);
}

/** Removes the newest manifests and all that they brought, leaving the first ones. */
function cutBack(objects: Objects, left: number): Objects {
  for (const key of objects.keys()) if (Number(/\/(\d{10})[.-]/.exec(key)?.[1]) > left) objects.delete(key);
  return objects;
}

function take(objects: Objects, key: string): string {
  if (!objects.delete(key)) throw new Error(`there is no ${key}`);
  return key;
}

function removing(objects: Objects, keys: readonly string[], said: Said): Said {
  for (const key of keys) take(objects, key);
  return said;
}

function put(objects: Objects, key: string, bytes: Buffer): string {
  objects.set(key, bytes);
  return key;
}

function read(objects: Objects, key: string): Buffer {
  const bytes = objects.get(key);
  if (bytes === undefined) throw new Error(`there is no ${key}`);
  return bytes;
}

function replaceAll(objects: Objects, others: Objects): void {
  objects.clear();
  for (const [key, bytes] of others) objects.set(key, bytes);
}

function append(objects: Objects, key: string, more: Buffer): string {
  return put(objects, key, Buffer.concat([read(objects, key), more]));
}

function swap(objects: Objects, one: string, other: string): void {
  const bytes = read(objects, one);
  put(objects, one, read(objects, other));
  put(objects, other, bytes);
}

function anyBytes(objects: Objects): Buffer {
  return read(objects, SECOND);
}

function batchOf(objects: Objects, seq: number): string {
  const start = `batches/team=main/000000000${seq}-`;
  return [...objects.keys()].find((key) => key.startsWith(start)) ?? `no batch ${seq}`;
}

function date(key: string, day: string): string {
  return key.replace('2026-03-10', `2026-03-${day}`);
}

function unlisted(...keys: readonly string[]): Said {
  return keys.map((key) => `object-unlisted ${key}`);
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

/** The same content with an empty block in front: another spelling that every reader accepts. */
function withEmptyBlock(content: Buffer): Buffer {
  const gzip = compress(content);
  const flushed = deflateRawSync(Buffer.alloc(0), { finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat([gzip.subarray(0, 10), flushed, gzip.subarray(10)]);
}

function payloadOf(objects: Objects, key: string): Buffer {
  return Buffer.from(JSON.parse(String(read(objects, key))).payload, 'base64');
}

function edit(objects: Objects, key: string, change: (text: string) => string): string {
  return put(objects, key, Buffer.from(change(String(read(objects, key)))));
}

function editEnvelope(objects: Objects, key: string, change: (envelope: object) => object): string {
  return edit(objects, key, (text) => `${JSON.stringify(change(JSON.parse(text)))}\n`);
}

/** Changes the payload, and leaves the signature as it was. */
function editPayload(objects: Objects, key: string, change: (manifest: Manifest) => Manifest): string {
  const manifest: Manifest = JSON.parse(String(payloadOf(objects, key)));
  const payload = Buffer.from(JSON.stringify(change(manifest))).toString('base64');
  return editEnvelope(objects, key, (envelope) => ({ ...envelope, payload }));
}
