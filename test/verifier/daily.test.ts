/**
 * The daily verification over simulated time: an archive that grows by a day of hourly runs, is verified each day, and is tampered
 * with in between. `daily-year.test.ts` shows what it costs.
 */
import { type Anchor, roundDays } from '../../lambdas/shared/anchor';
import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { addMs, DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import { createSigner, type Objects, walkStartOf } from '../support/archive-builder';
import { A_DAY, buildHistory, nightAfter, numberOf, onDay, verifyDay, verifyOn } from '../support/history';

const DAYS = 70;

let whole: Objects;
beforeAll(async () => {
  whole = await buildHistory(DAYS);
});

/** The archive of that day, verified for the first time. */
async function anchorAfter(day: number): Promise<Anchor | undefined> {
  return (await verifyDay(whole, day)).anchor;
}

test('the first verification reads everything, and its anchor states the head and the keys of each month', async () => {
  const objects = onDay(whole, 30);
  const { found, anchor, isComplete, read } = await verifyDay(whole, 30);
  expect(found).toEqual([]);
  expect(isComplete).toBe(true);
  expect(new Set(read)).toEqual(new Set(objects.keys()));
  expect(anchor).toMatchObject({ team: 'main', seq: 30 * A_DAY, scope: { after: 0, through: 0 } });
  // A step ends at manifest 400 and the next one at 600, which is in April already.
  expect(anchor?.inventory.map(({ month, through }) => [month, through])).toEqual([
    ['2026-03', 400],
    ['2026-04', 720],
  ]);
  const stored = (anchor?.inventory ?? []).flatMap(({ batches, events, manifests, quarantine }) => [
    batches,
    events,
    manifests,
    quarantine,
  ]);
  expect(stored.reduce((sum, { count }) => sum + count, 0)).toBe(objects.size);
});

test('from its first day on, no object and no anchor of an archive goes unread for more than thirty days', async () => {
  const readOn = new Map<string, number>();
  const anchors: Objects = new Map();
  let anchor: Anchor | undefined;
  for (let day = 1; day <= DAYS; day += 1) {
    const objects = new Map([...onDay(whole, day), ...anchors]);
    const daily = await verifyOn(objects, { anchor, now: nightAfter(day) });
    for (const key of daily.read) readOn.set(key, day);
    const unread = [...objects.keys()].filter((key) => day - (readOn.get(key) ?? 0) > 30);
    expect(daily).toMatchObject({ found: [], isComplete: true });
    expect({ day, unread }).toEqual({ day, unread: [] });
    anchor = daily.anchor;
    expect(anchor && roundDays(anchor)).toBe(30);
    const { key = '', body = Buffer.alloc(0) } = daily.written ?? {};
    anchors.set(key, body);
    readOn.set(key, day);
  }
});

test('a week without a verification is made good by the next one', async () => {
  const first = await verifyDay(whole, 40);
  const second = await verifyDay(whole, 41, first.anchor);
  const { anchor, found } = await verifyDay(whole, 48, second.anchor);
  expect(found).toEqual([]);
  expect(second.anchor?.scope).toMatchObject({ after: 0, through: Math.ceil((41 * A_DAY) / 30) });
  expect(anchor?.scope).toMatchObject({ after: 33, through: Math.ceil((48 * A_DAY * 8) / 30) });
});

test.each([
  'events',
  'batches',
  'manifests',
  'quarantine',
  'anchors',
])('a changed byte under %s is found within thirty days', async (area) => {
  const first = await verifyDay(whole, DAYS - 30);
  const { key: oldAnchor = '', body = Buffer.alloc(0) } = (await verifyDay(whole, 20)).written ?? {};
  const objects = new Map(whole).set(oldAnchor, body);
  const keys = [...objects.keys()].filter((key) => key.startsWith(area) && numberOf(key) < 500);
  const victim = keys[Math.floor(keys.length / 2)] ?? '';
  const bytes = Buffer.from(objects.get(victim) ?? []);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  objects.set(victim, bytes);
  let anchor = first.anchor;
  for (let day = DAYS - 29; day <= DAYS; day += 1) {
    const daily = await verifyDay(objects, day, anchor);
    if (daily.found.length > 0) {
      expect(daily.found.join()).toContain(victim);
      expect(daily.anchor).toBeUndefined();
      return;
    }
    anchor = daily.anchor;
  }
  throw new Error(`${victim} was not read`);
});

const OLD_EVENT = 'events/team=main/dt=2026-03-12/0000000051.ndjson.gz';
const OLD_MANIFEST = 'manifests/team=main/0000000051.json';

test.each<[string, (objects: Objects) => void, string]>([
  ['a missing event object', (all) => all.delete(OLD_EVENT), `segment-missing ${OLD_EVENT}`],
  ['a missing manifest', (all) => all.delete(OLD_MANIFEST), `manifest-missing ${OLD_MANIFEST}`],
  [
    'an object that no manifest lists',
    (all) => all.set(OLD_EVENT.replace('03-12', '03-13'), Buffer.of(1)),
    'object-unlisted events/team=main/dt=2026-03-13/0000000051.ndjson.gz',
  ],
  [
    'an object with the number 0',
    (all) => all.set(OLD_EVENT.replace('0000000051', '0000000000'), Buffer.of(1)),
    'object-unlisted events/team=main/dt=2026-03-12/0000000000.ndjson.gz',
  ],
  ['a cut tail', (all) => cutAfter(all, 40 * A_DAY - 3), 'chain-truncated manifests/team=main/0000000960.json'],
  ['a chain without manifests', (all) => cutAfter(all, 0), 'archive-empty manifests/'],
])('%s in the older archive is found within a day', async (_, tamper, finding) => {
  const anchor = await anchorAfter(40);
  const objects = onDay(whole, 41);
  tamper(objects);
  const daily = await verifyOn(objects, { anchor, now: nightAfter(41) });
  expect(daily.found).toContain(finding);
  expect(daily.anchor).toBeUndefined();
});

function cutAfter(objects: Objects, seq: number): void {
  for (const key of objects.keys()) if (numberOf(key) > seq) objects.delete(key);
}

test('where the chain ends before the manifest that the anchor names, no later manifest is said to be missing', async () => {
  const anchor = await anchorAfter(40);
  const objects = onDay(whole, 41);
  cutAfter(objects, 40 * A_DAY - 3);
  const { found } = await verifyOn(objects, { anchor, now: nightAfter(41) });
  expect([...new Set(found.map((finding) => finding.split(' ')[1]))]).toEqual([manifestKey('main', 40 * A_DAY)]);
});

test('a cut tail is found within a day by an older anchor too, where somebody has written a new one', async () => {
  const { key = '', body = Buffer.alloc(0) } = (await verifyDay(whole, 40)).written ?? {};
  const forged = await anchorAfter(39);
  const objects = onDay(whole, 39).set(key, body);
  const { found } = await verifyOn(objects, { anchor: forged, now: nightAfter(41) });
  expect(found).toEqual(['chain-truncated manifests/team=main/0000000960.json']);
});

const rewritten = (days: number) =>
  buildHistory(days, { amend: (manifest) => ({ ...manifest, run: { ...manifest.run, codeVersion: '6.6.6' } }) });

test('a chain that the signing key wrote anew contradicts the anchor', async () => {
  const anchor = await anchorAfter(10);
  const { found } = await verifyDay(await rewritten(11), 11, anchor);
  expect(found).toContain('head-differs manifests/team=main/0000000240.json');
});

test('a chain that the signing key wrote anew contradicts an older anchor within thirty days, although a new one fits', async () => {
  const { key = '', body = Buffer.alloc(0) } = (await verifyDay(whole, 10)).written ?? {};
  const objects = await rewritten(41);
  let { anchor, found } = await verifyDay(objects, 11);
  objects.set(key, body);
  for (let day = 12; day <= 41 && found.length === 0; day += 1)
    ({ anchor, found } = await verifyDay(objects, day, anchor));
  expect(found).toContain('head-differs manifests/team=main/0000000240.json');
});

test('another key than that of the first anchor is an error for ever', async () => {
  const signer = createSigner();
  const anchor = await anchorAfter(10);
  const objects = await buildHistory(11, { signer });
  const options = { anchor, publicKey: signer.publicKey, now: nightAfter(11) };
  const { found, anchor: next } = await verifyOn(objects, options);
  expect(found.join()).toContain('signature-other-key');
  expect(next).toBeUndefined();
});

test('a verification without enough time goes on where the one before ended', async () => {
  const objects = onDay(whole, 40);
  let anchor: Anchor | undefined;
  const reached: number[] = [];
  for (let day = 40; day < 50; day += 1) {
    const daily = await verifyOn(objects, { anchor, steps: 1, now: nightAfter(day) });
    expect(daily.found).toEqual([]);
    anchor = daily.anchor;
    reached.push(anchor?.seq ?? 0);
    if (daily.isComplete) break;
  }
  expect(reached).toEqual([200, 400, 600, 800, 960]);
});

test('a month for whose keys the time did not suffice is compared by the next verification', async () => {
  const first = await verifyDay(whole, 30);
  const objects = new Map(whole);
  const victim = [...objects.keys()].find((key) => key.startsWith('events/') && numberOf(key) === 701) ?? '';
  objects.delete(victim);
  const second = await verifyOn(onDay(objects, 31), { anchor: first.anchor, steps: 1, now: nightAfter(31) });
  expect(second).toMatchObject({ found: [], isComplete: false, anchor: { seq: 31 * A_DAY } });
  const third = await verifyDay(objects, 32, second.anchor);
  expect(third.found).toEqual([`segment-missing ${victim}`]);
});

test('a month that was left for lack of time is whole again in the next anchor, although the chain stands still', async () => {
  const first = await verifyDay(whole, 30);
  const objects = onDay(whole, 31);
  objects.set('batches/team=main/0000000700-11111111-1111-4111-8111-111111111111.gz', Buffer.of(1));
  const second = await verifyOn(objects, { anchor: first.anchor, steps: 1, now: nightAfter(31) });
  expect(second.anchor?.inventory.at(-1)?.through).toBe(30 * A_DAY);
  const third = await verifyOn(objects, { anchor: second.anchor, now: nightAfter(32) });
  expect(third.anchor?.inventory.at(-1)?.through).toBe(31 * A_DAY);
});

test('a team whose chain stands still is verified again, with an anchor of its own', async () => {
  const objects = onDay(whole, 10);
  const first = await verifyOn(objects, { now: nightAfter(10) });
  const second = await verifyOn(objects, { anchor: first.anchor, now: nightAfter(11) });
  expect(second).toMatchObject({ found: [], isComplete: true, anchor: { seq: 240, scope: { after: 0, through: 8 } } });
});

test('objects that expire are no finding, and one that is missing too early is', async () => {
  const retention = { mode: 'COMPLIANCE', days: 200, expireAfterDays: 200 } as const;
  const amend = (manifest: Manifest) => ({ ...manifest, retention });
  const objects = await buildHistory(12, { amend });
  const { anchor } = await verifyOn(objects, { now: nightAfter(12) });
  const now = addMs(walkStartOf(5 * A_DAY), 200 * DAY_MS + HOUR_MS);
  for (const key of objects.keys())
    if (!key.startsWith('manifests/') && numberOf(key) <= 5 * A_DAY) objects.delete(key);
  expect(await verifyOn(objects, { anchor, now })).toMatchObject({ found: [], anchor: { seq: 288 } });
  const early = [...objects.keys()].find((key) => key.startsWith('events/') && numberOf(key) === 5 * A_DAY + 3) ?? '';
  objects.delete(early);
  expect((await verifyOn(objects, { anchor, now })).found).toEqual([`segment-missing ${early}`]);
});

test('a staged batch of a run that lost its race is not a finding, although the keys of the month have changed', async () => {
  const { anchor } = await verifyDay(whole, 10);
  const objects = onDay(whole, 10);
  objects.set('batches/team=main/0000000100-11111111-1111-4111-8111-111111111111.gz', Buffer.of(1));
  expect((await verifyOn(objects, { anchor, now: nightAfter(10) })).found).toEqual([]);
});

test('an anchor counts what the manifests state from the first to its own, whichever days they were verified on', async () => {
  const gap = { from: '2025-09-01T00:00:00.000Z', to: '2025-09-02T00:00:00.000Z', reason: 'retention' } as const;
  const amend = (manifest: Manifest): Manifest => ({
    ...manifest,
    run: { ...manifest.run, reason: manifest.seq === 40 ? 'batch-full' : 'complete' },
    counts: { ...manifest.counts, late: manifest.seq === 31 ? 1 : 0 },
    gaps: manifest.seq === 31 ? [gap] : [],
  });
  const objects = await buildHistory(3, { amend });
  const first = await verifyDay(objects, 1);
  const third = await verifyDay(objects, 3, (await verifyDay(objects, 2, first.anchor)).anchor);
  expect(first.anchor?.counts).toEqual({ runs: 24, events: 44, late: 0, quarantined: 1, gaps: 0, latestGap: null });
  const { from, to } = gap;
  expect(third.anchor?.counts).toEqual({
    ...{ runs: 71, events: 130, late: 1, quarantined: 3, gaps: 1 },
    latestGap: { from, to },
  });
});
