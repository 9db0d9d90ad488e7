/**
 * `audit-archive verify` checks a copy of an archive offline, with a pinned public key. It never reports success for an
 * archive that could not be read completely, or that contains no manifest.
 */

import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { keyId, readPublicKey } from '../lambdas/shared/dsse';
import { TEAM_PATTERN } from '../lambdas/shared/object-keys';
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
      'if there are no findings, save the newest manifest of each team for --head; keep the file outside the archive',
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

/** Returns the exit code. Throws an error if the archive, the key or the saved heads cannot be read. */
export async function runVerify(path: string, flags: VerifyFlags, { print, now }: VerifySurroundings): Promise<number> {
  const publicKey = readPublicKey(await readFile(flags.key));
  const heads = flags.head === undefined ? [] : await readHeads(flags.head);
  const verification = await verify(await openFolder(path), { publicKey, now, heads });
  const clean = verification.findings.every(({ severity }) => severity === 'notice');

  if (clean && flags.saveHead !== undefined) await saveHeads(flags.saveHead, verification.teams);
  if (flags.json) print(JSON.stringify({ clean, now, ...verification }, null, 2));
  else for (const line of describe(verification, { clean, now, keyId: keyId(publicKey), ...flags })) print(line);
  return clean ? exitCodes.good : exitCodes.findings;
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
async function readHeads(file: string): Promise<readonly SavedHead[]> {
  try {
    return headsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} contains no saved heads: give a file that "verify --save-head" wrote`, { cause });
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

function* describe({ teams, findings, objects }: Verification, how: Circumstances): Generator<string> {
  yield `${plural(objects, 'object')} checked at ${how.now.toISOString()} with the public key ${how.keyId}`;
  for (const team of teams) yield* describeTeam(team);
  for (const severity of ['finding', 'notice'] as const) {
    const some = findings.filter((finding) => finding.severity === severity);
    if (some.length > 0) yield `\n${plural(some.length, severity)}:`;
    for (const finding of some) yield* describeFinding(finding);
  }
  if (!how.clean)
    return yield '\nNOT GOOD: do not rely on this archive until every finding is explained. docs/format.md says what each one means.';
  const isWhole = teams.every(({ expired }) => expired.objects === 0);
  yield isWhole
    ? "\nGood: nothing is missing, added or changed, up to each team's newest manifest above."
    : "\nGood: nothing is added or changed, up to each team's newest manifest above. Nothing is missing except expired objects.";
  if (how.head !== undefined) yield `Every manifest that existed when ${how.head} was saved is still there.`;
  else
    yield 'To find out next time whether newer manifests were deleted, run this now with --save-head FILE, then with --head FILE.';
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
