/**
 * The text of the weekly mail: what was archived, verified and found, for people who never open the console. It ends with the head
 * of each team, so whoever keeps the mail has an anchor outside the account. It holds no event and no id of an event. Text that an
 * adversary may have chosen, such as the key of a planted object, is escaped and shortened.
 */
import { type Anchor, ROUND_DAYS, roundDays } from '../shared/anchor';
import type { VerifiedTeam } from '../shared/contract';
import { asciiOnly, figure, plural } from '../shared/text';
import { DAY_MS, dateOf, parseInstant } from '../shared/time';
import { type ChainCounts, countsSince, NO_COUNTS } from './chain-counts';
import { FINDINGS, type Finding, type FindingCode } from './findings';

/** SNS accepts so much. The text is ASCII, so it has as many bytes as characters. */
const MAX_BYTES = 256 * 1024;
const MAX_SUBJECT = 100;
/** The other findings of a team are in the log. */
const MAX_CODES = 5;
const MAX_OBJECT = 200;
const MAX_UNVERIFIED_MS = 2 * DAY_MS;
/** No schedule is allowed to pause for longer. */
const MAX_SILENT_MS = 7 * DAY_MS;
/** Postman keeps nothing any more that a run could still save, so this team has left. */
const FORGOTTEN_MS = 180 * DAY_MS;

/**
 * Whether this verification sends the weekly mail: the one that was due on a Monday. The schedule fires every 24 hours, so there is
 * one on each Monday, and a retry has the time of the first attempt.
 */
export function isMailDay(input: unknown): boolean {
  const { scheduledTime } = (input ?? {}) as Readonly<Record<string, unknown>>;
  return typeof scheduledTime === 'string' && parseInstant(scheduledTime)?.getUTCDay() === 1;
}

export interface MailedTeam {
  readonly verified: VerifiedTeam;
  readonly findings: readonly Finding[];
  /** When the newest manifest was written; undefined where there is none, or where the team could not be listed. */
  readonly lastRun: Date | undefined;
  /** The newest anchor, and the newest one that is a week old. */
  readonly anchor: Anchor | undefined;
  readonly before: Anchor | undefined;
}

/** Both are ASCII. */
export interface Mail {
  readonly subject: string;
  readonly message: string;
}

interface Week {
  readonly bucket: string;
  readonly now: Date;
}

const TROUBLES = ['with findings', 'unverified', 'with a gap', 'silent'] as const;
type Trouble = (typeof TROUBLES)[number];

export function writeMail(teams: readonly MailedTeam[], week: Week): Mail {
  const reports = teams.map((team) => {
    const troubles = troublesOf(team, week.now);
    return { troubles, text: describeTeam(team, troubles, week.now) };
  });
  const counted = TROUBLES.map(
    (each) => [each, reports.filter(({ troubles }) => troubles.includes(each)).length] as const,
  );
  const found = counted.flatMap(([trouble, amount]) => (amount > 0 ? `${amount} ${trouble}` : []));
  const result = found.length === 0 ? 'all good' : `teams: ${found.join(', ')}`;
  const [top, bottom] = [describeWeek(teams, result, week), describeHeads(teams, week.bucket)];
  const sorted = reports.toSorted((a, b) => rank(a.troubles) - rank(b.troubles)).map(({ text }) => text);
  const room = MAX_BYTES - top.length - bottom.length;
  return {
    subject: `Audit archive until ${dateOf(week.now)}: ${result}`.slice(0, MAX_SUBJECT),
    message: top + fitted(sorted, room) + bottom,
  };
}

function troublesOf({ verified, anchor, before, lastRun }: MailedTeam, now: Date): readonly Trouble[] {
  const isOlder = (instant: Date, than: number) => now.getTime() - instant.getTime() > than;
  const isUnverified = anchor === undefined || isOlder(new Date(anchor.verifiedAt), MAX_UNVERIFIED_MS);
  const troubles: Readonly<Record<Trouble, boolean>> = {
    'with findings': verified.outcome === 'findings',
    unverified: verified.outcome === 'failed' || (verified.outcome === 'behind' && isUnverified),
    'with a gap': anchor !== undefined && countsOfWeek(anchor, before).gaps > 0,
    silent: lastRun !== undefined && isOlder(lastRun, MAX_SILENT_MS) && !isOlder(lastRun, FORGOTTEN_MS),
  };
  return TROUBLES.filter((each) => troubles[each]);
}

/** Teams with the gravest trouble come first. The others keep the order of their names. */
function rank(troubles: readonly Trouble[]): number {
  const [gravest] = troubles;
  return gravest === undefined ? TROUBLES.length : TROUBLES.indexOf(gravest);
}

function countsOfWeek(anchor: Anchor, before: Anchor | undefined): ChainCounts {
  return countsSince(before?.counts ?? NO_COUNTS, anchor.counts);
}

function describeWeek(teams: readonly MailedTeam[], result: string, { bucket, now }: Week): string {
  const events = teams.reduce((sum, { anchor, before }) => sum + (anchor ? countsOfWeek(anchor, before).events : 0), 0);
  const days = Math.max(ROUND_DAYS, ...teams.map(({ anchor }) => (anchor ? roundDays(anchor) : 0)));
  const late = days > ROUND_DAYS ? `, which is longer than the ${ROUND_DAYS} days that are meant` : '';
  return [
    `The audit archive of Postman in s3://${bucket}, week to ${dateOf(now)}. All times are UTC.`,
    '',
    result === 'all good'
      ? `All good: ${plural(teams.length, 'team was', 'teams were')} verified. Nothing is missing, added or changed.`
      : `Not all is good: ${result}. These teams come first.`,
    `Archived and verified since the anchors of a week ago, and for a new team since its archive began: ${plural(events, 'event')}.`,
    `The verifier reads everything new every day, and every stored byte again within ${days} days${late}.`,
    '',
    '',
  ].join('\n');
}

