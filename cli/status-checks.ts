/**
 * Compares the account with what a deployment of this version and this `cdk.json` would have made of it. Each check has its own
 * call, so that a refused call makes one check fail and says which right is missing. Nothing that could not be asked counts as good.
 */
import type { Expected, Place } from '../infra/expected';
import { storeApiKey } from '../lambdas/shared/contract';
import type { Account, DeployedFunction } from './aws/account';
import { meaningOf, sectionOf } from './outcomes';
import { policyDifference } from './policy-difference';
import { CLOCK_MS, type Need, need, type TeamStatus } from './status-team';

export interface Check {
  readonly subject: string;
  /** What was found, where nothing needs a person. */
  readonly found: string;
  readonly needs: readonly Need[];
}

export interface Deployment {
  readonly expected: Expected;
  readonly place: Place;
  readonly functions: Readonly<Record<'archiver' | 'verifier', DeployedFunction | undefined>>;
  readonly account: Account;
  readonly teams: readonly TeamStatus[];
  /** The version of this command. */
  readonly version: string;
  readonly now: Date;
}

/** A plain deployment changes nothing that somebody changed by hand, because the template is the same. */
const DEPLOY = 'run "npx cdk deploy --revert-drift" in the checkout of this version';
const SECURITY = 'if nobody here changed it, call the security team';
const BUCKET = `${DEPLOY}; for an adopted bucket, put it back with the break-glass role as "npx cdk synth" prints it; ${SECURITY}`;

export async function checkSettings(deployment: Deployment): Promise<Check[]> {
  const { expected } = deployment;
  return Promise.all([
    ...expected.teams.flatMap((team) => [checkKey(team, deployment), checkEnding(team.name, deployment)]),
    ...expected.schedules.map((schedule) => checkSchedule(schedule, deployment)),
    ...(['archiver', 'verifier'] as const).map((name) => checkFunction(name, deployment)),
    ...bucketChecks(deployment),
    ...otherChecks(deployment),
  ]);
}

/** The needs of a check, or a text that tells what it found where nothing needs a person. */
type CheckResult = string | readonly Need[];

/** `right` is the right that the call needs. */
async function check(subject: string, right: string, ask: () => Promise<CheckResult>): Promise<Check> {
  const answer = await ask().catch((error: unknown) => {
    return [need(`could not be checked (${error})`, `see that it exists, and give yourself the right ${right}`)];
  });
  return typeof answer === 'string' ? { subject, found: answer, needs: [] } : { subject, found: '', needs: answer };
}

/** A text where there is no problem. */
function needsOr(found: string, problems: readonly (string | false | undefined)[], mend: string): CheckResult {
  const needs = problems.filter((problem) => typeof problem === 'string').map((problem) => need(problem, mend));
  return needs.length === 0 ? found : needs;
}

function checkKey({ name, apiKeyParameter }: Expected['teams'][number], { account, expected, place }: Deployment) {
  return check(`${name}, API key`, 'ssm:DescribeParameters', async () => {
    if (await account.parameterExists(apiKeyParameter)) return `${apiKeyParameter} is there`;
    const command = storeApiKey(apiKeyParameter, { ...place, ...expected });
    return [need(`there is no SecureString ${apiKeyParameter}`, command)];
  });
}

function checkEnding(team: string, { account, place, now }: Deployment) {
  return check(`${team}, last run`, 'dynamodb:GetItem', async () =>
    describeEnding(await account.checkpoint(place.table, team), now),
  );
}

type LastRun = Awaited<ReturnType<Account['checkpoint']>>;

/** What the last run tells of the key, the role and the plan. */
function describeEnding({ outcome, ended, leaseUntil }: LastRun, now: Date): CheckResult {
  const { means, mend } = meaningOf(outcome ?? 'archived');
  if (outcome !== undefined && mend !== undefined)
    return [need(`${outcome}, at ${ended}: ${means}`, `${mend} (${sectionOf(outcome)})`)];
  if (leaseUntil > now.getTime()) return 'a run is at work';
  if (!Number.isNaN(leaseUntil)) return 'the last run was stopped before its end; the next one goes on';
  return outcome === undefined ? 'nothing is known of its end' : `${outcome}, at ${ended}: ${means}`;
}

function checkSchedule({ group, name, expression, target }: Expected['schedules'][number], { account }: Deployment) {
  return check(`schedule ${name}`, 'scheduler:GetSchedule', async () => {
    const found = await account.schedule(group, name);
    if (found === undefined) return [need(`is not there in the group ${group}`, DEPLOY)];
    const problems = [
      !found.isEnabled && 'is disabled',
      found.target !== target && `starts ${found.target}, not the deployed function`,
      found.expression !== expression && `is ${found.expression}, and cdk.json says ${expression}`,
    ];
    return needsOr(`${expression}, enabled`, problems, DEPLOY);
  });
}

/** CloudFormation cannot tell which version of the code a function has, but the manifests that it wrote can. */
function checkFunction(name: 'archiver' | 'verifier', { functions, expected, teams, version }: Deployment) {
  return check(`function ${name}`, 'lambda:ListFunctions', async () => {
    const found = functions[name];
    if (found === undefined) return [need('is not there', DEPLOY)];
    const wanted = expected.environments[name];
    const variables = new Set([...Object.keys(wanted), ...Object.keys(found.environment)]);
    const differing = [...variables].filter((variable) => wanted[variable] !== found.environment[variable]);
    const isOld = ({ lastSuccess, codeVersion }: TeamStatus) =>
      Date.parse(lastSuccess ?? '') > Date.parse(found.lastModified) && codeVersion !== version;
    const old = name === 'archiver' && teams.find(isOld);
    const problems = [
      ...differing.map((variable) => `has another ${variable} than cdk.json gives`),
      old && `is version ${old.codeVersion}, and this command is version ${version}`,
    ];
    return needsOr(`updated ${found.lastModified}`, problems, DEPLOY);
  });
}

