/**
 * `audit-archive verify` checks a copy of an archive offline, or the bucket itself, with a pinned public key. It never reports
 * success for an archive that could not be read completely, or that contains no manifest.
 */

import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { type Command, InvalidArgumentError } from 'commander';
import { isDate } from '../infra/queries/dates';
import { keyId } from '../lambdas/shared/dsse';
import { EARLIEST_INSTANT } from '../lambdas/shared/event';
import { manifestKey } from '../lambdas/shared/object-keys';
import { dateOf, midnight } from '../lambdas/shared/time';
import { type Finding, graveOf } from '../lambdas/verifier/findings';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import type { Scope } from '../lambdas/verifier/scope';
import type { SavedHead, TeamSummary } from '../lambdas/verifier/tally';
import { verify } from '../lambdas/verifier/verify';
import { exitCodes } from './exit';
import { openFolder } from './folder';
import { readHeads, readKey } from './verify-inputs';
import { describe } from './verify-output';

/** A verification that takes longer shows its progress. */
const LONG_MS = 3000;

export interface VerifyFlags {
  readonly key: string;
  readonly head?: string;
  readonly saveHead?: string;
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

export type OpenBucket = (bucket: string) => Promise<ArchiveReader>;

export function addVerify(program: Command, openBucket: OpenBucket): void {
  program
    .command('verify')
    .description('check an archive, and report everything that is missing, added or changed')
    .argument('<path>', 'a folder that holds a copy of the bucket, or s3:// and the name of the bucket itself')
    .requiredOption('--key <file>', 'the public key that was saved when the archive was set up (ECDSA P-256, PEM)')
    .option(
      '--head <file>',
      'a file that --save-head wrote earlier, or an anchor: report manifests that have been deleted since',
    )
    .option(
      '--save-head <file>',
      'if there are no findings, save the newest manifest of each team for --head; keep the file outside the archive. A file that names newer manifests is not overwritten',
    )
    .option('--from <date>', 'check the whole chain of manifests, but only the segments from this date on', parseDate)
    .option('--to <date>', 'the same up to this date, which is included', parseDate)
    .option('--json', 'print one JSON document')
    .action(async (path: string, flags: VerifyFlags) => {
      const { archive, end } = withProgress(await openArchive(path, openBucket), process.stderr);
      const print = (text: string) => {
        end();
        console.log(text);
      };
      process.exitCode = await runVerify(archive, flags, { print, now: new Date() }).finally(end);
    });
}

/**
 * Shows on a terminal how much of a verification that takes longer than `afterMs` is done. Returns a reader that moves the bar, and
 * `end`, which removes it.
 */
export function withProgress(archive: ArchiveReader, output: NodeJS.WriteStream, afterMs = LONG_MS) {
  if (!output.isTTY) return { archive, end: () => undefined };
  // Control-C ends the command at once, so the bar must not change how the terminal behaves.
  const format = '  {bar} {percentage}%  {value} of {total} objects';
  const bar = new SingleBar({ format, clearOnComplete: true, stream: output, gracefulExit: false, linewrap: true });
  const begun = performance.now();
  let [listed, read] = [0, 0];

  async function list(...wanted: Parameters<ArchiveReader['list']>): Promise<readonly string[]> {
    const keys = await archive.list(...wanted);
    // The first list holds all keys.
    listed = Math.max(listed, keys.length);
    return keys;
  }

  function get(...wanted: Parameters<ArchiveReader['get']>): Promise<Buffer | undefined> {
    read = Math.min(read + 1, listed);
    if (bar.isActive) bar.update(read);
    else if (performance.now() - begun >= afterMs) bar.start(listed, read);
    return archive.get(...wanted);
  }

  return { archive: { ...archive, list, get }, end: () => bar.stop() };
}

export function parseDate(text: string): string {
  if (!isDate(text)) throw new InvalidArgumentError('Write it as 2026-06-30.');
  return text;
}

/** Prints the report and returns the exit code. Throws the same errors as `checkArchive`. */
export async function runVerify(
  archive: ArchiveReader,
  flags: VerifyFlags,
  { print, now }: { readonly print: (text: string) => void; readonly now: Date },
): Promise<number> {
  const { verification, clean, publicKeyId } = await checkArchive(archive, flags, now);
  if (flags.json) print(JSON.stringify({ clean, now, ...verification }, null, 2));
  else for (const line of describe(verification, { clean, now, keyId: publicKeyId, ...flags })) print(line);
  return clean ? exitCodes.good : exitCodes.findings;
}

/**
 * Verifies the archive, and saves its heads if that was asked and nothing was found. Throws an error if the archive, the key or
 * the saved heads cannot be read, or if the heads may not be saved. What the file for the heads holds already is compared too,
 * because it may be the only witness of removed manifests.
 */
export async function checkArchive(archive: ArchiveReader, flags: VerifyFlags, now: Date) {
  const publicKey = await readKey(flags.key);
  const heads =
    flags.head === undefined ? [] : await readHeads(flags.head, 'give a file that "verify --save-head" wrote');
  const mayHaveWitness = flags.saveHead !== undefined && flags.saveHead !== flags.head && existsSync(flags.saveHead);
  const witness = mayHaveWitness ? await readHeads(flags.saveHead, 'give --save-head the name of a new file') : [];
  const scope = scopeOf(flags, now);
  const verification = await verify(archive, { publicKey, now, heads: [...heads, ...witness], scope });
  const grave = graveOf(verification.findings);
  const clean = grave.length === 0;

  if (!clean && flags.head === undefined && grave.every((finding) => isOfHead(finding, witness)))
    throw new Error(
      `${flags.saveHead} was not overwritten: it names newer or other manifests than this archive holds. Either this copy is older than the file, or manifests were removed. Copy the archive again, and verify it with --head ${flags.saveHead}. Keep the file`,
    );
  if (clean && flags.saveHead !== undefined) await saveHeads(flags.saveHead, verification.teams);
  return { verification, clean, publicKeyId: keyId(publicKey) };
}

/** Throws an error if there is no such folder. A bucket that does not exist is noticed when it is listed. */
export async function openArchive(path: string, openBucket: OpenBucket): Promise<ArchiveReader> {
  const bucket = /^s3:\/\/(.*?)\/*$/.exec(path)?.[1];
  if (bucket === undefined) return openFolder(path);
  if (!/^[a-z0-9][a-z0-9.-]+$/.test(bucket))
    throw new Error(`${path} does not name a bucket: write s3:// and the name alone. An archive fills its bucket`);
  return openBucket(bucket);
}

function scopeOf({ from, to }: VerifyFlags, now: Date): Scope {
  if ((from ?? to) === undefined) return { kind: 'whole' };
  // An event may be dated up to a day ahead.
  return { kind: 'period', from: from ?? dateOf(EARLIEST_INSTANT), to: to ?? dateOf(midnight(now, 1)) };
}

function isOfHead({ code, object }: Finding, heads: readonly SavedHead[]): boolean {
  if (code !== 'chain-truncated' && code !== 'head-differs') return false;
  return heads.some(({ team, seq }) => object === manifestKey(team, seq));
}

async function saveHeads(file: string, teams: readonly TeamSummary[]): Promise<void> {
  const heads = teams.flatMap(({ head }) => (head ? [{ team: head.team, seq: head.seq, sha256: head.sha256 }] : []));
  await writeFile(`${file}.new`, `${JSON.stringify(heads, null, 2)}\n`);
  await rename(`${file}.new`, file);
}
