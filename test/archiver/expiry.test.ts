/** What the archiver does about data that the bucket deletes by itself: it promises it, and does not bring it back. */
import { createDraft } from '../../lambdas/archiver/batch';
import { stage } from '../../lambdas/archiver/commit';
import { publishHead } from '../../lambdas/archiver/publish';
import { isDated, readEvent } from '../../lambdas/shared/event';
import { decodeManifest, type Manifest, type Retention } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { buildArchive, eventLine, type Objects, sampleBatches, testSigner } from '../support/archive-builder';
import { aManifest } from '../support/manifest';
import { memoryStore } from '../support/memory-store';
import { virtualClock } from '../support/virtual-clock';

const DAY_MS = 86_400_000;
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

/** So many milliseconds after everything the head lists may have expired. */
function clockAt(ms: number) {
  return virtualClock({ start: new Date(Date.parse(manifest.run.finished) + 500 * DAY_MS + ms).toISOString() });
}

describe('a head that may have expired', () => {
  test.each([
    ['all of it gone', () => [...segmentKeys, batchKey]],
    ['its segments gone or never published, its bytes still staged', () => [...segmentKeys]],
    ['one segment gone', () => segmentKeys.slice(1)],
    ['its staged bytes gone', () => [batchKey]],
    ['all of it still there', () => []],
  ])('is left as it is: %s', async (_, gone) => {
    const store = without(...gone());
    const before = new Map(store.objects);
    expect(await publishHead(manifest, { store, clock: clockAt(0) })).toBe(0);
    expect(store.objects).toEqual(before);
    expect(store.calls.filter((call) => call.startsWith('create'))).toEqual([]);
  });

  test('stops the run where something else lies in the place of a segment', async () => {
    const store = without(batchKey);
    store.objects.set(segmentKeys[0] ?? '', archive.get(segmentKeys[1] ?? '') ?? Buffer.alloc(0));
    const options = { store, clock: clockAt(0) };
    await expect(publishHead(manifest, options)).rejects.toMatchObject({ code: 'segment-differs' });
  });
});

describe('a head that may not', () => {
  test('is finished from its staged bytes to the last millisecond', async () => {
    const store = without(...segmentKeys);
    expect(await publishHead(manifest, { store, clock: clockAt(-1) })).toBe(segmentKeys.length);
    expect(store.objects).toEqual(archive);
  });

  test.each<readonly [string, Retention | null, number]>([
    ['too young', PROMISED, -1],
    ['promised for good', { ...PROMISED, expireAfterDays: null }, 36_500 * DAY_MS],
    ['of an archive without retention', null, 36_500 * DAY_MS],
    ['under lock', { ...PROMISED, days: 2557 }, 0],
  ])('stops the run where its data is gone: %s', async (_, retention, ms) => {
    const options = { store: without(...segmentKeys, batchKey), clock: clockAt(ms) };
    await expect(publishHead({ ...manifest, retention }, options)).rejects.toMatchObject({ code: 'batch-unreadable' });
  });
});

test('a batch is finished before anything of it is written: nothing expires before its manifest says so', async () => {
  const clock = virtualClock();
  const sealedAt = clock.now();
  const store = memoryStore({ before: () => clock.advance(60_000) });
  const { manifest: staged } = await stage(gathered(sealedAt), undefined, {
    team: 'main',
    runId: '5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11',
    scheduledTime: sealedAt.toISOString(),
    codeVersion: '0.1.0',
    baseUrl: 'https://api.getpostman.com',
    retention: PROMISED,
    store,
    signer: testSigner,
    clock,
  });
  expect(store.calls).toHaveLength(1);
  expect(staged).toMatchObject({ run: { finished: sealedAt.toISOString() }, retention: PROMISED });
});

function gathered(walkStart: Date) {
  const draft = createDraft({ events: 10, bytes: 1e6 });
  const event = readEvent(Buffer.from(eventLine(1, walkStart.toISOString())));
  if (isDated(event)) draft.add(event);
  const { counts, gaps, sweeps, sweepTurn, sourceTeams } = aManifest();
  const span = { start: walkStart, window: { from: walkStart, to: walkStart }, position: walkStart, walkStart };
  return {
    draft,
    counts,
    gaps,
    sweeps,
    sweepTurn,
    sweptAt: undefined,
    sourceTeams,
    ...span,
    reason: 'complete' as const,
    last: true,
  };
}
