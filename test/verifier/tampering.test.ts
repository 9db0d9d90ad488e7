/** Plays the cases of tampering, and shows that an archive that nobody has touched is good. */

import { batchKey } from '../../lambdas/shared/object-keys';
import { FINDINGS } from '../../lambdas/verifier/findings';
import { verify } from '../../lambdas/verifier/verify';
import { ATTEMPT, twoTeams } from '../support/archive-builder';
import { judge } from '../support/judge';
import { keyOf, listed, payloadHash, shortened } from '../support/tampering';
import { foundBy, tamperCases } from './cases';

test.each(tamperCases)('after "$name" the verifier reports "$findings"', async ({ findings, tamper }) => {
  const tampered = await tamper();
  const { objects, heads, now, scope, lockOf } = tampered;
  if (scope !== undefined || lockOf !== undefined) {
    expect(shortened(await foundBy(verify, tampered)).sort()).toEqual(listed(findings).sort());
    return;
  }
  const judgement = await judge(objects, heads, now);
  expect(shortened(judgement.findings).sort()).toEqual(listed(findings).sort());
  const isGrave = judgement.findings.some(({ severity }) => severity === 'finding');
  expect(judgement.exitCode).toBe(isGrave ? 1 : 0);
});

test('the cases have different names, and at least 80 of them are found', () => {
  const found = tamperCases.filter(({ findings }) => findings !== '');
  expect(new Set(tamperCases.map(({ name }) => name)).size).toBe(tamperCases.length);
  expect(found.length).toBeGreaterThanOrEqual(80);
});

test('every kind of finding is reported after some case of tampering', () => {
  const reported = tamperCases.flatMap(({ findings }) => listed(findings)).map((words) => words.split(' ')[0]);
  expect(Object.keys(FINDINGS).filter((code) => !reported.includes(code))).toEqual([]);
});

test('an untouched archive of two teams is good', async () => {
  const objects = await twoTeams();
  const judgement = await judge(objects);
  expect(judgement).toMatchObject({ exitCode: 0, clean: true, said: [], objects: objects.size });
  expect(judgement.teams).toMatchObject([
    { team: 'main', manifests: 4, events: 7, quarantined: 3, head: { seq: 4, sha256: payloadHash(objects, 'M4') } },
    { team: 'other', manifests: 3, events: 3, quarantined: 0, head: { seq: 3 } },
  ]);
});

test('batch objects that crashed runs have left are counted and are no finding', async () => {
  const objects = await twoTeams();
  const attempt = batchKey('main', 2, ATTEMPT.replace(/0$/, '1'));
  for (const key of [keyOf('B5'), attempt]) objects.set(key, Buffer.from('anything'));
  expect(await judge(objects)).toMatchObject({ exitCode: 0, said: [], teams: [{ abandonedBatches: 2 }, {}] });
});
