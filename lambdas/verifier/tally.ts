/** The tally adds up the facts of one team's manifests while they are read. The summary of a team is made from it. */
import type { Gap, TimeRange } from '../shared/manifest';
import type { Link } from './chain';
import { addCounts, type ChainCounts, countsOf, NO_COUNTS } from './chain-counts';
import type { ContentTally } from './content';
import type { AddFinding } from './findings';
import type { TeamFolder } from './inventory';

/** A head that was saved outside the archive. With it the verifier notices that newer manifests were removed. */
export interface SavedHead {
  readonly team: string;
  readonly seq: number;
  /** SHA-256 of the manifest's payload bytes. */
  readonly sha256: string;
}

export interface TeamSummary {
  readonly team: string;
  readonly manifests: number;
  /** Lines that were read, whatever the manifests claim. */
  readonly events: number;
  readonly quarantined: number;
  /** From the chain's start up to its position. */
  readonly period: TimeRange | null;
  readonly gaps: readonly Gap[];
  /** The counts that the manifests state. */
  readonly counts: ChainCounts;
  /** Missing objects that may have expired, and the number of lines that their manifests state. */
  readonly expired: { readonly objects: number; readonly lines: number };
  readonly head: (SavedHead & { readonly finished: string }) | null;
  readonly codeVersions: readonly string[];
  /** Batch objects that crashed runs staged and never committed. They are harmless. */
  readonly abandonedBatches: number;
}

/** The facts that the manifests of a team have shown so far. */
export interface TeamTally extends ContentTally {
  readonly seqs: Set<number>;
  readonly codeVersions: Set<string>;
  readonly gaps: Gap[];
  counts: ChainCounts;
  first: Link | undefined;
  last: Link | undefined;
}

export function emptyTally(): TeamTally {
  const content = { events: 0, quarantine: 0, expired: { objects: 0, lines: 0 }, firstExpired: undefined };
  const chain = { seqs: new Set<number>(), codeVersions: new Set<string>(), gaps: [], counts: NO_COUNTS };
  return { ...content, ...chain, first: undefined, last: undefined };
}

export function addLink(link: Link, tally: TeamTally): void {
  tally.seqs.add(link.manifest.seq);
  tally.codeVersions.add(link.manifest.run.codeVersion);
  for (const gap of link.manifest.gaps) tally.gaps.push(gap); // A forged million of gaps would overflow the stack of `push(...)`.
  tally.counts = addCounts(tally.counts, countsOf(link.manifest));
  tally.first ??= link;
  tally.last = link;
}

/** Adds one notice for all expired objects, because after some years they are most of the archive. */
export function reportExpired({ expired, firstExpired }: TeamTally, addFinding: AddFinding): void {
  const others = expired.objects - 1;
  if (firstExpired !== undefined) addFinding('expired', firstExpired, others > 0 ? `and ${others} more` : '');
}

export function summaryOf({ team, staged }: TeamFolder, { first, last, ...tally }: TeamTally): TeamSummary {
  return {
    team,
    manifests: tally.seqs.size,
    events: tally.events,
    quarantined: tally.quarantine,
    period: first && last ? { from: first.manifest.start, to: last.manifest.position } : null,
    gaps: tally.gaps,
    counts: tally.counts,
    expired: tally.expired,
    head: last ? { team, seq: last.seq, sha256: last.sha256, finished: last.manifest.run.finished } : null,
    codeVersions: [...tally.codeVersions],
    abandonedBatches: staged.size,
  };
}
