/** One team from one verification to the next, over a bucket in memory that has versions. */
import { FOLDERS } from '../../lambdas/shared/object-keys';
import type { VersionedFolders } from '../../lambdas/shared/ports';
import { remember, type TeamWorld, verifyTeam } from '../../lambdas/verifier/team';
import { buildArchive, readerOf, sampleBatches, testKey } from '../support/archive-builder';

const DAY = new Date('2026-06-12T03:00:00.000Z');
const LOCK = { mode: 'COMPLIANCE', until: new Date('2099-01-01T00:00:00Z') } as const;

test('a hidden key is told by the first verification that meets it, and not by the next one', async () => {
  const objects = await buildArchive({ batches: sampleBatches });
  const versions: VersionedFolders['versions'] = { hidden: ['events/team=main/x'], several: [] };
  const writtenAt = (key: string) => new Date(DAY.getTime() + (key.startsWith('anchors/') ? 0 : -1));
  const world: TeamWorld = {
    open: async (prefixes) => {
      const { list, get } = readerOf(
        new Map([...objects].filter(([key]) => prefixes.some((each) => key.startsWith(each)))),
      );
      return { list, get, lockOf: () => LOCK, versions, writtenAt };
    },
    create: async (key, body) => {
      objects.set(key, body);
      return 'created';
    },
  };
  const verifyOnce = async () =>
    verifyTeam(await remember('main', world), { ...world, publicKey: testKey, now: DAY, hasTime: () => true });

  const first = await verifyOnce();
  expect(first).toMatchObject({ summary: { outcome: 'good' }, isCurrent: true, newVersions: versions });
  const anchors = [...objects.keys()].filter((key) => key.startsWith(`${FOLDERS[0]}/`));
  expect(anchors.map((key) => JSON.parse(String(objects.get(key))).versions)).toEqual([{ hidden: 1, several: 0 }]);
  expect((await verifyOnce()).newVersions).toBeUndefined();
});
