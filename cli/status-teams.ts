/**
 * Reads what the state of each team is computed from: the newest manifests and the newest anchor. An object that cannot be what
 * it should be is told, and never skipped.
 */
import type { KeyObject } from 'node:crypto';
import { type Anchor, anchorPrefix, seqOfAnchorKey } from '../lambdas/shared/anchor';
import { sha256 } from '../lambdas/shared/manifest';
import { manifestKey } from '../lambdas/shared/object-keys';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import { payloadOf, readManifests, teamOf } from './sql-copy';
import { type TeamStatus, teamStatus } from './status-team';
import { readAnchors } from './verify-inputs';

/** More than a week at a schedule of every five minutes. */
const NEWEST = 2100;

interface TeamsOptions {
  readonly publicKey: KeyObject | undefined;
  readonly now: Date;
  readonly isCopy: boolean;
  /** Teams that should be there, also where they have no manifest, each with the time that it may be silent. */
  readonly expected: ReadonlyMap<string, number>;
  /** The same for every other team; `undefined` leaves them out, because they were removed on purpose. */
  readonly silentMs: number | undefined;
}

export async function readTeams(reader: ArchiveReader, options: TeamsOptions): Promise<TeamStatus[]> {
  const broken: string[] = [];
  const { publicKey, now, isCopy, expected, silentMs } = options;
  const onAltered = (key: string) => void broken.push(key);
  const read = await readManifests(reader, { publicKey, now, onAltered, newest: NEWEST });
  broken.push(...read.absent.map(({ key }) => key));
  const there = new Set([...read.manifests.map(({ team }) => team), ...broken.map(teamOf)]);
  const teams = silentMs === undefined ? [...expected.keys()] : [...new Set([...expected.keys(), ...there])];
  return Promise.all(
    teams.toSorted().map(async (team) => {
      const anchor = await lastAnchor(reader, team, onAltered);
      return teamStatus({
        team,
        manifests: read.manifests.filter((each) => each.team === team).map(({ manifest }) => manifest),
        verification: anchor && { anchor, isInChain: await isInChain(reader, anchor) },
        broken: broken.filter((key) => teamOf(key) === team),
        now,
        silentMs: expected.get(team) ?? silentMs ?? 0,
        isCopy,
      });
    }),
  );
}

/** A team whose chain stands still has several anchors of one number. A key that names no number is read, and so reported, too. */
async function lastAnchor(reader: ArchiveReader, team: string, onAltered: (key: string) => void) {
  const keys = await reader.list(anchorPrefix(team));
  const highest = keys.reduce((most, key) => Math.max(most, seqOfAnchorKey(team, key) ?? 0), 0);
  const newest = keys.filter((key) => (seqOfAnchorKey(team, key) ?? highest) === highest);
  return (await readAnchors(reader, newest, onAltered)).at(-1);
}

async function isInChain(reader: ArchiveReader, { team, seq, sha256: verified }: Anchor): Promise<boolean> {
  const envelope = await reader.get(manifestKey(team, seq));
  return envelope !== undefined && sha256(payloadOf(envelope)) === verified;
}
