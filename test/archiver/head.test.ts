import { inspect } from 'node:util';
import { findHead } from '../../lambdas/archiver/head';
import { sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import {
  buildArchive,
  createSigner,
  eventLine,
  type Objects,
  sampleBatches,
  testSigner,
} from '../support/archive-builder';
import { memoryStore } from '../support/memory-store';

let chain: Objects;
beforeAll(async () => {
  chain = await buildArchive({ batches: sampleBatches });
});

function head(seq: unknown, objects: ReadonlyMap<string, Buffer> = chain, team = 'main') {
  const store = memoryStore({ objects });
  return { store, finding: findHead({ team, store, signer: testSigner }, { seq }) };
}

function without(...seqs: readonly number[]): Objects {
  const objects = new Map(chain);
  for (const seq of seqs) objects.delete(manifestKey('main', seq));
  return objects;
}

function withManifest(seq: number, bytes: Buffer): Objects {
  return new Map(chain).set(manifestKey('main', seq), bytes);
}

test.each([undefined, 1, 2, 3, 4])('the head is the newest manifest where the hint names manifest %s', async (seq) => {
  const found = await head(seq).finding;
  const payload = Buffer.from(JSON.parse(String(chain.get(manifestKey('main', 4)))).payload, 'base64');
  expect(found?.manifest.seq).toBe(4);
  expect(found?.hash).toBe(sha256(payload));
});

test('the head costs one LIST and one GET where the hint is right', async () => {
  const { store, finding } = head(4);
  await finding;
  expect(store.calls).toEqual(['list manifests/team=main/', `get ${manifestKey('main', 4)}`]);
});

test('a team without a manifest has no head', async () => {
  expect(await head(undefined, new Map()).finding).toBeUndefined();
  expect(await head(undefined, chain, 'main-2').finding).toBeUndefined();
});

test.each([
  5,
  6,
  100,
  9_999_999_999,
  10_000_000_000,
  Number.MAX_SAFE_INTEGER,
])('a hint of manifest %d stops the run where the chain ends before it', async (seq) => {
  await expect(head(seq).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
});

test('a hint stops the run where the team has no manifest at all', async () => {
  await expect(head(1, new Map()).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
});

test('a chain whose newest manifests were removed is not healed away', async () => {
  await expect(head(4, without(4)).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
  await expect(head(4, without(3, 4)).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
});

test.each([
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  '4',
  null,
  true,
  { S: '4' },
  { NULL: true },
  [],
])('a hint of %j, which no run writes, stops the run before S3 is asked', async (seq) => {
  const { store, finding } = head(seq);
  await expect(finding).rejects.toMatchObject({ code: 'checkpoint-garbage' });
  expect(store.calls).toEqual([]);
});

describe('a hole', () => {
  test.each([
    ['at the hint', 2, [2]],
    ['after the hint', 1, [3]],
    ['where there is no hint', undefined, [2]],
    ['at the beginning', undefined, [1]],
    ['at the beginning, where the hint is,', 1, [1, 2]],
  ])('a hole in the chain %s stops the run, and the error names the manifest that is missing', async (_name, seq, missing) => {
    await expect(head(seq, without(...missing)).finding).rejects.toMatchObject({
      code: 'head-invalid',
      message: expect.stringContaining(manifestKey('main', missing[0] ?? 0)),
    });
  });

  test('a hole in the chain before the hint is left to the verifier', async () => {
    expect((await head(4, without(1, 2)).finding)?.manifest.seq).toBe(4);
  });
});

test('objects whose keys are not those of manifests are ignored', async () => {
  const names = [
    '0000000000.json',
    '0000000005.json.bak',
    '5.json',
    '00000000005.json',
    'x',
    '0000000005.jsonl',
    '000000000a.json',
  ];
  const strays = names.map((name) => [`manifests/team=main/${name}`, Buffer.from('stray')] as const);
  const others = [...chain].map(([key, bytes]) => [key.replace('team=main/', 'team=main-2/'), bytes] as const);
  for (const seq of [undefined, 4]) {
    expect((await head(seq, new Map([...chain, ...strays, ...others])).finding)?.manifest.seq).toBe(4);
  }
});

describe('a head that is invalid', () => {
  const bent: readonly [string, (bytes: Buffer) => Buffer | Promise<Buffer>][] = [
    ['an empty object', () => Buffer.alloc(0)],
    ['an object that is not JSON', () => Buffer.from('{')],
    ['a planted object', () => Buffer.from('{"seq":4}\n')],
    ['a manifest that was changed', (bytes) => Buffer.from(String(bytes).replace('"payload":"eyJ', '"payload":"eyK'))],
    [
      'the manifest of another team',
      async () => manifestOf(await buildArchive({ team: 'other', batches: sampleBatches }), 'other', 4),
    ],
    ['an older manifest', (_bytes) => chain.get(manifestKey('main', 3)) ?? Buffer.alloc(0)],
    [
      'a manifest signed with another key',
      async () => manifestOf(await buildArchive({ signer: createSigner(), batches: sampleBatches }), 'main', 4),
    ],
    [
      'a signed manifest that breaks the format',
      async () =>
        manifestOf(
          await buildArchive({ batches: [{}, {}, {}, { amend: (manifest) => ({ ...manifest, position: 'x' }) }] }),
          'main',
          4,
        ),
    ],
  ];

  test.each(bent)('%s in the place of the newest manifest stops the run', async (_name, bend) => {
    const bytes = await bend(manifestOf(chain, 'main', 4));
    for (const seq of [undefined, 4]) {
      const { store, finding } = head(seq, withManifest(4, bytes));
      await expect(finding).rejects.toMatchObject({ code: 'head-invalid' });
      expect(store.keys()).toHaveLength(chain.size);
    }
  });

  test('the error about an invalid head does not quote what it holds', async () => {
    const archive = await buildArchive({
      batches: [
        {
          events: [eventLine(1, '2026-03-10T00:00:00Z')],
          amend: (manifest) => ({ ...manifest, format: 'canary' as never }),
        },
      ],
    });
    const error: unknown = await head(1, archive).finding.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'head-invalid' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
  });

  function manifestOf(objects: Objects, team: string, seq: number): Buffer {
    return objects.get(manifestKey(team, seq)) ?? Buffer.alloc(0);
  }
});
