import fc from 'fast-check';
import { ConfigProblems, readConfig } from '../../infra/config';
import { longestGapHours, scheduleProblem, spreadMinutes } from '../../infra/schedule-expression';

const main = { name: 'main' };

/** Returns the problems that `readConfig` finds in the object, one per entry. */
function problems(context: unknown): readonly string[] {
  try {
    readConfig(context);
    return [];
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems;
    throw error;
  }
}

test('a configuration needs only the name of one team', () => {
  const apiKeyParameter = '/postman-audit-archive/main/api-key';
  expect(readConfig({ teams: [main] })).toEqual({
    stage: 'prod',
    teams: [
      {
        name: 'main',
        apiKeyParameter,
        baseUrl: 'https://api.getpostman.com',
        schedule: 'rate(1 hour)',
        startDate: null,
        acceptOtherTeamId: null,
      },
    ],
    formerTeams: [],
    lookbackHours: 6,
    maxRequestsPerMinute: 200,
    retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    alarms: { email: null, topicArn: null },
    eventBridge: false,
    adopt: null,
    auditors: [],
  });
  // Another stage keeps its API keys in another path.
  const [team] = readConfig({ stage: 'dev', teams: [main] }).teams;
  expect(team?.apiKeyParameter).toBe('/postman-audit-archive-dev/main/api-key');
});

test('a configuration is refused with every problem at once, each with its place', () => {
  const teams = [
    { name: 'main', shedule: 'rate(1 hour)' },
    { name: 'main', baseUrl: 'http://api.getpostman.com', schedule: 'hourly' },
    { name: 'sales', apiKeyParameter: '/postman-audit-archive/main/api-key' },
  ];
  const retention = { mode: 'governance', days: 365, expireAfterDays: 364 };
  expect(problems({ teams, formerTeams: ['main'], lookbackhours: 6, retention, maxRequestsPerMinute: 0 })).toEqual([
    'teams[0]: unknown key "shedule"; did you mean "schedule"?',
    'teams[1].baseUrl: "http://api.getpostman.com" must be https (plain http only to loopback)',
    'teams[1].schedule: "hourly" must be rate(...) or cron(...), such as rate(1 hour)',
    'maxRequestsPerMinute: Too small: expected number to be >=1',
    'retention.mode: Invalid option: expected one of "GOVERNANCE"|"COMPLIANCE"',
    'retention.expireAfterDays: must not be less than "days": what is under lock cannot expire',
    'unknown key "lookbackhours"; did you mean "lookbackHours"?',
    'teams[1].name: "main" is the name of another team too',
    `teams[2].apiKeyParameter: "/postman-audit-archive/main/api-key" is another team's parameter too, so that one API key would fill two archives`,
    'teams[0].name: "main" is also in formerTeams',
    'teams[1].name: "main" is also in formerTeams',
  ]);
});

const withTeam = (team: object) => ({ teams: [{ ...main, ...team }] });
const withMain = (more: object) => ({ teams: [main], ...more });
const withAlarms = (alarms: object) => withMain({ alarms });
const topic = 'arn:aws:sns:eu-central-1:111122223333:pages';
const key = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
const kept = { bucket: 'b-1', accessLogs: 'b-2', table: 'tab', encryptionKeyArn: key('1'), signingKeyArn: key('2') };
const reader = `arn:aws:iam::444455556666:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Reader_${'0'.repeat(16)}`;
const adopting = (more: object) => withMain({ adopt: { ...kept, ...more } });

