/** Each claim of the verifier is needed: without it, an archive that somebody has tampered with would be good. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FINDINGS } from '../../lambdas/verifier/findings';
import { verify } from '../../lambdas/verifier/verify';
import { loadPatched, patternOf } from '../support/patched-program';
import { listed } from '../support/tampering';
import { foundBy, type TamperCase, tamperCases } from './cases';
import { claims } from './claims';

const LAMBDAS = join(import.meta.dirname, '../../lambdas');

function shownBy(name: string): TamperCase {
  const found = tamperCases.find((known) => known.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  return found;
}

test.each(claims)('without the claim that $name, "$shownBy" would be good', async (claim) => {
  const { tamper } = shownBy(claim.shownBy);
  const patched = await loadPatched<{ verify: typeof verify }>(join(LAMBDAS, 'verifier/verify.ts'), [claim]);
  const whole = await foundBy(verify, await tamper());
  const left = await foundBy(patched.verify, await tamper());
  // A notice beside a finding, or in its place, does not make the archive bad.
  const isGrave = whole.some(({ severity }) => severity === 'finding');
  const counted = (findings: typeof whole) => findings.filter(({ severity }) => severity === 'finding' || !isGrave);
  expect(counted(whole)).not.toEqual([]);
  expect(counted(left)).toEqual([]);
});

test('every kind of finding has a claim', () => {
  const codes = claims.flatMap((claim) => listed(shownBy(claim.shownBy).findings)).map((words) => words.split(' ')[0]);
  expect(Object.keys(FINDINGS).filter((code) => !codes.includes(code))).toEqual([]);
});

// What is verified day by day, and what is made of it, has tests of its own.
const files = readdirSync(join(LAMBDAS, 'verifier')).filter((name) => !/^(daily|handler|team)/.test(name));

test.each(files)('every place in %s that reports a finding is deleted with a claim', (name) => {
  const file = `verifier/${name}`;
  const source = readFileSync(join(LAMBDAS, file), 'utf8');
  const own = claims.filter((claim) => claim.file === file);
  const rest = own.reduce((text, { from }) => text.replace(patternOf(from), ''), source);
  expect(rest.match(/addFinding\(|yield (?:\[|['`])|code: '/g)).toBeNull();
});
