/**
 * `audit-archive status` tells whether each team is fresh, complete and verified, and compares every setting in AWS that could be
 * wrong with this version and `cdk.json`. It changes nothing, and never reads an API key.
 */
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type * as infraExpected from '../infra/expected';
import { archiveName, roleName } from '../infra/names';
import { archiverEnvironment, mailEnvironment } from '../lambdas/shared/contract';
import { HOUR_MS } from '../lambdas/shared/time';
import { version } from '../package.json';
import type { Account, DeployedFunction } from './aws/account';
import { exitCodes } from './exit';
import { type Check, checkSettings, ownTopic, topicOf } from './status-checks';
import { describeReport, type Report } from './status-output';
import { need } from './status-team';
import { readTeams } from './status-teams';
import { type OpenBucket, openArchive } from './verify';
import { readKey } from './verify-inputs';
import { LONGEST_SILENCE_MS } from './verify-output';

const HELP = `
With PATH, the manifests and anchors of a copy tell it. Without PATH, the deployed archive is asked, with the credentials and the
region of the AWS command line, and with the cdk.json of this folder. Each thing that needs a person is marked with !, with what
mends it, and makes the exit code 1.`;

interface StatusFlags {
  readonly key?: string;
  readonly stage: string;
  readonly sendTest?: boolean;
  readonly json?: boolean;
}

export interface StatusWorld {
  readonly openBucket: OpenBucket;
  openAccount(): Promise<Account>;
  /** The CDK takes longer to load than everything else. */
  loadInfra(): Promise<typeof infraExpected>;
  print(text: string): void;
  /** Tells the progress. */
  note(text: string): void;
  readonly now: Date;
}

export function addStatus(
  program: Command,
  world: Pick<StatusWorld, 'openBucket' | 'openAccount' | 'loadInfra'>,
): void {
  program
    .command('status')
    .description('tell whether each team is fresh, complete and verified, and whether every setting in AWS is right')
    .argument('[path]', 'a folder that holds a copy of the bucket')
    .option('--key <file>', 'check the signatures of the newest manifests with the public key that was saved')
    .option('--stage <name>', 'the stage of the deployment', 'prod')
    .option('--send-test', 'send a test message to those who are told of an alarm')
    .option('--json', 'print one JSON document')
    .addHelpText('after', HELP)
    .action(async (path: string | undefined, flags: StatusFlags, command: Command) => {
      if (path !== undefined && flags.sendTest)
        return command.error('error: --send-test belongs to a deployed archive');
      process.exitCode = await runStatus(path, flags, {
        ...world,
        print: console.log,
        note: console.error,
        now: new Date(),
      });
    });
}

/** Returns the exit code. Throws where the archive, the key or `cdk.json` cannot be read, or where nothing is deployed. */
export async function runStatus(path: string | undefined, flags: StatusFlags, world: StatusWorld): Promise<number> {
  const publicKey = flags.key === undefined ? undefined : await readKey(flags.key);
  const found = path === undefined ? await ofDeployment(flags, publicKey, world) : await ofCopy(path, publicKey, world);
  const good = [...found.teams, ...found.checks].every(({ needs }) => needs.length === 0);
  const unchecked = publicKey ? [] : ['The signatures of the manifests were not checked: give --key.'];
  const report: Report = { now: world.now.toISOString(), good, ...found, notes: [...unchecked, ...found.notes] };
  if (flags.json) world.print(JSON.stringify(report, null, 2));
  else for (const line of describeReport(report)) world.print(line);
  return good ? exitCodes.good : exitCodes.findings;
}

type Found = Omit<Report, 'now' | 'good'>;

async function ofCopy(
  path: string,
  publicKey: KeyObject | undefined,
  { openBucket, now }: StatusWorld,
): Promise<Found> {
  const reader = await openArchive(path, openBucket);
  const options = { publicKey, now, isCopy: true, expected: new Map(), silentMs: LONGEST_SILENCE_MS };
  const teams = await readTeams(reader, options);
  if (teams.length === 0)
    throw new Error(`${path} holds no manifest: give the folder that holds the copy of the bucket`);
  return { teams, checks: [], notes: [] };
}

