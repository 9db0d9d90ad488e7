import type { ObjectLock } from '../../lambdas/shared/ports';
import { addMs, DAY_MS } from '../../lambdas/shared/time';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, readerOf, sampleBatches, testKey, walkStartOf } from '../support/archive-builder';
import { NOW } from '../support/judge';
import { keyOf, listed, shortened } from '../support/tampering';

/** The findings where each object has this lock, counted in days from the end of run 1, and its manifest promises 400 days. */
async function found(mode: ObjectLock['mode'], days: number, exceptions: ReadonlyMap<string, undefined> = new Map()) {
  const retention = { mode: 'COMPLIANCE', days: 400, expireAfterDays: null } as const;
  const batches = sampleBatches
    .slice(0, 1)
    .map((batch) => ({ ...batch, amend: (drawn: object) => ({ ...drawn, retention }) as never }));
  const reader = readerOf(await buildArchive({ batches }));
  const lock = { mode, until: addMs(walkStartOf(1), days * DAY_MS) };
  const lockOf = (key: string) => (exceptions.has(key) ? undefined : lock);
  return shortened((await verify({ ...reader, lockOf }, { publicKey: testKey, now: NOW })).findings).sort();
}

test.each<[ObjectLock['mode'], number, string]>([
  ['COMPLIANCE', 401, ''],
  // The clocks of S3 and of the run differ.
  ['COMPLIANCE', 399.5, ''],
  ['COMPLIANCE', 398, 'lock-weaker B1 E1a E1b M1'],
  ['GOVERNANCE', 500, 'lock-weaker B1 E1a E1b M1'],
])('where every object is locked in mode %s for %s days, the findings are "%s"', async (mode, days, findings) => {
  expect(await found(mode, days)).toEqual(listed(findings));
});

test.each(['M1', 'B1', 'E1a'])('%s is named where it has no lock', async (name) => {
  expect(await found('COMPLIANCE', 400, new Map([[keyOf(name), undefined]]))).toEqual([`lock-missing ${name}`]);
});
