/**
 * One team in one invocation of the verifier: its newest anchor, its verification, and the anchor that it leaves. A team whose
 * verification fails does not keep the others from being verified.
 */
import { type Anchor, anchorPrefix, encodeAnchor, roundDays } from '../shared/anchor';
import type { VerifiedTeam } from '../shared/contract';
import { Failure } from '../shared/errors';
import { manifestPrefix, teamPrefixes } from '../shared/object-keys';
import type { ObjectStore, VersionedFolders } from '../shared/ports';
import { HOUR_MS } from '../shared/time';
import { verifyDaily } from './daily';
import type { DailyOptions } from './daily-steps';
import { type Finding, graveOf } from './findings';
import { readAnchor } from './heads';

/** A day, and an hour for an invocation that begins late. */
const LONGEST_TURN_HOURS = 25;

export interface TeamWorld {
  /** Lists these folders with their versions. */
  open(prefixes: readonly string[]): Promise<VersionedFolders>;
  readonly create: ObjectStore['create'];
}

/** A team and its newest anchor, which is all that the verifier remembers. */
export interface Remembered {
  readonly team: string;
  /** Undefined where there is no anchor, or where the newest one cannot be read. */
  readonly anchor: Anchor | undefined;
  /** The key of the newest anchor where it cannot be read. */
  readonly unreadable: string | undefined;
}

export interface Verified {
  readonly summary: VerifiedTeam;
  /** Whether the team has an anchor of this day, or waits for its turn only. */
  readonly isCurrent: boolean;
  readonly findings: readonly Finding[];
  /** When the newest manifest was written. */
  readonly lastRun: Date | undefined;
  /** Hidden keys and keys with several versions, where they have become more since the last anchor. */
  readonly newVersions?: VersionedFolders['versions'];
}

export async function remember(team: string, { open }: TeamWorld): Promise<Remembered> {
  return newestAnchor(team, await open([anchorPrefix(team)]));
}

/** The newest anchor in the folder, or the newest one that was written before an instant. */
export async function newestAnchor(team: string, folder: VersionedFolders, before?: Date): Promise<Remembered> {
  const writtenAt = (key: string) => folder.writtenAt(key).getTime();
  const known = (await folder.list('')).filter((key) => before === undefined || folder.writtenAt(key) < before);
  const [newest] = known.toSorted((a, b) => writtenAt(b) - writtenAt(a));
  if (newest === undefined) return { team, anchor: undefined, unreadable: undefined };
  const anchor = await readAnchor(folder, newest);
  return { team, anchor, unreadable: anchor === undefined ? newest : undefined };
}

/** Where one invocation does not suffice for all teams, the others are the first ones of the next one. */
export function leaveForTheNextRun({ team, anchor }: Remembered, now: Date): Verified {
  const isCurrent = anchor !== undefined && hoursBetween(new Date(anchor.verifiedAt), now) <= LONGEST_TURN_HOURS;
  return { summary: { team, outcome: 'behind' }, isCurrent, findings: [], lastRun: undefined };
}

type Circumstances = Pick<DailyOptions, 'publicKey' | 'now' | 'hasTime'> & TeamWorld;

export async function verifyTeam(remembered: Remembered, circumstances: Circumstances): Promise<Verified> {
  const { team, anchor } = remembered;
  const { open, create } = circumstances;
  let lastRun: Date | undefined;
  const notNow = () => ({ isCurrent: false, lastRun });
  try {
    const reader = await open(teamPrefixes(team));
    const newest = (await reader.list(manifestPrefix(team))).at(-1);
    if (newest !== undefined) lastRun = reader.writtenAt(newest);
    const daily = await verifyDaily({ ...circumstances, reader, team, anchor });
    const findings = [...unreadableOf(remembered), ...daily.findings];
    const grave = graveOf(findings).length;
    if (grave > 0) return { summary: { team, outcome: 'findings', findings: grave }, findings, ...notNow() };
    if (daily.anchor === undefined) return { summary: { team, outcome: 'behind' }, findings, ...notNow() };
    const { hidden, several } = reader.versions;
    const versions = { hidden: hidden.length, several: several.length };
    const { key, body } = encodeAnchor({ ...daily.anchor, versions });
    await create(key, body, 'application/json');
    const outcome = daily.isComplete ? 'good' : 'behind';
    const summary: VerifiedTeam = { team, outcome, seq: daily.anchor.seq, roundDays: roundDays(daily.anchor) };
    const before = anchor?.versions ?? { hidden: 0, several: 0 };
    const isMore = versions.hidden > before.hidden || versions.several > before.several;
    const newVersions = isMore ? { newVersions: reader.versions } : {};
    return { summary, isCurrent: true, findings, lastRun, ...newVersions };
  } catch (error) {
    return { summary: { team, outcome: 'failed', detail: detailOf(error) }, findings: [], ...notNow() };
  }
}

function unreadableOf({ team, unreadable: object }: Remembered): readonly Finding[] {
  if (object === undefined) return [];
  return [{ code: 'anchor-unreadable', severity: 'finding', team, object, detail: '' }];
}

/** The message of an unexpected error may quote an object. */
export function detailOf(error: unknown): string {
  return error instanceof Failure ? `${error.code}: ${error.message}` : 'an unexpected error';
}

export function hoursBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / HOUR_MS;
}
