/**
 * Verifies an evidence package: everything under `archive/` by the signed manifests, and the other files by `evidence.json`.
 * It says what the package does not show, and never calls more than that good.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyId } from '../../lambdas/shared/dsse';
import { sha256 } from '../../lambdas/shared/manifest';
import { earlier } from '../../lambdas/shared/time';
import { type Verification, verify } from '../../lambdas/verifier/verify';
import { exitCodes } from '../exit';
import { openFolder } from '../folder';
import { plural } from '../plural';
import { readHeads, readKey } from '../verify-inputs';
import { asciiOnly, describeFacts, resultOf } from '../verify-output';
import { type Evidence, packagePaths, readEvidence } from './package-format';

export interface PackageOptions {
  /** A public key that did not come with the package. */
  readonly key?: string | undefined;
  /** Heads or an anchor that did not come with the package. */
  readonly head?: string | undefined;
  readonly now: Date;
  readonly print: (text: string) => void;
}

/** Returns the exit code. Throws an error if the package cannot be read. */
export async function verifyPackage(folder: string, { key, head, now, print }: PackageOptions): Promise<number> {
  const at = packagePaths(folder);
  const evidence = readEvidence(folder);
  const publicKey = await readKey(key ?? at.publicKey);
  const given =
    head === undefined ? [] : await readHeads(head, 'give the file of an anchor, or of "verify --save-head"');
  const anchors = await readAnchors(at.anchors);
  const { team, from, to } = evidence;
  const verification = await verify(await openFolder(at.archive), {
    publicKey,
    // Nothing expires in a package, so a segment may be absent only if it had expired when the package was made.
    now: earlier(new Date(evidence.made), now),
    heads: [{ team, ...evidence.head }, ...anchors, ...given.filter((each) => each.team === team)],
    scope: { kind: 'period', from, to },
  });
  const altered = await alteredFiles(folder, evidence);
  const clean = altered.length === 0 && verification.findings.every(({ severity }) => severity !== 'finding');
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
  if (altered.length > 0) yield `\n${plural(altered.length, 'file')} of the package changed or missing:`;
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

async function alteredFiles(folder: string, { files }: Evidence): Promise<readonly string[]> {
  const altered: string[] = [];
  for (const [file, expected] of Object.entries(files)) {
    const bytes = await readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.of();
      throw error;
    });
    if (sha256(bytes) !== expected) altered.push(file);
  }
  return altered;
}
