import { baseUrlProblem, metricNames, readArchiveInput } from '../../lambdas/shared/contract';
import { ConfigError } from '../../lambdas/shared/errors';

const INPUT = {
  team: 'main',
  scheduledTime: '2026-06-12T12:00:00.000Z',
  apiKeyParameter: '/postman-audit-archive/main/api-key',
  baseUrl: 'https://api.getpostman.com',
};

const problemsOf = (input: unknown): string => {
  try {
    readArchiveInput(input);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'input-invalid') return error.message;
    throw error;
  }
  return 'none';
};

describe('the input', () => {
  test.each([
    ['as a schedule sends it', INPUT],
    ['with a start date', { ...INPUT, startDate: '2026-01-01' }],
    ['with a start instant', { ...INPUT, startDate: '2026-01-01T00:00:00+05:30' }],
    ['with the override', { ...INPUT, acceptOtherTeam: true }],
    ['with fields left undefined', { ...INPUT, startDate: undefined, acceptOtherTeam: undefined }],
  ])('is taken %s', (_name, input) => {
    expect(readArchiveInput(input)).toEqual(input);
  });

  test.each([
    ['2026-06-12T12:00:00Z'],
    ['2026-06-12T14:00:00+02:00'],
    ['2026-06-12 12:00:00.0000'],
  ])('says when it was meant to start in one way, sent as %j', (scheduledTime) => {
    expect(readArchiveInput({ ...INPUT, scheduledTime })).toEqual(INPUT);
  });

  test.each([[undefined], [null], ['main'], [7], [[]], [[INPUT]]])('is refused where it is %j', (input) => {
    expect(problemsOf(input)).toContain('input must be an object');
  });

  test('has every problem named at once', () => {
    expect(problemsOf({})).toBe(
      'input: team must match ^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$; scheduledTime must be an ISO 8601 instant; ' +
        'apiKeyParameter must name a parameter; baseUrl must be an absolute URL',
    );
    expect(problemsOf({ ...INPUT, team: 'A', startdate: '2026-01-01', acceptOtherTeam: 'yes' })).toMatch(
      /^input: team must match .*; acceptOtherTeam must be a boolean; unknown field "startdate"$/,
    );
  });

  test.each([
    ['../../manifests'],
    ['a/b'],
    ['Main'],
    ['a\n'],
    ['*'],
    [''],
    ['a'.repeat(33)],
    [['main']],
    [{}],
    [null],
  ])('does not take the team %j', (team) => {
    expect(problemsOf({ ...INPUT, team })).toContain('team must match');
  });

  test.each([
    ['2026-02-30'],
    ['2026-02-30T00:00:00Z'],
    ['2026-06-12T24:00:00Z'],
    ['2026-06-12 (canary)'],
    ['2026-06-12T12:00'],
    ['12 Jun 2026'],
    ['<aws.scheduler.scheduled-time>'],
    [''],
    [1781265600000],
    [null],
  ])('does not take the instant %j', (text) => {
    expect(problemsOf({ ...INPUT, scheduledTime: text })).toBe('input: scheduledTime must be an ISO 8601 instant');
    expect(problemsOf({ ...INPUT, startDate: text })).toBe('input: startDate must be an ISO 8601 instant');
  });

  test.each([
    ['constructor'],
    ['toString'],
    ['__proto__'],
    ['hasOwnProperty'],
    ['startDate '],
    ['apikey'],
    [''],
  ])('does not take the unknown field %j', (field) => {
    const input: unknown = JSON.parse(`{${JSON.stringify(field)}:1,${JSON.stringify(INPUT).slice(1)}`);
    expect(problemsOf(input)).toBe(`input: unknown field ${JSON.stringify(field)}`);
  });

  test('does not take fields that it inherits', () => {
    expect(problemsOf(JSON.parse(`{"__proto__":${JSON.stringify(INPUT)}}`))).toContain('team must match');
  });

  test('has no value quoted in its problems', () => {
    const names = [...Object.keys(INPUT), 'startDate', 'acceptOtherTeam'];
    expect(problemsOf(Object.fromEntries(names.map((name) => [name, ' canary:canary@'])))).not.toContain('canary');
  });
});

describe('the base URL', () => {
  test.each([
    ['https://api.getpostman.com'],
    ['https://api.eu.postman.com/'],
    ['https://proxy.example/postman/'],
    ['https://xn--bcher-kva.example'],
    ['https://b\u00fccher.example'],
    ['HTTPS://API.GETPOSTMAN.COM:8443'],
    ['https://127.0.0.1'],
    ['http://127.0.0.1:3000'],
    ['http://127.255.255.254'],
    ['http://localhost:3000/api'],
    ['http://LOCALHOST'],
    ['http://[::1]:3000'],
    ['http://[0:0:0:0:0:0:0:1]'],
    // Other spellings of 127.0.0.1, which is where they lead.
    ['http://127.1'],
    ['http://2130706433'],
    ['http://0x7f.0.0.1'],
  ])('may be %s', (url) => {
    expect(baseUrlProblem(url)).toBeUndefined();
  });

  test.each([
    ['http://api.getpostman.com'],
    ['http://127.0.0.1.evil.example'],
    ['http://127.0.0.1.nip.io'],
    ['http://127.evil.example'],
    ['http://localhost.evil.example'],
    ['http://localhost.'],
    ['http://evil-localhost'],
    ['http://128.0.0.1'],
    ['http://0.0.0.0'],
    ['http://10.0.0.1'],
    ['http://169.254.169.254/latest'],
    ['http://[::]'],
    ['http://[::2]'],
    ['http://[::ffff:127.0.0.1]'],
    ['http:evil.example'],
    ['http:\\\\evil.example'],
    ['ftp://127.0.0.1'],
    ['ws://127.0.0.1'],
    ['file:///etc/passwd'],
    ['data:text/plain,x'],
    ['javascript:alert(1)'],
    ['blob:https://api.getpostman.com/x'],
  ])('is not %s: neither https nor loopback', (url) => {
    expect(baseUrlProblem(url)).toBe('baseUrl must be https (plain http only to loopback)');
  });

  test.each([
    ['https://user:pass@api.getpostman.com'],
    ['https://user@api.getpostman.com'],
    ['https://:pass@api.getpostman.com'],
    ['http://127.0.0.1@evil.example'],
    ['https://api.getpostman.com?x=1'],
    ['https://api.getpostman.com?'],
    ['https://api.getpostman.com/#'],
    ['https://evil.example#@api.getpostman.com'],
  ])('is not %s: more than a place', (url) => {
    expect(baseUrlProblem(url)).toBe('baseUrl must not hold credentials, a query or a fragment');
  });

  test.each([
    [''],
    [' '],
    ['api.getpostman.com'],
    ['//api.getpostman.com'],
    ['/audit/logs'],
    ['https://'],
    ['https://api getpostman.com'],
    ['https://api.getpostman.com:99999'],
    ['https://[::1'],
    ['https://a%00b'],
    ['https://256.256.256.256'],
    [null],
    [undefined],
    [{}],
    [['https://api.getpostman.com']],
  ])('is not %j: no URL', (url) => {
    expect(baseUrlProblem(url)).toBe('baseUrl must be an absolute URL');
  });
});

test('each metric has a name of its own', () => {
  const names = Object.values(metricNames);
  expect(new Set(names).size).toBe(names.length);
});
