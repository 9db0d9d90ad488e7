/**
 * The verifier Lambda: the composition root. Once a day it verifies each team from its newest anchor, the team that was verified
 * longest ago first, and writes a new anchor for each team without a finding. On Mondays it sends the weekly mail. It can read the
 * archive and its public key. It can write nothing but anchors, and it cannot sign.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import { awsClient } from '../adapters/aws-client';
import { emitForArchive, emitForTeam } from '../adapters/metrics';
import { createS3Store } from '../adapters/s3';
import { listFolders, openFolders } from '../adapters/s3-versions';
import { readSigningKey } from '../adapters/signer';
import { publishMail } from '../adapters/sns';
import { archiveMetrics, teamMetrics } from '../shared/alarms';
import { type Anchor, anchorPrefix, decodeAnchor, encodeAnchor, roundDays } from '../shared/anchor';
import {
  isMailDay,
  mailEnvironment,
  type VerifiedTeam,
  type VerifierSummary,
  verifierEnvironment,
} from '../shared/contract';
import { decodeEnvironment } from '../shared/env';
import { Failure } from '../shared/errors';
import { manifestPrefix } from '../shared/object-keys';
import { addMs, DAY_MS, HOUR_MS } from '../shared/time';
import { verifyDaily } from './daily';
import type { DailyOptions } from './daily-steps';
import type { Finding } from './findings';
import { type MailedTeam, writeMail } from './mail';

const s3 = new S3Client(awsClient);
const logger = new Logger({ serviceName: 'verifier' });
/** Time that one step of a verification may take, and that is kept for the anchor. */
const RESERVE_MS = 120_000;
/** A day, and an hour for a run that begins late. */
const LONGEST_TURN_HOURS = 25;
/** The mail compares with the newest anchor that is so old. Two verifications are seldom exactly 24 hours apart. */
const WEEK_MS = 6.5 * DAY_MS;
/** The other findings of a team are counted. */
const MAX_LOGGED = 100;
/** The manifests come last, because a run may commit meanwhile. */
const AREAS = ['anchors', 'batches', 'events', 'quarantine', 'manifests'];

export async function handler(input: unknown, context: Context): Promise<VerifierSummary> {
  const { bucket, signingKey } = decodeEnvironment(verifierEnvironment, process.env);
  const publicKey = await readSigningKey(signingKey, () => new KMSClient(awsClient));
  const now = new Date();
  const teams = await Promise.all((await teamsIn(bucket)).map((team) => remember(bucket, team)));
  teams.sort((a, b) => verifiedAt(a) - verifiedAt(b));
  const verified: Verified[] = [];
  for (const [i, team] of teams.entries()) {
    const remaining = context.getRemainingTimeInMillis();
    if (remaining < RESERVE_MS) {
      verified.push(leaveForTheNextRun(team, now));
      continue;
    }
    // Each team has its share of the time, so that one whose verification never ends does not stop the others.
    const until = remaining - (remaining - RESERVE_MS) / (teams.length - i);
    const hasTime = () => context.getRemainingTimeInMillis() > until;
    verified.push(await verifyTeam(team, { bucket, publicKey, now, hasTime }));
  }
  const summary = report(verified, { bucket, now });
  const problems = [...failuresOf(summary), ...(isMailDay(input) ? await sendMail(verified, { bucket, now }) : [])];
  // Lambda tries once more. A mail that has been sent is then sent a second time.
  if (problems.length > 0) throw new Error(problems.join('; '));
  return summary;
}

/** A team with what the verifier remembers of it. */
interface Remembered {
  readonly team: string;
  /** Undefined where there is no anchor, or where the newest one cannot be read. */
  readonly anchor: Anchor | undefined;
  readonly unreadable: string | undefined;
}

