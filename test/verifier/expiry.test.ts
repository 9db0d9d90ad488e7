/**
 * Data that the bucket deletes by itself. A missing object is excused only by the signed retention of its own manifest, and only
 * if it is old enough by the verifier's clock.
 */

import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import type { Retention } from '../../lambdas/shared/retention';
import { DAY_MS } from '../../lambdas/shared/time';
import { verify } from '../../lambdas/verifier/verify';
import {
  type BatchSpec,
  buildArchive,
  createSigner,
  eventLine,
  type Objects,
  readerOf,
  sampleBatches,
  testKey,
  walkStartOf,
} from '../support/archive-builder';
import { judge, saying } from '../support/judge';

const PROMISED: Retention = { mode: 'COMPLIANCE', days: 400, expireAfterDays: 500 };
const FIRST_DAY = 'events/team=main/dt=2026-03-09/0000000001.ndjson.gz';
const SECOND_DAY = 'events/team=main/dt=2026-03-10/0000000001.ndjson.gz';
const SECOND = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const HELD_BEFORE = 'quarantine/team=main/dt=2026-03-09/0000000002.ndjson.gz';
const HELD = 'quarantine/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const FOURTH = 'events/team=main/dt=2026-03-10/0000000004.ndjson.gz';
const M1 = manifestKey('main', 1);
const M4 = manifestKey('main', 4);
const OLD = daysAfter(4, 500);

