/**
 * The daily verification over simulated time: an archive that grows by a day of hourly runs, is verified each day, and is tampered
 * with in between. The anchor of one day is all that the next one knows.
 */
import { type Anchor, decodeAnchor, encodeAnchor } from '../../lambdas/shared/anchor';
import type { Manifest } from '../../lambdas/shared/manifest';
import type { Signer } from '../../lambdas/shared/ports';
import { addMs, DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import { verifyDaily } from '../../lambdas/verifier/daily';
import { seqOfKey } from '../../lambdas/verifier/months';
import {
  type BatchSpec,
  buildArchive,
  createSigner,
  eventLine,
  type Objects,
  readerOf,
  testSigner,
  walkStartOf,
} from '../support/archive-builder';

const DAYS = 70;
const A_DAY = 24;
/** LIST apart: the manifest before each part that is read, once for each. */
const CONSTANT = 8;

/** Two events an hour, every tenth run empty, and a quarantined line every day. */
function runOf(seq: number, amend?: BatchSpec['amend']): BatchSpec {
  const at = addMs(walkStartOf(seq), -HOUR_MS / 2).toISOString();
  const events = seq % 10 === 0 ? [] : [eventLine(seq * 2, at), eventLine(seq * 2 + 1, at)];
  return {
    events,
    ...(seq % A_DAY === 0 && { quarantine: [eventLine(`"odd ${seq}"`, 'never')] }),
    ...(amend && { amend }),
  };
}

function history(days: number, { signer = testSigner, amend }: { signer?: Signer; amend?: BatchSpec['amend'] } = {}) {
  const batches = Array.from({ length: days * A_DAY }, (_, i) => runOf(i + 1, amend));
  return buildArchive({ batches, signer });
}

let whole: Objects;
beforeAll(async () => {
  whole = await history(DAYS);
});

/** The archive as it was at the end of a day. */
function onDay(day: number, objects = whole): Objects {
  return new Map([...objects].filter(([key]) => (seqOfKey('main', key) ?? 0) <= day * A_DAY));
}

interface Options {
  readonly anchor?: Anchor | undefined;
  readonly signer?: Signer;
  readonly steps?: number;
  readonly now?: Date;
}

/** One daily verification, with what it found, the anchor that it would write, and the keys that it read. */
async function verifyOn(
  objects: Objects,
  { anchor, signer = testSigner, steps = 1e9, now = new Date(0) }: Options = {},
) {
  const read: string[] = [];
  let left = steps;
  const reader = readerOf(objects);
  const daily = await verifyDaily({
    reader: {
      ...reader,
      get(key, range) {
        read.push(key);
        return reader.get(key, range);
      },
    },
    team: 'main',
    publicKey: signer.publicKey,
    now,
    anchor,
    hasTime: () => --left > 0,
  });
  const found = daily.findings
    .filter(({ severity }) => severity === 'finding')
    .map(({ code, object }) => `${code} ${object}`);
  const written = daily.anchor && encodeAnchor({ ...daily.anchor, versions: { hidden: 0, several: 0 } });
  return { ...daily, found, read, anchor: written && decodeAnchor(written.key, written.body) };
}

/** Verifies the archive day by day, and returns the anchor of the last day. */
async function anchorAfter(days: number): Promise<Anchor | undefined> {
  return (await verifyOn(onDay(days))).anchor;
}

test('the first verification reads everything, and its anchor states the head and the keys of each month', async () => {
  const objects = onDay(30);
  const { found, anchor, isComplete, read } = await verifyOn(objects);
  expect(found).toEqual([]);
  expect(isComplete).toBe(true);
  expect(new Set(read)).toEqual(new Set(objects.keys()));
  expect(anchor).toMatchObject({ team: 'main', seq: 30 * A_DAY, scope: { after: 0, through: 0 } });
  expect(anchor?.inventory.map(({ month, through }) => [month, through])).toEqual([['2026-04', 720]]);
  const stored = (anchor?.inventory ?? []).flatMap(({ batches, events, manifests, quarantine }) => [
    batches,
    events,
    manifests,
    quarantine,
  ]);
  expect(stored.reduce((sum, { count }) => sum + count, 0)).toBe(objects.size);
});

test('in thirty days every object is read again, and no day reads much more than a thirtieth and what is new', async () => {
  let anchor = await anchorAfter(DAYS - 31);
  const read = new Set<string>();
  for (let day = DAYS - 30; day <= DAYS; day += 1) {
    const objects = onDay(day);
    const fresh = objects.size - onDay(day - 1).size;
    const daily = await verifyOn(objects, { anchor });
    expect(daily.found).toEqual([]);
    expect(daily.isComplete).toBe(true);
    expect(daily.read.length).toBeLessThanOrEqual(objects.size / 30 + fresh + CONSTANT);
    for (const key of daily.read) read.add(key);
    anchor = daily.anchor;
  }
  expect([...whole.keys()].filter((key) => !read.has(key))).toEqual([]);
});

test.each([
  'events',
  'batches',
  'manifests',
  'quarantine',
])('a changed byte under %s is found within thirty days', async (area) => {
  let anchor = await anchorAfter(DAYS - 30);
  const objects = new Map(whole);
  const keys = [...whole.keys()].filter((key) => key.startsWith(area) && (seqOfKey('main', key) ?? 0) < 500);
  const victim = keys[Math.floor(keys.length / 2)] ?? '';
  const bytes = Buffer.from(objects.get(victim) ?? []);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  objects.set(victim, bytes);
  for (let day = DAYS - 29; day <= DAYS; day += 1) {
    const daily = await verifyOn(onDay(day, objects), { anchor });
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
  ['a cut tail', (all) => cutAfter(all, 40 * A_DAY - 3), 'chain-truncated manifests/team=main/0000000960.json'],
  ['a chain without manifests', (all) => cutAfter(all, 0), 'archive-empty manifests/'],
])('%s in the older archive is found within a day', async (_, tamper, finding) => {
  const anchor = await anchorAfter(40);
  const objects = onDay(41);
  tamper(objects);
  const daily = await verifyOn(objects, { anchor });
  expect(daily.found).toContain(finding);
  expect(daily.anchor).toBeUndefined();
});

function cutAfter(objects: Objects, seq: number): void {
  for (const key of objects.keys()) if ((seqOfKey('main', key) ?? 0) > seq) objects.delete(key);
}

test('a chain that the signing key wrote anew contradicts the anchor', async () => {
  const anchor = await anchorAfter(10);
  const other = await history(11, {
    amend: (manifest) => ({ ...manifest, run: { ...manifest.run, codeVersion: '6.6.6' } }),
  });
  expect((await verifyOn(other, { anchor })).found).toContain('head-differs manifests/team=main/0000000240.json');
});

test('another key than that of the first anchor is an error for ever', async () => {
  const signer = createSigner();
  const anchor = await anchorAfter(10);
  const { found, anchor: next } = await verifyOn(await history(11, { signer }), { anchor, signer });
  expect(found.join()).toContain('signature-other-key');
  expect(next).toBeUndefined();
});

test('a verification without enough time goes on where the one before ended', async () => {
  const objects = onDay(40);
  let anchor: Anchor | undefined;
  const reached: number[] = [];
  for (let times = 0; times < 10; times += 1) {
    const daily = await verifyOn(objects, { anchor, steps: 1 });
    expect(daily.found).toEqual([]);
    anchor = daily.anchor;
    reached.push(anchor?.seq ?? 0);
    if (daily.isComplete) break;
  }
  expect(reached.slice(0, 5)).toEqual([200, 400, 600, 800, 960]);
});

test('a team whose chain stands still is verified again, with an anchor of its own', async () => {
  const objects = onDay(10);
  const first = await verifyOn(objects);
  const second = await verifyOn(objects, { anchor: first.anchor, now: new Date('2026-03-21T00:00:00.000Z') });
  expect(second).toMatchObject({ found: [], isComplete: true, anchor: { seq: 240, scope: { after: 0, through: 8 } } });
});

test('objects that expire are no finding, and one that is missing too early is', async () => {
  const retention = { mode: 'COMPLIANCE', days: 200, expireAfterDays: 200 } as const;
  const amend = (manifest: Manifest) => ({ ...manifest, retention });
  const objects = await history(12, { amend });
  const { anchor } = await verifyOn(objects, { now: walkStartOf(12 * A_DAY) });
  const now = addMs(walkStartOf(5 * A_DAY), 200 * DAY_MS + HOUR_MS);
  for (const key of objects.keys())
    if (!key.startsWith('manifests/') && (seqOfKey('main', key) ?? 0) <= 5 * A_DAY) objects.delete(key);
  expect(await verifyOn(objects, { anchor, now })).toMatchObject({ found: [], anchor: { seq: 288 } });
  const early =
    [...objects.keys()].find((key) => key.startsWith('events/') && seqOfKey('main', key) === 5 * A_DAY + 3) ?? '';
  objects.delete(early);
  expect((await verifyOn(objects, { anchor, now })).found).toEqual([`segment-missing ${early}`]);
});

test('a staged batch of a run that lost its race is not a finding, although the keys of the month have changed', async () => {
  const { anchor } = await verifyOn(onDay(10));
  const objects = onDay(10);
  objects.set('batches/team=main/0000000100-11111111-1111-4111-8111-111111111111.gz', Buffer.of(1));
  expect((await verifyOn(objects, { anchor })).found).toEqual([]);
});
