/** Every setting that could be wrong: each row changes one thing in a good account, and one check must say so. */
import cdkJson from '../../cdk.json';
import type { Account } from '../../cli/aws/account';
import { checkSettings, type Deployment } from '../../cli/status-checks';
import type { TeamStatus } from '../../cli/status-team';
import { expectedSettings } from '../../infra/expected';

const now = new Date('2026-06-12T12:30:00.000Z');
const arn = (name: string) => `arn:aws:lambda:eu-central-1:111122223333:function:${name}`;
const place = {
  ...{ partition: 'aws', region: 'eu-central-1', account: '111122223333', bucket: 'archive', table: 'checkpoints' },
  topic: 'arn:aws:sns:topic',
  ...{ signingKey: 'arn:aws:kms:eu-central-1:111122223333:key/1', archiverArn: arn('a'), verifierArn: arn('v') },
};
const archive = {
  teams: [{ name: 'main' }],
  retention: { mode: 'COMPLIANCE', days: 400, expireAfterDays: 500 },
  alarms: { email: 'security@example.com' },
};
const expected = expectedSettings({ ...cdkJson.context, archive }, place);
const updated = { lastModified: '2026-06-01T00:00:00.000+0000' };
const functions = {
  archiver: { ...updated, arn: place.archiverArn, environment: expected.environments.archiver },
  verifier: { ...updated, arn: place.verifierArn, environment: expected.environments.verifier },
};
const subscription = { endpoint: 'security@example.com', isConfirmed: true };
const rules = ['events/team=', 'quarantine/team=', 'batches/team='].map((prefix) => ({ prefix, days: 500 }));

/** An account in which everything is as it was deployed. */
const account: Account = {
  region: async () => 'eu-central-1',
  functionOf: async () => undefined,
  parameterExists: async (name) => name === '/postman-audit-archive/main/api-key',
  schedule: async (_group, name) => ({
    isEnabled: true,
    target: name === 'main' ? place.archiverArn : place.verifierArn,
    expression: name === 'main' ? 'rate(1 hour)' : 'rate(1 day)',
  }),
  schedulesOf: async () => ['main'],
  versioning: async () => 'Enabled',
  lock: async () => ({ mode: 'COMPLIANCE', days: 400 }),
  bucketPolicy: async () => expected.bucketPolicy,
  lifecycle: async () => rules,
  checkpoint: async () => ({ outcome: 'archived', ended: '2026-06-12T12:00:00.000Z', leaseUntil: Number.NaN }),
  keyState: async (key) => ({ state: 'Enabled', arn: key }),
  workgroupState: async () => 'ENABLED',
  topicOf: async (prefix) => (prefix === 'postman-audit-archive-AlarmsTopic' ? 'arn:aws:sns:topic' : undefined),
  subscriptions: async () => [subscription],
  publish: async () => undefined,
  clock: async () => now,
};
const team = { team: 'main', lastSuccess: '2026-06-12T12:00:00.000Z', codeVersion: '0.1.0' } as TeamStatus;
const deployment: Deployment = { expected, place, functions, account, teams: [team], version: '0.1.0', now };

async function troubles(change: Partial<Deployment>): Promise<string[]> {
  const checks = await checkSettings({ ...deployment, ...change });
  for (const { found, needs } of checks) expect(needs.length > 0 || found !== '').toBe(true);
  for (const { mend } of checks.flatMap(({ needs }) => needs)) expect(mend).toMatch(/\w{4}/);
  return checks.flatMap(({ subject, needs }) => needs.map(({ problem }) => `${subject}: ${problem}`));
}

test('nothing in a good account needs a person', async () => {
  expect(await troubles({})).toEqual([]);
});

const outcome = (code: string) => ({
  checkpoint: async () => ({ outcome: code, ended: '2026-06-12T12:00:00.000Z', leaseUntil: Number.NaN }),
});
const schedule = (change: object) => ({
  schedule: async (group: string, name: string) => {
    const found = await account.schedule(group, name);
    return found && name === 'main' ? { ...found, ...change } : found;
  },
});
const statements = (expected.bucketPolicy as { Statement: readonly { Sid?: string }[] }).Statement;
const policy = (...Statement: readonly object[]) => ({ bucketPolicy: async () => ({ Statement }) });
const denied = async () => Promise.reject(Object.assign(new Error('not yours'), { name: 'AccessDeniedException' }));

