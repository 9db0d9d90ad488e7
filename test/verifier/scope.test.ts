/** Parts of an archive: what a range of the chain and a period find, what they leave to others, and that they say so. */

import type { Scope } from '../../lambdas/verifier/scope';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, type Objects, readerOf, sampleBatches, testKey } from '../support/archive-builder';
import { NOW } from '../support/judge';
import { keyOf, listed, payloadHash, perform, shortened } from '../support/tampering';

const HASH = /^[0-9a-f]{64}$/;
let good: Objects;

beforeAll(async () => {
  good = await buildArchive({ batches: sampleBatches });
});

/** Reads `2-4` as the range of these manifests, and a date as a period of one day. */
function scopeOf(text: string, objects = good): Scope {
  const [first = 0, through = 0] = text.split('-').map(Number);
  if (text.includes('-03-')) return { kind: 'period', from: text, to: text };
  const after = first === 1 ? null : { seq: first - 1, sha256: payloadHash(objects, `M${first - 1}`) };
  return { kind: 'range', team: 'main', after, through, depth: 'bytes' };
}

async function found(objects: Objects, scope: Scope): Promise<string[]> {
  return shortened((await verify(readerOf(objects), { publicKey: testKey, now: NOW, scope })).findings);
}

test.each([
  ['1-1', 1, 4, 0],
  ['1-2', 2, 6, 3],
  ['2-4', 3, 3, 3],
  ['3-3', 1, 0, 0],
  ['4-4', 1, 1, 0],
  ['2026-03-09', 4, 2, 1],
  ['2026-03-10', 4, 5, 2],
])('the part %s of a good archive has no finding, and only its own lines are read', async (part, manifests, events, quarantined) => {
  const result = await verify(readerOf(good), { publicKey: testKey, now: NOW, scope: scopeOf(part) });
  expect(result.findings).toEqual([]);
  expect(result.teams).toMatchObject([{ team: 'main', manifests, events, quarantined, abandonedBatches: 0 }]);
  expect(result.teams[0]?.head?.sha256).toMatch(HASH);
  expect(result.notChecked).not.toEqual([]);
});

test('a range does not read what lies outside of it', async () => {
  const asked: string[] = [];
  const reader = readerOf(good);
  const get = (key: string) => {
    asked.push(key);
    return reader.get(key);
  };
  await verify({ ...reader, get }, { publicKey: testKey, now: NOW, scope: scopeOf('2-3') });
  expect(asked.sort()).toEqual(['B2', 'E2b', 'M1', 'M2', 'M3', 'Q2a', 'Q2b'].map(keyOf).sort());
});

test.each([
  ['remove E1a', '1-1', 'segment-missing E1a'],
  ['remove E1a', '2-4', ''],
  ['remove E1a', '2026-03-09', 'segment-missing E1a'],
  ['remove E1a', '2026-03-10', ''],
  ['remove B2', '2-2', 'batch-missing B2'],
  ['remove B2', '2026-03-10', ''],
  ['remove M2', '2-3', 'manifest-missing M2, object-unlisted E2b Q2a Q2b'],
  ['remove M3', '2-3', 'manifest-missing M3'],
  ['remove M2', '2026-03-10', 'manifest-missing M2, object-unlisted E2b Q2b'],
  // The manifest that the caller trusts is gone.
  ['remove M3', '4-4', 'manifest-missing M3'],
  ['remove M3 M4 E4b', '1-2', 'chain-truncated B4'],
  ['swap E2b E4b', '2-2', 'segment-differs E2b'],
  ['copy E1a E3a', '3-3', 'object-unlisted E3a'],
  ['copy E1a E3a', '1-2', ''],
  // No manifest can list an object above the head, so every part reports it.
  ['copy E1a E5a', '1-1', 'object-unlisted E5a'],
  ['copy E1a E5a', '2026-03-10', 'object-unlisted E5a'],
])('after "%s" the part %s has the findings "%s"', async (deeds, part, findings) => {
  const objects = new Map(good);
  const scope = scopeOf(part);
  perform(objects, deeds);
  expect((await found(objects, scope)).sort()).toEqual(listed(findings).sort());
});

test('a range that follows another manifest than the trusted one says so', async () => {
  const scope: Scope = {
    kind: 'range',
    team: 'main',
    after: { seq: 2, sha256: 'f'.repeat(64) },
    through: 4,
    depth: 'bytes',
  };
  expect(await found(good, scope)).toEqual(['head-differs M2']);
});

test('a changed byte of any object is found by the range that holds its number', async () => {
  const ranges = ['1-1', '2-2', '3-4'];
  for (const [key, bytes] of good) {
    const objects = new Map(good);
    const changed = Buffer.from(bytes);
    const at = Math.floor(bytes.length / 2);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    objects.set(key, changed);
    const all = await Promise.all(ranges.map((range) => found(objects, scopeOf(range))));
    expect({ key, findings: all.flat().length > 0 }).toEqual({ key, findings: true });
  }
});

test('an event id that is repeated across the border of a range is left to a larger scope, which the result says', async () => {
  const [first = {}, , , last = {}] = sampleBatches;
  const objects = await buildArchive({
    batches: [first, {}, {}, { events: [...(last.events ?? []), ...(first.events ?? []).slice(0, 1)] }],
  });
  expect(await found(objects, { kind: 'whole' })).toContain('id-repeated E4a');
  const { findings, notChecked } = await verify(readerOf(objects), {
    publicKey: testKey,
    now: NOW,
    scope: scopeOf('4-4', objects),
  });
  expect(findings).toEqual([]);
  expect(notChecked.join(' ')).toContain(
    'Whether an event id also occurs outside of this part of the archive was not checked.',
  );
});

test('other teams are not read for a range of one team', async () => {
  const other = await buildArchive({ team: 'other', batches: sampleBatches });
  const objects = new Map([...good, ...other]);
  const { teams } = await verify(readerOf(objects), { publicKey: testKey, now: NOW, scope: scopeOf('1-4') });
  expect(teams.map(({ team }) => team)).toEqual(['main']);
});
