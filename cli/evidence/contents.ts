/** An evidence package: the request for it, the questions that it answers, and its contents as the report tells them. */
import type { KeyObject } from 'node:crypto';
import type { Query, Values } from '../../infra/queries/queries';
import type { Anchor } from '../../lambdas/shared/anchor';
import type { TimeRange } from '../../lambdas/shared/manifest';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import type { SavedHead, TeamSummary } from '../../lambdas/verifier/tally';
import type { Verification } from '../../lambdas/verifier/verify';
import type { Facts, Period } from './facts';

export interface Question {
  readonly query: Query;
  readonly parameters: Values;
  /** The parameters that the company gave, also those of other queries. The others have their defaults. */
  readonly stated: Values;
  /** The SQL; undefined where a parameter is not given. */
  readonly statement: string | undefined;
  /** The parameters that are not given, each with an example. */
  readonly needs: readonly string[];
}

export interface Questions {
  readonly questions: readonly Question[];
  /** The first date that some query reads. */
  readonly historyFrom: string;
}

export interface Answer extends Question {
  /** A path within the package. */
  readonly file: string;
  /** Undefined where the question was not asked. */
  readonly rows: number | undefined;
}

interface Subject extends Period {
  readonly team: string;
  /** The name of the archive in a sentence, such as "a copy of the bucket". */
  readonly source: string;
  readonly publicKey: KeyObject;
}

export interface EvidenceRequest extends Subject {
  readonly reader: ArchiveReader;
  /** The folder of the package, which must be new or empty. */
  readonly out: string;
  /** The saved heads of the team. */
  readonly heads: readonly SavedHead[];
  readonly questions: Questions;
  readonly now: Date;
  /** The function is told the next step of the work, for example to show it. */
  readonly onStep: (text: string) => void;
}

/** The report is written from these alone. */
export interface Contents extends Subject {
  readonly made: string;
  readonly version: string;
  readonly clean: boolean;
  readonly verification: Verification;
  readonly summary: TeamSummary;
  /** The newest manifest of the chain. */
  readonly head: SavedHead & { readonly finished: string };
  /** From the chain's start up to its position. */
  readonly period: TimeRange;
  readonly anchors: readonly Anchor[];
  readonly facts: Facts;
  readonly answers: readonly Answer[];
  /** Objects that contradict the manifests. No answer holds their lines. */
  readonly leftOut: number;
  readonly verifierSha256: string;
  /** Only a bucket shows locks. */
  readonly hasLocks: boolean;
}
