import { publishBatch, publishHead } from '../../lambdas/archiver/publish';
import { decodeManifest, type Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { compress } from '../../lambdas/shared/segment';
import { buildArchive, type Objects, sampleBatches } from '../support/archive-builder';
import { type MemoryStore, memoryStore, type Operation } from '../support/memory-store';
import { virtualClock } from '../support/virtual-clock';

const clock = virtualClock({ start: '2026-06-12T12:00:00.000Z' });

/** An archive of one batch: two dates and a quarantine. */
let published: Objects;
let manifest: Manifest;
let members: Buffer;
let segmentKeys: readonly string[];

beforeAll(async () => {
  published = await buildArchive({ batches: [{ ...sampleBatches[0], quarantine: ['{"id":null}'] }] });
  const envelope = JSON.parse(String(published.get(manifestKey('main', 1))));
  manifest = decodeManifest(Buffer.from(envelope.payload, 'base64'));
  members = published.get(manifest.batch?.key ?? '') ?? Buffer.alloc(0);
  segmentKeys = manifest.segments.map(({ key }) => key);
});

/** The archive after a run that died when it had published the first `done` segments. */
function committed(done = 0, before?: (operation: Operation, key: string) => void): MemoryStore {
  const objects = new Map(published);
  for (const key of segmentKeys.slice(done)) objects.delete(key);
  return memoryStore({ objects, ...(before === undefined ? {} : { before }) });
}

const writes = ({ calls }: MemoryStore) => calls.filter((call) => call.startsWith('create'));

/** The same content in other gzip bytes, as another build of zlib would write them. */
function recompressed(key: string): Buffer {
  const bytes = Buffer.from(published.get(key) ?? []);
  bytes[9] = 0;
  return bytes;
}

describe('a batch', () => {
  test('a batch is published from memory, byte for byte, and nothing is read', async () => {
    const store = committed();
    await publishBatch(manifest, members, store);
    for (const key of segmentKeys) expect(store.objects.get(key)).toEqual(published.get(key));
    expect(store.calls).toHaveLength(3);
  });

  test('a batch that is published already stays as it is', async () => {
    const store = committed(3);
    await publishBatch(manifest, members, store);
    expect(store.objects).toEqual(published);
  });

  test.each([
    ['other lines', () => compress(Buffer.from('{"id":666}\n'))],
    ['the same lines in other gzip bytes', recompressed],
  ])('publishing a batch stops where a key holds %s, and writes nothing over it', async (_, plant) => {
    const store = committed();
    const key = segmentKeys[1] ?? '';
    const planted = plant(key);
    store.objects.set(key, planted);
    await expect(publishBatch(manifest, members, store)).rejects.toMatchObject({
      code: 'segment-differs',
      message: expect.stringContaining(key),
    });
    expect(store.objects.get(key)).toEqual(planted);
  });

  test('publishing a batch stops where a key is taken and cannot be read', async () => {
    const store = { ...committed(), create: async () => 'exists' as const, get: async () => undefined };
    await expect(publishBatch(manifest, members, store)).rejects.toMatchObject({ code: 'segment-differs' });
  });

  test('a failure to write a segment is passed on', async () => {
    const store = committed(0, (operation) => {
      if (operation === 'create') throw new Error('503');
    });
    await expect(publishBatch(manifest, members, store)).rejects.toThrow('503');
  });

  test('an empty batch needs no call to the store', async () => {
    const store = committed();
    await publishBatch({ ...manifest, batch: null, segments: [] }, Buffer.alloc(0), store);
    expect(store.calls).toEqual([]);
  });
});

describe('the head', () => {
  test.each([0, 1, 2, 3])('a head with %d of 3 segments published is finished from the staged bytes', async (done) => {
    const store = committed(done);
    expect(await publishHead(manifest, { store, clock })).toBe(3 - done);
    expect(store.objects).toEqual(published);
    expect(writes(store)).toHaveLength(3 - done);
  });

  test('a head that another run publishes at the same time is no conflict', async () => {
    const whole = committed(3);
    const store = committed(0, (operation, key) => {
      if (operation === 'create') store.objects.set(key, whole.objects.get(key) ?? Buffer.alloc(0));
    });
    await publishHead(manifest, { store, clock });
    expect(store.objects).toEqual(whole.objects);
  });

  const spoilt: readonly [string, (bytes: Buffer) => Buffer | undefined][] = [
    ['are gone', () => undefined],
    ['are empty', () => Buffer.alloc(0)],
    ['are cut', (bytes) => bytes.subarray(0, -1)],
    ['are shifted', (bytes) => Buffer.concat([Buffer.from([0]), bytes])],
    ['are changed', (bytes) => Buffer.concat([bytes.subarray(0, 12), Buffer.from([0x55]), bytes.subarray(13)])],
    ['hold other lines', () => compress(Buffer.from('{"id":666}\n'))],
  ];

  test.each(spoilt)('a head is not published where its staged bytes %s', async (damage, spoil) => {
    const store = committed();
    const bytes = spoil(members);
    if (bytes === undefined) store.objects.delete(manifest.batch?.key ?? '');
    else store.objects.set(manifest.batch?.key ?? '', bytes);
    await expect(publishHead(manifest, { store, clock })).rejects.toMatchObject({ code: 'batch-unreadable' });
    // Only the last member of bytes that are cut is damaged, so the others may be published.
    if (damage !== 'are cut') expect(store.objects.has(segmentKeys[0] ?? '')).toBe(false);
  });

  test.each(
    spoilt.slice(1, 3).concat(spoilt.slice(4)),
  )('a head is not published where the bytes of its first segment %s, and nothing is written over them', async (_name, spoil) => {
    const store = committed(3);
    const key = segmentKeys[0] ?? '';
    const bytes = spoil(published.get(key) ?? Buffer.alloc(0)) ?? Buffer.alloc(0);
    store.objects.set(key, bytes);
    await expect(publishHead(manifest, { store, clock })).rejects.toMatchObject({ code: 'segment-differs' });
    expect(store.objects.get(key)).toEqual(bytes);
    expect(writes(store)).toEqual([]);
  });

  test('a segment with a second gzip member is not taken for published', async () => {
    const store = committed(3);
    const key = segmentKeys[0] ?? '';
    store.objects.set(
      key,
      Buffer.concat([published.get(key) ?? Buffer.alloc(0), compress(Buffer.from('{"id":666}\n'))]),
    );
    await expect(publishHead(manifest, { store, clock })).rejects.toMatchObject({ code: 'segment-differs' });
  });

  test('the error about a segment does not quote what it holds', async () => {
    const store = committed(3);
    store.objects.set(segmentKeys[0] ?? '', compress(Buffer.from('{"canary":1}\n')));
    const error: unknown = await publishHead(manifest, { store, clock }).catch((caught: unknown) => caught);
    expect(String((error as Error).stack)).not.toContain('canary');
  });
});
