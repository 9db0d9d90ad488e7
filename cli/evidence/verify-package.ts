/**
 * Verifies an evidence package: everything under `archive/` by the signed manifests, and the other files by `evidence.json`.
 * It says what the package does not show, and never calls more than that good.
 */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { keyId } from '../../lambdas/shared/dsse';
import { asciiOnly, plural } from '../../lambdas/shared/text';
import { earlier } from '../../lambdas/shared/time';
import { graveOf } from '../../lambdas/verifier/findings';
import { JUNK_NAME } from '../../lambdas/verifier/inventory';
import { type Verification, verify } from '../../lambdas/verifier/verify';
import { exitCodes } from '../exit';
import { keyOf, openFolder, pathOf } from '../folder';
import { readHeads, readKey, readTeamHeads } from '../verify-inputs';
import { describeFacts, resultOf } from '../verify-output';
import { belongs, type Evidence, hashFile, packagePaths, readEvidence } from './package-format';

export interface PackageOptions {
  /** A public key that did not come with the package. */
  readonly key?: string | undefined;
  /** Heads or an anchor that did not come with the package. */
  readonly head?: string | undefined;
  readonly now: Date;
  readonly print: (text: string) => void;
}

/** Returns the exit code. Throws an error if the package cannot be read. */
export async function verifyPackage(path: string, { key, head, now, print }: PackageOptions): Promise<number> {
  const folder = resolve(path);
  const at = packagePaths(folder);
  const evidence = readEvidence(folder);
  const publicKey = await readKey(key ?? at.publicKey);
  const anchors = await readAnchors(at.anchors);
  const { team, from, to } = evidence;
  const given = head === undefined ? [] : await readTeamHeads(head, team);
  const verification = await verify(await openFolder(at.archive), {
    publicKey,
    // A package does not expire. A segment may be absent only if it had expired before the package was made.
    now: earlier(new Date(evidence.made), now),
    heads: [{ team, ...evidence.head }, ...anchors, ...given],
    scope: { kind: 'period', from, to },
  });
  const altered = await alteredFiles(folder, evidence);
  const isOtherKey = key === undefined && evidence.keyid !== keyId(publicKey);
  if (isOtherKey) altered.push('public-key.pem (evidence.json names another key)');
  const grave = graveOf(verification.findings).length + evidence.findings;
  const clean = altered.length === 0 && grave === 0;
  for (const line of describeFacts(verification, { now, keyId: keyId(publicKey) })) print(line);
  for (const line of describeResult({ evidence, verification, altered, clean, key })) print(line);
  return clean ? exitCodes.good : exitCodes.findings;
}

interface Result {
  readonly evidence: Evidence;
  readonly verification: Verification;
  readonly altered: readonly string[];
  readonly clean: boolean;
  readonly key: string | undefined;
}

function* describeResult({ evidence, verification, altered, clean, key }: Result): Generator<string> {
  if (evidence.findings > 0)
    yield `\nWhen the package was made, the archive had ${plural(evidence.findings, 'finding')}: report.html lists them.`;
  if (altered.length > 0) yield `\n${plural(altered.length, 'file')} of the package changed, missing or added:`;
  for (const file of altered) yield `  ${asciiOnly(file)}`;
  if (!clean) {
    yield '\nNOT GOOD: do not rely on this package until every finding is explained.';
    return;
  }
  const { team, from, to, head } = evidence;
  yield `\n${resultOf(verification)}`;
  yield `The package holds team ${team} from ${from} to ${to}, and the chain up to manifest ${head.seq}.`;
  yield* verification.notChecked;
  yield 'Only the archive itself can show what it holds outside of these days, and which manifests are newer.';
  if (key === undefined)
    yield 'The public key came with the package: compare its SHA-256 above with the one that was saved when the archive was set up, or give that key with --key.';
}

/** A package that was made without an anchor has an empty list. */
async function readAnchors(file: string) {
  const isEmpty = (await readFile(file, 'utf8')).trim() === '[]';
  return isEmpty ? [] : readHeads(file, 'use the file that came with the package');
}

/** The files outside of `archive/` that are not as listed, and every file that nothing lists. */
async function alteredFiles(folder: string, { from, to, files }: Evidence): Promise<string[]> {
  const altered: string[] = [];
  for (const [file, expected] of Object.entries(files)) {
    const path = pathOf(folder, file);
    const isFile = path !== undefined && (await lstat(path).then((found) => found.isFile(), isMissing));
    if (!isFile || (await hashFile(path)) !== expected) altered.push(file);
  }
  const listed = new Set([...Object.keys(files), 'evidence.json']);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => !each.isDirectory())) {
    const file = keyOf(folder, join(entry.parentPath, entry.name));
    const isOfArchive = file.startsWith('archive/') && belongs(file.slice('archive/'.length), { from, to });
    if (!listed.has(file) && !isOfArchive && !JUNK_NAME.test(file)) altered.push(`${file} (added)`);
  }
  return altered;
}

/** Any other error says that the package cannot be read. */
function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
  throw error;
}
