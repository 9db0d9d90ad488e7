/**
 * Every tampering that the verifier must find, as data. `tampering.test.ts` plays each case, and `claims.test.ts` shows that each
 * claim of the verifier is needed for one of them. A case lists all findings and notices: none may be missing, and none may be
 * added.
 */
import type { ObjectLock } from '../../lambdas/shared/ports';
import type { Finding } from '../../lambdas/verifier/findings';
import type { VerifyOptions, verify } from '../../lambdas/verifier/verify';
import { type Objects, readerOf, testKey } from '../support/archive-builder';
import { NOW } from '../support/judge';
import { expiryCases } from './cases-expiry';
import { givenCases } from './cases-given';
import { insiderCases } from './cases-insider';
import { outsiderCases } from './cases-outsider';

export interface TamperCase {
  readonly name: string;
  /** In the words of `tampering.ts`. Empty for a change that is no tampering. */
  readonly findings: string;
  readonly tamper: () => Promise<Tampered>;
}

/** What the verifier is given. */
export interface Tampered extends Partial<Pick<VerifyOptions, 'heads' | 'now' | 'scope'>> {
  readonly objects: Objects;
  /** The lock of each object, if the bucket itself is verified. */
  readonly lockOf?: (key: string) => ObjectLock | undefined;
}

/** What a verifier finds, which may be one that lacks a claim. */
export async function foundBy(
  verifier: typeof verify,
  { objects, lockOf, ...options }: Tampered,
): Promise<readonly Finding[]> {
  const reader = { ...readerOf(objects), ...(lockOf && { lockOf }) };
  return (await verifier(reader, { publicKey: testKey, now: NOW, ...options })).findings;
}

export const tamperCases: readonly TamperCase[] = [...outsiderCases, ...insiderCases, ...expiryCases, ...givenCases];