function bucketChecks({ account, expected, place: { bucket } }: Deployment) {
  return [
    check('bucket, versioning', 's3:GetBucketVersioning', async () => {
      const status = await account.versioning(bucket);
      return needsOr('on', [status !== 'Enabled' && `is ${status}, so nothing new is under lock`], BUCKET);
    }),
    check('bucket, lock', 's3:GetBucketObjectLockConfiguration', async () => {
      const lock = await account.lock(bucket);
      const say = ({ mode, days }: { mode: string; days: number }) => `${mode} for ${days} days`;
      const wanted = say(expected.retention);
      const found = lock === undefined ? 'has no default retention' : `is ${say(lock)}`;
      return needsOr(wanted, [found !== `is ${wanted}` && `${found}, and cdk.json says ${wanted}`], BUCKET);
    }),
    check('bucket, policy', 's3:GetBucketPolicy', async () => {
      const { missing, added, changed } = policyDifference(expected.bucketPolicy, await account.bucketPolicy(bucket));
      const problems = [
        ...missing.map((name) => `the statement ${name} is missing`),
        ...changed.map((name) => `the statement ${name} differs from that of this version`),
        ...added.map((name) => `the statement ${name} is not one of this version`),
      ];
      return needsOr('that of this version', problems, BUCKET);
    }),
    check('bucket, expiry', 's3:GetLifecycleConfiguration', async () => {
      const say = (prefix: string, days: number | null) => `${prefix || 'everything'} after ${days} days`;
      const listed = (rules: readonly string[]) => rules.toSorted().join(', ') || 'nothing';
      const found = listed((await account.lifecycle(bucket)).map(({ prefix, days }) => say(prefix, days)));
      const wanted = listed(Object.entries(expected.lifecycle).map(([prefix, days]) => say(prefix, days)));
      const problem = found !== wanted && `deletes ${found}, and cdk.json says ${wanted}`;
      return needsOr(`deletes ${wanted}`, [problem], BUCKET);
    }),
  ];
}

function otherChecks({ account, expected, place, now }: Deployment) {
  const key = (name: string, id: string) =>
    check(`${name} key`, 'kms:DescribeKey', async () => {
      const { state, arn } = await account.keyState(id);
      const cancel = state === 'PendingDeletion' ? `aws kms cancel-key-deletion --key-id ${arn}, then ` : '';
      const mend = `as an administrator: ${cancel}aws kms enable-key --key-id ${arn}; ${SECURITY}`;
      return needsOr('enabled', [state !== 'Enabled' && `has the state ${state}`], mend);
    });
  return [
    key('signing', place.signingKey),
    key('encryption', expected.encryptionKey),
    check('Athena workgroup', 'athena:GetWorkGroup', async () => {
      const state = await account.workgroupState(expected.name);
      return needsOr(expected.name, [state !== 'ENABLED' && `has the state ${state}`], DEPLOY);
    }),
    check('alarms', 'sns:ListTopics, sns:ListSubscriptionsByTopic', () => recipients(account, expected)),
    check('clock', 'ssm:DescribeParameters', async () => {
      const aws = await account.clock();
      if (aws === undefined)
        return [need('AWS did not tell its time', 'compare the clock of this machine with another one')];
      const seconds = Math.round((now.getTime() - aws.getTime()) / 1000);
      const isWrong = Math.abs(seconds) * 1000 > CLOCK_MS;
      const problem = `this machine differs from AWS by ${seconds} seconds`;
      return needsOr('this machine and AWS agree', [isWrong && problem], 'set the clock of this machine');
    }),
  ];
}

async function recipients(account: Account, expected: Expected): Promise<CheckResult> {
  const topic = await topicOf(account, expected);
  if (topic === undefined) return [need('the topic is not there', DEPLOY)];
  const { email } = expected.alarms;
  const all = await account.subscriptions(topic);
  const wanted = email === null ? all : all.filter(({ endpoint }) => endpoint === email);
  if (wanted.some(({ isConfirmed }) => isConfirmed)) return `${email ?? topic} is told`;
  if (wanted.length > 0)
    return [need('the subscription is not confirmed', 'open the mail from AWS, and confirm it; or deploy again')];
  const again = `subscribe it again: aws sns subscribe --topic-arn ${topic} --protocol email --notification-endpoint ${email}`;
  const first = 'set "alarms": { "email": "..." } in cdk.json, and deploy';
  return [need('nobody is told of an alarm', email === null ? first : again)];
}

/** The topic of the configuration, or else that of the stack. */
export async function topicOf(account: Account, { alarms, name }: Expected): Promise<string | undefined> {
  return alarms.topicArn ?? ownTopic(account, name);
}

/** CloudFormation begins the name of the topic with those of the stack and of its part. */
export async function ownTopic(account: Account, archive: string): Promise<string | undefined> {
  return account.topicOf(`${archive}-AlarmsTopic`);
}
