/**
 * The verifier: what an archive claims, claim by claim, against what is stored and a pinned public key. It returns all
 * findings and never stops at the first. A clean result means that nothing is missing, added or changed up to the head;
 * that the head is the newest there ever was shows only against a head that was saved elsewhere.
 *
 * Every byte read is the adversary's: nothing here throws but what the reader throws.
 *
 * Memory: all keys, 22 to 43 bytes for each event of the largest team (see `ids.ts`), one batch and one segment.
 */
import type { KeyObject } from 'node:crypto';
import { type Gap, mayHaveExpired, type TimeRange } from '../shared/manifest';
import { manifestKey, manifestPrefix } from '../shared/object-keys';
import {
  carriesTheLatest,
  followsThePrevious,
  isInItsPlace,
  type Link,
  leavesNoTimeOut,
  neverGoesBack,
  openLink,
} from './chain';
import { type ContentTally, verifyContent } from './content';
import { type AddFinding, type Finding, findingCollector } from './findings';
import { createIdIndex } from './ids';
import { type ArchiveReader, emptyFolder, type TeamFolder, takeInventory } from './inventory';

/** What to save outside the archive: with it the verifier notices that the chain's end was cut off. */
export interface SavedHead {
  readonly team: string;
  readonly seq: number;
  /** SHA-256 of the manifest's payload bytes. */
  readonly sha256: string;
}

export interface VerifyOptions {
  readonly publicKey: KeyObject;
  /** What has expired is judged by it. */
  readonly now: Date;
  readonly heads?: readonly SavedHead[];
}

export interface Verification {
  readonly findings: readonly Finding[];
  readonly teams: readonly TeamSummary[];
  readonly objects: number;
}

export interface TeamSummary {
  readonly team: string;
  readonly manifests: number;
  /** Lines found, not lines claimed. */
  readonly events: number;
  readonly quarantined: number;
  /** From the chain's start up to its position. */
  readonly period: TimeRange | null;
  readonly gaps: readonly Gap[];
  /** What is gone, as its signed manifests say that it may be; the lines are theirs. */
  readonly expired: { readonly objects: number; readonly lines: number };
  readonly head: (SavedHead & { readonly finished: string }) | null;
  readonly codeVersions: readonly string[];
  /** Batch objects that crashed runs staged and never committed: harmless, and in no manifest. */
  readonly abandonedBatches: number;
}

interface TeamContext {
  readonly reader: ArchiveReader;
  readonly publicKey: KeyObject;
  readonly now: Date;
  readonly folder: TeamFolder;
  readonly saved: readonly SavedHead[];
  readonly addFinding: AddFinding;
}

export async function verify(reader: ArchiveReader, options: VerifyOptions): Promise<Verification> {
  const { publicKey, now, heads = [] } = options;
  const findings: Finding[] = [];
  const addFinding = findingCollector(findings, null);
  const { teams, objects } = await takeInventory(reader, addFinding);
  if (teams.every(({ seqs }) => seqs.length === 0))
    addFinding('archive-empty', 'manifests/', 'is this where the archive begins?');

  const vanished = new Set(heads.map(({ team }) => team));
  for (const { team } of teams) vanished.delete(team);
  const summaries: TeamSummary[] = [];
  for (const folder of [...teams, ...[...vanished].map(emptyFolder)]) {
    const saved = heads.filter(({ team }) => team === folder.team);
    const team = { folder, saved, addFinding: findingCollector(findings, folder.team) };
    summaries.push(await verifyTeam({ reader, publicKey, now, ...team }));
  }
  return { findings, teams: summaries, objects };
}

