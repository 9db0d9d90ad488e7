/**
 * The verifier checks each claim of an archive against the stored objects and a pinned public key. It returns all findings
 * and does not stop at the first. Without a finding, nothing up to the head is missing, added or changed. Only a head that
 * was saved elsewhere can always show that the newest manifests were not removed.
 *
 * An adversary may have written any byte that is read here, so only the reader itself may throw.
 *
 * Memory: all keys, 27 to 54 bytes for each event of the largest team (see `ids.ts`), one batch and one segment.
 */
import type { KeyObject } from 'node:crypto';
import { mayHaveExpired } from '../shared/manifest';
import { manifestKey, manifestPrefix } from '../shared/object-keys';
import {
  carriesTheLatest,
  finishesAfterItBegan,
  followsThePrevious,
  isInItsPlace,
  type Link,
  leavesNoTimeOut,
  neverGoesBack,
  openLink,
} from './chain';
import { verifyContent } from './content';
import { mayComeFromCopying } from './copying';
import { type AddFinding, type Finding, findingCollector, graveOf } from './findings';
import { anchoredHeads, hashesByNumber, isTheSavedHead, nothingWasCutOff, type StatedHashes } from './heads';
import { createIdIndex, type IdIndex } from './ids';
import { type ArchiveReader, emptyFolder, type TeamFolder, takeInventory } from './inventory';
import { isUnderLock } from './lock';
import { coversTeam, firstOf, lastOf, notChecked, type Scope, within } from './scope';
import {
  addLink,
  emptyTally,
  reportExpired,
  type SavedHead,
  summaryOf,
  type TeamSummary,
  type TeamTally,
} from './tally';

export interface VerifyOptions {
  readonly publicKey: KeyObject;
  /** Decides whether a missing object may have expired. */
  readonly now: Date;
  readonly heads?: readonly SavedHead[];
  /** The whole archive, unless a part of it is named. */
  readonly scope?: Scope;
}

export interface Verification {
  readonly findings: readonly Finding[];
  /** In whole sentences, what the scope left out. Empty for the whole archive. */
  readonly notChecked: readonly string[];
  readonly teams: readonly TeamSummary[];
  readonly objects: number;
  /** Whether a copy that was made while runs committed can have all these findings, although the archive is good. */
  readonly mayComeFromCopying: boolean;
}

/** The saved heads are those of the team. */
interface TeamContext extends Required<VerifyOptions> {
  readonly reader: ArchiveReader;
  readonly folder: TeamFolder;
  readonly addFinding: AddFinding;
}

export async function verify(reader: ArchiveReader, options: VerifyOptions): Promise<Verification> {
  const { heads = [], scope = { kind: 'whole' } } = options;
  const findings: Finding[] = [];
  const addFinding = findingCollector(findings, null);
  const { teams, objects } = await takeInventory(reader, addFinding);
  if (teams.every(({ seqs }) => seqs.length === 0))
    addFinding('archive-empty', 'manifests/', 'check that the path or the bucket is that of the archive');

  const vanished = new Set(heads.map(({ team }) => team));
  for (const { team } of teams) vanished.delete(team);
  const summaries: TeamSummary[] = [];
  for (const folder of [...teams, ...[...vanished].map(emptyFolder)]) {
    if (!coversTeam(scope, folder.team)) continue;
    const saved = heads.filter(({ team }) => team === folder.team);
    const ofTeam = { heads: saved, folder, scope, addFinding: findingCollector(findings, folder.team) };
    summaries.push(await verifyTeam({ ...options, ...ofTeam, reader }));
  }
  const grave = graveOf(findings);
  return {
    findings,
    notChecked: notChecked(scope),
    teams: summaries,
    objects,
    mayComeFromCopying: grave.length > 0 && mayComeFromCopying(grave, summaries),
  };
}

async function verifyTeam({ folder: whole, ...team }: TeamContext): Promise<TeamSummary> {
  const { addFinding, scope } = team;
  const headSeq = whole.seqs.at(-1) ?? 0;
  const folder = within(scope, whole);
  const stated = hashesByNumber([...team.heads, ...(await anchoredHeads({ ...team, folder }))]);
  const context = { ...team, stated, folder, headSeq, ids: createIdIndex(), tally: emptyTally() };
  if (scope.kind !== 'whole') context.ids.loseSome();

  if (headSeq === 0 && folder.unlisted.size + folder.staged.size > 0)
    addFinding('team-without-manifests', manifestPrefix(folder.team));
  let previous = await trustedLink(context);
  let before = firstOf(scope) - 1;
  for (const seq of folder.seqs) {
    const isNext = noneIsMissing(before, seq, context);
    before = seq;
    const link = await openLink(seq, previous, context);
    if (link === undefined || !isNext) context.ids.loseSome();
    if (link === undefined) continue;
    await verifyLink(link, previous, context);
    previous = link;
  }
  noneIsMissing(before, lastOf(scope, headSeq) + 1, context);
  reportExpired(context.tally, addFinding);
  nothingWasCutOff(context);
  for (const key of folder.unlisted) addFinding('object-unlisted', key);
  return summaryOf(folder, context.tally);
}

interface ChainContext extends TeamContext {
  readonly headSeq: number;
  readonly stated: StatedHashes;
  readonly ids: IdIndex;
  readonly tally: TeamTally;
}

async function verifyLink(link: Link, previous: Link | undefined, context: ChainContext): Promise<void> {
  const { addFinding, folder, headSeq, tally } = context;
  isInItsPlace(link, context);
  isTheSavedHead(link, context);
  isUnderLock(link.key, link.manifest, context);
  followsThePrevious(link, previous, addFinding);
  neverGoesBack(link, previous, addFinding);
  leavesNoTimeOut(link, previous, addFinding);
  carriesTheLatest(link, previous, addFinding);
  const isTimely = finishesAfterItBegan(link, addFinding);
  const { key, manifest } = link;
  // This manifest is a copy of another one, whose data is checked at its own place.
  if (manifest.team !== folder.team || tally.seqs.has(manifest.seq)) return;
  addLink(link, tally);
  const circumstances = {
    isHead: link.seq === headSeq,
    mayHaveExpired: link.isSigned && isTimely && mayHaveExpired(manifest, context.now),
  };
  await verifyContent({ ...context, ...circumstances, manifest, manifestKey: key });
}

/** The manifest before a range. It must be the one that the caller trusts. */
async function trustedLink(context: TeamContext): Promise<Link | undefined> {
  const { scope, addFinding } = context;
  if (scope.kind !== 'range' || scope.after === null) return undefined;
  const link = await openLink(scope.after.seq, undefined, context);
  if (link && link.sha256 !== (scope.after.sha256 ?? link.sha256)) addFinding('head-differs', link.key);
  return link;
}

function noneIsMissing(before: number, seq: number, { folder, addFinding }: TeamContext): boolean {
  const missing = seq - before - 1;
  // The chain may end before the manifest that an anchor names.
  if (missing <= 0) return true;
  addFinding(
    'manifest-missing',
    manifestKey(folder.team, before + 1),
    missing > 1 ? `and ${missing - 1} after it` : '',
  );
  return false;
}
