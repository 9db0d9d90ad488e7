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
import { anchorPrefix } from '../shared/anchor';
import { mailEnvironment, type VerifierSummary, verifierEnvironment } from '../shared/contract';
import { decodeEnvironment } from '../shared/env';
import { FOLDERS } from '../shared/object-keys';
import { addMs, DAY_MS } from '../shared/time';
import { isMailDay, type MailedTeam, writeMail } from './mail';
import {
  detailOf,
  hoursBetween,
  leaveForTheNextRun,
  newestAnchor,
  type Remembered,
  remember,
  type TeamWorld,
  type Verified,
  verifyTeam,
} from './team';

const s3 = new S3Client(awsClient);
const logger = new Logger({ serviceName: 'verifier' });
/** Time that one step of a verification may take, and that is kept for the anchor. */
const RESERVE_MS = 120_000;
/** The mail compares with the newest anchor that is so old. Two verifications are seldom exactly 24 hours apart. */
const WEEK_MS = 6.5 * DAY_MS;
/** The other findings of a team are counted. */
const MAX_LOGGED = 100;

export async function handler(input: unknown, context: Context): Promise<VerifierSummary> {
  const { bucket, signingKey } = decodeEnvironment(verifierEnvironment, process.env);
  const publicKey = await readSigningKey(signingKey, () => new KMSClient(awsClient));
  const world = worldOf(bucket);
  const now = new Date();
  const teams = await Promise.all((await teamsIn(bucket)).map((team) => remember(team, world)));
  teams.sort((a, b) => verifiedAt(a) - verifiedAt(b));
  const verified: Verified[] = [];
  for (const [i, team] of teams.entries()) {
    const remaining = context.getRemainingTimeInMillis();
    // Each team has its share of the time, so that one whose verification never ends does not stop the others.
    const until = remaining - (remaining - RESERVE_MS) / (teams.length - i);
    const hasTime = () => context.getRemainingTimeInMillis() > until;
    const each =
      remaining < RESERVE_MS
        ? leaveForTheNextRun(team, now)
        : await verifyTeam(team, { ...world, publicKey, now, hasTime });
    tell(each, { bucket, now });
    verified.push(each);
  }
  const summary = report(verified, bucket);
  const problems = [
    ...failuresOf(summary),
    ...(isMailDay(input) ? await sendMail(verified, { world, bucket, now }) : []),
  ];
  // Lambda tries once more. A mail that has been sent is then sent a second time.
  if (problems.length > 0) throw new Error(problems.join('; '));
  return summary;
}

interface Invocation {
  readonly bucket: string;
  readonly now: Date;
}

function worldOf(bucket: string): TeamWorld {
  return { open: (prefixes) => openFolders(s3, bucket, prefixes), create: createS3Store(s3, bucket).create };
}

/** Everybody whose folders are in the bucket. A team that somebody planted has no manifests, which is a finding. */
async function teamsIn(bucket: string): Promise<readonly string[]> {
  const folders = await Promise.all(FOLDERS.map((folder) => listFolders(s3, bucket, `${folder}/`)));
  const names = folders.flat().flatMap((folder) => /^team=(.*)\/$/.exec(folder)?.[1] ?? []);
  return [...new Set(names)].sort();
}

function verifiedAt({ anchor }: Remembered): number {
  return anchor === undefined ? 0 : Date.parse(anchor.verifiedAt);
}

/** Logs what was found of a team, and emits its metric. A finding names an object and never holds an event. */
function tell({ summary, findings, newVersions, lastRun }: Verified, { bucket, now }: Invocation): void {
  const { team, outcome, detail } = summary;
  if (lastRun !== undefined) emitForTeam(teamMetrics.manifestAge, hoursBetween(lastRun, now), { bucket, team });
  for (const { severity, ...finding } of findings.slice(0, MAX_LOGGED))
    logger[severity === 'finding' ? 'error' : 'warn'](finding.code, { ...finding });
  if (findings.length > MAX_LOGGED) logger.error('further findings', { findings: findings.length - MAX_LOGGED });
  if (outcome === 'failed') logger.error('failed', { team, detail });
  if (newVersions === undefined) return;
  const { hidden, several } = newVersions;
  logger.warn('versions', { team, hidden: hidden.slice(0, MAX_LOGGED), several: several.slice(0, MAX_LOGGED) });
}

/** Logs the summary and emits the metrics of the archive. */
function report(verified: readonly Verified[], bucket: string): VerifierSummary {
  const teams = verified.map(({ summary }) => summary);
  const findings = teams.reduce((sum, team) => sum + (team.findings ?? 0), 0);
  const isGood = teams.every(({ outcome }) => outcome === 'good' || outcome === 'behind');
  const summary: VerifierSummary = { outcome: isGood ? 'good' : 'findings', teams };
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
async function sendMail(
  verified: readonly Verified[],
  { world, bucket, now }: Invocation & { readonly world: TeamWorld },
): Promise<string[]> {
  try {
    const { topic } = decodeEnvironment(mailEnvironment, process.env);
    const teams = await Promise.all(verified.map((team) => mailedTeam(team, world, now)));
    await publishMail(new SNSClient(awsClient), topic, writeMail(teams, { bucket, now }));
    return [];
  } catch (error) {
    const detail = detailOf(error);
    logger.error('mail', { detail });
    return [`the weekly mail was not sent: ${detail}`];
  }
}

async function mailedTeam({ summary, findings, lastRun }: Verified, world: TeamWorld, now: Date): Promise<MailedTeam> {
  const folder = await world.open([anchorPrefix(summary.team)]);
  const { anchor } = await newestAnchor(summary.team, folder);
  const { anchor: before } = await newestAnchor(summary.team, folder, addMs(now, -WEEK_MS));
  return { verified: summary, findings, lastRun, anchor, before };
}
