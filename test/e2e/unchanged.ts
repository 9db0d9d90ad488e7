import type { World } from '../support/scenario';

/** Expects that an act leaves the archive and the checkpoint as they were, and the lease free. */
export async function changesNothing({ owner }: Pick<World, 'owner'>, act: () => Promise<void>): Promise<void> {
  const before = await snapshot(owner);
  await act();
  expect(await snapshot(owner)).toEqual(before);
  expect((await owner.item()) ?? {}).not.toHaveProperty('leaseUntil');
}

async function snapshot(owner: World['owner']) {
  const { seq, position } = (await owner.item()) ?? {};
  return { keys: [...(await owner.objects()).keys()], seq, position };
}
