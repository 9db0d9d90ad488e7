/** Data that the bucket may delete by itself: the archiver promises how long it is kept, and does not bring it back. */

import { stage } from '../../lambdas/archiver/commit';
import { publishHead } from '../../lambdas/archiver/publish';
import { decodeManifest, type Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import type { Retention } from '../../lambdas/shared/retention';
import { DAY_MS } from '../../lambdas/shared/time';
import { buildArchive, eventLine, type Objects, sampleBatches } from '../support/archive-builder';
import { memoryStore } from '../support/memory-store';
import { aBatch, aProgress, aRun } from '../support/run';
import { virtualClock } from '../support/virtual-clock';

const PROMISED: Retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: 500 };

let archive: Objects;
let manifest: Manifest;
let segmentKeys: readonly string[];
let batchKey: string;

beforeAll(async () => {
  const amend = (drawn: Manifest): Manifest => ({ ...drawn, retention: PROMISED });
  archive = await buildArchive({ batches: [{ ...sampleBatches[0], amend }] });
  const { payload } = JSON.parse(String(archive.get(manifestKey('main', 1))));
  manifest = decodeManifest(Buffer.from(payload, 'base64'));
  segmentKeys = manifest.segments.map(({ key }) => key);
  batchKey = manifest.batch?.key ?? '';
});

function without(...keys: readonly string[]) {
  return memoryStore({ objects: new Map([...archive].filter(([key]) => !keys.includes(key))) });
}

/** A clock at that many milliseconds after the instant from which everything that the head lists may have expired. */
function clockAt(ms: number) {
  return virtualClock({ start: new Date(Date.parse(manifest.run.finished) + 500 * DAY_MS + ms).toISOString() });
}

describe('a head that may have expired', () => {
  test.each([
    ['everything is gone', () => [...segmentKeys, batchKey]],
    ['its segments are gone or were never published, and its bytes are still staged', () => [...segmentKeys]],
    ['all but one of its segments are gone', () => segmentKeys.slice(1)],
    ['its staged bytes are gone', () => [batchKey]],
    ['everything is still there', () => []],
  ])('a head that may have expired is left as it is where %s', async (_, gone) => {
    const store = without(...gone());
    const before = new Map(store.objects);
    expect(await publishHead(manifest, { store, clock: clockAt(0) })).toBe(0);
    expect(store.objects).toEqual(before);
    expect(store.calls.filter((call) => call.startsWith('create'))).toEqual([]);
  });

  test('a head that may have expired stops the run where something else lies in the place of a segment', async () => {
    const store = without(batchKey);
    store.objects.set(segmentKeys[0] ?? '', archive.get(segmentKeys[1] ?? '') ?? Buffer.alloc(0));
    const options = { store, clock: clockAt(0) };
    await expect(publishHead(manifest, options)).rejects.toMatchObject({ code: 'segment-differs' });
  });
});

describe('a head that cannot have expired', () => {
  test('a head is finished from its staged bytes up to the last millisecond of its promise', async () => {
    const store = without(...segmentKeys);
    expect(await publishHead(manifest, { store, clock: clockAt(-1) })).toBe(segmentKeys.length);
    expect(store.objects).toEqual(archive);
  });

  test.each<readonly [string, Retention | null, number]>([
    ['is too young', PROMISED, -1],
    ['is promised for good', { ...PROMISED, expireAfterDays: null }, 36_500 * DAY_MS],
    ['belongs to an archive without retention', null, 36_500 * DAY_MS],
    ['is still under lock', { ...PROMISED, days: 2557 }, 0],
  ])('a head whose data is gone stops the run where it %s', async (_, retention, ms) => {
    const options = { store: without(...segmentKeys, batchKey), clock: clockAt(ms) };
    await expect(publishHead({ ...manifest, retention }, options)).rejects.toMatchObject({ code: 'batch-unreadable' });
  });
});

test('the time in the manifest is taken before anything of the batch is written, so that nothing expires sooner', async () => {
  const clock = virtualClock();
  const sealedAt = clock.now();
  const store = memoryStore({ before: () => clock.advance(60_000) });
  const batch = aBatch([eventLine(1, sealedAt.toISOString())], aProgress(sealedAt));
  const { manifest: staged } = await stage(batch, undefined, aRun({ retention: PROMISED, store, clock }));
  expect(store.calls).toHaveLength(1);
  expect(staged).toMatchObject({ run: { finished: sealedAt.toISOString() }, retention: PROMISED });
});
