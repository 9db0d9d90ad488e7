/** The report of `audit-archive status` for people: what needs a person stands first in each part, with what mends it. */

import { ROUND_DAYS } from '../lambdas/shared/anchor';
import { asciiOnly, plural } from '../lambdas/shared/text';
import type { Check } from './status-checks';
import type { Need, TeamStatus } from './status-team';

export interface Report {
  readonly now: string;
  /** Whether nothing needs a person. */
  readonly good: boolean;
  readonly teams: readonly TeamStatus[];
  /** How many requests a minute the deployed archiver may make; undefined for a copy. */
  readonly maxRequestsPerMinute?: number;
  /** The settings in AWS; none for a copy. */
  readonly checks: readonly Check[];
  /** What was not checked. */
  readonly notes: readonly string[];
}

export function* describeReport(report: Report): Generator<string> {
  const { now, good, teams, checks, notes, maxRequestsPerMinute: most } = report;
  yield `At ${now}, UTC`;
  for (const team of teams) yield* describeTeam(team, most === undefined ? '' : ` of ${most} that it may`);
  if (checks.length > 0) yield '\nSettings in AWS:';
  for (const check of checks.toSorted((a, b) => Number(a.needs.length === 0) - Number(b.needs.length === 0)))
    yield* describeCheck(check);
  yield '';
  yield* notes;
  const needs = [...teams, ...checks].reduce((sum, each) => sum + each.needs.length, 0);
  yield good
    ? 'Good: nothing needs a person.'
    : `NOT GOOD: a person must look at what is marked with ! above: ${plural(needs, 'thing')}.`;
}

export function* describeTeam(team: TeamStatus, quota: string): Generator<string> {
  yield `\n${team.team}: ${plural(team.manifests, 'manifest')}, ${plural(team.eventsToday, 'event')} today`;
  yield* team.needs.map(describeNeed);
  if (team.lastSuccess !== null)
    yield `  last success ${team.lastSuccess}, archived up to ${team.position}, ${plural(team.lagMinutes ?? 0, 'minute')} ago`;
  if (team.backfill !== null) {
    const { percent, expectedEnd } = team.backfill;
    yield `  backfill: ${percent} %, expected to end ${expectedEnd ?? 'at a time that cannot be told yet'}`;
  }
  const { verification, requests } = team;
  yield verification === null
    ? '  never verified by the deployed verifier: "audit-archive verify" verifies it now'
    : `  verified ${verification.verifiedAt} up to manifest ${verification.seq}, ${verification.isInChain ? 'which is in the chain' : 'which is NOT in the chain'}`;
  if (verification !== null && verification.roundDays > ROUND_DAYS)
    yield `  every byte is read again in ${verification.roundDays} days: the archive has more than the verifier reads in ${ROUND_DAYS}`;
  for (const { from, to, recorded } of team.gaps) yield `  gap from ${from} to ${to}, recorded ${recorded}`;
  if (team.readFrom > 1) yield `  gaps that were recorded before manifest ${team.readFrom} are not shown`;
  if (requests !== null)
    yield `  the last run made ${plural(requests.ofLastRun, 'request')}, ${requests.aMinute} a minute${quota}`;
}

function* describeCheck({ subject, found, needs }: Check): Generator<string> {
  if (needs.length === 0) yield `  ${subject}: ${asciiOnly(found)}`;
  for (const { problem, mend } of needs) yield describeNeed({ problem: `${subject}: ${problem}`, mend });
}

function describeNeed({ problem, mend }: Need): string {
  return `  ! ${asciiOnly(problem)}\n    Mend: ${mend}`;
}
