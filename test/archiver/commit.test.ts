import { createDraft } from '../../lambdas/archiver/batch';
import { type CommitOptions, commit, stage } from '../../lambdas/archiver/commit';
import type { Gathered } from '../../lambdas/archiver/gather';
import type { Head } from '../../lambdas/archiver/head';
import { verifyEnvelope } from '../../lambdas/shared/dsse';
import { Race } from '../../lambdas/shared/errors';
import { isDated, readEvent } from '../../lambdas/shared/event';
import { decodeManifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { createSigner, testKey, testSigner } from '../support/archive-builder';
import { aManifest } from '../support/manifest';
import { type MemoryStore, memoryStore, type Operation } from '../support/memory-store';
import { virtualClock } from '../support/virtual-clock';

const RUN = '5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';
const walkStart = new Date('2026-06-12T12:00:00.250Z');

function gathered(lines: readonly string[] = [], changes: Partial<Gathered> = {}): Gathered {
  const draft = createDraft({ events: 1000, bytes: 1e6 });
  for (const line of lines) {
    const event = readEvent(Buffer.from(line));
    if (isDated(event)) draft.add(event);
    else draft.hold({ event, reason: 'bad-timestamp', date: '2026-06-12', instant: walkStart });
  }
  const { counts } = aManifest();
  return {
    draft,
    counts,
    sourceTeams: ['1'],
    start: new Date('2026-01-01T00:00:00Z'),
    reason: 'complete',
    walkStart,
    window: { from: new Date('2026-06-12T05:00:00Z'), to: walkStart },
    position: walkStart,
    gaps: [],
    sweeps: [],
    sweepTurn: 4,
    sweptAt: new Date('2026-06-12T06:00:00Z'),
    last: true,
    ...changes,
  };
}

function options(store: MemoryStore, changes: Partial<CommitOptions> = {}): CommitOptions {
  return {
    team: 'main',
    runId: RUN,
    scheduledTime: '2026-06-12T12:00:00.000Z',
    codeVersion: '0.1.0',
    baseUrl: 'https://api.eu.postman.com/',
    retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    store,
    signer: testSigner,
    clock: virtualClock({ start: '2026-06-12T12:00:09.000Z' }),
    ...changes,
  };
}

const lines = ['{"id":1,"timestamp":"2026-06-12T10:00:00Z"}', '{"id":2,"timestamp":"soon"}'];
const head: Head = { manifest: aManifest({ seq: 41 }), hash: 'b'.repeat(64) };

/** A store whose creates of matching keys are applied, and then fail or are told to exist. */
function losing(pattern: string, end: 'exists' | Error): MemoryStore {
  const store = memoryStore();
  return {
    ...store,
    async create(key, body, contentType) {
      const created = await store.create(key, body, contentType);
      if (!key.startsWith(pattern)) return created;
      if (end === 'exists') return end;
      throw end;
    },
  };
}

describe('staging', () => {
  test('puts the batch object, and nothing else', async () => {
    const store = memoryStore();
    const staged = await stage(gathered(lines), head, options(store));
    const key = `batches/team=main/0000000042-${RUN}.gz`;
    expect(store.keys()).toEqual([key]);
    expect(store.objects.get(key)).toEqual(staged.members);
    expect(staged.manifest.batch).toEqual({ key, bytes: staged.members.length });
    expect(staged.manifest.segments).toHaveLength(2);
  });

  test('of an empty batch puts nothing', async () => {
    const store = memoryStore();
    const { manifest } = await stage(gathered(), undefined, options(store));
    expect(store.calls).toEqual([]);
    expect(manifest).toMatchObject({ seq: 1, previous: null, batch: null, segments: [] });
  });

  test('whose response was lost goes on', async () => {
    const { manifest } = await stage(gathered(lines), head, options(losing('batches/', 'exists')));
    expect(manifest.seq).toBe(42);
  });

  test('that fails is passed on', async () => {
    const store = losing('batches/', new Error('503'));
    await expect(stage(gathered(lines), head, options(store))).rejects.toThrow('503');
  });

  test('draws a manifest of what was gathered', async () => {
    const gaps = [{ from: '2025-12-01T00:00:00.000Z', to: '2025-12-02T00:00:00.000Z', reason: 'retention' as const }];
    const { manifest } = await stage(gathered(lines, { gaps, reason: 'deadline' }), head, options(memoryStore()));
    expect(manifest).toMatchObject({
      format: 'postman-audit-archive/1',
      team: 'main',
      seq: 42,
      previous: head.hash,
      run: {
        id: RUN,
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
      retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    });
    expect(decodeManifest(Buffer.from(JSON.stringify(manifest)))).toEqual(manifest);
  });

  test.each([
    ['carried through an empty batch', '2026-06-11T00:00:00.000Z', [], '2026-06-11T00:00:00.000Z'],
    ['never moved back by older events', '2026-06-13T00:00:00.000Z', lines, '2026-06-13T00:00:00.000Z'],
    ['moved on by a newer event', '2026-06-12T09:00:00.000Z', lines.slice(0, 1), '2026-06-12T10:00:00.000Z'],
    ['none while the chain holds nothing', null, [], null],
  ])('the latest instant is %s', async (_, latest, some, expected) => {
    const before = { ...head, manifest: aManifest({ latest }) };
    expect((await stage(gathered(some), before, options(memoryStore()))).manifest.latest).toBe(expected);
  });
});

describe('committing', () => {
  async function committing(store: MemoryStore, changes: Partial<CommitOptions> = {}) {
    const own = options(store, changes);
    return commit(await stage(gathered(lines), head, own), own);
  }
  const key = manifestKey('main', 42);

  test('puts the signed manifest, and gives the head that the next one follows', async () => {
    const store = memoryStore();
    const next = await committing(store);
    const opened = verifyEnvelope(store.objects.get(key) ?? Buffer.alloc(0), PAYLOAD_TYPE, testKey);
    expect(opened.ok).toBe(true);
    expect(next.hash).toBe(sha256(opened.payload ?? Buffer.alloc(0)));
    expect(decodeManifest(opened.payload ?? Buffer.alloc(0))).toEqual(next.manifest);
    const { manifest } = await stage(gathered(), next, options(store));
    expect(manifest).toMatchObject({ seq: 43, previous: next.hash });
  });

  test('publishes nothing', async () => {
    const store = memoryStore();
    await committing(store);
    expect(store.keys('events/')).toEqual([]);
    expect(store.keys('quarantine/')).toEqual([]);
  });

  test('whose response was lost is recognised as our own', async () => {
    expect((await committing(losing('manifests/', 'exists'))).manifest.seq).toBe(42);
  });

  test('that another run has won is a race', async () => {
    const store = memoryStore();
    await committing(store, { runId: 'another' });
    const won = store.objects.get(key);
    await expect(committing(store)).rejects.toBeInstanceOf(Race);
    expect(store.objects.get(key)).toBe(won);
  });

  test('that the same run has won in another attempt, with the same payload, is a race too', async () => {
    const store = memoryStore();
    const own = options(store);
    const staged = await stage(gathered(), head, own);
    await commit(staged, own);
    await expect(commit(staged, own)).rejects.toBeInstanceOf(Race);
  });

  test('of which nobody knows what became fails, and leaves it to the next run', async () => {
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

  test('of what cannot be signed puts nothing', async () => {
    const store = memoryStore();
    const signer = { ...createSigner(), sign: async () => Promise.reject(new Error('KMS says no')) };
    await expect(committing(store, { signer })).rejects.toThrow('KMS says no');
    expect(store.keys('manifests/')).toEqual([]);
  });
});
