/**
 * Data that the bucket deletes by itself. A missing object is excused only by the signed retention of its own manifest, and only
 * if it is old enough by the verifier's clock.
 */
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, eventLine, type Objects, readerOf, sampleBatches, testKey } from '../support/archive-builder';
import { judge } from '../support/judge';
import { keyOf, listed, perform, shortened } from '../support/tampering';
import { daysAfter, keeping, kept, OLD, PROMISED } from './cases-expiry';

describe('objects that are gone', () => {
  test('expired data is one notice for each team, and its objects and lines are counted', async () => {
    const objects = new Map([...(await keeping(PROMISED)), ...(await keeping(PROMISED, { team: 'other' }))]);
    const all = await judge(objects, undefined, OLD);
    expect(all).toMatchObject({ exitCode: 0, said: [], teams: Array(2).fill({ expired: { objects: 0, lines: 0 } }) });
    perform(objects, 'lose 1 2 4');
    const judgement = await judge(objects, undefined, OLD);
    expect(judgement).toMatchObject({ exitCode: 0, clean: true, objects: 8 });
    expect(judgement.findings).toMatchObject(
      ['main', 'other'].map((team) => ({ code: 'expired', severity: 'notice', team, detail: 'and 8 more' })),
    );
    expect(judgement.teams).toMatchObject(
      Array(2).fill({ manifests: 4, events: 0, quarantined: 0, expired: { objects: 9, lines: 10 }, head: { seq: 4 } }),
    );
  });

  test('a truncated chain is found even where all data has expired', async () => {
    const objects = await keeping(PROMISED);
    perform(objects, 'lose 1 2 4');
    const heads = (await judge(objects, undefined, OLD)).teams.flatMap(({ head }) => head ?? []);
    perform(objects, 'remove M4');
    expect((await judge(objects, heads, OLD)).said).toContain(`chain-truncated ${keyOf('M4')}`);
  });
});

test('a repeated id is found unless the segment with its first line has expired', async () => {
  const again = [1, 9].map((id) => eventLine(id, '2026-03-10T03:30:00.000Z'));
  const batches = [...sampleBatches.slice(0, 3), { events: again.slice(0, 1) }, { events: again }];
  const objects = await buildArchive({ batches: batches.map((spec) => kept(spec, PROMISED)) });
  const now = daysAfter(5, 500);
  expect(shortened((await judge(objects, undefined, now)).findings)).toEqual(listed('id-repeated E4b E5b'));
  perform(objects, 'remove E1a');
  expect(shortened((await judge(objects, undefined, now)).findings)).toEqual(listed('id-repeated E5b, expired E1a'));
});

describe('a reader that finds nothing under a key', () => {
  test.each([
    ['E2b', 'segment-missing E2b'],
    ['B2', 'batch-missing B2'],
  ])('an unreadable object under the key of %s has not expired', async (name, finding) => {
    const objects = await keeping(PROMISED);
    expect(await readingWith(objects, (key) => key !== keyOf(name))).toEqual([finding]);
  });

  test('an object that the bucket deletes while the verifier reads has expired', async () => {
    const objects = await keeping(PROMISED);
    const deleting = () => {
      perform(objects, 'lose 1');
      return true;
    };
    expect(await readingWith(objects, deleting)).toEqual(['expired B1']);
  });
});

/** The findings where only the keys can be read for which `mayRead` returns true. */
async function readingWith(objects: Objects, mayRead: (key: string) => boolean): Promise<string[]> {
  const reader = readerOf(objects);
  const get: typeof reader.get = async (key, range) => (mayRead(key) ? reader.get(key, range) : undefined);
  return shortened((await verify({ ...reader, get }, { publicKey: testKey, now: OLD })).findings);
}
