/** Reads the inputs of a verification: the pinned public key, heads that were saved outside the archive, and anchors. */
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import type { Anchor } from '../lambdas/shared/anchor';
import { readPublicKey } from '../lambdas/shared/dsse';
import { TEAM_PATTERN } from '../lambdas/shared/object-keys';
import { readAnchor } from '../lambdas/verifier/heads';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import type { SavedHead } from '../lambdas/verifier/tally';
import { similarPath } from './folder';

/** Reads the public key. A private key is refused, because whoever holds it can forge the whole archive. */
export async function readKey(file: string): Promise<KeyObject> {
  const pem = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new Error(`the key ${file} cannot be read (${cause.code})${similarPath(file)}`, { cause });
  });
  if (pem.includes('PRIVATE KEY-----'))
    throw new Error(
      `${file} contains a private key: give --key the public key. Whoever can read the private key can forge the archive, so it must not lie beside the verifier`,
    );
  try {
    return readPublicKey(pem);
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}

const head = z.object({
  team: z.string().check(z.regex(TEAM_PATTERN)),
  seq: z.int().check(z.minimum(1)),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});

/** Throws an error if the file cannot be read: the comparison that the user asked for must not be skipped. */
export async function readHeads(file: string, advice: string): Promise<readonly SavedHead[]> {
  try {
    const saved: unknown = JSON.parse((await readFile(file, 'utf8')).replace(/^\ufeff/, ''));
    // An anchor is one such head, with more about it.
    return z
      .array(head)
      .check(z.minLength(1))
      .parse(Array.isArray(saved) ? saved : [saved]);
  } catch (cause) {
    throw new Error(`${file} contains no saved heads that can be read: ${advice}`, { cause });
  }
}

/** The heads of one team. Throws an error if the file names none of them: nothing would be compared, and nobody would notice. */
export async function readTeamHeads(file: string, team: string): Promise<readonly SavedHead[]> {
  const heads = await readHeads(file, 'give the file of an anchor, or of "verify --save-head"');
  const ofTeam = heads.filter((each) => each.team === team);
  if (ofTeam.length === 0) throw new Error(`${file} names no manifest of team ${team}`);
  return ofTeam;
}

/** The anchors of a team with these keys, oldest first. `onUnreadable` is told each key whose object is not the anchor that it names. */
export async function readAnchors(
  reader: ArchiveReader,
  keys: readonly string[],
  onUnreadable: (key: string) => void = () => undefined,
): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  for (const key of keys) {
    const anchor = await readAnchor(reader, key);
    if (anchor === undefined) onUnreadable(key);
    else anchors.push(anchor);
  }
  return anchors.sort((a, b) => (a.verifiedAt < b.verifiedAt ? -1 : 1));
}