test.each<[string, unknown, RegExp]>([
  ['it is missing', undefined, /^teams: must list the teams, such as \[\{ "name": "main" \}\]$/],
  ['it is a list', [], /^Invalid input: expected object, received array$/],
  ['it has no team', { teams: [] }, /^teams: must name at least one team$/],
  ['its stage has a capital', withMain({ stage: 'Prod' }), /^stage: must be 2 to 16 lower-case letters/],
  ['a team could leave its prefix', withTeam({ name: '../x' }), /^teams\[0\]\.name: must be 1 to 32/],
  ['a team could be a pattern', withTeam({ name: 'a*' }), /^teams\[0\]\.name: must be 1 to 32/],
  ['a former team has such a name', withMain({ formerTeams: ['a,b'] }), /^formerTeams\[0\]: must be 1 to 32/],
  ['a former team stands twice', withMain({ formerTeams: ['x', 'x'] }), /^formerTeams\[1\]: "x" is listed twice$/],
  ['a parameter has no path', withTeam({ apiKeyParameter: 'key' }), /^teams\[0\]\.apiKeyParameter: must be the path/],
  ['a parameter has a wildcard', withTeam({ apiKeyParameter: '/a/*' }), /^teams\[0\]\.apiKeyParameter: must be the/],
  ['AWS reserves a parameter', withTeam({ apiKeyParameter: '/aws/x' }), /must not begin with \/aws/],
  ['a base URL is on loopback', withTeam({ baseUrl: 'http://127.0.0.1:1' }), /baseUrl: "http:.*" must be https/],
  ['a base URL has credentials', withTeam({ baseUrl: 'https://k@x.y' }), /must not hold credentials/],
  ['a start date is none', withTeam({ startDate: 'March' }), /^teams\[0\]\.startDate: must be an ISO 8601 instant$/],
  ['a start is to come', withTeam({ startDate: '2199-01-01' }), /^teams\[0\]\.startDate: must not be in the future$/],
  [
    'a team id is a number',
    withTeam({ acceptOtherTeamId: 7 }),
    /^teams\[0\]\.acceptOtherTeamId: must be the id .* text$/,
  ],
  ['a team id is none', withTeam({ acceptOtherTeamId: 'a b' }), /^teams\[0\]\.acceptOtherTeamId: must be the id/],
  ['Postman allows less', withMain({ maxRequestsPerMinute: 301 }), /Postman allows 300 requests a minute/],
  ['it has no lookback', withMain({ lookbackHours: 0 }), /^lookbackHours: Too small/],
  ['it locks for no day', withMain({ retention: { days: 0 } }), /^retention\.days: Too small/],
  ['it locks for too long', withMain({ retention: { days: 36_501 } }), /^retention\.days: Too big/],
  ['expiry comes before Postman forgets', withMain({ retention: { days: 1, expireAfterDays: 199 } }), />=200/],
  ['its address is none', withAlarms({ email: 'security' }), /^alarms\.email: Invalid email/],
  ['a topic is a name', withAlarms({ topicArn: 'pages' }), /^alarms\.topicArn: must be the ARN of an SNS topic$/],
  [
    'a topic is in China',
    withAlarms({ topicArn: 'arn:aws-cn:sns:cn-north-1:111122223333:a' }),
    /must be the ARN of an SNS/,
  ],
  [
    'a topic has no account',
    withAlarms({ topicArn: 'arn:aws:sns:eu-central-1::pages' }),
    /must be the ARN of an SNS topic$/,
  ],
  ['a topic is FIFO', withAlarms({ topicArn: `${topic}.fifo` }), /^alarms\.topicArn: must be a standard topic/],
  [
    'alarms go to two places',
    withAlarms({ topicArn: topic, email: 'a@b.example' }),
    /^alarms: name an email or a topicArn/,
  ],
  ['it adopts a bucket alone', withMain({ adopt: { ...kept, table: undefined } }), /^adopt\.table: Invalid input/],
  ['it adopts one bucket twice', adopting({ accessLogs: 'b-1' }), /^adopt: bucket and accessLogs must be two buckets$/],
  ['it adopts one key twice', adopting({ signingKeyArn: key('1') }), /^adopt: .* must be two keys$/],
  [
    'it adopts an alias',
    adopting({ signingKeyArn: 'alias/a' }),
    /^adopt\.signingKeyArn: must be the ARN of a KMS key$/,
  ],
  ['an auditor is anybody', withMain({ auditors: ['*'] }), /^auditors\[0\]: must be the ARN of a role, a user or an/],
  ['an auditor is a pattern', withMain({ auditors: ['arn:aws:iam::444455556666:role/*'] }), /^auditors\[0\]: must be/],
  ['auditors are too many', withMain({ auditors: Array(16).fill(reader) }), /^auditors: are more than a trust policy/],
  ['a key resembles none', withMain({ colour: 1 }), /^unknown key "colour"; known are stage, teams,/],
])('a configuration is refused if %s', (_, context, problem) => {
  expect(problems(context)).toEqual([expect.stringMatching(problem)]);
});

test('a configuration is read or refused with sentences, whatever it is', () => {
  const keys = fc.constantFrom('stage', 'teams', 'formerTeams', 'retention', 'name', 'days', 'expireAfterDays', 'x');
  const { tree } = fc.letrec((tie) => {
    const [list, object] = [fc.array(tie('tree')), fc.dictionary(keys, tie('tree'))];
    return { tree: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 0 }), list, object) };
  });
  const property = fc.property(tree, (context) => {
    for (const problem of problems(context)) expect(problem).toMatch(/\w/);
  });
  fc.assert(property);
});

// A Thursday.
const now = new Date('2026-11-26T02:00:00Z');

test.each<[number, readonly string[]]>([
  [0.25, ['rate(15 minutes)', 'cron(0/15 * * * ? *)', 'cron(0,15,30-45/15 * ? * 1-7 *)']],
  [1, ['rate(1 hour)', 'cron(0 * * * ? *)', 'cron(0 0-23 1-31 JAN-DEC ? 2026-2199)']],
  [2, ['cron(5 0-23/2 ? * * *)', 'cron(0 */2 * * ? *)']],
  [14, ['cron(0 8,18 * * ? *)']],
  [72, ['cron(0 5 ? * MON-FRI *)', 'cron(0 5 ? * 2-6 *)']],
  [168, ['rate(7 days)', 'cron(0 0 ? * L *)', 'cron(0 9 ? * MON *)', 'cron(0 0 1/7 * ? *)']],
])('a schedule is valid if it fires at least once in 7 days; the longest gap is %d hours for each of %j', (hours, expressions) => {
  for (const each of expressions) {
    expect([each, scheduleProblem(each, now), longestGapHours(each, now)]).toEqual([each, undefined, hours]);
  }
});

