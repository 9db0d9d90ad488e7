/**
 * What the archiver needs of a bucket: the same tests for the local S3, in memory and in a folder, and for
 * independent ones.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../../lambdas/adapters/s3';
import type { ObjectStore } from '../../lambdas/shared/ports';
import type { LocalServer } from '../../local/server';
import { type Meddler, tap } from './tap';

/** An S3 with an empty bucket. */
export interface BucketServer extends LocalServer {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
}

const TYPE = 'application/x-ndjson';

export function testArchiveBucket(start: () => Promise<BucketServer>): void {
  let client: S3Client;
  let store: ObjectStore;
  let meddler: Meddler = {};
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const server = await start();
    const tapped = await tap('s3', server.url, { meddler: () => meddler, onCall: () => undefined });
    const { credentials } = server;
    client = new S3Client({ endpoint: tapped.url, region: 'us-east-1', credentials, maxAttempts: 4 });
    store = createS3Store(client, server.bucket);
    closers.push(async () => client.destroy(), tapped.close, server.close);
  }, 120_000);
  afterAll(async () => {
    for (const close of closers) await close();
  });
  afterEach(() => {
    meddler = {};
  });

  /** So many of the next puts are applied, and their answers lost. */
  function loseAnswers(count: number): void {
    let left = count;
    meddler = { after: ({ name }) => (name.startsWith('PUT') && left-- > 0 ? 'reset' : undefined) };
  }

  let round = 0;
  /** A prefix of this test's own. */
  let team: string;
  beforeEach(() => {
    round += 1;
    team = `manifests/team=t${round}/`;
  });

  const create = (name: string, body: Buffer | string = name) => store.create(team + name, Buffer.from(body), TYPE);
  const text = async (name: string, range?: { start: number; end: number }) =>
    (await store.get(team + name, range))?.toString();

  describe('objects', () => {
    test('come back as they were created: empty, binary, large', async () => {
      const bodies = {
        empty: Buffer.alloc(0),
        binary: Buffer.from([...Array(256).keys()]),
        large: Buffer.alloc(9_000_000, 'line of text\n'),
      };
      for (const [name, body] of Object.entries(bodies)) {
        expect(await create(name, body)).toBe('created');
        const stored = await store.get(team + name);
        expect(stored?.equals(body)).toBe(true);
      }
    });

    test('that are not there are an answer, also where a key goes on below them', async () => {
      await create('a/b');
      expect(await text('none')).toBeUndefined();
      expect(await text('a')).toBeUndefined();
      expect(await text('none', { start: 0, end: 5 })).toBeUndefined();
    });

    test.each([
      ['within', { start: 2, end: 5 }, '234'],
      ['up to the end', { start: 7, end: 10 }, '789'],
      ['of one byte', { start: 9, end: 10 }, '9'],
      ['beyond the end', { start: 8, end: 99 }, '89'],
      ['from the end', { start: 10, end: 12 }, undefined],
      ['after the end', { start: 11, end: 12 }, undefined],
    ])('are read in part: %s', async (_name, range, expected) => {
      await create('a', '0123456789');
      expect(await text('a', range)).toBe(expected);
    });

    test('without bytes have no part', async () => {
      await create('a', '');
      expect(await text('a', { start: 0, end: 1 })).toBeUndefined();
    });

    test('whose answer is cut short are a failure, never a shorter object', async () => {
      await create('a', Buffer.alloc(100_000, 'x'));
      meddler = { after: () => ({ cutAt: 50_000 }) };
      await expect(store.get(`${team}a`)).rejects.toMatchObject({ code: 'storage-unavailable' });
    });
  });

  describe('creating', () => {
    test('never replaces', async () => {
      expect(await create('a', 'first')).toBe('created');
      expect(await create('a', 'second')).toBe('exists');
      expect(await create('a', 'first')).toBe('exists');
      expect(await text('a')).toBe('first');
    });

    test('twenty times at once is one object, of whom it was told', async () => {
      const answers = await Promise.all([...Array(20).keys()].map((run) => create('a', `run ${run}`)));
      const created = answers.flatMap((answer, run) => (answer === 'created' ? [run] : []));
      expect(created).toHaveLength(1);
      expect(await text('a')).toBe(`run ${created[0]}`);
      expect(await store.list(team)).toEqual([`${team}a`]);
    });

    test('whose answer was lost says that the object exists, and it is this one', async () => {
      loseAnswers(1);
      expect(await create('a', 'mine')).toBe('exists');
      expect(await text('a')).toBe('mine');
    });

    test('whose every answer is lost is a failure, though it was applied', async () => {
      loseAnswers(4);
      await expect(create('a', 'mine')).rejects.toMatchObject({ code: 'storage-unavailable' });
      expect(await text('a')).toBe('mine');
    });
  });

  describe('listing', () => {
    const keys = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => `${team}${String(from + n).padStart(10, '0')}.json`);

    test('shows what was just created, in order, and nothing of a team whose name goes on', async () => {
      await store.create(`${team.slice(0, -1)}0/0000000001.json`, Buffer.from('x'), TYPE);
      for (const name of ['0000000002.json', '0000000001.json', '0000000010.json']) {
        await create(name);
        expect(await store.list(team)).toContain(team + name);
      }
      expect(await store.list(team)).toEqual(
        ['0000000001.json', '0000000002.json', '0000000010.json'].map((name) => team + name),
      );
    });

    test('is in the order of bytes', async () => {
      const names = ['a/b', 'a-b', 'a.b', 'a0', 'A', 'ab', 'dt=2026-01-02/1', 'dt=2026-01-10/1', 'é', '😀', '～'];
      for (const name of names) await create(name);
      const sorted = names.map((name) => Buffer.from(team + name)).sort(Buffer.compare);
      expect(await store.list(team)).toEqual(sorted.map(String));
    });

    test('starts after a key, there or not', async () => {
      for (const key of keys(1, 4)) await store.create(key, Buffer.from('x'), TYPE);
      expect(await store.list(team, `${team}0000000001.json`)).toEqual(keys(2, 4));
      expect(await store.list(team, `${team}0000000001`)).toEqual(keys(1, 4));
      expect(await store.list(team, `${team}0000000003.json`)).toEqual([]);
      expect(await store.list(team, 'a')).toEqual(keys(1, 4));
    });

    test('of nothing is empty', async () => {
      expect(await store.list(team)).toEqual([]);
    });

    test('goes on to the end, however many pages', async () => {
      const all = keys(1, 1102);
      for (let from = 0; from < all.length; from += 50) {
        await Promise.all(all.slice(from, from + 50).map((key) => store.create(key, Buffer.from('x'), TYPE)));
      }
      expect(await store.list(team)).toEqual(all);
      expect(await store.list(team, all[49])).toEqual(all.slice(50));
    }, 120_000);
  });

  test('a bucket that is not there is for the operator', async () => {
    const missing = createS3Store(client, 'no-such-bucket');
    await expect(missing.list('a/')).rejects.toMatchObject({ code: 'storage-refused' });
    await expect(missing.get('a/b')).rejects.toMatchObject({ code: 'storage-refused' });
    await expect(missing.create('a/b', Buffer.from('x'), TYPE)).rejects.toMatchObject({ code: 'storage-refused' });
  });
}
