/**
 * The claims about one manifest and the one before it. A manifest is signed with the pinned key, lies at its own key, names
 * the hash of the manifest before it, never goes back in time, and never leaves time out. The verifier also follows a
 * manifest whose signature is bad, so that one damaged object does not hide other damage. Its finding remains.
 */
import type { KeyObject } from 'node:crypto';
import { EARLIEST_INSTANT } from '../shared/event';
import { latestOf, type Manifest } from '../shared/manifest';
import { manifestKey } from '../shared/object-keys';
import { openManifest } from '../shared/open-manifest';
import { DAY_MS } from '../shared/time';
import type { AddFinding } from './findings';
import { type ArchiveReader, readObject, type TeamFolder } from './inventory';

/** How much earlier the clock of one run may be than that of another: the archiver handles clocks that are two days wrong. */
const CLOCKS_APART_MS = 4 * DAY_MS;
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** One manifest of the chain. */
export interface Link {
  readonly key: string;
  /** The number in the key. */
  readonly seq: number;
  readonly sha256: string;
  readonly manifest: Manifest;
  /** Whether the pinned key has signed it. */
  readonly isSigned: boolean;
  /** Epoch milliseconds. All time before this instant was read or is recorded as a gap. */
  readonly reach: number;
  /** Epoch milliseconds. The latest walk start of the signed manifests so far. */
  readonly begun: number;
}

export interface LinkContext {
  readonly reader: ArchiveReader;
  readonly publicKey: KeyObject;
  readonly folder: TeamFolder;
  readonly addFinding: AddFinding;
}

const PROBLEMS = {
  'not-an-envelope': 'manifest-unreadable',
  'no-manifest': 'manifest-unreadable',
  'newer-format': 'format-newer',
  'other-key': 'signature-other-key',
  'bad-signature': 'signature-invalid',
} as const;

/** Returns undefined where the object cannot be read as a manifest, and adds the finding that says why. */
export async function openLink(
  seq: number,
  previous: Link | undefined,
  { reader, publicKey, folder, addFinding }: LinkContext,
): Promise<Link | undefined> {
  const key = manifestKey(folder.team, seq);
  const bytes = await readObject(reader, key, MAX_MANIFEST_BYTES);
  if (!Buffer.isBuffer(bytes)) {
    addFinding(bytes === 'missing' ? 'manifest-missing' : bytes, key);
    return undefined;
  }
  const { manifest, sha256, problem, detail } = openManifest(bytes, publicKey);
  if (problem !== undefined) addFinding(PROBLEMS[problem], key, detail);
  if (manifest === undefined) return undefined;
  const isSigned = problem === undefined;
  const before = previous?.begun ?? EARLIEST_INSTANT.getTime();
  const begun = isSigned ? Math.max(before, Date.parse(manifest.run.walkStart)) : before;
  return { key, seq, manifest, isSigned, sha256, reach: reachOf(manifest, previous), begun };
}

export function isInItsPlace({ key, seq, manifest }: Link, { folder, addFinding }: LinkContext): void {
  if (manifest.team === folder.team && manifest.seq === seq) return;
  addFinding('manifest-misplaced', key, `the payload names team ${manifest.team}, seq ${manifest.seq}`);
}

export function followsThePrevious(
  { key, seq, manifest }: Link,
  previous: Link | undefined,
  addFinding: AddFinding,
): void {
  if (!isPrecededBy(previous, seq)) return;
  if (manifest.previous !== (previous?.sha256 ?? null)) addFinding('chain-broken', key);
}

export function neverGoesBack({ key, manifest }: Link, previous: Link | undefined, addFinding: AddFinding): void {
  const least = Date.parse(previous?.manifest.position ?? manifest.window.from);
  const position = Date.parse(manifest.position);
  const isBack = previous !== undefined && position < least;
  if (isBack || position > Math.max(least, Date.parse(manifest.run.walkStart))) addFinding('position-wrong', key);
}

/**
 * Returns false where the run states that it finished before it began, before an earlier run began, or before its own events.
 * Otherwise a person who has such a manifest signed could make young objects look expired. `scheduledTime` proves nothing,
 * because whoever starts a run may choose it.
 */
export function finishesAfterItBegan({ key, manifest, begun }: Link, addFinding: AddFinding): boolean {
  const { run, segments } = manifest;
  // An event may be dated one day ahead.
  const eventsBegan = segments.reduce((latest, { last }) => Math.max(latest, Date.parse(last) - DAY_MS), begun);
  if (Date.parse(run.finished) >= eventsBegan - CLOCKS_APART_MS) return true;
  addFinding('times-wrong', key, `finished ${run.finished}, began ${new Date(eventsBegan).toISOString()} or later`);
  return false;
}

/** Each segment's own instants are compared with its lines in `content.ts`. */
export function carriesTheLatest(
  { key, seq, manifest }: Link,
  previous: Link | undefined,
  addFinding: AddFinding,
): void {
  if (!isPrecededBy(previous, seq)) return;
  if (manifest.latest !== latestOf(previous?.manifest.latest ?? null, manifest.segments))
    addFinding('latest-wrong', key);
}

export function leavesNoTimeOut({ key, manifest }: Link, previous: Link | undefined, addFinding: AddFinding): void {
  const { window, gaps } = manifest;
  // After a run whose clock was ahead, the position lies in the future: the windows of the next runs begin there, after
  // their own walk start.
  const latest = Math.max(Date.parse(window.to), Date.parse(previous?.manifest.position ?? window.to));
  const isReversed = Date.parse(window.from) > latest || gaps.some(({ from, to }) => from >= to);
  if (isReversed) addFinding('range-reversed', key);
  if (manifest.start !== (previous?.manifest ?? manifest).start) addFinding('start-moved', key, manifest.start);
  if (previous !== undefined && Date.parse(window.from) > gapsReach(manifest, previous.reach))
    addFinding('window-hole', key);
}

/** A manifest after a missing or unreadable one cannot be compared. The missing one has a finding already. */
function isPrecededBy(previous: Link | undefined, seq: number): boolean {
  return seq === 1 || previous?.seq === seq - 1;
}

function reachOf(manifest: Manifest, previous: Link | undefined): number {
  const from = previous?.reach ?? Date.parse(manifest.window.from);
  return Math.max(gapsReach(manifest, from), Date.parse(manifest.position));
}

/** Extends `reach` by the gaps that begin at or before it. A gap that begins later leaves unrecorded time before it. */
function gapsReach({ gaps }: Manifest, reach: number): number {
  let end = reach;
  for (const gap of gaps) if (Date.parse(gap.from) <= end) end = Math.max(end, Date.parse(gap.to));
  return end;
}