/** Everybody whose folders are in the bucket. A team that somebody planted has no manifests, which is a finding. */
async function teamsIn(bucket: string): Promise<readonly string[]> {
  const folders = await Promise.all(AREAS.map((area) => listFolders(s3, bucket, `${area}/`)));
  const names = folders.flat().flatMap((folder) => /^team=(.*)\/$/.exec(folder)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** The newest anchor that was written before an instant. */
async function remember(bucket: string, team: string, before?: Date): Promise<Remembered> {
  const folder = await openFolders(s3, bucket, [anchorPrefix(team)]);
  const writtenAt = (key: string) => folder.writtenAt(key).getTime();
  const known = (await folder.list('')).filter((key) => before === undefined || folder.writtenAt(key) < before);
  const [newest] = known.toSorted((a, b) => writtenAt(b) - writtenAt(a));
  if (newest === undefined) return { team, anchor: undefined, unreadable: undefined };
  const anchor = decodeAnchor(newest, (await folder.get(newest)) ?? Buffer.alloc(0));
  return { team, anchor, unreadable: anchor === undefined ? newest : undefined };
}

function verifiedAt({ anchor }: Remembered): number {
  return anchor === undefined ? 0 : Date.parse(anchor.verifiedAt);
}

interface Circumstances extends Pick<DailyOptions, 'publicKey' | 'now' | 'hasTime'> {
  readonly bucket: string;
}

interface Verified {
  readonly summary: VerifiedTeam;
  /** The time of the newest anchor, or of the first manifest where there is none. A team without manifests has findings instead. */
  readonly since: Date;
  /** Whether the team has an anchor of this day, or waits for its turn only. */
  readonly isCurrent: boolean;
  readonly findings: readonly Finding[];
  /** When the newest manifest was written. */
  readonly lastRun: Date | undefined;
}

/** Where one run does not suffice for all teams, the others are the first ones of the next run. */
function leaveForTheNextRun({ team, anchor }: Remembered, now: Date): Verified {
  const since = anchor === undefined ? now : new Date(anchor.verifiedAt);
  const isCurrent = anchor !== undefined && hoursBetween(since, now) <= LONGEST_TURN_HOURS;
  return { summary: { team, outcome: 'behind' }, since, isCurrent, findings: [], lastRun: undefined };
}

/** A team whose verification fails does not keep the others from being verified. */
async function verifyTeam({ team, anchor, unreadable }: Remembered, circumstances: Circumstances): Promise<Verified> {
  const { bucket, now } = circumstances;
  let since = anchor && new Date(anchor.verifiedAt);
  let lastRun: Date | undefined;
  try {
    const reader = await openFolders(
      s3,
      bucket,
      AREAS.map((area) => `${area}/team=${team}/`),
    );
    const manifests = await reader.list(manifestPrefix(team));
    const [first, newest] = [manifests[0], manifests.at(-1)];
    if (first !== undefined) since ??= reader.writtenAt(first);
    if (newest !== undefined) {
      lastRun = reader.writtenAt(newest);
      emitForTeam(teamMetrics.manifestAge, hoursBetween(lastRun, now), { bucket, team });
    }
    const daily = await verifyDaily({ ...circumstances, reader, team, anchor });
    const findings =
      unreadable === undefined ? daily.findings : [anchorUnreadable(team, unreadable), ...daily.findings];
    logFindings(findings);
    const grave = findings.filter(({ severity }) => severity === 'finding').length;
    const notNow = { since: since ?? now, isCurrent: false, findings, lastRun };
    if (grave > 0) return { summary: { team, outcome: 'findings', findings: grave }, ...notNow };
    if (daily.anchor === undefined) return { summary: { team, outcome: 'behind' }, ...notNow };
    const { hidden, several } = reader.versions;
    if (hidden.length > (anchor?.versions.hidden ?? 0) || several.length > (anchor?.versions.several ?? 0))
      logger.warn('versions', { team, hidden: hidden.slice(0, MAX_LOGGED), several: several.slice(0, MAX_LOGGED) });
    await storeAnchor(bucket, { ...daily.anchor, versions: { hidden: hidden.length, several: several.length } });
    const outcome = daily.isComplete ? 'good' : 'behind';
    const summary: VerifiedTeam = { team, outcome, seq: daily.anchor.seq, roundDays: roundDays(daily.anchor) };
    return { summary, since: now, isCurrent: true, findings, lastRun };
  } catch (error) {
    const detail = detailOf(error);
    logger.error('failed', { team, detail });
    const notNow = { since: since ?? now, isCurrent: false };
    return { summary: { team, outcome: 'failed', detail }, ...notNow, findings: [], lastRun };
  }
}

async function storeAnchor(bucket: string, anchor: Parameters<typeof encodeAnchor>[0]): Promise<void> {
  const { key, body } = encodeAnchor(anchor);
  await createS3Store(s3, bucket).create(key, body, 'application/json');
}

function anchorUnreadable(team: string, object: string): Finding {
  return { code: 'anchor-unreadable', severity: 'finding', team, object, detail: '' };
}

/** A finding names an object and never holds an event. */
function logFindings(findings: readonly Finding[]): void {
  for (const { severity, ...finding } of findings.slice(0, MAX_LOGGED))
    logger[severity === 'finding' ? 'error' : 'warn'](finding.code, { ...finding });
  if (findings.length > MAX_LOGGED) logger.error('further findings', { findings: findings.length - MAX_LOGGED });
}

/** Logs the summary and emits the metrics. */
function report(
  verified: readonly Verified[],
  { bucket, now }: Pick<Circumstances, 'bucket' | 'now'>,
): VerifierSummary {
  const teams = verified.map(({ summary }) => summary);
  const unverifiedHours = Math.max(0, ...verified.map(({ since }) => hoursBetween(since, now)));
  const findings = teams.reduce((sum, team) => sum + (team.findings ?? 0), 0);
  const isGood = teams.every(({ outcome }) => outcome === 'good' || outcome === 'behind');
  const summary: VerifierSummary = { outcome: isGood ? 'good' : 'findings', teams, unverifiedHours };
  if (findings > 0) emitForArchive(archiveMetrics.integrity, findings, bucket);
  if (isGood && verified.every(({ isCurrent }) => isCurrent)) emitForArchive(archiveMetrics.verified, 1, bucket);
  logger.info('verification', { ...summary });
  return summary;
}

function failuresOf({ teams }: VerifierSummary): readonly string[] {
  const failed = teams.filter(({ outcome }) => outcome === 'failed').map(({ team, detail }) => `${team}: ${detail}`);
  return failed.length > 0 ? [`not every team could be verified: ${failed.join('; ')}`] : [];
}

/** Returns the reason why the mail was not sent. Everything is verified by then, and neither an anchor nor a metric depends on it. */
async function sendMail(verified: readonly Verified[], week: Pick<Circumstances, 'bucket' | 'now'>): Promise<string[]> {
  try {
    const { topic } = decodeEnvironment(mailEnvironment, process.env);
    const teams = await Promise.all(verified.map((team) => mailedTeam(team, week)));
    await publishMail(new SNSClient(awsClient), topic, writeMail(teams, week));
    return [];
  } catch (error) {
    const detail = detailOf(error);
    logger.error('mail', { detail });
    return [`the weekly mail was not sent: ${detail}`];
  }
}

async function mailedTeam(
  { summary, findings, lastRun }: Verified,
  { bucket, now }: Pick<Circumstances, 'bucket' | 'now'>,
): Promise<MailedTeam> {
  const { anchor } = await remember(bucket, summary.team);
  const { anchor: before } = await remember(bucket, summary.team, addMs(now, -WEEK_MS));
  return { verified: summary, findings, lastRun, anchor, before };
}

function detailOf(error: unknown): string {
  return error instanceof Failure ? `${error.code}: ${error.message}` : 'an unexpected error';
}

function hoursBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / HOUR_MS;
}
