import { inspect } from 'node:util';
import { openChain } from '../../lambdas/archiver/head';
import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import {
  type ArchiveSpec,
  type BatchSpec,
  buildArchive,
  createSigner,
  type Objects,
  sampleBatches,
  testSigner,
} from '../support/archive-builder';
import { memoryStore } from '../support/memory-store';
import { payloadHash } from '../support/stored';
import { virtualClock } from '../support/virtual-clock';

const [third, newest] = [manifestKey('main', 3), manifestKey('main', 4)];
let chain: Objects;
beforeAll(async () => {
  chain = await buildArchive({ batches: sampleBatches });
});

/** Opens the chain at an instant at which the source keeps all of its events, unless stated. */
function head(seq: unknown, objects: ReadonlyMap<string, Buffer> = chain, start = '2026-03-10T05:00:00.000Z') {
  const store = memoryStore({ objects });
  const run = { team: 'main', store, signer: testSigner, clock: virtualClock({ start }) };
  return { store, finding: openChain(run, { seq }).then((opened) => opened.head()) };
}

function without(...seqs: readonly number[]): Objects {
  return new Map([...chain].filter(([key]) => !seqs.some((seq) => key === manifestKey('main', seq))));
}

test.each([undefined, 1, 4])('the head is the newest manifest where the hint names manifest %s', async (seq) => {
  const found = await head(seq).finding;
  expect(found?.manifest.seq).toBe(4);
  expect(found?.hash).toBe(payloadHash(chain, newest));
});

test('the head costs one LIST and one GET where the hint is right', async () => {
  const { store, finding } = head(4);
  await finding;
  expect(store.calls).toEqual(['list manifests/team=main/', `get ${newest}`]);
});

/** Each row is a hint, and the manifests that are read. Those below the hint are read with them, because reads are parallel. */
test.each([
  ['a hint of two manifests before the head', 2, '2026-03-10T05:00:00.000Z', [4, 3, 2, 1]],
  ['no hint, while the source keeps all events', undefined, '2026-03-10T05:00:00.000Z', [4, 3, 2, 1]],
  ['a hint that lies far back, where the source keeps no event of the runs since', 1, '2026-09-07T00:00:00.000Z', [4]],
  ['no hint, where the source keeps no archived event', undefined, '2026-09-06T04:30:00.000Z', [4]],
])('with %s, the manifests down to there are read', async (_name, seq, now, seqs) => {
  const { store, finding } = head(seq, chain, now);
  await finding;
  const read = store.calls.filter((call) => call.startsWith('get'));
  expect(read.toSorted().reverse()).toEqual(seqs.map((read) => `get ${manifestKey('main', read)}`));
});

test('a team without a manifest has no head', async () => {
  expect(await head(undefined, new Map()).finding).toBeUndefined();
});

test.each([
  5,
  9_999_999_999,
  10_000_000_000,
  Number.MAX_SAFE_INTEGER,
])('a hint of manifest %d stops the run where the chain ends before it', async (seq) => {
  await expect(head(seq).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
  await expect(head(seq, new Map()).finding).rejects.toMatchObject({ code: 'checkpoint-ahead' });
});

test.each([
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53],
  ...['4', null, true, { S: '4' }, { NULL: true }, []],
])('a hint of %j, which no run writes, stops the run before S3 is asked', async (seq) => {
  const { store, finding } = head(seq);
  await expect(finding).rejects.toMatchObject({ code: 'checkpoint-garbage' });
  expect(store.calls).toEqual([]);
});

test.each([
  ['at the hint', 2, [2]],
  ['after the hint', 1, [3]],
  ['where there is no hint', undefined, [2]],
  ['at the beginning', undefined, [1]],
])('a hole in the chain %s stops the run, and the error names the manifest that is missing', async (_name, seq, missing) => {
  const message = expect.stringContaining(manifestKey('main', missing[0] ?? 0));
  await expect(head(seq, without(...missing)).finding).rejects.toMatchObject({ code: 'chain-broken', message });
});

