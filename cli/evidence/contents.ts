/** The contents of an evidence package, as its report tells them. */
import type { KeyObject } from 'node:crypto';
import type { Query, Values } from '../../infra/queries/queries';
import type { Anchor } from '../../lambdas/shared/anchor';
import type { TeamSummary } from '../../lambdas/verifier/tally';
import type { Verification } from '../../lambdas/verifier/verify';
import type { Facts, Period } from './facts';

export interface Answer {
  readonly query: Query;
  readonly parameters: Values;
  /** All parameters that the company gave. The others have their defaults. */
  readonly stated: Values;
  /** The file is a path within the package. */
  readonly outcome: { readonly rows: number; readonly file: string } | { readonly needs: readonly string[] };
}

/** The report is written from these alone. */
export interface Contents extends Period {
  readonly team: string;
  readonly made: string;
  readonly source: string;
  readonly version: string;
  readonly publicKey: KeyObject;
  readonly clean: boolean;
  readonly verification: Verification;
  readonly summary: TeamSummary;
  readonly anchors: readonly Anchor[];
  readonly facts: Facts;
  readonly answers: readonly Answer[];
  /** Objects that contradict the manifests. No answer holds their lines. */
  readonly leftOut: number;
  readonly verifierSha256: string;
  /** Only a bucket shows locks. */
  readonly hasLocks: boolean;
}

/** A finished package. */
export interface MadePackage extends Contents {
  /** The SHA-256 of `evidence.json`, which holds the hashes of everything else. */
  readonly packageSha256: string;
}