async function ofDeployment(
  { stage, sendTest }: StatusFlags,
  publicKey: KeyObject | undefined,
  world: StatusWorld,
): Promise<Found> {
  const { now, openBucket } = world;
  world.note(`Asking AWS about the stage ${stage}, which may take half a minute.`);
  const [account, infra] = await Promise.all([world.openAccount(), world.loadInfra()]);
  const archiver = await findArchiver(account, stage);
  const verifier = await account.functionOf(roleName(stage, 'verifier', await account.region()));
  const functions = { archiver, verifier };
  const context = readContext(stage);
  const topic = await ownTopic(account, archiveName(stage)).catch(() => undefined);
  // Where the topic is not found, the check of the alarms says so, and the verifier is not accused too.
  const place = placeOf(archiver, verifier, topic ?? verifier?.environment[mailEnvironment.topic.name] ?? '');
  const expected = infra.expectedSettings(context, place);
  const silences = new Map(expected.teams.map(({ name, silentHours }) => [name, silentHours * HOUR_MS]));
  const options = { publicKey, now, isCopy: false, expected: silences, silentMs: undefined };
  const unread: Check[] = [];
  const teams = await readTeams(await openBucket(place.bucket), options).catch((error: unknown) => {
    unread.push(unreadable(error));
    return [];
  });
  const checks = [...unread, ...(await checkSettings({ expected, place, functions, account, teams, version, now }))];
  const notes = [`Which alarms ring now: ${expected.dashboard}`];
  if (sendTest) notes.push(await testRecipients(account, expected));
  return { teams, checks, notes, maxRequestsPerMinute: expected.maxRequestsPerMinute };
}

async function testRecipients(account: Account, expected: infraExpected.Expected): Promise<string> {
  const topic = await topicOf(account, expected);
  if (topic === undefined) throw new Error('no test message was sent, because the topic of the alarms is not there');
  await account.publish(topic, `This is a test of ${expected.name}. Nothing is wrong.`);
  return `A test message was sent to ${topic}: whoever has confirmed a subscription gets it within a minute.`;
}

/** A setting may be the cause, such as a key that is disabled, so the settings are checked all the same. */
function unreadable(error: unknown): Check {
  // The outer error speaks of a copy.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const problem = `could not be read (${cause instanceof Error ? cause.message : String(cause)})`;
  const mend = 'mend the settings below; if all are right, give yourself the right to read the bucket and to decrypt';
  return { subject: 'archive', found: '', needs: [need(problem, mend)] };
}

/** Throws where the stage is not deployed. */
export async function findArchiver(account: Account, stage: string): Promise<DeployedFunction> {
  const region = await account.region();
  const role = roleName(stage, 'archiver', region);
  const archiver = await account.functionOf(role);
  if (archiver !== undefined) return archiver;
  const problem = `stage ${stage} is not deployed in ${region}: no function has the role ${role}`;
  throw new Error(`${problem}. Set AWS_REGION, or give --stage`);
}

function placeOf(
  archiver: DeployedFunction,
  verifier: DeployedFunction | undefined,
  topic: string,
): infraExpected.Place {
  const [, partition = '', , region = '', account = ''] = archiver.arn.split(':');
  const variable = ({ name }: { readonly name: string }) => archiver.environment[name] ?? '';
  const { bucket, table, signingKey } = archiverEnvironment;
  return {
    ...{ partition, region, account, topic },
    ...{ bucket: variable(bucket), table: variable(table), signingKey: variable(signingKey) },
    ...{ archiverArn: archiver.arn, verifierArn: verifier?.arn ?? '' },
  };
}

/** The context of `cdk.json`, which must describe this stage: with another one, every setting would look wrong. */
function readContext(stage: string): Readonly<Record<string, unknown>> {
  if (!existsSync('cdk.json')) throw new Error('there is no cdk.json here: run it in the folder from which you deploy');
  const { context = {} } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  const { stage: described = 'prod' } = context.archive ?? {};
  if (described === stage) return context;
  throw new Error(`cdk.json describes the stage ${described}, and not ${stage}: give --stage ${described}`);
}
