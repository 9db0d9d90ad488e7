/** The manifest that a batch is committed with. Its protocol is shown in test/faults. */
import type { SignedManifest } from '../../lambdas/archiver/chain';
import { commit, stage } from '../../lambdas/archiver/commit';
import { verifyEnvelope } from '../../lambdas/shared/dsse';
import { decodeManifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { testKey } from '../support/archive-builder';
import { aManifest } from '../support/manifest';
import { memoryStore } from '../support/memory-store';
import { aBatch, aProgress, aRun, RUN_ID } from '../support/run';
import { virtualClock } from '../support/virtual-clock';

const walkStart = new Date('2026-06-12T12:00:00.250Z');
const progress = aProgress(walkStart, {
  chainStart: new Date('2026-01-01T00:00:00Z'),
  readFrom: new Date('2026-06-12T05:00:00Z'),
  readUntil: walkStart,
  gaps: [{ from: '2025-12-01T00:00:00.000Z', to: '2025-12-02T00:00:00.000Z', reason: 'retention' }],
  sweepTurn: 4,
  sweptAt: new Date('2026-06-12T06:00:00Z'),
});
const lines = ['{"id":1,"timestamp":"2026-06-12T10:00:00Z"}', '{"id":2,"timestamp":"soon"}'];
const head: SignedManifest = { manifest: aManifest({ seq: 41 }), hash: 'b'.repeat(64) };

test('the manifest tells what was staged and gathered, by which run and under which settings', async () => {
  const clock = virtualClock({ start: '2026-06-12T12:00:09.000Z' });
  // An object of the batch is younger than `finished`, and cannot expire before the manifest says so.
  const store = memoryStore({ before: (operation) => operation === 'create' && clock.advance(60_000) });
  const retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const;
  const run = aRun({ store, clock, retention, sourceOrigin: 'https://api.eu.postman.com' });
  const { manifest, members } = await stage(aBatch(lines, progress, { reason: 'deadline', undated: ['c'] }), head, run);
  const batch = { key: `batches/team=main/0000000042-${RUN_ID}.gz`, bytes: members.length };
  expect([...store.objects]).toEqual([[batch.key, members]]);
  expect(manifest).toEqual({
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
    counts: expect.objectContaining({ events: 1 }),
    gaps: progress.gaps,
    latest: '2026-06-12T12:00:00.250Z',
    sweeps: [],
    sweepTurn: 4,
    sweptAt: '2026-06-12T06:00:00.000Z',
    sourceTeams: ['1'],
    undated: ['c'],
    retention,
    batch,
    segments: [expect.objectContaining({ lines: 1 }), expect.objectContaining({ lines: 1 })],
  });
});

test('a clock that is ahead of the source states that the run finished no later than a run can', async () => {
  const run = aRun({ clock: virtualClock({ start: '2026-06-14T12:00:00.000Z' }) });
  const { manifest } = await stage(aBatch(lines, progress), head, run);
  expect(manifest.run.finished).toBe('2026-06-12T12:15:00.250Z');
});

test('an empty batch stages no object', async () => {
  const store = memoryStore();
  const { manifest } = await stage(aBatch([], progress), undefined, aRun({ store }));
  expect(store.calls).toEqual([]);
  expect(manifest).toMatchObject({ seq: 1, previous: null, batch: null, segments: [] });
});

test.each([
  ['carried through an empty batch', '2026-06-11T00:00:00.000Z', [], '2026-06-11T00:00:00.000Z'],
  ['not moved back by older events', '2026-06-13T00:00:00.000Z', lines, '2026-06-13T00:00:00.000Z'],
  ['moved on by a newer event', '2026-06-12T09:00:00.000Z', lines.slice(0, 1), '2026-06-12T10:00:00.000Z'],
  ['null while the chain holds nothing', null, [], null],
])('the latest instant is %s', async (_name, latest, some, expected) => {
  const before = { ...head, manifest: aManifest({ latest }) };
  expect((await stage(aBatch(some, progress), before, aRun())).manifest.latest).toBe(expected);
});

test('a commit puts the signed manifest, and its head names the payload that the next manifest follows', async () => {
  const store = memoryStore();
  const run = aRun({ store });
  const next = await commit(await stage(aBatch([], progress), head, run), run);
  const bytes = store.objects.get(manifestKey('main', 42)) ?? Buffer.alloc(0);
  const { payload = Buffer.alloc(0) } = verifyEnvelope(bytes, PAYLOAD_TYPE, testKey);
  expect(decodeManifest(payload)).toEqual({ ...next.manifest, lowS: true });
  expect(next.hash).toBe(sha256(payload));
});

/** Another run has committed the number, or this run has and the response was lost. Then somebody hides the manifest. */
test('a manifest that is there at the commit and gone a moment later stops the run, and is no race', async () => {
  const key = manifestKey('main', 42);
  const store = memoryStore({
    objects: new Map([[key, Buffer.from('any manifest')]]),
    before: (operation) => operation === 'get' && store.objects.delete(key),
  });
  const run = aRun({ store });
  const committed = commit(await stage(aBatch([], progress), head, run), run);
  await expect(committed).rejects.toMatchObject({ code: 'chain-broken', message: expect.stringContaining(key) });
  expect(store.keys()).toEqual([]);
});
