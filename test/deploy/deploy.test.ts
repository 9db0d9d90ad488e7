/**
 * The README's deployment, step by step, by the real CDK CLI and AWS CLI, on an AWS that nobody here wrote (ministack).
 * The function that its CloudFormation made archives from the source server. The tests build on one another.
 *
 * ministack does not show all that AWS does:
 * - It evaluates the policies of roles, buckets and keys for the calls of the function and of the CDK CLI, with the
 *   condition keys that `ministack/server.py` adds. It does not ask whether S3, SSM, Lambda and Scheduler may do what they
 *   do for a role, and it lets the owner of the account do everything. `test/infra` evaluates every statement.
 * - Object Lock comes from `ministack/server.py`, and lifecycle rules, encryption and the access log of a bucket are
 *   ignored. `test/engines/lock.test.ts` shows a lock that holds, and `test/infra` the properties of the template.
 * - No schedule fires here, and Athena is not asked. `test/engines/sql.test.ts` asks the engine of Athena.
 * - A subscription by e-mail is confirmed at once. `test/cli/status-checks.test.ts` shows one that waits.
 * - The function runs on the Node of this machine. It reads the source server by https, as a deployed team must be read,
 *   and is told to trust the certificate.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Need } from '../../cli/status-team';
import { describeWith, stopServers } from '../engines/servers';
import { lineTroubles, quarantineTroubles, secretTroubles } from '../support/oracle';
import { runbook } from '../support/runbook';
import { manifestAt } from '../support/stored';
import { startTeamLog } from '../support/team-log';
import { startTls } from '../support/tls';
import { type Account, openAccount } from './account';
import { existing, guards, keptAccordingToDocument, type Resource } from './kept';

const API_KEY = 'PMAK-canary-of-a-deployment';
const STACK = 'postman-audit-archive';
const LOCK = { mode: 'COMPLIANCE', days: 400 };
const RETENTION = { ...LOCK, expireAfterDays: 500 };

// The CDK CLI takes a minute for a step on a machine that other suites keep busy.
jest.setTimeout(300_000);

describeWith(['ministack'], 'a deployed archive', () => {
  let source: Awaited<ReturnType<typeof startTeamLog>>;
  let tls: Awaited<ReturnType<typeof startTls>>;
  let account: Account;
  let outputs: Readonly<Record<string, string>>;

  beforeAll(async () => {
    source = await startTeamLog({ shape: 'reality', apiKey: API_KEY, settings: {} });
    tls = await startTls(source.url);
    account = await openAccount(tls.certificate);
  });
  afterAll(async () => {
    await stopServers();
    tls.close();
    await source.close();
  });

  const main = () => ({ name: 'main', baseUrl: tls.url });
  const printed = (output: string, input = '') => account.shell(outputs[output] ?? `false # no ${output}`, { input });

  /** Types a block of the runbook. */
  const type = (block: string, variables: Readonly<Record<string, string>> = {}) =>
    account.shell(block, { BUCKET: outputs.Bucket ?? '', BREAK_GLASS: outputs.BreakGlassRole ?? '', ...variables });

  /** Makes the call that the schedule of the team would make. */
  async function run(team = 'main') {
    const [group] = await account.aws(`scheduler list-schedules --query "Schedules[?Name=='${team}'].GroupName"`);
    const { Target } = await account.aws(`scheduler get-schedule --group-name ${group} --name ${team}`);
    const input = Target.Input.replace('<aws.scheduler.scheduled-time>', new Date().toISOString());
    // The versions 1 and 2 of the AWS CLI read a file as it is, but an argument each in its own way.
    const invoke = `aws lambda invoke --function-name ${Target.Arn} --payload fileb:///dev/stdin run.json`;
    await account.shell(`printf %s '${input}' | ${invoke}`);
    return JSON.parse(readFileSync(join(account.checkout, 'run.json'), 'utf8'));
  }

  /** The partitions of the view of events. */
  async function teamsInSql(): Promise<string> {
    const table = `glue get-table --database-name ${STACK.replaceAll('-', '_')} --name event_lines`;
    const { Parameters } = await account.aws(`${table} --query Table`);
    return Parameters['projection.team.values'];
  }

  /**
   * Copies and verifies the archive with the commands of the README. The copy holds each served event once. Returns the
   * objects of the copy.
   */
  async function expectWhole(): Promise<ReadonlyMap<string, Buffer>> {
    await account.shell(fromReadme(/`(aws s3 sync [^`]*)`/), { BUCKET: outputs.Bucket ?? '' });
    await account.shell(fromReadme(/`(npx audit-archive verify copy [^`]*)`/));
    const copy = join(account.checkout, 'copy');
    const files = readdirSync(copy, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name));
    const objects = new Map(paths.map((path) => [path.slice(copy.length + 1), readFileSync(path)]));
    const evidence = { objects, ...source.evidence() };
    expect([...lineTroubles(evidence), ...quarantineTroubles(evidence), ...secretTroubles(objects)]).toEqual([]);
    return objects;
  }

  /** Everything that needs a person according to `audit-archive status`, with its subject and with what mends it. */
  async function needs(): Promise<{ readonly trouble: string; readonly mend: string }[]> {
    const { good, teams, checks } = JSON.parse(await account.shell('npx audit-archive status --json || test $? = 1'));
    const found = [...teams, ...checks].flatMap(({ team, subject, needs }) =>
      needs.map(({ problem, mend }: Need) => ({ trouble: `${team ?? subject}: ${problem}`, mend })),
    );
    expect(good).toBe(found.length === 0);
    return found;
  }

  const troubles = async () => (await needs()).map(({ trouble }) => trouble);

  test('the stack is deployed into an empty account, with the tags of cdk.json', async () => {
    account.configure({ teams: [main()], retention: LOCK, alarms: { email: 'security@example.com' } });
    await account.shell('npx cdk bootstrap');
    outputs = await account.deploy();
    const tags = `cloudformation describe-stacks --stack-name ${STACK} --query Stacks[0].Tags`;
    expect(await account.aws(tags)).toEqual([{ Key: 'owner', Value: 'security' }]);
    expect(await account.aws('s3api list-buckets --query Buckets[].Name')).toContain(outputs.Bucket);
  });

  test('every alarm is deployed, and tells the topic of the archive', async () => {
    const alarms = await account.aws('cloudwatch describe-alarms --query MetricAlarms[].[AlarmName,AlarmActions]');
    const ids = ['drift', 'gap', 'integrity', 'silent/main', 'unhandled', 'unverified'];
    expect(alarms.sort()).toEqual(
      ids.map((id) => [`${STACK}/${id}`, [expect.stringMatching(`:${STACK}-AlarmsTopic`)]]),
    );
  });

  test('before the API key is stored, the commands run and status say how to store it', async () => {
    expect(await account.shell('npx audit-archive run --team main || test $? = 1')).toContain('read -rs API_KEY');
    expect(await troubles()).toEqual([
      'main: nothing was ever archived',
      'main, API key: there is no SecureString /postman-audit-archive/main/api-key',
      expect.stringMatching(/^main, last run: not-configured, /),
    ]);
  });

  test('the printed command stores the API key that is typed, under the key of the archive', async () => {
    await printed('PutApiKeyMain', `${API_KEY}\n`);
    const name = '/postman-audit-archive/main/api-key';
    const { Parameter } = await account.aws(`ssm get-parameter --with-decryption --name ${name}`);
    expect(Parameter).toMatchObject({ Type: 'SecureString', Value: API_KEY });
    const stored = await account.aws(`ssm describe-parameters --query "Parameters[?Name=='${name}'].KeyId"`);
    expect(stored).toEqual([`alias/${STACK}`]);
  });

  test('the deployed function archives what the source serves, and a second run adds nothing', async () => {
    source.happen(320, { hoursAgo: 30 });
    source.misbehave('{"id":1,"action":"undated"}');
    expect(await printed('RunNow')).toMatch(/"outcome": ?"archived",.*"seq": ?1,.*"events": ?320,/);
    expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 0 } });
  });

  test('a copy verifies with the printed public key, and holds every served event once', async () => {
    await printed('PublicKey');
    const objects = await expectWhole();
    expect([...objects.keys()].filter((key) => key.startsWith('manifests/'))).toHaveLength(2);
  });

  test('the deployed verifier finds the archive good, and writes an anchor', async () => {
    expect(await run('_verifier')).toMatchObject({
      outcome: 'good',
      teams: [{ team: 'main', outcome: 'good', seq: 2 }],
    });
    expect([...(await expectWhole()).keys()].filter((key) => key.startsWith('anchors/team=main/'))).toHaveLength(1);
  });

  test('the names and the verifications of the runbook are right for a deployed archive', async () => {
    const echo = 'echo "$BUCKET $TABLE $BREAK_GLASS"';
    const { Bucket, BreakGlassRole, Adopt = '{}' } = outputs;
    const form = (names: string) => names.replace(/\d{12}|[a-z]+-[a-z]+-\d$|(?<=-)[0-9a-f]{12,}(?= )/gi, '*').trim();
    const deployed = `${Bucket} ${JSON.parse(Adopt).table} ${BreakGlassRole}`;
    expect(form((await account.shell(runbook.names + echo)).trim())).toBe(form(deployed));
    for (const block of [runbook.verify, runbook.verifyWithHeads]) expect(await type(block)).toMatch(/^Good: /m);
  });

  test('the command run archives what is new, and says so', async () => {
    source.happen(2);
    expect(await account.shell('npx audit-archive run --team main')).toMatch(
      /^Archived 2 new events, .* manifest: 3\.$/m,
    );
  });

  test('the command status finds nothing in a good deployment that needs a person', async () => {
    expect(await troubles()).toEqual([]);
    expect(await account.shell('npx audit-archive status --send-test')).toMatch(/test message was sent to arn:/);
  });

  test('the commands of the runbook show the schedules, and what the Scheduler could not hand over', async () => {
    const [schedule, ...others] = JSON.parse(await type(runbook.schedules));
    expect([schedule, others]).toEqual([
      ['main', expect.stringMatching('^postmanauditarchive-Schedules-'), 'ENABLED'],
      [],
    ]);
    const attributes = `'{"ERROR_CODE":{"DataType":"String","StringValue":"ThrottlingException"}}'`;
    const send = `aws sqs send-message --queue-url "$QUEUE" --message-body {} --message-attributes ${attributes}`;
    expect(await type(runbook.unhandled)).toBe('');
    const shown = await type(`${runbook.unhandled}${send}\n${runbook.unhandled}`);
    expect(shown).toContain('"StringValue": "ThrottlingException"');
    const left = 'aws sqs get-queue-attributes --queue-url "$QUEUE" --attribute-names All';
    const { Attributes } = JSON.parse(await type(`${runbook.unhandled.split('\n')[0]}\n${runbook.purge}${left}`));
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });

  test('the command status names each setting that somebody has changed, and the commands of the runbook mend it', async () => {
    const OBJECT = 'manifests/team=main/0000000004.json';
    await type(runbook.asBreakGlass + runbook.lockBucket.replace(/,Rule=[^']*/, ''));
    expect(await run()).toMatchObject({ outcome: 'archived', seq: 4 });
    source.change({ apiKey: 'PMAK-another' });
    const failing = 'npx audit-archive run || test $? = 1';
    expect(await account.shell(failing)).toMatch(
      /^The run failed with api-key-refused: .*\nMend: make a new key .*\n.*docs\/runbook\.md#api-key-refused/,
    );
    await type(runbook.exempt);
    await type(runbook.enableSchedule.replace('ENABLED', 'DISABLED'));
    const [subscription] = await account.aws('sns list-subscriptions --query Subscriptions[].SubscriptionArn');
    await account.shell(`aws sns unsubscribe --subscription-arn ${subscription}`);
    await account.shell(`aws kms disable-key --key-id ${/--key-id (\S+)/.exec(outputs.PublicKey ?? '')?.[1]}`);
    const found = await needs();
    expect(found.map(({ trouble }) => trouble)).toEqual([
      expect.stringMatching(/^main, last run: api-key-refused, /),
      'schedule main: is disabled',
      expect.stringMatching(/^bucket, lock: has no default retention/),
      'bucket, policy: the statement WriteOnlyAsArchiver differs from that of this version',
      'signing key: has the state Disabled',
      'alarms: nobody is told of an alarm',
    ]);

    const mends = found.map(({ mend }) => mend).join('; ');
    const named = (option: string) => new RegExp(`--${option} ([^\\s;]+)`).exec(mends)?.[1] ?? '';
    await type(runbook.restorePolicy);
    await type(runbook.enableSchedule);
    await type(runbook.asBreakGlass + runbook.lockBucket);
    await type(runbook.enableKey, { KEY_ID: named('key-id') });
    await type(runbook.subscribe, { TOPIC: named('topic-arn') });
    source.change({ apiKey: API_KEY });
    expect(await account.shell('npx audit-archive run')).toMatch(/manifest: 5\.$/m);
    expect(await troubles()).toEqual([]);

    expect(await run('_verifier')).toMatchObject({ outcome: 'findings', teams: [{ findings: 1 }] });
    await type(runbook.promisedUntil + runbook.asBreakGlass + runbook.lockObject, { OBJECT });
    expect(await run('_verifier')).toMatchObject({ outcome: 'good', teams: [{ team: 'main', seq: 5 }] });
  });

  test('a deployed stack does not differ from its template', async () => {
    await account.shell('npx cdk diff --fail');
  });

  test('other settings change the stack in place, and the chain goes on', async () => {
    const before = outputs;
    const research = { name: 'research', schedule: 'cron(0 6 * * ? *)' };
    account.configure({ teams: [main(), { name: 'payments' }, research], retention: RETENTION });
    outputs = await account.deploy();
    expect(outputs).toMatchObject({ Bucket: before.Bucket, PublicKey: before.PublicKey });

    const schedules = await account.aws('scheduler list-schedules --query Schedules[].Name');
    expect(schedules.sort()).toEqual(['_verifier', 'main', 'payments', 'research']);
    expect(await teamsInSql()).toBe('main,payments,research');

    source.happen(3);
    expect(await run()).toMatchObject({ outcome: 'archived', seq: 6, counts: { events: 3 } });
    const manifest = 'manifests/team=main/0000000006.json';
    expect(manifestAt(await expectWhole(), manifest)).toMatchObject({ retention: RETENTION });
    const lock = await account.aws(`s3api get-object-retention --bucket ${outputs.Bucket} --key ${manifest}`);
    expect(lock).toMatchObject({ Retention: { Mode: 'COMPLIANCE' } });
  });

  test('destroying the stack keeps what the documents name, with its policies, and nothing else', async () => {
    const resources: Resource[] = await account.aws(
      `cloudformation describe-stack-resources --stack-name ${STACK} --query StackResources`,
    );
    const before = await guards(resources, account);
    await account.shell('npx cdk destroy --force');
    expect(await existing(resources, account)).toEqual(keptAccordingToDocument());
    expect(await guards(resources, account)).toEqual(before);
  });

  test('a new deployment adopts what was kept: the chain goes on, and the API key and the old events are there', async () => {
    const kept = outputs;
    account.configure({ teams: [main()], retention: RETENTION, adopt: JSON.parse(kept.Adopt ?? 'null') });
    outputs = await account.deploy();
    expect(outputs).toMatchObject({ Bucket: kept.Bucket, PublicKey: kept.PublicKey, Adopt: kept.Adopt });
    source.happen(2);
    expect(await run()).toMatchObject({ outcome: 'archived', seq: 7, counts: { events: 2 } });
    await expectWhole();
    await account.shell('npx cdk diff --fail');
  });

  test('a team that left has no schedule and no alarm, stays queryable, and is verified up to its last manifest', async () => {
    const adopt = JSON.parse(outputs.Adopt ?? 'null');
    account.configure({ teams: [{ name: 'payments' }], formerTeams: ['main'], retention: RETENTION, adopt });
    outputs = await account.deploy();
    const schedules = await account.aws('scheduler list-schedules --query Schedules[].Name');
    expect(schedules.sort()).toEqual(['_verifier', 'payments']);
    const alarms = await account.aws('cloudwatch describe-alarms --query MetricAlarms[].AlarmName');
    expect(alarms.filter((name: string) => name.includes('silent'))).toEqual([`${STACK}/silent/payments`]);
    expect(await teamsInSql()).toBe('payments,main');
    for (const _ of ['the day after', 'another day'])
      expect(await run('_verifier')).toMatchObject({
        outcome: 'good',
        teams: [{ team: 'main', outcome: 'good', seq: 7 }],
      });
    const anchors = [...(await expectWhole()).keys()].filter((key) => key.startsWith('anchors/team=main/0000000007-'));
    expect(anchors).toHaveLength(2);
  });
});

function fromReadme(command: RegExp): string {
  return command.exec(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8'))?.[1] ?? 'false';
}