test('a hole in the chain before the hint is left to the verifier', async () => {
  expect((await head(4, without(1, 2)).finding)?.manifest.seq).toBe(4);
});

describe('a fork of the chain', () => {
  const now = '2026-03-10T05:00:00.000Z';

  /** The chain in which the manifest of this number is signed and comes from another chain of the same team. */
  async function forked(seq: number): Promise<Objects> {
    const other = await buildArchive({ batches: [{}, {}, {}, {}] });
    return new Map(chain).set(manifestKey('main', seq), other.get(manifestKey('main', seq)) ?? Buffer.alloc(0));
  }

  test.each([
    ['at the hint', 3, 3],
    ['between the hint and the head', 2, 3],
    ['where there is no hint', undefined, 2],
    ['at the head', 3, 4],
  ])('a manifest %s that the next one does not name stops the run', async (_name, hint, seq) => {
    const { store, finding } = head(hint, await forked(seq), now);
    await expect(finding).rejects.toMatchObject({ code: 'chain-broken', message: expect.stringContaining('names') });
    expect(store.keys()).toHaveLength(chain.size);
  });

  test('a manifest below the hint, or of events that the source forgot, is left to the verifier', async () => {
    expect((await head(4, await forked(3), now).finding)?.manifest.seq).toBe(4);
    expect((await head(undefined, await forked(1), '2026-09-07T00:00:00.000Z').finding)?.manifest.seq).toBe(4);
  });
});

test('objects whose keys are not those of manifests are ignored', async () => {
  const names = ['0000000000.json', '0000000005.json.bak', '5.json', '00000000005.json', 'x', '000000000a.json'];
  const strays = names.map((name) => [`manifests/team=main/${name}`, Buffer.from('stray')] as const);
  const others = [...chain].map(([key, bytes]) => [key.replace('team=main/', 'team=main-2/'), bytes] as const);
  for (const seq of [undefined, 4]) {
    expect((await head(seq, new Map([...chain, ...strays, ...others])).finding)?.manifest.seq).toBe(4);
  }
});

describe('a head that is invalid', () => {
  const changed = (bytes: Buffer) => Buffer.from(String(bytes).replace('"payload":"eyJ', '"payload":"eyK'));

  test.each<[string, () => Buffer | undefined | Promise<Buffer | undefined>]>([
    ['an empty object', () => Buffer.alloc(0)],
    ['a planted object', () => Buffer.from('{"seq":4}\n')],
    ['a manifest that was changed', () => changed(chain.get(newest) ?? Buffer.alloc(0))],
    ['the manifest of another team', () => newestOf({ team: 'other' })],
    ['an older manifest', () => chain.get(third)],
    ['a manifest signed with another key', () => newestOf({ signer: createSigner() })],
    ['a signed manifest that breaks the format', () => newestOf({ amended: { position: 'x' } })],
  ])('%s in the place of the newest manifest stops the run', async (_name, planted) => {
    const bytes = (await planted()) ?? Buffer.alloc(0);
    const { store, finding } = head(undefined, new Map(chain).set(newest, bytes));
    await expect(finding).rejects.toMatchObject({ code: 'chain-broken' });
    expect(store.keys()).toHaveLength(chain.size);
  });

  test('the error about an invalid head does not quote what it holds', async () => {
    const bytes = await newestOf({ amended: { format: 'canary' as never } });
    const { finding } = head(4, new Map(chain).set(newest, bytes ?? Buffer.alloc(0)));
    const error: unknown = await finding.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'chain-broken' });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('canary');
  });

  interface Bent extends Omit<ArchiveSpec, 'batches'> {
    readonly amended?: Partial<Manifest>;
  }

  /** The fourth manifest of an archive of this team and key, in which some fields are amended. */
  async function newestOf({ team = 'main', amended, ...signed }: Bent) {
    const last: BatchSpec = { amend: (manifest) => ({ ...manifest, ...amended }) };
    const objects = await buildArchive({ team, ...signed, batches: [{}, {}, {}, last] });
    return objects.get(manifestKey(team, 4));
  }
});
