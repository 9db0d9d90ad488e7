import type { Batch } from '../../lambdas/archiver/batch';
import { commit, stage } from '../../lambdas/archiver/commit';
import type { Head } from '../../lambdas/archiver/head';
import type { Run } from '../../lambdas/archiver/run';
import { verifyEnvelope } from '../../lambdas/shared/dsse';
import { Race } from '../../lambdas/shared/errors';
import { decodeManifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { createSigner, testKey } from '../support/archive-builder';
import { aManifest } from '../support/manifest';
import { type MemoryStore, memoryStore, type Operation } from '../support/memory-store';
import { aBatch, aProgress, aRun, RUN_ID } from '../support/run';
import { virtualClock } from '../support/virtual-clock';

const walkStart = new Date('2026-06-12T12:00:00.250Z');
const progress = aProgress(walkStart, {
  chainStart: new Date('2026-01-01T00:00:00Z'),
  readFrom: new Date('2026-06-12T05:00:00Z'),
  readUntil: walkStart,
  sweepTurn: 4,
  sweptAt: new Date('2026-06-12T06:00:00Z'),
});

function batchOf(lines: readonly string[] = [], changes: Partial<Batch> = {}): Batch {
  return aBatch(lines, progress, changes);
}

function runOf(store: MemoryStore, changes: Partial<Run> = {}): Run {
  return aRun({ store, clock: virtualClock({ start: '2026-06-12T12:00:09.000Z' }), ...changes });
}

const lines = ['{"id":1,"timestamp":"2026-06-12T10:00:00Z"}', '{"id":2,"timestamp":"soon"}'];
const head: Head = { manifest: aManifest({ seq: 41 }), hash: 'b'.repeat(64) };

/** A store that creates objects with this prefix, and then answers that they exist, or fails. */
function losing(prefix: string, end: 'exists' | Error): MemoryStore {
  const store = memoryStore();
  return {
    ...store,
    async create(key, body, contentType) {
      const created = await store.create(key, body, contentType);
      if (!key.startsWith(prefix)) return created;
      if (end === 'exists') return end;
      throw end;
    },
  };
}

describe('staging', () => {
  test('staging puts the batch object and nothing else', async () => {
    const store = memoryStore();
    const staged = await stage(batchOf(lines), head, runOf(store));
    const key = `batches/team=main/0000000042-${RUN_ID}.gz`;
    expect(store.keys()).toEqual([key]);
    expect(store.objects.get(key)).toEqual(staged.members);
    expect(staged.manifest.batch).toEqual({ key, bytes: staged.members.length });
    expect(staged.manifest.segments).toHaveLength(2);
  });

  test('staging an empty batch puts nothing', async () => {
    const store = memoryStore();
    const { manifest } = await stage(batchOf(), undefined, runOf(store));
    expect(store.calls).toEqual([]);
    expect(manifest).toMatchObject({ seq: 1, previous: null, batch: null, segments: [] });
  });

  test('staging goes on where the response to its own write was lost', async () => {
    const { manifest } = await stage(batchOf(lines), head, runOf(losing('batches/', 'exists')));
    expect(manifest.seq).toBe(42);
  });

  test('a failure to stage is passed on', async () => {
    const store = losing('batches/', new Error('503'));
    await expect(stage(batchOf(lines), head, runOf(store))).rejects.toThrow('503');
  });

  test('the manifest tells what was gathered, by which run and under which settings', async () => {
    const gaps = [{ from: '2025-12-01T00:00:00.000Z', to: '2025-12-02T00:00:00.000Z', reason: 'retention' as const }];
    const retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const;
    const { manifest } = await stage(
      batchOf(lines, { progress: { ...progress, gaps }, reason: 'deadline' }),
      head,
      runOf(memoryStore(), { sourceOrigin: 'https://api.eu.postman.com', retention }),
    );
    expect(manifest).toMatchObject({
      format: 'postman-audit-archive/1',
      team: 'main',
      seq: 42,
      previous: head.hash,
      run: {
        id: RUN_ID,
        scheduledTime: '2026-06-12T12:00:00.000Z',
        walkStart: '2026-06-12T12:00:00.250Z',
        finished: '2026-06-12T12:00:09.000Z',
        codeVersion: '0.1.0',
        reason: 'deadline',
        source: 'https://api.eu.postman.com',
      },
      start: '2026-01-01T00:00:00.000Z',
      window: { from: '2026-06-12T05:00:00.000Z', to: '2026-06-12T12:00:00.250Z' },
      position: '2026-06-12T12:00:00.250Z',
      gaps,
      latest: '2026-06-12T12:00:00.250Z',
      sweeps: [],
      sweepTurn: 4,
      sweptAt: '2026-06-12T06:00:00.000Z',
      sourceTeams: ['1'],
      retention,
    });
    expect(decodeManifest(Buffer.from(JSON.stringify(manifest)))).toEqual(manifest);
  });

  test.each([
    ['carried through an empty batch', '2026-06-11T00:00:00.000Z', [], '2026-06-11T00:00:00.000Z'],
    ['not moved back by older events', '2026-06-13T00:00:00.000Z', lines, '2026-06-13T00:00:00.000Z'],
    ['moved on by a newer event', '2026-06-12T09:00:00.000Z', lines.slice(0, 1), '2026-06-12T10:00:00.000Z'],
    ['null while the chain holds nothing', null, [], null],
  ])('the latest instant is %s', async (_, latest, some, expected) => {
    const before = { ...head, manifest: aManifest({ latest }) };
    expect((await stage(batchOf(some), before, runOf(memoryStore()))).manifest.latest).toBe(expected);
  });
});

describe('committing', () => {
  async function committing(store: MemoryStore, changes: Partial<Run> = {}) {
    const own = runOf(store, changes);
    return commit(await stage(batchOf(lines), head, own), own);
  }
  const key = manifestKey('main', 42);

  test('committing puts the signed manifest and returns the head that the next manifest follows', async () => {
    const store = memoryStore();
    const next = await committing(store);
    const opened = verifyEnvelope(store.objects.get(key) ?? Buffer.alloc(0), PAYLOAD_TYPE, testKey);
    expect(opened.ok).toBe(true);
    expect(next.hash).toBe(sha256(opened.payload ?? Buffer.alloc(0)));
    expect(decodeManifest(opened.payload ?? Buffer.alloc(0))).toEqual(next.manifest);
    const { manifest } = await stage(batchOf(), next, runOf(store));
    expect(manifest).toMatchObject({ seq: 43, previous: next.hash });
  });

  test("a commit whose response was lost is recognised as this run's own", async () => {
    expect((await committing(losing('manifests/', 'exists'))).manifest.seq).toBe(42);
  });

  test('a number that another run has committed is a race', async () => {
    const store = memoryStore();
    await committing(store, { id: 'another' });
    const won = store.objects.get(key);
    await expect(committing(store)).rejects.toBeInstanceOf(Race);
    expect(store.objects.get(key)).toBe(won);
  });

  test('a number that another attempt has committed with the same payload is a race too', async () => {
    const store = memoryStore();
    const own = runOf(store);
    const staged = await stage(batchOf(), head, own);
    await commit(staged, own);
    await expect(commit(staged, own)).rejects.toBeInstanceOf(Race);
  });

  test('a commit without an answer fails, and the next run finds out whether it was applied', async () => {
    const store = losing('manifests/', new Error('no answer'));
    await expect(committing(store)).rejects.toThrow('no answer');
    const existing = memoryStore({
      objects: store.objects,
      before: (operation: Operation) => {
        if (operation === 'get') throw new Error('no answer');
      },
    });
    await expect(committing(existing)).rejects.toThrow('no answer');
  });

  test('a manifest that cannot be signed is not put', async () => {
    const store = memoryStore();
    const signer = { ...createSigner(), sign: async () => Promise.reject(new Error('KMS says no')) };
    await expect(committing(store, { signer })).rejects.toThrow('KMS says no');
    expect(store.keys('manifests/')).toEqual([]);
  });
});
