/** Parts of an archive: what a range of the chain and a period find, what they leave to others, and that they say so. */

import type { Scope } from '../../lambdas/verifier/scope';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, type Objects, readerOf, sampleBatches, testKey } from '../support/archive-builder';
import { NOW } from '../support/judge';
import { keyOf, partOf, shortened } from '../support/tampering';

const HASH = /^[0-9a-f]{64}$/;
let good: Objects;

beforeAll(async () => {
  good = await buildArchive({ batches: sampleBatches });
});

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
  const result = await verify(readerOf(good), { publicKey: testKey, now: NOW, scope: partOf(good, part) });
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
  await verify({ ...reader, get }, { publicKey: testKey, now: NOW, scope: partOf(good, '2-3') });
  expect(asked.sort()).toEqual(['B2', 'E2b', 'M1', 'M2', 'M3', 'Q2a', 'Q2b'].map(keyOf).sort());
});

test('a changed byte of any object is found by the range that holds its number', async () => {
  const ranges = ['1-1', '2-2', '3-4'];
  for (const [key, bytes] of good) {
    const objects = new Map(good);
    const changed = Buffer.from(bytes);
    const at = Math.floor(bytes.length / 2);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    objects.set(key, changed);
    const all = await Promise.all(ranges.map((range) => found(objects, partOf(good, range))));
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
    scope: partOf(objects, '4-4'),
  });
  expect(findings).toEqual([]);
  expect(notChecked.join(' ')).toContain(
    'Whether an event id also occurs outside of this part of the archive was not checked.',
  );
});

test('other teams are not read for a range of one team', async () => {
  const other = await buildArchive({ team: 'other', batches: sampleBatches });
  const objects = new Map([...good, ...other]);
  const { teams } = await verify(readerOf(objects), { publicKey: testKey, now: NOW, scope: partOf(good, '1-4') });
  expect(teams.map(({ team }) => team)).toEqual(['main']);
});