test.each([
  [0, ['rate(1 minute)', 'rate(3 minutes)', 'cron(* * * * ? *)']],
  [3, ['rate(15 minutes)', 'cron(0/15 6-22 ? * MON-FRI *)', 'cron(50,5 0-23 * * ? *)']],
  [3, ['cron(0,48 0,23 * * ? *)']],
  [15, ['rate(1 hour)', 'rate(7 days)', 'cron(0 * * * ? *)', 'cron(30 5 ? * MON *)']],
])('runs are spread over %d minutes with each of %j', (minutes, expressions) => {
  for (const each of expressions) expect([each, spreadMinutes(each)]).toEqual([each, minutes]);
});

const RULE = ': a schedule must fire at least once in 7 days; write ';

test.each([
  ['rate(8 days)', 'fires too seldom', 'rate(7 days) or less'],
  ['cron(0 0 1 1 ? 2030)', 'does not fire between 2026-11-26 and 2027-12-31', 'cron(0 0 * * ? *)'],
  ['cron(0 0 31 2 ? *)', 'never fires, because no year has 31 FEB', 'cron(0 0 * * ? *)'],
  ['cron(0 0 31 APR,6 ? *)', 'never fires, because no year has 31 APR', 'cron(0 0 * * ? *)'],
  ['cron(0 0 29 2 ? 2027)', 'does not fire between 2026-11-26 and 2027-12-31', 'cron(0 0 * * ? *)'],
  ['cron(0 0 1 * ? *)', 'does not fire between 2026-12-01 and 2027-01-01', 'cron(0 0 * * ? *)'],
  ['cron(30 4 1,8,15,22 * ? *)', 'does not fire between 2026-12-22 and 2027-01-01', 'cron(30 4 * * ? *)'],
  ['cron(0 5 ? * MON-FRI 2020)', 'does not fire between 2026-11-26 and 2027-12-31', 'cron(0 5 ? * MON-FRI *)'],
  ['cron(0 5 * * ? 2027-2030)', 'does not fire between 2026-11-26 and 2027-01-01', 'cron(0 5 * * ? *)'],
  ['cron(0 5 * * ? 2026)', 'does not fire between 2026-12-31 and 2027-12-31', 'cron(0 5 * * ? *)'],
  ['cron(0 * ? 1-11 SUN-SAT *)', 'does not fire between 2026-11-30 and 2027-01-01', 'cron(0 * * * ? *)'],
  ['cron(0 0 LW * ? *)', 'fires once a month at most', 'cron(0 0 * * ? *)'],
  ['cron(0 8 15W JAN,JUL ? *)', 'fires once a month at most', 'cron(0 8 * * ? *)'],
  ['cron(15 10 ? * 6L *)', 'fires once a month at most', 'cron(15 10 * * ? *)'],
  ['cron(0 0 ? * 2#1 *)', 'fires once a month at most', 'cron(0 0 * * ? *)'],
])('the schedule %s is refused, because it %s', (expression, reason, instead) => {
  expect(scheduleProblem(expression, now)).toBe(`${reason}${RULE}${instead}`);
  expect(longestGapHours(expression, now)).toBeGreaterThan(168);
});

test.each<[RegExp, readonly string[]]>([
  [/must be rate\(\.\.\.\) or cron/, ['', 'at(2026-06-12T00:00:00)', 'rate(1 hour) ']],
  [/must be rate\(<number> minutes/, ['rate(hour)', 'rate(0 hours)', 'rate(1.5 hours)', 'rate(30 seconds)']],
  [/^must be rate\(1 hour\)$/, ['rate(1 hours)']],
  [/^must be rate\(2 hours\)$/, ['rate(2 hour)']],
  [/six fields/, ['cron(0 * * * *)', 'cron(0  * * * ? *)']],
  [/: minutes$/, ['cron(60 * * * ? *)', 'cron(1-2-3 * * * ? *)', 'cron(*/0 * * * ? *)', 'cron(, * * * ? *)']],
  [/: minutes, hours$/, ['cron(x 25 * * ? *)']],
  [/: day of month$/, ['cron(0 0 32 * ? *)']],
  [/: month$/, ['cron(0 0 ? 13 1 *)']],
  [/: day of week$/, ['cron(0 0 ? * 0 *)', 'cron(0 0 ? * MO *)', 'cron(0 0 ? * FRI-MON *)']],
  [/: year$/, ['cron(0 0 * * ? 1969)']],
  [/must have a \? as either/, ['cron(0 0 * * * *)', 'cron(0 0 ? * ? *)']],
])('a schedule is refused with %s where it is one of %j', (problem, expressions) => {
  for (const each of expressions) expect([each, scheduleProblem(each)]).toEqual([each, expect.stringMatching(problem)]);
});
