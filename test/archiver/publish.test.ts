/** Publishing a batch from memory and a head from its staged bytes, also where the bucket may have deleted some of it. */
import { publishBatch, publishHead } from '../../lambdas/archiver/publish';
import { decodeManifest, type Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import type { Retention } from '../../lambdas/shared/retention';
import { compress } from '../../lambdas/shared/segment';
import { DAY_MS } from '../../lambdas/shared/time';
import { buildArchive, type Objects, sampleBatches } from '../support/archive-builder';
import { type MemoryStore, memoryStore } from '../support/memory-store';
import { virtualClock } from '../support/virtual-clock';

const PROMISED: Retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: 500 };

/** An archive of one batch: two dates and a quarantine. */
let archive: Objects;
let manifest: Manifest;
let batchKey: string;
let segmentKeys: readonly string[];

beforeAll(async () => {
  const amend = (drawn: Manifest): Manifest => ({ ...drawn, retention: PROMISED });
  archive = await buildArchive({ batches: [{ ...sampleBatches[0], quarantine: ['{"id":null}'], amend }] });
  const envelope = JSON.parse(String(archive.get(manifestKey('main', 1))));
  manifest = decodeManifest(Buffer.from(envelope.payload, 'base64'));
  batchKey = manifest.batch?.key ?? '';
  segmentKeys = manifest.segments.map(({ key }) => key);
});

const bytesAt = (key = '') => archive.get(key) ?? Buffer.alloc(0);
const writes = ({ calls }: MemoryStore) => calls.filter((call) => call.startsWith('create'));

function without(...keys: readonly string[]): MemoryStore {
  return memoryStore({ objects: new Map([...archive].filter(([key]) => !keys.includes(key))) });
}

/** A clock at that many milliseconds after the instant from which everything that the head lists may have expired. */
function clockAt(ms: number) {
  return virtualClock({ start: new Date(Date.parse(manifest.run.finished) + 500 * DAY_MS + ms).toISOString() });
}

/** The same content in other gzip bytes, as another build of zlib would write them. */
function recompressed(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 9), Buffer.from([0]), bytes.subarray(10)]);
}

const other: readonly [string, (bytes: Buffer) => Buffer][] = [
  ['other lines', () => compress(Buffer.from('{"id":666}\n'))],
  ['the same lines in other gzip bytes', recompressed],
  ['a second gzip member', (bytes) => Buffer.concat([bytes, compress(Buffer.from('{"id":666}\n'))])],
  ['a part of its bytes', (bytes) => bytes.subarray(0, -1)],
];

test('a batch is published from memory, byte for byte, and nothing is read', async () => {
  const store = without(...segmentKeys);
  await publishBatch(manifest, bytesAt(batchKey), store);
  expect(store.objects).toEqual(archive);
  expect(store.calls).toHaveLength(3);
});

test.each(other)('publishing stops where a key holds %s, and writes nothing over it', async (_name, plant) => {
  const [key = ''] = segmentKeys;
  const planted = plant(bytesAt(key));
  for (const ms of [-1, 0]) {
    const store = memoryStore({ objects: new Map(archive).set(key, planted) });
    const refusal = { code: 'segment-differs', message: expect.stringContaining(key) };
    await expect(publishBatch(manifest, bytesAt(batchKey), store)).rejects.toMatchObject(refusal);
    await expect(publishHead(manifest, { store, clock: clockAt(ms) })).rejects.toMatchObject(refusal);
    expect(store.objects.get(key)).toEqual(planted);
  }
});

test('publishing stops where a key is taken and cannot be read', async () => {
  const store = { ...without(), create: async () => 'exists' as const, get: async () => undefined };
  await expect(publishBatch(manifest, bytesAt(batchKey), store)).rejects.toMatchObject({ code: 'segment-differs' });
});

describe('a head that cannot have expired', () => {
  test.each([0, 1, 2, 3])('a head with %d of 3 segments published is finished from the staged bytes', async (done) => {
    const store = without(...segmentKeys.slice(done));
    expect(await publishHead(manifest, { store, clock: clockAt(-1) })).toBe(3 - done);
    expect(store.objects).toEqual(archive);
    expect(writes(store)).toHaveLength(3 - done);
  });

  test.each(other.slice(0, 2))('a head is not published where its staged bytes are %s', async (_name, spoil) => {
    const store = without(...segmentKeys);
    store.objects.set(batchKey, spoil(bytesAt(batchKey)));
    const publishing = publishHead(manifest, { store, clock: clockAt(-1) });
    await expect(publishing).rejects.toMatchObject({ code: 'batch-unreadable' });
    expect(store.objects.has(segmentKeys[0] ?? '')).toBe(false);
  });

  test.each<readonly [string, Retention | null, number]>([
    ['is too young', PROMISED, -1],
    ['is promised for good', { ...PROMISED, expireAfterDays: null }, 36_500 * DAY_MS],
    ['belongs to an archive without retention', null, 36_500 * DAY_MS],
    ['is still under lock', { ...PROMISED, days: 2557 }, 0],
  ])('a head whose data is gone stops the run where it %s', async (_name, retention, ms) => {
    const options = { store: without(...segmentKeys, batchKey), clock: clockAt(ms) };
    await expect(publishHead({ ...manifest, retention }, options)).rejects.toMatchObject({ code: 'batch-unreadable' });
  });
});

test.each([
  ['everything is gone', () => [...segmentKeys, batchKey]],
  ['its segments are gone or were never published, and its bytes are still staged', () => [...segmentKeys]],
  ['all but one of its segments are gone', () => segmentKeys.slice(1)],
  ['its staged bytes are gone', () => [batchKey]],
])('a head that may have expired is left as it is where %s', async (_name, gone) => {
  const store = without(...gone());
  const before = new Map(store.objects);
  expect(await publishHead(manifest, { store, clock: clockAt(0) })).toBe(0);
  expect(store.objects).toEqual(before);
  expect(writes(store)).toEqual([]);
});
