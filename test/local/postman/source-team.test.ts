import { DAY_MS } from '../../../lambdas/shared/time';
import { createSourceTeam, type TeamOptions } from '../../../local/postman/source-team';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { createContractCheck } from '../../support/contract-check';
import { minified } from '../../support/naive-client';

const anchor = new Date('2026-06-30T12:00:00Z');
const later = (days: number) => new Date(anchor.getTime() + days * DAY_MS);
const play = (options: Partial<TeamOptions> = {}, to = anchor) =>
  createSourceTeam({ seed: 1, anchor, eventsPerDay: 30, ...options }).playTo(to);

const events = play();
const bodies = events.filter(({ raw }) => !raw.includes('"message":"odd: ')).map(({ raw }) => JSON.parse(raw));

test('the same seed and anchor give the same team, played at once or day by day, and another seed another team', () => {
  const days = 20;
  const team = createSourceTeam({ seed: 1, anchor, days, eventsPerDay: 30 });
  const played = Array.from({ length: days + 4 }, (_, day) => team.playTo(later(day - days)));
  expect(played.flat()).toEqual(play({ days }, later(3)));
  expect(played.slice(0, days + 1).flat()).toEqual(play({ days }));
  expect(play({ days, seed: 2 })).not.toEqual(play({ days }));
});

test('every event keeps the shape of the live service, in one line, and the ids are unique', () => {
  const texts = events.flatMap(({ raw, later: changes = [] }) => [raw, ...changes.map((change) => change.raw)]);
  expect(texts.filter((text) => text !== minified(text) || text.includes('\n'))).toEqual([]);
  expect(createContractCheck('reality').response(200, `{"trails":[${texts.join(',')}]}`)).toEqual([]);
  expect(new Set(bodies.map(({ id }) => id)).size).toBe(bodies.length);
});

test('people and variables have the shapes of the live service', () => {
  const shapesOf = (wanted: string) =>
    new Set(
      bodies
        .filter(({ action }) => action === wanted)
        .map(({ data: { actor, user, variables } }) => {
          const text = JSON.stringify(typeof variables === 'string' ? JSON.parse(variables) : variables);
          return [actor.username ?? actor.id, user?.username, text?.replace(/[0-9a-f]{5}\*/, 'x*')]
            .map((each) =>
              String(each)
                .replace(/^member-\d+$/, 'person')
                .replace(/GitHub/, 'Slack'),
            )
            .join(' ');
        }),
    );
  expect([...shapesOf('user.apikey_create')]).toEqual(['person undefined {"apiKey":"x*****"}']);
  expect([...shapesOf('admin.apikey_create')]).toEqual(['2 person {"apiKey":"x*****"}']);
  expect([...shapesOf('user.authenticate_third_party_app')]).toEqual([
    '18 person {"appName":"Slack","orgDesc":"Postman","orgId":"T0"}',
  ]);
  expect([...shapesOf('team.add_member')]).toEqual(['person person {"roles":"user"}']);
});

test('every odd event occurs once', () => {
  const names = events.flatMap(({ raw }) => /"message":"odd: ([^"]*)"/.exec(raw)?.[1] ?? []);
  expect(names.sort()).toEqual(ODD_EVENTS.map(({ name }) => name).sort());
});

test('some events are late by hours, and four by ten days, one of them after the anchor', () => {
  const delays = events.map(({ at, visibleFrom }) => (visibleFrom ?? 0) - (at ?? 0));
  expect(delays.filter((delay) => delay > 60_000 && delay < 5.01 * 3_600_000).length).toBeGreaterThan(10);
  const veryLate = events.filter((_, index) => delays[index] === 10 * DAY_MS);
  expect(veryLate.map(({ visibleFrom = 0 }) => visibleFrom > anchor.getTime())).toEqual([false, false, false, true]);
});

test('a person who was removed signs in again later and makes an API key', () => {
  const removals = bodies.filter(({ action }) => action === 'team.remove_member');
  const removedAt = new Map(removals.map(({ data, timestamp }) => [data.user.email, timestamp]));
  const after = bodies.filter(({ data, timestamp }) => timestamp > (removedAt.get(data.actor.email) ?? '9'));
  expect(after.map(({ action, data }) => [action, data.actor.active])).toEqual([
    ['user.login_password_success', false],
    ['user.apikey_create', false],
  ]);
});

test('the last events of a person change once, when the person leaves, and only in the flag active', () => {
  const changing = play({ eventsPerDay: 200 }, later(2)).filter((event) => event.later !== undefined);
  expect(changing.some(({ later: changes = [] }) => (changes[0]?.from ?? 0) > anchor.getTime())).toBe(true);
  for (const { raw, later: changes = [] } of changing) {
    expect(changes.map((change) => change.raw)).toEqual([raw.replace('"active":true', '"active":false')]);
  }
});
