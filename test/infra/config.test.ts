import fc from 'fast-check';
import { ConfigProblems, readConfig } from '../../infra/config';
import { scheduleProblem } from '../../infra/schedule-expression';
import { didYouMean } from '../../infra/spelling';
import { matrix } from './matrix';

const main = { name: 'main' };

/** What is wrong with the object, each problem in a line of its own. */
function problems(context: unknown): readonly string[] {
  try {
    readConfig(context);
    return [];
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems;
    throw error;
  }
}

describe('a configuration', () => {
  it('needs only the name of one team', () => {
    expect(readConfig({ teams: [main] })).toEqual({
      stage: 'prod',
      teams: [
        {
          name: 'main',
          apiKeyParameter: '/postman-audit-archive/main/api-key',
          baseUrl: 'https://api.getpostman.com',
          schedule: 'rate(1 hour)',
        },
      ],
      formerTeams: [],
      lookbackHours: 6,
      maxRequestsPerMinute: 200,
      retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
      alarmEmail: null,
    });
  });

  it('of another stage keeps its API keys in another path', () => {
    const [team] = readConfig({ stage: 'dev', teams: [main] }).teams;
    expect(team?.apiKeyParameter).toBe('/postman-audit-archive-dev/main/api-key');
  });

  it.each(Object.keys(matrix))('can be: %s', (name) => {
    expect(problems(matrix[name])).toEqual([]);
  });

  it('is refused with every problem at once, each with its place', () => {
    expect(
      problems({
        stage: 'Prod',
        teams: [
          { name: 'main', shedule: 'rate(1 hour)' },
          { name: 'main', baseUrl: 'http://api.getpostman.com', schedule: 'hourly' },
          { name: 'a', apiKeyParameter: '/postman-audit-archive/main/api-key' },
        ],
        formerTeams: ['main'],
        lookbackhours: 6,
        retention: { mode: 'governance', days: 0 },
      }),
    ).toEqual([
      'stage: must be 2 to 16 lower-case letters, digits and inner hyphens',
      'teams[0]: unknown key "shedule"; did you mean "schedule"?',
      'teams[1].baseUrl: "http://api.getpostman.com" must be https (plain http only to loopback)',
      'teams[1].schedule: "hourly" must be rate(...) or cron(...), such as rate(1 hour)',
      'retention.mode: Invalid option: expected one of "GOVERNANCE"|"COMPLIANCE"',
      'retention.days: Too small: expected number to be >0',
      'unknown key "lookbackhours"; did you mean "lookbackHours"?',
      'teams[1].name: "main" is the name of another team too',
      'teams[0].name: "main" is also in formerTeams',
      'teams[1].name: "main" is also in formerTeams',
    ]);
  });

  it.each([
    ['nothing', undefined, 'teams: must list the teams, such as [{ "name": "main" }]'],
    ['something else', [], 'Invalid input: expected object, received array'],
    ['no team', { teams: [] }, 'teams: must name at least one team'],
    ['a team name that could leave its prefix', { teams: [{ name: '../x' }] }, /^teams\[0\]\.name: must be 1 to 32/],
    ['a team name that could be a pattern', { teams: [{ name: 'a*' }] }, /^teams\[0\]\.name: must be 1 to 32/],
    ['a former team of such a name', { teams: [main], formerTeams: ['a,b'] }, /^formerTeams\[0\]: must be 1 to 32/],
    ['a former team twice', { teams: [main], formerTeams: ['x', 'x'] }, 'formerTeams[1]: "x" is listed twice'],
    ['a parameter without a path', { teams: [{ ...main, apiKeyParameter: 'key' }] }, /^teams\[0\]\.apiKeyParameter/],
    ['a parameter with a wildcard', { teams: [{ ...main, apiKeyParameter: '/a/*' }] }, /^teams\[0\]\.apiKeyParameter/],
    ['a parameter that AWS keeps', { teams: [{ ...main, apiKeyParameter: '/aws/x' }] }, /must not begin with \/aws/],
    [
      'a base URL on loopback',
      { teams: [{ ...main, baseUrl: 'http://127.0.0.1:1' }] },
      /baseUrl: "http:.*" must be https/,
    ],
    ['credentials in a URL', { teams: [{ ...main, baseUrl: 'https://k@x.y' }] }, /must not hold credentials/],
    ['more than Postman allows', { teams: [main], maxRequestsPerMinute: 301 }, /Postman allows 300 requests a minute/],
    ['no lookback', { teams: [main], lookbackHours: 0 }, /^lookbackHours: Too small/],
    ['expiry before Postman forgets', { teams: [main], retention: { days: 1, expireAfterDays: 180 } }, />=200/],
    [
      'expiry before the lock ends',
      { teams: [main], retention: { days: 365, expireAfterDays: 364 } },
      'retention.expireAfterDays: must not be less than "days": what is under lock cannot expire',
    ],
    ['an address that is none', { teams: [main], alarmEmail: 'security' }, /^alarmEmail: Invalid email/],
    [
      'an unknown key that resembles none',
      { teams: [main], colour: 1 },
      /^unknown key "colour"; known are stage, teams,/,
    ],
  ])('is refused for %s', (_, context, problem) => {
    expect(problems(context)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('is refused if two teams read one API key, even if something else is wrong too', () => {
    const teams = [
      { ...main, typo: 1 },
      { name: 'sales', apiKeyParameter: '/postman-audit-archive/main/api-key' },
    ];
    expect(problems({ teams, retention: { mode: 'none', days: 365, expireAfterDays: 364 } })).toEqual([
      expect.stringMatching(/^teams\[0\]: unknown key "typo"/),
      expect.stringMatching(/^retention\.mode/),
      expect.stringMatching(/^retention\.expireAfterDays: must not be less/),
      expect.stringMatching(/^teams\[1\]\.apiKeyParameter: ".*" is another team's parameter too/),
    ]);
  });

  it('is read or refused with sentences, whatever it is', () => {
    const keys = fc.constantFrom('stage', 'teams', 'formerTeams', 'retention', 'name', 'days', 'expireAfterDays', 'x');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 0 }),
        fc.array(tie('tree')),
        fc.dictionary(keys, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (context) => {
        for (const problem of problems(context)) expect(problem).toMatch(/\w/);
      }),
    );
  });
});

describe('a schedule', () => {
  it.each([
    ...[
      'rate(1 minute)',
      'rate(15 minutes)',
      'rate(1 hour)',
      'rate(7 days)',
      'cron(0 * * * ? *)',
      'cron(5,35 0-23/2 ? * 2-6 *)',
    ],
    ...[
      'cron(0 10 L * ? 2026-2030)',
      'cron(0 8 15W JAN,JUL ? *)',
      'cron(0/10 * ? * SUN-SAT *)',
      'cron(15 10 ? * 6L *)',
    ],
    ...['cron(0 0 ? * 2#1 *)', 'cron(0 0 LW * ? *)', 'cron(59 23 31 12 ? 2199)'],
  ])('can be %s', (expression) => {
    expect(scheduleProblem(expression)).toBeUndefined();
  });

  it.each([
    ['', /must be rate\(\.\.\.\) or cron/],
    ['at(2026-06-12T00:00:00)', /must be rate/],
    ['rate(1 hour) ', /must be rate/],
    ['rate(hour)', /<number> minutes/],
    ['rate(0 hours)', /<number> minutes/],
    ['rate(1.5 hours)', /<number> minutes/],
    ['rate(30 seconds)', /<number> minutes/],
    ['rate(1 hours)', /^must be rate\(1 hour\)$/],
    ['rate(2 hour)', /^must be rate\(2 hours\)$/],
    ['rate(8 days)', /at least once in 7 days/],
    ['cron(0 * * * *)', /six fields/],
    ['cron(0  * * * ? *)', /six fields/],
    ['cron(60 * * * ? *)', /: minutes$/],
    ['cron(0 24 * * ? *)', /: hours$/],
    ['cron(0 0 32 * ? *)', /: day of month$/],
    ['cron(0 0 ? 13 1 *)', /: month$/],
    ['cron(0 0 ? * 0 *)', /: day of week$/],
    ['cron(0 0 ? * MO *)', /: day of week$/],
    ['cron(0 0 * * ? 1969)', /: year$/],
    ['cron(x 25 * * ? *)', /: minutes, hours$/],
    ['cron(1-2-3 * * * ? *)', /: minutes$/],
    ['cron(*/0 * * * ? *)', /: minutes$/],
    ['cron(, * * * ? *)', /: minutes$/],
    ['cron(0 0 * * * *)', /must have a \? as either/],
    ['cron(0 0 ? * ? *)', /must have a \? as either/],
  ])('cannot be %j', (expression, problem) => {
    expect(scheduleProblem(expression)).toMatch(problem);
  });
});

test.each([
  ['teem', 'did you mean "teams"?'],
  ['schedul', 'did you mean "schedule"?'],
  ['APIKEYPARAMETER', 'did you mean "apiKeyParameter"?'],
  ['lookbackDays', 'did you mean "lookbackHours"?'],
  ['colour', 'known are teams, schedule, apiKeyParameter, lookbackHours, baseUrl'],
  ['', 'known are teams, schedule, apiKeyParameter, lookbackHours, baseUrl'],
])('an error about the unknown word %j ends with: %s', (word, end) => {
  expect(didYouMean(word, ['teams', 'schedule', 'apiKeyParameter', 'lookbackHours', 'baseUrl'])).toBe(end);
});
