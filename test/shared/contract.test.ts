import { baseUrlProblem, readArchiveInput, readTeam, writeTeams } from '../../lambdas/shared/contract';
import { ConfigError } from '../../lambdas/shared/errors';

const INPUT = {
  team: 'main',
  scheduledTime: '2026-06-12T12:00:00.000Z',
};
const SETTINGS = {
  apiKeyParameter: '/postman-audit-archive/main/api-key',
  baseUrl: 'https://api.getpostman.com',
  startDate: '2026-01-01T00:00:00.000Z',
  acceptOtherTeamId: '12345678',
};

function problemsOf(input: unknown): string {
  try {
    readArchiveInput(input);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'input-invalid') return error.message;
    throw error;
  }
  return 'none';
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function refused(problem: string, urls: string): [string, string][] {
  return words(urls).map((url) => [url, problem]);
}

describe('the input of the handler', () => {
  test.each([
    '2026-06-12T12:00:00Z',
    '2026-06-12T14:00:00+02:00',
    '2026-06-12 12:00:00.0000',
  ])('records the scheduled time %s in the form that Date writes', (scheduledTime) => {
    expect(readArchiveInput({ ...INPUT, scheduledTime })).toEqual(INPUT);
  });

  test.each([[undefined], [null], ['main'], [7], [[]], [[INPUT]]])('is refused if it is %j', (input) => {
    expect(problemsOf(input)).toBe('input: must be an object {"team","scheduledTime"}');
  });

  test('is refused with one error that names every bad field', () => {
    expect(problemsOf({})).toBe(
      'input: team must match ^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$; scheduledTime must be an ISO 8601 instant',
    );
    expect(problemsOf({ ...INPUT, team: 'A', startdate: '2026-01-01' })).toMatch(
      /^input: team must match [^;]*; unknown field "startdate"$/,
    );
  });

  test.each([
    ...['../../manifests', 'a/b', 'Main', 'a\n', '*', '', 'a'.repeat(33)],
    ['main'],
    {},
    null,
  ])('is refused with the team %j', (team) => {
    expect(problemsOf({ ...INPUT, team })).toMatch(/^input: team must match [^;]*$/);
  });

  test.each([
    ...['2026-02-30', '2026-02-30T00:00:00Z', '2026-06-12T24:00:00Z', '2026-06-12 (canary)', '2026-06-12T12:00'],
    ...['12 Jun 2026', '<aws.scheduler.scheduled-time>', '', 1781265600000, null],
  ])('is refused with the instant %j', (text) => {
    expect(problemsOf({ ...INPUT, scheduledTime: text })).toBe('input: scheduledTime must be an ISO 8601 instant');
  });

  test.each([
    ...['constructor', '__proto__', 'apikey', '', ...Object.keys(SETTINGS)],
  ])('is refused with the field %j, which it does not have', (field) => {
    const input: unknown = JSON.parse(`{${JSON.stringify(field)}:1,${JSON.stringify(INPUT).slice(1)}`);
    expect(problemsOf(input)).toBe(`input: unknown field ${JSON.stringify(field)}`);
  });

  test('is refused without its value being quoted', () => {
    const names = [...Object.keys(INPUT), ...Object.keys(SETTINGS)];
    expect(problemsOf(Object.fromEntries(names.map((name) => [name, ' canary:canary@'])))).not.toContain('canary');
  });
});

describe('the settings of the teams', () => {
  const none = { ...SETTINGS, startDate: null, acceptOtherTeamId: null };

  test('are written and read for each team by its name, whatever it is', () => {
    const text = writeTeams([
      { name: 'main', ...SETTINGS },
      { name: 'constructor', ...none },
    ]);
    expect(readTeam(text, 'main')).toEqual(SETTINGS);
    expect(readTeam(text, 'constructor')).toEqual(none);
  });

  test.each(['sales', 'constructor', 'tostring'])('do not have the team %s, which is refused', (team) => {
    const refused = {
      code: 'team-unknown',
      message: expect.stringMatching(`"${team}" is not deployed.*deployed are main`),
    };
    const read = () => readTeam(writeTeams([{ name: 'main', ...SETTINGS }]), team);
    expect(read).toThrow(expect.objectContaining(refused));
  });

  test.each([
    '',
    'null',
    '{"main":{}}',
    JSON.stringify({ main: { ...SETTINGS, baseUrl: 'http://source.test' } }),
  ])('are refused if they are %j', (text) => {
    expect(() => readTeam(text, 'main')).toThrow(expect.objectContaining({ code: 'teams-unreadable' }));
  });
});

describe('the API key', () => {
  test.each(
    words(`
      https://api.getpostman.com https://api.eu.postman.com/ https://proxy.example/postman/ https://b\u00fccher.example
      HTTPS://API.GETPOSTMAN.COM:8443 https://127.0.0.1 http://127.0.0.1:3000 http://127.255.255.254 http://LOCALHOST
      http://localhost:3000/api http://[::1]:3000 http://[0:0:0:0:0:0:0:1]
      http://127.1 http://2130706433 http://0x7f.0.0.1`),
  )('may be sent to %s', (url) => {
    expect(baseUrlProblem(url)).toBeUndefined();
  });

  test.each([
    ...refused(
      'must be https (plain http only to loopback)',
      `
      http://api.getpostman.com http://127.0.0.1.evil.example http://127.evil.example http://localhost.evil.example
      http://localhost. http://evil-localhost http://128.0.0.1 http://0.0.0.0 http://10.0.0.1 http://[::] http://[::2]
      http://169.254.169.254/latest http://[::ffff:127.0.0.1] http:evil.example http:\\\\evil.example ftp://127.0.0.1
      ws://127.0.0.1 file:///etc/passwd data:text/plain,x javascript:alert(1) blob:https://api.getpostman.com/x`,
    ),
    ...refused(
      'must not hold credentials, a query or a fragment',
      `
      https://user:pass@api.getpostman.com https://user@api.getpostman.com https://:pass@api.getpostman.com
      http://127.0.0.1@evil.example https://api.getpostman.com?x=1 https://api.getpostman.com?
      https://api.getpostman.com/# https://evil.example#@api.getpostman.com`,
    ),
  ])('is not sent to %s, which %s', (url, problem) => {
    expect(baseUrlProblem(url)).toBe(problem);
  });

  test.each([
    ...words('api.getpostman.com //api.getpostman.com /audit/logs https:// https://api.getpostman.com:99999'),
    ...words('https://[::1 https://a%00b https://256.256.256.256'),
    ...['', ' ', 'https://api getpostman.com', null, undefined, {}, ['https://api.getpostman.com']],
  ])('is not sent to %j, which is no URL', (url) => {
    expect(baseUrlProblem(url)).toBe('must be an absolute URL');
  });
});
