/**
 * Verifies an evidence package: everything under `archive/` by the signed manifests, and the other files by `evidence.json`.
 * It says what the package does not show, and never calls more than that good.
 */
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { keyId } from '../../lambdas/shared/dsse';
import { asciiOnly, plural, UTF8_MARK } from '../../lambdas/shared/text';
import { earlier } from '../../lambdas/shared/time';
import { graveOf } from '../../lambdas/verifier/findings';
import { type ArchiveReader, JUNK_NAME } from '../../lambdas/verifier/inventory';
import { type Verification, verify } from '../../lambdas/verifier/verify';
import { exitCodes } from '../exit';
import { keyOf, openFolder, pathOf } from '../folder';
import { readHeads, readKey, readTeamHeads } from '../verify-inputs';
import { describeFacts, resultOf } from '../verify-output';
import { compareEvents } from './compare-events';
import { belongs, type Evidence, hashFile, packagePaths, readEvidence, UNCOMPARED } from './package-format';

interface PackageOptions {
  /** The SHA-256 of the package that did not come with the package. */
  readonly packageSha256?: string | undefined;
  /** A public key that did not come with the package. */
  readonly key?: string | undefined;
  /** Heads or an anchor that did not come with the package. */
  readonly head?: string | undefined;
  readonly now: Date;
  readonly print: (text: string) => void;
}

/** Returns the exit code. Throws an error that is a sentence if the package cannot be read. */
export async function verifyPackage(path: string, options: PackageOptions): Promise<number> {
  try {
    return await verifyIn(resolve(path), options);
  } catch (cause) {
    const { code, path: file } = cause as NodeJS.ErrnoException;
    if (file === undefined) throw cause;
    const problem = code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`;
    throw new Error(`${file} ${problem}, so the package was not verified: give its complete folder`, { cause });
  }
}

async function verifyIn(folder: string, options: PackageOptions): Promise<number> {
  const { packageSha256, key, head, now, print } = options;
  const at = packagePaths(folder);
  const evidence = await readEvidence(folder);
  const publicKey = await readKey(key ?? at.publicKey);
  const anchors = await readAnchorFile(at.anchors);
  const { team, from, to } = evidence;
  const copiedAt = earlier(new Date(evidence.made), now);
  const archive = await openFolder(at.archive);
  const actualSha256 = await hashFile(at.evidence);
  print(`SHA-256 of this package (of evidence.json): ${actualSha256}`);
  print(comparison(packageSha256, actualSha256));
  const given = head === undefined ? [] : await readTeamHeads(head, team);
  const verification = await verify(archive, {
    publicKey,
    // A package does not expire. A segment may be absent only if it had expired before the package was made.
    now: copiedAt,
    heads: [{ team, ...evidence.head }, ...anchors, ...given],
    scope: { kind: 'period', from, to },
  });
  const altered = await alteredFiles(folder, evidence);
  if (key === undefined && evidence.keyid !== keyId(publicKey))
    altered.push('public-key.pem (evidence.json names another key)');
  const grave = graveOf(verification.findings).length;
  if (grave === 0 && altered.length === 0) altered.push(...(await otherEvents(at.events, archive)));
  const isOther = packageSha256 !== undefined && packageSha256 !== actualSha256;
  const clean = altered.length + grave + evidence.findings === 0 && !isOther;
  for (const line of describeFacts(verification, { now, copiedAt, keyId: keyId(publicKey) })) print(line);
  for (const line of describeResult({ ...options, evidence, verification, altered, clean })) print(line);
  return clean ? exitCodes.good : exitCodes.findings;
}

interface Result extends PackageOptions {
  readonly evidence: Evidence;
  readonly verification: Verification;
  readonly altered: readonly string[];
  readonly clean: boolean;
}

function comparison(given: string | undefined, actual: string): string {
  if (given === undefined)
    return 'Compare this with what the company sent you apart from this folder, or give that with --package.\n';
  return given === actual
    ? 'It is the SHA-256 that was given with --package.\n'
    : `NOT GOOD: the SHA-256 that was given with --package is ${given}. This is another package, or it was changed.\n`;
}

function* describeResult({ evidence, verification, altered, clean, key, packageSha256 }: Result): Generator<string> {
  if (evidence.findings > 0)
    yield `\nWhen the package was made, the archive had ${plural(evidence.findings, 'finding')}: report.html lists them.`;
  if (altered.length > 0) yield `\n${plural(altered.length, 'difference')} in the files of the package:`;
  for (const file of altered) yield `  ${asciiOnly(file)}`;
  if (!clean) {
    yield '\nNOT GOOD: do not rely on this package until every finding is explained.';
    return;
  }
  const { team, from, to, head } = evidence;
  yield `\n${resultOf(verification)}`;
  yield `The package holds team ${team} from ${from} to ${to}, and the chain up to manifest ${head.seq}.`;
  yield '\nThis was not checked:';
  if (packageSha256 === undefined) yield `The SHA-256 of the package was not compared. ${UNCOMPARED}`;
  yield* verification.notChecked;
  yield 'Only the archive itself can show what it holds outside of these days, and which manifests are newer.';
  if (key === undefined)
    yield 'The public key came with the package: compare its SHA-256 above with the one that was saved when the archive was set up, or give that key with --key.';
}

/** The events of events.csv that are not those of the archive, which has no findings. */
async function otherEvents(file: string, archive: ArchiveReader): Promise<readonly string[]> {
  const date = await compareEvents(file, archive);
  return date === undefined ? [] : [`events.csv (its events of ${date} are not those of the signed archive)`];
}

/** A package that was made without an anchor has an empty list. */
async function readAnchorFile(file: string) {
  const isEmpty = (await readFile(file, 'utf8')).trim() === '[]';
  return isEmpty ? [] : readHeads(file, 'use the file that came with the package');
}

/** The files outside of `archive/` that are not as listed, and every file that nothing lists. */
async function alteredFiles(folder: string, { from, to, files }: Evidence): Promise<string[]> {
  const altered: string[] = [];
  for (const [file, expected] of Object.entries(files)) {
    const path = pathOf(folder, file);
    const isFile = path !== undefined && (await lstat(path).then((found) => found.isFile(), isMissing));
    if (!isFile) altered.push(`${file} (missing)`);
    else if ((await hashFile(path)) !== expected) altered.push(`${file} (changed${await hintAt(path)})`);
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

const RESAVED = ': saved again by a spreadsheet? Work on a copy of the package';

/** A spreadsheet ends lines in the way of Windows, or leaves out the mark at the beginning of a CSV file. */
async function hintAt(file: string): Promise<string> {
  if (!file.endsWith('.csv')) return '';
  for await (const head of createReadStream(file, { encoding: 'utf8', end: 4095 }) as AsyncIterable<string>)
    if (!head.startsWith(UTF8_MARK) || /^[^\n]*\r\n/.test(head)) return RESAVED;
  return '';
}

/** Any other error says that the package cannot be read. */
function isMissing(error: NodeJS.ErrnoException): false {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
  throw error;
}