async function verifyTeam(context: TeamContext): Promise<TeamSummary> {
  const { folder, addFinding } = context;
  const ids = createIdIndex();
  const tally = createTally(folder);
  const headSeq = folder.seqs.at(-1) ?? 0;
  let before = 0;
  let previous: Link | undefined;

  if (headSeq === 0 && folder.unlisted.size > 0) addFinding('team-without-manifests', manifestPrefix(folder.team));
  for (const seq of folder.seqs) {
    const isNext = noneIsMissing(before, seq, context);
    before = seq;
    const link = await openLink(seq, previous, context);
    if (link === undefined || !isNext) ids.loseSome();
    if (link === undefined) continue;
    isInItsPlace(link, context);
    isTheSavedHead(link, context);
    followsThePrevious(link, previous, addFinding);
    neverGoesBack(link, previous, addFinding);
    leavesNoTimeOut(link, previous, addFinding);
    carriesTheLatest(link, previous, addFinding);
    previous = link;
    // A copy of another manifest: its data is looked at once, and it has none of its own.
    if (link.manifest.team !== folder.team || tally.seqs.has(link.manifest.seq)) continue;
    const circumstances = {
      isHead: seq === headSeq,
      mayHaveExpired: link.isSigned && mayHaveExpired(link.manifest, context.now),
    };
    tally.add(link, await verifyContent(link.manifest, { ...context, ...circumstances, ids, manifestKey: link.key }));
  }
  tally.tellExpired(addFinding);
  nothingWasCutOff(headSeq, context);
  for (const key of folder.unlisted) addFinding('object-unlisted', key);
  return tally.summary();
}

function noneIsMissing(before: number, seq: number, { folder, addFinding }: TeamContext): boolean {
  const missing = seq - before - 1;
  if (missing === 0) return true;
  addFinding(
    'manifest-missing',
    manifestKey(folder.team, before + 1),
    missing > 1 ? `and ${missing - 1} after it` : '',
  );
  return false;
}

function isTheSavedHead(link: Link, { saved, addFinding }: TeamContext): void {
  const isOther = saved.some((head) => head.seq === link.seq && head.sha256 !== link.sha256);
  if (isOther) addFinding('head-differs', link.key);
}

function nothingWasCutOff(headSeq: number, { folder, saved, addFinding }: TeamContext): void {
  for (const { seq } of saved) {
    if (seq > headSeq) addFinding('chain-truncated', manifestKey(folder.team, seq), `the chain ends at ${headSeq}`);
  }
}

/** What the report says of a team, gathered link by link. */
function createTally({ team, staged }: TeamFolder) {
  const seqs = new Set<number>();
  const codeVersions = new Set<string>();
  const gaps: Gap[] = [];
  const lines = { events: 0, quarantine: 0 };
  const expired = { objects: 0, lines: 0 };
  let firstExpired: string | undefined;
  let first: Link | undefined;
  let last: Link | undefined;
  return {
    seqs,
    add(link: Link, found: ContentTally): void {
      seqs.add(link.manifest.seq);
      codeVersions.add(link.manifest.run.codeVersion);
      for (const gap of link.manifest.gaps) gaps.push(gap); // Spread, a forged million of them would end the process.
      lines.events += found.events;
      lines.quarantine += found.quarantine;
      for (const gone of found.expired) {
        firstExpired ??= gone.key;
        expired.objects += 1;
        expired.lines += gone.lines;
      }
      first ??= link;
      last = link;
    },
    /** Once for all: after some years it is most of the archive. */
    tellExpired(addFinding: AddFinding): void {
      const others = expired.objects - 1;
      if (firstExpired !== undefined) addFinding('expired', firstExpired, others > 0 ? `and ${others} more` : '');
    },
    summary: (): TeamSummary => ({
      team,
      manifests: seqs.size,
      events: lines.events,
      quarantined: lines.quarantine,
      period: first && last ? { from: first.manifest.start, to: last.manifest.position } : null,
      gaps,
      expired,
      head: last ? { team, seq: last.seq, sha256: last.sha256, finished: last.manifest.run.finished } : null,
      codeVersions: [...codeVersions],
      abandonedBatches: staged.size,
    }),
  };
}
