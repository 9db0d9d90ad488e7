/**
 * Compares the account with what a deployment of this version and this `cdk.json` would have made of it. Each check has its own
 * call, so that a refused call makes one check fail and says which right is missing. Nothing that could not be asked counts as good.
 */
import type { Expected, Place } from '../infra/expected';
import { storeApiKey } from '../lambdas/shared/contract';
import { meaningOf, sectionOf } from './outcomes';
import { policyDifference } from './policy-difference';
import type { Account, DeployedFunction, Ending } from './status-account';
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
const BREAK_GLASS = `${DEPLOY}; for an adopted bucket, put it back with the break-glass role as "npx cdk synth" prints it`;
const SECURITY = 'if nobody here changed it, call the security team';

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

/** `ask` returns what needs a person, or a text that tells what was found. `right` is the right that the call needs. */
async function check(subject: string, right: string, ask: () => Promise<string | readonly Need[]>): Promise<Check> {
  try {
    const answer = await ask();
    return typeof answer === 'string' ? { subject, found: answer, needs: [] } : { subject, found: '', needs: answer };
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return {
      subject,
      found: '',
      needs: [need(`could not be checked (${reason})`, `see that it exists, and give yourself the right ${right}`)],
    };
  }
}

function checkKey({ name, apiKeyParameter }: Expected['teams'][number], { account, expected, place }: Deployment) {
  return check(`${name}, API key`, 'ssm:DescribeParameters', async () => {
    if (await account.parameterExists(apiKeyParameter)) return `${apiKeyParameter} is there`;
    const encryptionKey = expected.encryptionKey;
    const command = storeApiKey(apiKeyParameter, { region: place.region, encryptionKey });
    return [need(`there is no SecureString ${apiKeyParameter}`, command)];
  });
}

function checkEnding(team: string, { account, place, now }: Deployment) {
  return check(`${team}, last run`, 'dynamodb:GetItem', async () =>
    describeEnding(await account.checkpoint(place.table, team), now),
  );
}

/** What the last run tells of the key, the role and the plan. */
function describeEnding({ outcome, ended, leaseUntil }: Ending, now: Date): string | readonly Need[] {
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
      ...(found.isEnabled ? [] : ['is disabled']),
      ...(found.target === target ? [] : [`starts ${found.target}, not the deployed function`]),
      ...(found.expression === expression ? [] : [`is ${found.expression}, and cdk.json says ${expression}`]),
    ];
    return problems.length === 0 ? `${expression}, enabled` : problems.map((each) => need(each, DEPLOY));
  });
}

/** CloudFormation cannot tell which version of the code a function has, but the manifests that it wrote can. */
function checkFunction(name: 'archiver' | 'verifier', { functions, expected, teams, version }: Deployment) {
  return check(`function ${name}`, 'lambda:ListFunctions', async () => {
    const found = functions[name];
    if (found === undefined) return [need('is not there', DEPLOY)];
    const wanted = expected.environments[name];
    const differing = [...new Set([...Object.keys(wanted), ...Object.keys(found.environment)])].filter(
      (variable) => wanted[variable] !== found.environment[variable],
    );
    const isOld = (team: TeamStatus) =>
      Date.parse(team.lastSuccess ?? '') > Date.parse(found.lastModified) && team.codeVersion !== version;
    const old = name === 'archiver' ? teams.find(isOld) : undefined;
    const problems = [
      ...differing.map((variable) => `has another ${variable} than cdk.json gives`),
      ...(old ? [`is version ${old.codeVersion}, and this command is version ${version}`] : []),
    ];
    return problems.length === 0 ? `updated ${found.lastModified}` : problems.map((each) => need(each, DEPLOY));
  });
}