test.each<[string, Partial<Account>, string | RegExp]>([
  ['the API key is not there', { parameterExists: async () => false }, /^main, API key: there is no SecureString/],
  [
    'Postman refuses the key',
    outcome('api-key-refused'),
    /^main, last run: api-key-refused, .*Postman refuses the API key/,
  ],
  ['the role may not read the key', outcome('api-key-unreadable'), /^main, last run: api-key-unreadable/],
  ['an outcome is of a later version', outcome('toString'), /^main, last run: toString/],
  [
    'the schedule is not there',
    { schedule: async (_group, name) => (name === 'main' ? undefined : account.schedule('', name)) },
    /^schedule main: is not there/,
  ],
  ['the schedule is disabled', schedule({ isEnabled: false }), 'schedule main: is disabled'],
  [
    'the schedule starts another function',
    schedule({ target: arn('x') }),
    `schedule main: starts ${arn('x')}, not the deployed function`,
  ],
  [
    'the schedule is slower',
    schedule({ expression: 'rate(7 days)' }),
    'schedule main: is rate(7 days), and cdk.json says rate(1 hour)',
  ],
  [
    'versioning is suspended',
    { versioning: async () => 'Suspended' },
    'bucket, versioning: is Suspended, so nothing new is under lock',
  ],
  ['the bucket has no lock', { lock: async () => undefined }, /^bucket, lock: has no default retention/],
  [
    'the lock is shorter',
    { lock: async () => ({ mode: 'COMPLIANCE', days: 1 }) },
    /^bucket, lock: is COMPLIANCE for 1 days/,
  ],
  [
    'the lock is weaker',
    { lock: async () => ({ mode: 'GOVERNANCE', days: 400 }) },
    /^bucket, lock: is GOVERNANCE for 400 days/,
  ],
  [
    'the policy lacks a statement',
    policy(...statements.filter(({ Sid }) => Sid !== 'CreateOnly')),
    'bucket, policy: the statement CreateOnly is missing',
  ],
  [
    'the policy has one more',
    policy(...statements, { Sid: 'Guest', Effect: 'Allow' }),
    'bucket, policy: the statement Guest is not one of this version',
  ],
  [
    'the policy names another role',
    policy(...statements.map((each) => (each.Sid === 'RemoveOnlyByBreakGlass' ? { ...each, Condition: {} } : each))),
    'bucket, policy: the statement RemoveOnlyByBreakGlass differs from that of this version',
  ],
  [
    'everything expires',
    { lifecycle: async () => [{ prefix: '', days: 1 }] },
    /^bucket, expiry: deletes everything after 1 days/,
  ],
  ['nothing expires', { lifecycle: async () => [] }, /^bucket, expiry: deletes nothing/],
  [
    'a key is disabled',
    { keyState: async (arn) => ({ state: arn === place.signingKey ? 'PendingDeletion' : 'Enabled', arn }) },
    'signing key: has the state PendingDeletion',
  ],
  [
    'the encryption key is disabled',
    {
      keyState: async (key) => ({
        state: key === 'alias/postman-audit-archive' ? 'Disabled' : 'Enabled',
        arn: `arn:${key}`,
      }),
    },
    'encryption key: has the state Disabled',
  ],
  ['the workgroup is disabled', { workgroupState: async () => 'DISABLED' }, 'Athena workgroup: has the state DISABLED'],
  ['the topic is gone', { topicOf: async () => undefined }, 'alarms: the topic is not there'],
  [
    'the subscription waits',
    { subscriptions: async () => [{ ...subscription, isConfirmed: false }] },
    'alarms: the subscription is not confirmed',
  ],
  [
    'another address is told',
    { subscriptions: async () => [{ ...subscription, endpoint: 'x@y.z' }] },
    'alarms: nobody is told of an alarm',
  ],
  [
    'the clock is late',
    { clock: async () => new Date(now.getTime() + 600_000) },
    'clock: this machine differs from AWS by -600 seconds',
  ],
  ['AWS does not tell its time', { clock: async () => undefined }, 'clock: AWS did not tell its time'],
  [
    'a call is refused',
    { bucketPolicy: denied },
    'bucket, policy: could not be checked (AccessDeniedException: not yours)',
  ],
])('the command status says that %s', async (_name, change, problem) => {
  expect(await troubles({ account: { ...account, ...change } })).toEqual([
    typeof problem === 'string' ? problem : expect.stringMatching(problem),
  ]);
});

test('a key is enabled by its ARN, after the deletion that somebody has scheduled is cancelled', async () => {
  const keyState = async (key: string) => ({
    state: key === place.signingKey ? 'PendingDeletion' : 'Disabled',
    arn: 'arn:k',
  });
  const checks = await checkSettings({ ...deployment, account: { ...account, keyState } });
  const mends = checks.flatMap(({ needs }) => needs.map(({ mend }) => mend.split(';')[0]));
  const enable = 'aws kms enable-key --key-id arn:k';
  expect(mends).toEqual([
    `as an administrator: aws kms cancel-key-deletion --key-id arn:k, then ${enable}`,
    `as an administrator: ${enable}`,
  ]);
});

const { archiver } = functions;
test.each<[string, Partial<Deployment>, string]>([
  ['the verifier is gone', { functions: { archiver, verifier: undefined } }, 'function verifier: is not there'],
  [
    'the archiver has other settings',
    {
      functions: {
        ...functions,
        archiver: { ...archiver, environment: { ...archiver.environment, LOOKBACK_HOURS: '0' } },
      },
    },
    'function archiver: has another LOOKBACK_HOURS than cdk.json gives',
  ],
  [
    'the deployed code is older',
    { version: '0.2.0' },
    'function archiver: is version 0.1.0, and this command is version 0.2.0',
  ],
])('the command status says that %s', async (_name, change, problem) => {
  expect(await troubles(change)).toEqual([problem]);
});

test('a failure that a later run mends by itself needs nobody', async () => {
  expect(await troubles({ account: { ...account, ...outcome('source-unavailable') } })).toEqual([]);
});

test('a function that was deployed after its newest manifest is not called old', async () => {
  const fresh = { ...archiver, lastModified: '2026-06-12T12:10:00.000+0000' };
  expect(await troubles({ version: '0.2.0', functions: { ...functions, archiver: fresh } })).toEqual([]);
});