function describeTeam(team: MailedTeam, troubles: readonly Trouble[], now: Date): string {
  const { verified, anchor, before } = team;
  const name = printable(verified.team);
  const result = troubles.length === 0 ? 'good' : troubles.join(', ').toUpperCase();
  const lines = [`${name}: ${result}. ${describeCounts(anchor, before)} ${describeRuns(team, now)}`];
  if (troubles.includes('with findings')) lines.push(...describeFindings(team.findings));
  if (troubles.includes('unverified'))
    lines.push(`  ${printable(verified.detail ?? 'The time did not suffice')}. What to do: docs/runbook.md#unverified`);
  if (troubles.includes('with a gap') && anchor) lines.push(...describeGap(countsOfWeek(anchor, before)));
  if (troubles.includes('silent')) lines.push('  A team that has left has no runs. Any other: docs/runbook.md#silent');
  if (anchor && roundDays(anchor) > ROUND_DAYS)
    lines.push(
      `  Its whole chain is read again every ${roundDays(anchor)} days, because one verification has too little time for more.`,
    );
  return `${lines.join('\n')}\n`;
}

function describeCounts(anchor: Anchor | undefined, before: Anchor | undefined): string {
  if (anchor === undefined) return 'No anchor of it can be read.';
  const { events, late, quarantined, runs } = countsOfWeek(anchor, before);
  const until = `verified up to manifest ${anchor.seq} on ${toTheMinute(anchor.verifiedAt)}`;
  if (anchor.verifiedAt === before?.verifiedAt)
    return `${plural(anchor.counts.events, 'event')} in all, ${until}; what is newer is not counted.`;
  const since = before === undefined ? 'since the archive began' : `since ${toTheMinute(before.verifiedAt)}`;
  const details = `${figure(late)} late, ${figure(quarantined)} quarantined, ${plural(runs, 'run')}`;
  return `${plural(events, 'event')} ${since} (${details}), ${figure(anchor.counts.events)} in all, ${until}.`;
}

function describeRuns({ lastRun }: MailedTeam, now: Date): string {
  if (lastRun === undefined) return 'When it ran last is not known.';
  const days = Math.floor((now.getTime() - lastRun.getTime()) / DAY_MS);
  return days < 1 ? 'It ran last within a day.' : `It ran last ${plural(days, 'day')} ago.`;
}

function describeGap({ gaps, latestGap }: ChainCounts): readonly string[] {
  const { from, to } = latestGap ?? {};
  return [
    `  ${plural(gaps, 'gap')}: Postman had forgotten these events before they were read. The latest is from ${from} to ${to}.`,
    '  They are lost for ever. Somebody must decide what that means: docs/runbook.md#gap',
  ];
}

/** One finding of each code, and the number of the others. */
function describeFindings(findings: readonly Finding[]): readonly string[] {
  const byCode = new Map<FindingCode, Finding[]>();
  for (const finding of findings)
    if (finding.severity === 'finding') byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), finding]);
  const codes = [...byCode];
  const lines = codes
    .slice(0, MAX_CODES)
    .flatMap(([code, [first, ...others]]) => [
      `  ${code}: ${FINDINGS[code].sentence}`,
      `    ${printable(first?.object ?? '')}${others.length > 0 ? ` and ${others.length} more` : ''}`,
    ]);
  const further = codes.length > MAX_CODES ? [`  and findings of ${codes.length - MAX_CODES} other codes`] : [];
  return [
    ...lines,
    ...further,
    '  Nothing is proved since the last good verification. Call security and delete nothing: docs/runbook.md#integrity',
  ];
}

/** One line for each team, which together are a file for `--head`. */
function describeHeads(teams: readonly MailedTeam[], bucket: string): string {
  const heads = teams.flatMap(({ anchor }) => {
    if (anchor === undefined) return [];
    const { team, seq, sha256 } = anchor;
    return printable(JSON.stringify({ team, seq, sha256 }), MAX_BYTES);
  });
  if (heads.length === 0) return '';
  return [
    '',
    'Keep this mail. The lines from [ to ] name the newest verified manifest of each team. They lie outside of the account, so they',
    'show later whether manifests were removed since. Save them as heads.json, and compare:',
    `  npx audit-archive verify s3://${bucket} --key archive.pub.pem --head heads.json`,
    `[\n${heads.join(',\n')}\n]`,
    '',
  ].join('\n');
}

/** As many of the texts as there is room for, and how many were left out. */
function fitted(texts: readonly string[], room: number): string {
  const rest = (left: number) => (left === 0 ? '' : `and ${plural(left, 'more team')}: see the log of the verifier\n`);
  let text = '';
  for (const [i, each] of texts.entries()) {
    if (text.length + each.length + rest(texts.length).length > room) return text + rest(texts.length - i);
    text += each;
  }
  return text;
}

function printable(text: string, most = MAX_OBJECT): string {
  const escaped = asciiOnly(text);
  return escaped.length > most ? `${escaped.slice(0, most)}...` : escaped;
}

function toTheMinute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}