function bucketChecks({ account, expected, place: { bucket } }: Deployment) {
  const { mode, days } = expected.retention;
  return [
    check('bucket, versioning', 's3:GetBucketVersioning', async () => {
      const status = await account.versioning(bucket);
      return status === 'Enabled'
        ? 'on'
        : [need(`is ${status}, so nothing new is under lock`, `${BREAK_GLASS}; ${SECURITY}`)];
    }),
    check('bucket, lock', 's3:GetBucketObjectLockConfiguration', async () => {
      const lock = await account.lock(bucket);
      if (lock?.mode === mode && lock.days === days) return `${mode} for ${days} days`;
      const found = lock === undefined ? 'has no default retention' : `is ${lock.mode} for ${lock.days} days`;
      return [need(`${found}, and cdk.json says ${mode} for ${days} days`, `${BREAK_GLASS}; ${SECURITY}`)];
    }),
    check('bucket, policy', 's3:GetBucketPolicy', async () => {
      const { missing, added, changed } = policyDifference(expected.bucketPolicy, await account.bucketPolicy(bucket));
      const say = (names: readonly string[], what: string) =>
        names.map((name) => need(`the statement ${name} ${what}`, `${BREAK_GLASS}; ${SECURITY}`));
      const needs = [
        ...say(missing, 'is missing'),
        ...say(changed, 'differs from that of this version'),
        ...say(added, 'is not one of this version'),
      ];
      return needs.length === 0 ? 'that of this version' : needs;
    }),
    check('bucket, expiry', 's3:GetLifecycleConfiguration', async () => {
      const rules = await account.lifecycle(bucket);
      const found = rules.map(({ prefix, days: after }) => `${prefix || 'everything'} after ${after} days`);
      const wanted = Object.entries(expected.lifecycle).map(([prefix, after]) => `${prefix} after ${after} days`);
      if (found.toSorted().join() === wanted.toSorted().join()) return found.join(', ') || 'nothing expires';
      const problem = `deletes ${found.join(', ') || 'nothing'}, and cdk.json says ${wanted.join(', ') || 'nothing'}`;
      return [need(problem, `${BREAK_GLASS}; ${SECURITY}`)];
    }),
  ];
}

function otherChecks({ account, expected, place, now }: Deployment) {
  const encryption = expected.encryptionKey;
  const key = (name: string, id: string) =>
    check(`${name} key`, 'kms:DescribeKey', async () => {
      const { state, arn } = await account.keyState(id);
      if (state === 'Enabled') return 'enabled';
      const cancel = state === 'PendingDeletion' ? `aws kms cancel-key-deletion --key-id ${arn}, then ` : '';
      return [
        need(`has the state ${state}`, `as an administrator: ${cancel}aws kms enable-key --key-id ${arn}; ${SECURITY}`),
      ];
    });
  return [
    key('signing', place.signingKey),
    key('encryption', encryption),
    check('Athena workgroup', 'athena:GetWorkGroup', async () => {
      const state = await account.workgroupState(expected.name);
      return state === 'ENABLED' ? expected.name : [need(`has the state ${state}`, DEPLOY)];
    }),
    check('alarms', 'sns:ListTopics, sns:ListSubscriptionsByTopic', () => recipients(account, expected)),
    check('clock', 'ssm:DescribeParameters', async () => {
      const aws = await account.clock();
      if (aws === undefined)
        return [need('AWS did not tell its time', 'compare the clock of this machine with another one')];
      const seconds = Math.round((now.getTime() - aws.getTime()) / 1000);
      if (Math.abs(seconds) * 1000 <= CLOCK_MS) return 'this machine and AWS agree';
      return [need(`this machine differs from AWS by ${seconds} seconds`, 'set the clock of this machine')];
    }),
  ];
}

async function recipients(account: Account, expected: Expected): Promise<string | readonly Need[]> {
  const topic = await topicOf(account, expected);
  if (topic === undefined) return [need('the topic is not there', DEPLOY)];
  const { email } = expected.alarms;
  const all = await account.subscriptions(topic);
  const wanted = email === null ? all : all.filter(({ endpoint }) => endpoint === email);
  if (wanted.some(({ isConfirmed }) => isConfirmed)) return `${email ?? topic} is told`;
  if (wanted.length > 0)
    return [
      need('the subscription is not confirmed', 'open the mail that AWS has sent, and confirm it; or deploy again'),
    ];
  const again = `subscribe it again: aws sns subscribe --topic-arn ${topic} --protocol email --notification-endpoint ${email}`;
  return [
    need(
      'nobody is told of an alarm',
      email === null ? 'set "alarms": { "email": "..." } in cdk.json, and deploy' : again,
    ),
  ];
}

/** The topic of the configuration, or else that of the stack. */
export async function topicOf(account: Account, { alarms, name }: Expected): Promise<string | undefined> {
  return alarms.topicArn ?? ownTopic(account, name);
}

/** CloudFormation begins the name of the topic with those of the stack and of its part. */
export async function ownTopic(account: Account, archive: string): Promise<string | undefined> {
  return account.topicOf(`${archive}-AlarmsTopic`);
}
