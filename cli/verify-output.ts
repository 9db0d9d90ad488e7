/** The report of `audit-archive verify` for people: the teams, the findings, and the result in words. */

import { asciiOnly, plural } from '../lambdas/shared/text';
import { DAY_MS, HOUR_MS } from '../lambdas/shared/time';
import { FINDINGS, type Finding } from '../lambdas/verifier/findings';
import type { TeamSummary } from '../lambdas/verifier/tally';
import type { Verification } from '../lambdas/verifier/verify';

/** A schedule must run at least once in seven days. Retries may take some hours more. */
export const LONGEST_SILENCE_MS = 7 * DAY_MS + 3 * HOUR_MS;

export const LOOKS_LIKE_COPYING =
  'A copy that was made while a run was committing looks like this. Copy again into the same folder, and check again: findings that remain are real.';

export interface Circumstances {
  /** The files for the saved heads, where they were given. */
  readonly head?: string;
  readonly saveHead?: string;
  readonly clean: boolean;
  readonly now: Date;
  readonly keyId: string;
}

export function* describe(verification: Verification, how: Circumstances): Generator<string> {
  yield* describeFacts(verification, how);
  if (!how.clean) {
    yield '\nNOT GOOD: do not rely on this archive until every finding is explained. docs/format.md says what each one means.';
    if (verification.mayComeFromCopying) yield LOOKS_LIKE_COPYING;
    return;
  }
  yield `\n${resultOf(verification)}`;
  yield* verification.notChecked;
  if (how.head !== undefined) yield `Every manifest that existed when ${how.head} was saved is still there.`;
  else if (how.saveHead !== undefined)
    yield `To find out next time whether newer manifests were deleted, verify with --head ${how.saveHead}. Keep that file outside the archive.`;
  else
    yield 'To find out next time whether newer manifests were deleted, verify now with --save-head heads.json, and then with --head heads.json.';
}

/** What was read and what was found, without the result. */
export function* describeFacts(
  { teams, findings, objects }: Verification,
  how: Pick<Circumstances, 'now' | 'keyId'> & { readonly copiedAt?: Date },
): Generator<string> {
  yield `${plural(objects, 'object')} checked at ${how.now.toISOString()} with the public key ${how.keyId}`;
  for (const team of teams) yield* describeTeam(team, how.copiedAt ?? how.now);
  for (const severity of ['finding', 'notice'] as const) {
    const some = findings.filter((finding) => finding.severity === severity);
    if (some.length > 0) yield `\n${plural(some.length, severity)}:`;
    for (const finding of some) yield* describeFinding(finding);
  }
}

/** The result of a verification without findings. */
export function resultOf({ teams, notChecked }: Verification): string {
  const isPart = notChecked.length > 0;
  const where = isPart ? 'in that part' : "up to each team's newest manifest above";
  const good = isPart ? 'Good as far as it was checked' : 'Good';
  if (teams.some(({ expired }) => expired.objects > 0))
    return `${good}: nothing is added or changed, ${where}. Nothing is missing except expired objects.`;
  return isPart
    ? `${good}: in that part nothing is missing, added or changed.`
    : `${good}: nothing is missing, added or changed, ${where}.`;
}

function* describeTeam({ team, head, period, ...facts }: TeamSummary, now: Date): Generator<string> {
  const lines = `${plural(facts.events, 'event')}, ${facts.quarantined} in quarantine`;
  yield `\n${team}: ${plural(facts.manifests, 'manifest')}, ${lines}`;
  if (period) yield `  from ${period.from} to ${period.to}`;
  for (const gap of describeGaps(facts)) yield `  ${gap}`;
  const { objects, lines: gone } = facts.expired;
  if (objects > 0)
    yield `  expired: ${plural(objects, 'object')} with ${plural(gone, 'line')}, which the signed retention allows to delete`;
  if (head) yield `  newest manifest: ${head.seq}, SHA-256 ${head.sha256}, of ${head.finished}`;
  const silentMs = head ? now.getTime() - Date.parse(head.finished) : 0;
  if (silentMs > LONGEST_SILENCE_MS)
    yield `  no run has finished for ${plural(Math.floor(silentMs / DAY_MS), 'day')}, and every schedule runs at least once in seven: either the archive stands still, or this copy is old`;
  if (facts.codeVersions.length > 0) yield `  written by version ${asciiOnly(facts.codeVersions.join(', '))}`;
  if (facts.abandonedBatches > 0)
    yield `  ${plural(facts.abandonedBatches, 'batch object')} left by unfinished runs, not part of the archive`;
}

export function describeGaps({ gaps }: Pick<TeamSummary, 'gaps'>): readonly string[] {
  return gaps.map(
    ({ from, to }) =>
      `gap from ${from} to ${to}: the source no longer kept this period when it was asked, so it is lost`,
  );
}

function* describeFinding({ code, object, detail }: Finding): Generator<string> {
  yield `  ${code}  ${asciiOnly(object)}`;
  yield `    ${FINDINGS[code].sentence}${detail && ` (${asciiOnly(detail)})`}`;
}
