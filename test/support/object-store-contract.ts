/** The behaviour that the archiver needs of a bucket: the same tests for the local S3 and for foreign ones. */

import { S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../../lambdas/adapters/s3';
import type { ObjectStore } from '../../lambdas/shared/ports';
import { type ContractServer, useServer } from './contract-server';

export interface BucketServer extends ContractServer {
  readonly bucket: string;
}

const TYPE = 'application/x-ndjson';

export function testArchiveBucket(start: () => Promise<BucketServer>): void {
  let client: S3Client;
  let store: ObjectStore;
  const { breakAnswers } = useServer('s3', start, (options, { bucket }) => {
    client = new S3Client({ ...options, maxAttempts: 4 });
    store = createS3Store(client, bucket);
    return client;
  });

  let round = 0;
  /** A prefix that no other test uses. */
  let team: string;
  beforeEach(() => {
    round += 1;
    team = `manifests/team=t${round}/`;
  });

  const create = (name: string, body: Buffer | string = name) => store.create(team + name, Buffer.from(body), TYPE);
  const text = async (name: string, range?: { start: number; end: number }) =>
    (await store.get(team + name, range))?.toString();

  describe('objects', () => {
    test('an object comes back as it was created, whether it is empty, binary or large', async () => {
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

    test('a missing object is an answer, also if a longer key exists below it', async () => {
      await create('a/b');
      expect(await text('none')).toBeUndefined();
      expect(await text('a')).toBeUndefined();
      expect(await text('none', { start: 0, end: 5 })).toBeUndefined();
    });

    test.each([
      ['within the object', '0123456789', { start: 2, end: 5 }, '234'],
      ['up to the end', '0123456789', { start: 7, end: 10 }, '789'],
      ['of one byte', '0123456789', { start: 9, end: 10 }, '9'],
      ['beyond the end', '0123456789', { start: 8, end: 99 }, '89'],
      ['from the end', '0123456789', { start: 10, end: 12 }, undefined],
      ['after the end', '0123456789', { start: 11, end: 12 }, undefined],
      ['of an empty object', '', { start: 0, end: 1 }, undefined],
    ])('a range %s is read', async (_name, content, range, expected) => {
      await create('a', content);
      expect(await text('a', range)).toBe(expected);
    });

    test('an answer that is cut is a failure, and never a shorter object', async () => {
      await create('a', Buffer.alloc(100_000, 'x'));
      breakAnswers(Number.POSITIVE_INFINITY, { cutAt: 50_000 });
      await expect(store.get(`${team}a`)).rejects.toMatchObject({ code: 'storage-unavailable' });
    });
  });

  describe('creating', () => {
    test('creating never replaces an object', async () => {
      expect(await create('a', 'first')).toBe('created');
      expect(await create('a', 'second')).toBe('exists');
      expect(await create('a', 'first')).toBe('exists');
      expect(await text('a')).toBe('first');
    });

    test('when twenty runs create one object at once, only one of them gets the answer that it did', async () => {
      const answers = await Promise.all([...Array(20).keys()].map((run) => create('a', `run ${run}`)));
      const created = answers.flatMap((answer, run) => (answer === 'created' ? [run] : []));
      expect(created).toHaveLength(1);
      expect(await text('a')).toBe(`run ${created[0]}`);
      expect(await store.list(team)).toEqual([`${team}a`]);
    });

    test('after a lost answer, creating says that the object exists, and its content is the new one', async () => {
      breakAnswers(1);
      expect(await create('a', 'mine')).toBe('exists');
      expect(await text('a')).toBe('mine');
    });

    test('creating fails when every answer is lost, although it was applied', async () => {
      breakAnswers(4);
      await expect(create('a', 'mine')).rejects.toMatchObject({ code: 'storage-unavailable' });
      expect(await text('a')).toBe('mine');
    });
  });

  describe('listing', () => {
    const keys = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => `${team}${String(from + n).padStart(10, '0')}.json`);

    test('a listing shows at once what was created, in order, and nothing of a team with a longer name', async () => {
      expect(await store.list(team)).toEqual([]);
      await store.create(`${team.slice(0, -1)}0/0000000001.json`, Buffer.from('x'), TYPE);
      for (const name of ['0000000002.json', '0000000001.json', '0000000010.json']) {
        await create(name);
        expect(await store.list(team)).toContain(team + name);
      }
      expect(await store.list(team)).toEqual(
        ['0000000001.json', '0000000002.json', '0000000010.json'].map((name) => team + name),
      );
    });

    test('a listing is in the order of bytes', async () => {
      const names = ['a/b', 'a-b', 'a.b', 'a0', 'A', 'ab', 'dt=2026-01-02/1', 'dt=2026-01-10/1', 'é', '😀', '～'];
      for (const name of names) await create(name);
      const sorted = names.map((name) => Buffer.from(team + name)).sort(Buffer.compare);
      expect(await store.list(team)).toEqual(sorted.map(String));
    });

    test('a listing starts after a key, whether that exists or not', async () => {
      for (const key of keys(1, 4)) await store.create(key, Buffer.from('x'), TYPE);
      expect(await store.list(team, `${team}0000000001.json`)).toEqual(keys(2, 4));
      expect(await store.list(team, `${team}0000000001`)).toEqual(keys(1, 4));
      expect(await store.list(team, `${team}0000000003.json`)).toEqual([]);
      expect(await store.list(team, 'a')).toEqual(keys(1, 4));
    });

    test('a listing goes on to its end over several pages', async () => {
      const all = keys(1, 1102);
      for (let from = 0; from < all.length; from += 50) {
        await Promise.all(all.slice(from, from + 50).map((key) => store.create(key, Buffer.from('x'), TYPE)));
      }
      expect(await store.list(team)).toEqual(all);
      expect(await store.list(team, all[49])).toEqual(all.slice(50));
    }, 120_000);
  });

  test('a missing bucket is an error for the operator, and names the key and the error', async () => {
    const { list, get, create } = createS3Store(client, 'no-such-bucket');
    const failure = { code: 'storage-refused', message: expect.stringMatching(/ a\/b: .*NoSuchBucket/) };
    await expect(list('a/b')).rejects.toMatchObject(failure);
    await expect(get('a/b')).rejects.toMatchObject(failure);
    await expect(create('a/b', Buffer.from('x'), TYPE)).rejects.toMatchObject(failure);
  });
}
