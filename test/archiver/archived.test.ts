/** What a run believes to be archived. The archive is built and signed without the archiver's code. */
import { archive } from '../../lambdas/archiver/archive';
import { createArchived } from '../../lambdas/archiver/archived';
import { createChain, readManifest } from '../../lambdas/archiver/chain';
import { type Manifest, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { compress } from '../../lambdas/shared/segment';
import { type BatchSpec, buildArchive, eventLine, testSigner } from '../support/archive-builder';
import { aManifest } from '../support/manifest';
import { memoryStore } from '../support/memory-store';
import { aChain, aRunAt, RUN_ID } from '../support/run';
import { virtualClock } from '../support/virtual-clock';

/** The batch with the number n is of 10 March 2026, n:00. `latest` is 9 March 10:00 after the first, and 02:00 after the second. */
const batches: readonly BatchSpec[] = [
  { events: [eventLine(1, '2026-03-08T10:00:00.000Z'), eventLine(2, '2026-03-09T10:00:00.000Z')] },
  {
    events: [eventLine(3, '2026-03-09T20:00:00.000Z')],
    quarantine: [eventLine(1, '2026-03-08T10:00:00.000Z', { edited: true }), '{"id":9}'],
  },
  {},
  { events: [eventLine(4, '2026-03-10T03:30:00.000Z'), eventLine(5, '2026-03-08T11:00:00.000Z')] },
];

const [eight, nine, ten] = ['2026-03-08', '2026-03-09', '2026-03-10'] as const;
const eventsOf = (date: string, seq: number) => segmentKey('events', 'main', date, seq);
const quarantineOf = (date: string, seq: number) => segmentKey('quarantine', 'main', date, seq);
const manifests = (...seqs: readonly number[]) => seqs.map((seq) => manifestKey('main', seq));

interface Opened {
  readonly batches?: readonly BatchSpec[];
  readonly headSeq?: number;
  /** Objects that were put, or hidden by `undefined`, after the archive was written. */
  readonly changed?: Readonly<Record<string, Buffer | undefined>>;
  readonly runId?: string;
  readonly now?: string;
  readonly remainingMs?: number;
}

async function opened(options: Opened = {}) {
  const { changed = {}, headSeq = 4, runId = RUN_ID, now = '2026-03-10T05:00:00.000Z', remainingMs = 60_000 } = options;
  const store = memoryStore({ objects: await buildArchive({ batches: options.batches ?? batches }) });
  for (const [key, bytes] of Object.entries(changed)) {
    if (bytes === undefined) store.objects.delete(key);
    else store.objects.set(key, bytes);
  }
  const run = { id: runId, team: 'main', store, signer: testSigner, clock: virtualClock({ start: now, remainingMs }) };
  const archived = createArchived(run, createChain(run, await readManifest(run, headSeq)));
  store.calls.length = 0;

  /** The keys that were read and the prefixes that were listed since this was last called. */
  function asked(): readonly string[] {
    return store.calls
      .splice(0)
      .map((call) => call.replace(/^get /, ''))
      .sort();
  }

  const known = (...ids: readonly string[]) => ids.filter((id) => archived.events.find(id) !== undefined);
  return { ...archived, store, asked, known };
}

/** Every batch of the archive was committed by this run itself. */
const ownBatches = batches.map((batch) => ({
  ...batch,
  amend: (manifest: Manifest): Manifest => ({ ...manifest, run: { ...manifest.run, id: RUN_ID } }),
}));

describe('reading from an instant', () => {
  test('the listed segments are read that end at or after the instant, as far back as `latest` says, without a LIST', async () => {
    const { readFrom, asked, known, held } = await opened();
    await readFrom(new Date('2026-03-10T01:00:00.000Z'));
    expect(asked()).toEqual([eventsOf(ten, 4), ...manifests(1, 2, 3), quarantineOf(ten, 2)]);
    expect(known('1', '2', '3', '4', '5')).toEqual(['4']);
    expect(held.find(sha256(Buffer.from('{"id":9}')))).toBeDefined();
  });

  test('a segment that ends at the very instant is read, and one that ends before it is not', async () => {
    for (const [instant, keys] of [
      ['2026-03-10T03:30:00.000Z', [eventsOf(ten, 4)]],
      ['2026-03-10T03:30:00.001Z', []],
    ] as const) {
      const { readFrom, asked } = await opened();
      await readFrom(new Date(instant));
      expect(asked().filter((key) => !key.startsWith('manifests/'))).toEqual(keys);
    }
  });

  test('an older instant reads the rest, and nothing is read twice', async () => {
    const { readFrom, asked, known, revised } = await opened();
    for (const hour of ['2026-03-10T01', '2026-03-10T04']) await readFrom(new Date(`${hour}:00:00.000Z`));
    asked();
    await readFrom(new Date('2026-03-09T15:00:00.000Z'));
    expect(asked()).toEqual([eventsOf(nine, 2)]);
    await readFrom(new Date('2026-03-08T00:00:00.000Z'));
    expect(asked()).toEqual([eventsOf(eight, 1), eventsOf(eight, 4), eventsOf(nine, 1), quarantineOf(eight, 2)]);
    expect(known('1', '2', '3', '4', '5')).toEqual(['1', '2', '3', '4', '5']);
    expect(revised.find('1')).toBeDefined();
    expect(revised.find('9')).toBeUndefined();
  });

  test('more manifests than are read at once are read back, each once', async () => {
    const long = [...batches, ...new Array<BatchSpec>(30).fill({})];
    const { readFrom, asked, known } = await opened({ batches: long, headSeq: 34 });
    await readFrom(new Date('2026-03-08T10:00:00.000Z'));
    const seqs = Array.from({ length: 33 }, (_, n) => n + 1);
    expect(asked().filter((key) => key.startsWith('manifests/'))).toEqual(manifests(...seqs));
    expect(known('1', '5')).toEqual(['1', '5']);
  });

  const wholeChain = new Date('2026-03-08T00:00:00.000Z');
  test.each<[string, Opened, string]>([
    ['a listed segment is missing', { changed: { [eventsOf(nine, 2)]: undefined } }, 'segment-missing'],
    ['a quarantine segment is missing', { changed: { [quarantineOf(ten, 2)]: undefined } }, 'segment-missing'],
    [
      'a listed segment has other content',
      { changed: { [eventsOf(nine, 2)]: compress(Buffer.from('{}\n')) } },
      'segment-differs',
    ],
    ['a manifest is missing', { changed: { [manifestKey('main', 2)]: undefined } }, 'chain-broken'],
    ['a manifest is unsigned', { changed: { [manifestKey('main', 2)]: Buffer.from('{}') } }, 'chain-broken'],
  ])('where %s, the reading stops with the code of the reason', async (_name, options, code) => {
    const { readFrom } = await opened(options);
    await expect(readFrom(wholeChain)).rejects.toMatchObject({ code });
  });

  test('with less than three seconds left, no older manifest is read back, and no segment is read', async () => {
    const { readFrom, readDay, asked } = await opened({ remainingMs: 3000 });
    await expect(readFrom(wholeChain)).rejects.toMatchObject({ code: 'out-of-time' });
    expect(asked()).toEqual([]);
    await expect(readDay(nine)).rejects.toMatchObject({ code: 'out-of-time' });
    expect(asked().filter((key) => key.endsWith('.gz'))).toEqual([]);
  });

  test('a segment that may have expired is passed over where it is gone, and believed where it is there', async () => {
    const retention = { mode: 'GOVERNANCE', days: 1, expireAfterDays: 200 } as const;
    const expiring = batches.map((batch) => ({
      ...batch,
      amend: (manifest: Manifest) => ({ ...manifest, retention }),
    }));
    const changed = { [eventsOf(nine, 2)]: undefined };
    const gone = { batches: expiring, changed };
    const before = await opened({ ...gone, now: '2026-09-26T02:00:19.999Z' });
    await expect(before.readFrom(wholeChain)).rejects.toMatchObject({ code: 'segment-missing' });
    const after = await opened({ ...gone, now: '2026-09-26T02:00:20.000Z' });
    await after.readFrom(wholeChain);
    expect(after.known('1', '2', '3', '4', '5')).toEqual(['1', '2', '4', '5']);
  });
});

describe('reading a day', () => {
  test('a day is read from its partitions and from the quarantine of the next day', async () => {
    const { readDay, asked, known, held, events } = await opened();
    await readDay(nine);
    const prefixes = [
      `events/team=main/dt=${nine}/`,
      `quarantine/team=main/dt=${nine}/`,
      `quarantine/team=main/dt=${ten}/`,
    ];
    const segments = [eventsOf(nine, 1), eventsOf(nine, 2), quarantineOf(ten, 2)];
    const lists = prefixes.map((prefix) => `list ${prefix}`);
    expect(new Set(asked())).toEqual(new Set([...segments, ...manifests(1, 2), ...lists]));
    expect(known('1', '2', '3', '4', '5')).toEqual(['2', '3']);
    expect([...events.identitiesOf(nine)]).toEqual(['2', '3']);
    expect(held.find(sha256(Buffer.from('{"id":9}')))).toBeDefined();
  });

  const planted = compress(Buffer.from(`${eventLine(7, `${nine}T11:00:00.000Z`)}\n`));
  test.each([
    ['that its manifest does not list', eventsOf(nine, 3)],
    ['with a number above the head', eventsOf(nine, 77)],
    ['with the number 0', eventsOf(nine, 0)],
    ['with a key that names no segment', `events/team=main/dt=${nine}/part-1.parquet`],
    ['in the quarantine of the day', quarantineOf(nine, 4)],
    ['in the quarantine of the next day', quarantineOf(ten, 4)],
  ])('an object %s stops the sweep', async (_name, key) => {
    const { readDay } = await opened({ changed: { [key]: planted } });
    await expect(readDay(nine)).rejects.toMatchObject({
      code: 'object-unlisted',
      message: expect.stringContaining(key),
    });
  });

  test('a listed object that was overlaid stops the sweep', async () => {
    const { readDay } = await opened({ changed: { [eventsOf(nine, 2)]: planted } });
    await expect(readDay(nine)).rejects.toMatchObject({ code: 'segment-differs' });
  });

  test('a segment that a newer signed manifest lists is believed, because another run may have committed it', async () => {
    const { readDay, known } = await opened({ headSeq: 3 });
    await readDay(eight);
    expect(known('1', '5')).toEqual(['1', '5']);
    const unsigned = await opened({ headSeq: 3, changed: { [manifestKey('main', 4)]: Buffer.from('{}') } });
    await expect(unsigned.readDay(eight)).rejects.toMatchObject({ code: 'chain-broken' });
  });
});

describe('the proof of a day', () => {
  test('a day is proved along the chain once, and nothing that the sweep met is read again', async () => {
    const { readDay, proveDay, asked } = await opened();
    await readDay(nine);
    asked();
    await proveDay(nine);
    expect(asked()).toEqual(manifests(3));
    await proveDay(nine);
    expect(asked()).toEqual([]);
  });

  test.each([
    ['events', eventsOf(nine, 2)],
    ['quarantine of the next day', quarantineOf(ten, 2)],
  ])('a hidden segment of the %s, which LIST does not show, is found', async (_name, key) => {
    const { readDay, proveDay } = await opened({ changed: { [key]: undefined } });
    await readDay(nine);
    await expect(proveDay(nine)).rejects.toMatchObject({
      code: 'segment-missing',
      message: expect.stringContaining(key),
    });
  });

  test('a hidden segment of another day is left to the sweep of that day', async () => {
    const { readDay, proveDay } = await opened({ changed: { [eventsOf(eight, 4)]: undefined } });
    await readDay(nine);
    await expect(proveDay(nine)).resolves.toBeUndefined();
  });

  test('the proof passes over a segment that may have expired', async () => {
    const retention = { mode: 'GOVERNANCE', days: 1, expireAfterDays: 200 } as const;
    const amend = (manifest: Manifest) => ({ ...manifest, retention });
    const expiring = batches.map((batch) => ({ ...batch, amend }));
    const options = { batches: expiring, changed: { [eventsOf(nine, 2)]: undefined }, now: '2026-10-01T00:00:00.000Z' };
    const { readDay, proveDay } = await opened(options);
    await readDay(nine);
    await expect(proveDay(nine)).resolves.toBeUndefined();
  });
});

describe('what a run remembers and forgets', () => {
  test('what was read is read again after it was forgotten, and only that', async () => {
    const { readFrom, forgetBefore, asked, known } = await opened();
    await readFrom(new Date(`${eight}T00:00:00.000Z`));
    asked();
    forgetBefore(ten);
    expect(known('1', '2', '3', '4', '5')).toEqual(['4']);
    await readFrom(new Date(`${nine}T20:00:00.000Z`));
    expect(asked()).toEqual([eventsOf(nine, 2)]);
    expect(known('3', '4')).toEqual(['3', '4']);
  });

  test('segments that the run has committed itself are not read', async () => {
    const { readFrom, asked } = await opened({ batches: ownBatches });
    await readFrom(new Date(`${eight}T00:00:00.000Z`));
    expect(asked()).toEqual(manifests(1, 2, 3));
  });

  test('own segments of events that were forgotten are read again, and held lines are never forgotten', async () => {
    const { readFrom, forgetBefore, asked } = await opened({ batches: ownBatches });
    forgetBefore(ten);
    await readFrom(new Date(`${nine}T00:00:00.000Z`));
    expect(asked()).toEqual([eventsOf(nine, 1), eventsOf(nine, 2), ...manifests(1, 2, 3)]);
  });

  /** A later page may disprove a claim, and the claim moves back. */
  test('what was forgotten stays forgotten where an earlier date is forgotten afterwards', async () => {
    const { readFrom, forgetBefore, known } = await opened({ batches: ownBatches });
    forgetBefore(ten);
    forgetBefore(eight);
    await readFrom(new Date(`${eight}T00:00:00.000Z`));
    expect(known('1', '2', '3', '5')).toEqual(['1', '2', '3', '5']);
  });

  test('the day of a sweep is read although the run has committed and forgotten events of it', async () => {
    const { readDay, forgetBefore, known } = await opened({ batches: ownBatches });
    forgetBefore(ten);
    await readDay(nine);
    expect(known('2', '3')).toEqual(['2', '3']);
  });
});

/** The archive's age costs a run nothing: what lies before its reading is neither listed nor read. */
test('a run makes the same calls after 10 and after 10,000 manifests with quarantined lines of older days', async () => {
  const now = '2026-06-12T12:00:00.000Z';
  const events = [
    { row: 2, at: Date.parse('2026-06-12T11:30:00.000Z'), raw: eventLine(2, '2026-06-12T11:30:00.000Z') },
  ];

  async function callsAfter(older: number): Promise<readonly string[]> {
    const store = memoryStore();
    for (let seq = 1; seq <= older; seq += 1) {
      const date = new Date(Date.UTC(2020, 0, 1 + (seq % 2000))).toISOString().slice(0, 10);
      // Nobody reads these objects. If a run did, it would stop.
      store.objects.set(manifestKey('main', seq), Buffer.from('not read'));
      store.objects.set(quarantineOf(date, seq), Buffer.from('not read'));
    }
    const run = (walkStart: string) => ({ ...aManifest().run, walkStart, finished: walkStart });
    const quiet = (walkStart: string): Partial<Manifest> => ({
      run: run(walkStart),
      window: { from: '2026-06-12T01:00:00.000Z', to: walkStart },
      position: walkStart,
      latest: '2025-01-01T00:00:00.000Z',
      sweptAt: '2026-06-12T10:30:00.000Z',
      sourceTeams: [],
      batch: null,
      segments: [],
    });
    const newest = [10, 11].map((hour) => quiet(`2026-06-12T${hour}:00:00.000Z`));
    await aChain([{ ...newest[0], seq: older + 1 }, ...newest.slice(1)], store);
    const seq = older + 2;
    await archive(
      aRunAt(
        now,
        { events },
        {
          store,
          checkpoints: { acquire: async () => ({ seq }), save: async () => 'saved', release: async () => undefined },
        },
      ),
    );
    return store.calls.map((call) => call.replace(/\d{10}/, (number) => `head${Number(number) - seq}`));
  }

  const few = await callsAfter(10);
  expect(few).toContain(`get ${manifestKey('main', 0).replace(/\d{10}/, 'head0')}`);
  expect(few).toContain(`create ${eventsOf('2026-06-12', 0).replace(/\d{10}/, 'head1')}`);
  expect(few.some((call) => call.startsWith(`list quarantine/team=main/dt=`))).toBe(true);
  expect(await callsAfter(10_000)).toEqual(few);
});
