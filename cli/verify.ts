/**
 * `audit-archive verify` checks a copy of an archive offline, with a pinned public key. It never reports success for an
 * archive that could not be read completely, or that contains no manifest.
 */

import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { keyId, readPublicKey } from '../lambdas/shared/dsse';
import { manifestKey, TEAM_PATTERN } from '../lambdas/shared/object-keys';
import { FINDINGS, type Finding } from '../lambdas/verifier/findings';
import { type SavedHead, type TeamSummary, type Verification, verify } from '../lambdas/verifier/verify';
import { exitCodes } from './exit';
import { openFolder } from './folder';
import { plural } from './plural';

export interface VerifyFlags {
  readonly key: string;
  readonly head?: string;
  readonly saveHead?: string;
  readonly json?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check a copy of the archive, and report everything that is missing, added or changed')
    .argument('<path>', 'a folder that holds a copy of the bucket: events/, manifests/, ...')
    .requiredOption('--key <file>', 'the public key that was saved when the archive was set up (ECDSA P-256, PEM)')
    .option('--head <file>', 'a file that --save-head wrote earlier: report manifests that have been deleted since')
    .option(
      '--save-head <file>',
      'if there are no findings, save the newest manifest of each team for --head; keep the file outside the archive. A file that names newer manifests is not overwritten',
    )
    .option('--json', 'print one JSON document')
    .action(async (path: string, flags: VerifyFlags) => {
      process.exitCode = await runVerify(path, flags, { print: console.log, now: new Date() });
    });
}

interface VerifySurroundings {
  readonly print: (text: string) => void;
  readonly now: Date;
}

/**
 * Returns the exit code. Throws an error if the archive, the key or the saved heads cannot be read, or if the heads may not be
 * saved. What the file for the heads holds already is compared too, because it may be the only witness of removed manifests.
 */
export async function runVerify(path: string, flags: VerifyFlags, { print, now }: VerifySurroundings): Promise<number> {
  const publicKey = await readKey(flags.key);
  const heads =
    flags.head === undefined ? [] : await readHeads(flags.head, 'give a file that "verify --save-head" wrote');
  const mayHaveWitness = flags.saveHead !== undefined && flags.saveHead !== flags.head && existsSync(flags.saveHead);
  const witness = mayHaveWitness ? await readHeads(flags.saveHead, 'give --save-head the name of a new file') : [];
  const verification = await verify(await openFolder(path), { publicKey, now, heads: [...heads, ...witness] });
  const grave = verification.findings.filter(({ severity }) => severity === 'finding');
  const clean = grave.length === 0;

  if (!clean && flags.head === undefined && grave.every((finding) => isOfHead(finding, witness)))
    throw new Error(
      `${flags.saveHead} was not overwritten: it names newer or other manifests than this archive holds. Either this copy is older than the file, or manifests were removed. Copy the archive again, and verify it with --head ${flags.saveHead}. Keep the file`,
    );
  if (clean && flags.saveHead !== undefined) await saveHeads(flags.saveHead, verification.teams);
  if (flags.json) print(JSON.stringify({ clean, now, ...verification }, null, 2));
  else for (const line of describe(verification, { clean, now, keyId: keyId(publicKey), ...flags })) print(line);
  return clean ? exitCodes.good : exitCodes.findings;
}

/** Reads the public key. A private key is refused, because whoever holds it can forge the whole archive. */
async function readKey(file: string): Promise<KeyObject> {
  const pem = await readFile(file);
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

function isOfHead({ code, object }: Finding, heads: readonly SavedHead[]): boolean {
  if (code !== 'chain-truncated' && code !== 'head-differs') return false;
  return heads.some(({ team, seq }) => object === manifestKey(team, seq));
}

const headsSchema = z
  .array(
    z.object({
      team: z.string().regex(TEAM_PATTERN),
      seq: z.int().min(1),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  )
  .min(1);

/** Throws an error if the file cannot be read: the comparison that the user asked for must not be skipped. */
async function readHeads(file: string, advice: string): Promise<readonly SavedHead[]> {
  try {
    return headsSchema.parse(JSON.parse((await readFile(file, 'utf8')).replace(/^\ufeff/, '')));
  } catch (cause) {
    throw new Error(`${file} contains no saved heads that can be read: ${advice}`, { cause });
  }
}

async function saveHeads(file: string, teams: readonly TeamSummary[]): Promise<void> {
  const heads = teams.flatMap(({ head }) => (head ? [{ team: head.team, seq: head.seq, sha256: head.sha256 }] : []));
  await writeFile(`${file}.new`, `${JSON.stringify(heads, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

interface Circumstances extends VerifyFlags {
  readonly clean: boolean;
  readonly now: Date;
  readonly keyId: string;
}

function* describe(
  { teams, findings, objects, mayComeFromCopying }: Verification,
  how: Circumstances,
): Generator<string> {
  yield `${plural(objects, 'object')} checked at ${how.now.toISOString()} with the public key ${how.keyId}`;
  for (const team of teams) yield* describeTeam(team);
  for (const severity of ['finding', 'notice'] as const) {
    const some = findings.filter((finding) => finding.severity === severity);
    if (some.length > 0) yield `\n${plural(some.length, severity)}:`;
    for (const finding of some) yield* describeFinding(finding);
  }
  if (!how.clean) {
    yield '\nNOT GOOD: do not rely on this archive until every finding is explained. docs/format.md says what each one means.';
    if (mayComeFromCopying)
      yield 'A copy that was made while a run was committing looks like this. Copy again into the same folder, and verify again: findings that remain are real.';
    return;
  }
  const isWhole = teams.every(({ expired }) => expired.objects === 0);
  yield isWhole
    ? "\nGood: nothing is missing, added or changed, up to each team's newest manifest above."
    : "\nGood: nothing is added or changed, up to each team's newest manifest above. Nothing is missing except expired objects.";
  if (how.head !== undefined) yield `Every manifest that existed when ${how.head} was saved is still there.`;
  else if (how.saveHead !== undefined)
    yield `To find out next time whether newer manifests were deleted, verify with --head ${how.saveHead}. Keep that file outside the archive.`;
  else
    yield 'To find out next time whether newer manifests were deleted, save these with --save-head and a new file, then verify with --head and that file.';
}

function* describeTeam({ team, head, period, ...facts }: TeamSummary): Generator<string> {
  const lines = `${plural(facts.events, 'event')}, ${facts.quarantined} in quarantine`;
  yield `\n${team}: ${plural(facts.manifests, 'manifest')}, ${lines}`;
  if (period) yield `  from ${period.from} to ${period.to}`;
  for (const gap of facts.gaps)
    yield `  gap from ${gap.from} to ${gap.to}: the source no longer kept this period when it was asked`;
  const { objects, lines: gone } = facts.expired;
  if (objects > 0)
    yield `  expired: ${plural(objects, 'object')} with ${plural(gone, 'line')}, which the signed retention allows to delete`;
  if (head) yield `  newest manifest: ${head.seq}, SHA-256 ${head.sha256}, of ${head.finished}`;
  if (facts.codeVersions.length > 0) yield `  written by version ${printable(facts.codeVersions.join(', '))}`;
  if (facts.abandonedBatches > 0)
    yield `  ${plural(facts.abandonedBatches, 'batch object')} left by unfinished runs, not part of the archive`;
}

function* describeFinding({ code, object, detail }: Finding): Generator<string> {
  yield `  ${code}  ${printable(object)}`;
  yield `    ${FINDINGS[code].sentence}${detail && ` (${printable(detail)})`}`;
}

/** An attacker may have chosen names and details, so no control character in them reaches the terminal. */
function printable(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