describe('objects that may have expired', () => {
  test('expired data of a whole team is one notice and no finding', async () => {
    const objects = await promising(PROMISED);
    const batch = batchOf(objects, 1);
    loseData(objects, 1, 2, 4);
    const judgement = await judge(objects, undefined, OLD);
    expect(judgement).toMatchObject({ exitCode: 0, clean: true, objects: 4, said: [`expired ${batch}`] });
    expect(judgement.findings).toMatchObject([{ severity: 'notice', team: 'main', detail: 'and 8 more' }]);
    expect(judgement.teams).toMatchObject([
      { manifests: 4, events: 0, quarantined: 0, expired: { objects: 9, lines: 10 }, head: { seq: 4 } },
    ]);
  });

  test('an archive of which some objects have expired has no finding', async () => {
    const objects = await promising(PROMISED);
    objects.delete(SECOND_DAY);
    objects.delete(batchOf(objects, 2));
    const judgement = await judge(objects, undefined, OLD);
    expect(judgement).toMatchObject({ exitCode: 0, said: [`expired ${SECOND_DAY}`] });
    expect(judgement.teams).toMatchObject([{ events: 5, quarantined: 3, expired: { objects: 2, lines: 2 } }]);
  });

  test('data that is old enough to expire and still there is not reported', async () => {
    const judgement = await judge(await promising(PROMISED), undefined, OLD);
    expect(judgement).toMatchObject({ exitCode: 0, said: [] });
    expect(judgement.teams).toMatchObject([{ events: 7, quarantined: 3, expired: { objects: 0, lines: 0 } }]);
  });

  test('expired data is reported once for each team', async () => {
    const objects = new Map([...(await promising(PROMISED)), ...(await promising(PROMISED, 'other'))]);
    for (const key of objects.keys()) if (!key.startsWith('manifests/')) objects.delete(key);
    const { said, exitCode } = await judge(objects, undefined, OLD);
    expect(exitCode).toBe(0);
    expect(said).toEqual([
      expect.stringMatching(/^expired batches\/team=main\//),
      expect.stringMatching(/^expired batches\/team=other\//),
    ]);
  });

  test('missing manifests and a truncated chain are found even where all data has expired', async () => {
    const objects = await promising(PROMISED);
    loseData(objects, 1, 2, 4);
    const heads = (await judge(objects, undefined, OLD)).teams.flatMap(({ head }) => head ?? []);
    objects.delete(M4);
    expect((await judge(objects, heads, OLD)).said).toContain(`chain-truncated ${M4}`);
    objects.delete(M1);
    expect((await judge(objects, undefined, OLD)).said).toContain(`manifest-missing ${M1}`);
  });
});

describe('objects that are gone too early', () => {
  test.each([
    ['a millisecond before it expires', PROMISED, new Date(daysAfter(1, 500).getTime() - 1)],
    ['a day after it was archived', PROMISED, daysAfter(1, 1)],
    ['before it was archived by the clock of the verifier', PROMISED, new Date(0)],
    ['while it is under lock', { ...PROMISED, days: 2557 }, daysAfter(1, 2556)],
    ['where nothing ever expires', { ...PROMISED, expireAfterDays: null }, daysAfter(1, 36_500)],
    ['where the manifest states no retention', null, daysAfter(1, 36_500)],
    [
      'where its expiry is later than any date',
      { ...PROMISED, expireAfterDays: Number.MAX_SAFE_INTEGER },
      daysAfter(1, 36_500),
    ],
  ])('an object that is gone %s is missing', async (_, retention, now) => {
    const objects = await promising(retention);
    const batch = batchOf(objects, 1);
    loseData(objects, 1);
    const { said, exitCode } = await judge(objects, undefined, now);
    expect(exitCode).toBe(1);
    expect(said).toEqual([`batch-missing ${batch}`, `segment-missing ${FIRST_DAY}`, `segment-missing ${SECOND_DAY}`]);
  });

  test.each([
    ['exactly at its expiry', PROMISED, daysAfter(1, 500)],
    ['when the lock has ended too', { ...PROMISED, days: 2557 }, daysAfter(1, 2557)],
  ])('an object that is gone %s has expired', async (_, retention, now) => {
    const objects = await promising(retention);
    const batch = batchOf(objects, 1);
    loseData(objects, 1);
    expect(await judge(objects, undefined, now)).toMatchObject({ exitCode: 0, said: [`expired ${batch}`] });
  });

  test('a manifest with a retention of zero days is unreadable, so it excuses nothing', async () => {
    const objects = await promising({ ...PROMISED, days: 0, expireAfterDays: 0 });
    loseData(objects, 1);
    const { said, exitCode } = await judge(objects, undefined, daysAfter(1, 500));
    expect(exitCode).toBe(1);
    expect(said).toContain(`manifest-unreadable ${manifestKey('main', 1)}`);
  });

  test('a younger object is missing beside one that has expired', async () => {
    const objects = await promising(PROMISED);
    const [first, second] = [batchOf(objects, 1), batchOf(objects, 2)];
    loseData(objects, 1, 2);
    const { said } = await judge(objects, undefined, daysAfter(1, 500));
    const segments = [SECOND, HELD_BEFORE, HELD].map(missing);
    expect(said).toEqual([`batch-missing ${second}`, ...segments, `expired ${first}`]);
  });
});

describe('retention of other manifests and other keys', () => {
  const FOR_GOOD: Retention = { ...PROMISED, expireAfterDays: null };

  test('the retention of the manifests around it does not excuse a missing object', async () => {
    const objects = await archiveOf(sampleBatches.map((spec, i) => kept(spec, i === 1 ? FOR_GOOD : PROMISED)));
    const batch = batchOf(objects, 2);
    loseData(objects, 2);
    const { said, exitCode } = await judge(objects, undefined, OLD);
    expect(exitCode).toBe(1);
    expect(said).toEqual([`batch-missing ${batch}`, ...[SECOND, HELD_BEFORE, HELD].map(missing)]);
  });

  test('a retention without a good signature does not excuse a missing object', async () => {
    const objects = await promising(FOR_GOOD);
    objects.set(M4, withRetention(objects, M4, PROMISED));
    const batch = batchOf(objects, 4);
    loseData(objects, 4);
    const { said } = await judge(objects, undefined, OLD);
    expect(said).toEqual([`signature-invalid ${M4}`, `batch-missing ${batch}`, missing(FOURTH)]);
  });

  test('a retention that another key has signed does not excuse a missing object', async () => {
    const objects = await archiveOf([kept(sampleBatches[0] ?? {}, PROMISED)], { signer: createSigner() });
    const batch = batchOf(objects, 1);
    loseData(objects, 1);
    const { said } = await judge(objects, undefined, OLD);
    expect(said).toEqual([
      `signature-other-key ${M1}`,
      `batch-missing ${batch}`,
      ...[FIRST_DAY, SECOND_DAY].map(missing),
    ]);
  });

  test.each([
    ['a segment', () => SECOND, 'segment-missing'],
    ['a batch object', (objects: Objects) => batchOf(objects, 2), 'batch-missing'],
  ])('an unreadable object under the key of %s has not expired', async (_, keyIn, code) => {
    const objects = await promising(PROMISED);
    const [reader, key] = [readerOf(objects), keyIn(objects)];
    const get: typeof reader.get = async (wanted, range) => (wanted === key ? undefined : reader.get(wanted, range));
    const { findings } = await verify({ ...reader, get }, { publicKey: testKey, now: OLD });
    expect(findings.map(saying)).toEqual([`${code} ${key}`]);
  });
});

describe('old objects that are still there', () => {
  test('an old segment with other content is found', async () => {
    const objects = await promising(PROMISED);
    objects.set(SECOND_DAY, objects.get(FIRST_DAY) ?? Buffer.alloc(0));
    objects.delete(batchOf(objects, 1));
    expect((await judge(objects, undefined, OLD)).said).toContain(`segment-differs ${SECOND_DAY}`);
  });

  test('a changed batch object is found although its segments have expired', async () => {
    const objects = await promising(PROMISED);
    const batch = batchOf(objects, 2);
    loseData(objects, 2);
    objects.set(batch, Buffer.from('x'));
    const { said } = await judge(objects, undefined, OLD);
    expect(new Set(said)).toEqual(new Set([`batch-differs ${batch}`, `expired ${SECOND}`]));
  });

  test('an unlisted object is found beside expired ones', async () => {
    const objects = await promising(PROMISED);
    const planted = FOURTH.replace('004', '003');
    objects.set(planted, objects.get(FOURTH) ?? Buffer.alloc(0));
    loseData(objects, 4);
    expect((await judge(objects, undefined, OLD)).said).toContain(`object-unlisted ${planted}`);
  });

  test('a repeated id is found unless the segment with its first line has expired', async () => {
    const again = [1, 9].map((id) => eventLine(id, '2026-03-10T03:30:00.000Z'));
    const batches = [...sampleBatches.slice(0, 3), { events: again.slice(0, 1) }, { events: again }];
    const objects = await archiveOf(batches.map((spec) => kept(spec, PROMISED)));
    const fifth = FOURTH.replace('004', '005');
    const now = daysAfter(5, 500);
    expect((await judge(objects, undefined, now)).said).toEqual([`id-repeated ${FOURTH}`, `id-repeated ${fifth}`]);
    objects.delete(FIRST_DAY);
    expect((await judge(objects, undefined, now)).said).toEqual([`id-repeated ${fifth}`, `expired ${FIRST_DAY}`]);
  });

  test('a quarantined revision is not accused when its event has expired', async () => {
    const objects = await promising(PROMISED);
    loseData(objects, 1);
    const { said } = await judge(objects, undefined, OLD);
    expect(said).toEqual([expect.stringMatching(/^expired /)]);
  });
});

test.each([
  [
    'unpublished until the next run may no longer publish it',
    new Date(daysAfter(4, 500).getTime() - 1),
    'segment-unpublished',
  ],
  ['expired from that instant on', OLD, 'expired'],
])('a segment of the head that was never published is %s', async (_, now, code) => {
  const objects = await promising(PROMISED);
  objects.delete(FOURTH);
  expect(await judge(objects, undefined, now)).toMatchObject({ exitCode: 0, said: [`${code} ${FOURTH}`] });
});

test('an object that the bucket deletes while the verifier reads has expired', async () => {
  const objects = await promising(PROMISED);
  const reader = readerOf(objects);
  const batch = batchOf(objects, 1);
  const get: typeof reader.get = async (key, range) => {
    loseData(objects, 1);
    return reader.get(key, range);
  };
  const { findings } = await verify({ ...reader, get }, { publicKey: testKey, now: OLD });
  expect(findings.map(saying)).toEqual([`expired ${batch}`]);
});

function missing(segment: string): string {
  return `segment-missing ${segment}`;
}

/** The instant so many days of 24 hours after the batch was finished. */
function daysAfter(seq: number, days: number): Date {
  return new Date(walkStartOf(seq).getTime() + 20_000 + days * DAY_MS);
}

function kept(spec: BatchSpec, retention: Retention | null): BatchSpec {
  return { ...spec, amend: (manifest) => ({ ...manifest, retention }) };
}

function archiveOf(
  batches: readonly BatchSpec[],
  more: { team?: string; signer?: ReturnType<typeof createSigner> } = {},
) {
  return buildArchive({ batches, ...more });
}

/** The sample archive with this retention in every manifest. */
function promising(retention: Retention | null, team = 'main'): Promise<Objects> {
  return archiveOf(
    sampleBatches.map((spec) => kept(spec, retention)),
    { team },
  );
}

function batchOf(objects: Objects, seq: number): string {
  const start = `batches/team=main/000000000${seq}-`;
  return [...objects.keys()].find((key) => key.startsWith(start)) ?? `no batch ${seq}`;
}

/** Removes all objects that the manifests with these numbers list. */
function loseData(objects: Objects, ...seqs: readonly number[]): void {
  for (const key of objects.keys()) {
    const seq = Number(/\/(\d{10})[.-]/.exec(key)?.[1]);
    if (!key.startsWith('manifests/') && seqs.includes(seq)) objects.delete(key);
  }
}

/** The manifest with another retention and with its old signature. */
function withRetention(objects: Objects, key: string, retention: Retention): Buffer {
  const envelope = JSON.parse(String(objects.get(key)));
  const manifest: Manifest = JSON.parse(String(Buffer.from(envelope.payload, 'base64')));
  const payload = Buffer.from(JSON.stringify({ ...manifest, retention })).toString('base64');
  return Buffer.from(`${JSON.stringify({ ...envelope, payload })}\n`);
}
