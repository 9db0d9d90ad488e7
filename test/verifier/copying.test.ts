/** Copies of a good archive that were made while runs committed, in the order in which a tool lists the bucket. */
import { dirname } from 'node:path';
import { mayComeFromCopying } from '../../lambdas/verifier/copying';
import type { FindingCode } from '../../lambdas/verifier/findings';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, type Objects, readerOf, sampleBatches, testKey } from '../support/archive-builder';
import { NOW } from '../support/judge';
import { keyOf } from '../support/tampering';

const batches = sampleBatches.filter(({ events }) => events !== undefined);

test('a copy during which two runs committed is good or says that it was copied too early, and the second pass is good', async () => {
  const archive = await buildArchive({ batches });
  const places = foldersOf(archive).length;
  let tooEarly = 0;
  for (let first = 0; first <= places; first += 1) {
    for (let second = first; second <= places; second += 1) {
      const copy = copied(archive, (place) => 1 + Number(place >= first) + Number(place >= second));
      const { findings, mayComeFromCopying } = await verifying(copy);
      if (mayComeFromCopying) tooEarly += 1;
      else expect({ first, second, findings }).toEqual({ first, second, findings: [] });
    }
  }
  expect(tooEarly).toBeGreaterThan(10);
  expect((await verifying(archive)).findings).toEqual([]);
});

test.each<readonly [FindingCode, string, boolean]>([
  ['segment-missing', 'E4b', true],
  ['batch-missing', 'B4', true],
  ['object-unlisted', 'E5b', true],
  ['chain-truncated', 'B5', true],
  ['object-unlisted', 'E4b', false],
  ['chain-truncated', 'M5', false],
  ['segment-differs', 'E4b', false],
  ['manifest-missing', 'M3', false],
  ['archive-empty', 'manifests/', false],
])('whether copying explains %s of %s where the head is manifest 4: %s', (code, name, expected) => {
  const finding = { code, severity: 'finding', team: 'main', object: keyOf(name), detail: '' } as const;
  expect(mayComeFromCopying([finding], [{ team: 'main', head: { seq: 4 } }])).toBe(expected);
  expect(mayComeFromCopying([finding], [{ team: 'main', head: { seq: 100 } }])).toBe(false);
});

/** What a copy has if the chain was as long as `headAt` says when the tool listed each folder, in the order of their names. */
function copied(archive: Objects, headAt: (place: number) => number): Objects {
  const folders = foldersOf(archive);
  const seqOf = (key: string) => Number(/\/(\d{10})[-.]/.exec(key)?.[1]);
  return new Map([...archive].filter(([key]) => seqOf(key) <= headAt(folders.indexOf(dirname(key)))));
}

function foldersOf(objects: Objects): readonly string[] {
  return [...new Set([...objects.keys()].map(dirname))].sort();
}

function verifying(objects: Objects) {
  return verify(readerOf(objects), { publicKey: testKey, now: NOW });
}
