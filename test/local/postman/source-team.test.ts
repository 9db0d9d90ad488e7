import type { SourceEvent } from '../../../local/postman/source-table';
import { createSourceTeam, type TeamOptions } from '../../../local/postman/source-team';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { createContractCheck } from '../../support/contract-check';
import { minified } from '../../support/naive-client';

const DAY_MS = 86_400_000;
const anchor = new Date('2026-06-30T12:00:00Z');
const later = (days: number) => new Date(anchor.getTime() + days * DAY_MS);
const play = (options: Partial<TeamOptions> = {}, to = anchor) =>
  createSourceTeam({ seed: 1, anchor, eventsPerDay: 30, ...options }).playTo(to);

const events = play();
const contract = play({ shape: 'contract' });
const bodies = events.filter(({ raw }) => !raw.includes('"message":"odd: ')).map(({ raw }) => JSON.parse(raw));
const page = (list: readonly Pick<SourceEvent, 'raw'>[]) => `{"trails":[${list.map(({ raw }) => raw).join(',')}]}`;

test('the same seed and anchor give the same team, played at once or day by day, and another seed another team', () => {
  const days = 20;
  const team = createSourceTeam({ seed: 1, anchor, days, eventsPerDay: 30 });
  const played = Array.from({ length: days + 4 }, (_, day) => team.playTo(later(day - days)));
  expect(played.flat()).toEqual(play({ days }, later(3)));
  expect(played.slice(0, days + 1).flat()).toEqual(play({ days }));
  expect(play({ days, seed: 2 })).not.toEqual(play({ days }));
});

test('the team has about as many events a day as it was asked for', () => {
  expect(play({ days: 28, eventsPerDay: 200 }).length / 29).toBeGreaterThan(150);
  expect(play({ days: 28, eventsPerDay: 200 }).length / 29).toBeLessThan(250);
});

test('every event is JSON in one line without white space between its tokens', () => {
  const texts = events.flatMap(({ raw, later: changes = [] }) => [raw, ...changes.map((change) => change.raw)]);
  expect(texts.filter((text) => text !== minified(text) || text.includes('\n'))).toEqual([]);
  expect(JSON.parse(`[${texts.join(',')}]`)).toHaveLength(texts.length);
});

test('the ids are unique and not quite in the order of time', () => {
  const ids = bodies.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id, index) => id < (ids[index - 1] ?? 0)).length).toBeGreaterThan(100);
});

test('two seconds have more events than a page holds, and several midnights have ties', () => {
  const perSecond = new Map<string, number>();
  for (const { timestamp } of bodies) perSecond.set(timestamp, (perSecond.get(timestamp) ?? 0) + 1);
  expect([...perSecond.values()].filter((count) => count > 300)).toHaveLength(2);
  const ties = [...perSecond].filter(([at, count]) => at.endsWith('T00:00:00.000Z') && count >= 3);
  expect(ties.length).toBeGreaterThan(5);
});

test.each([
  '"ip":null,"userAgent":null',
  '"ip":"2001:db8:',
  '"variables":"{',
  '"variables":{',
  ['$', '{actor.name}'].join(''),
  '"user":{',
])('some events hold %s, as those of the live service do', (part) => {
  expect(events.filter(({ raw }) => raw.includes(part)).length).toBeGreaterThan(1);
});

test('every odd event occurs once', () => {
  const names = events.flatMap(({ raw }) => /"message":"odd: ([^"]*)"/.exec(raw)?.[1] ?? []);
  expect(names.sort()).toEqual(ODD_EVENTS.map(({ name }) => name).sort());
});

test('some events are late by hours, and four by ten days, one of them after the anchor', () => {
  const delays = events.map(({ at, visibleFrom }) => (visibleFrom ?? 0) - (at ?? 0));
  expect(Math.min(...delays)).toBe(0);
  expect(delays.filter((delay) => delay > 60_000 && delay < 5.01 * 3_600_000).length).toBeGreaterThan(10);
  const veryLate = events.filter((_, index) => delays[index] === 10 * DAY_MS);
  expect(veryLate).toHaveLength(4);
  expect(veryLate.filter(({ visibleFrom = 0 }) => visibleFrom > anchor.getTime())).toHaveLength(1);
});

test('a person who was removed signs in again later and makes an API key', () => {
  const removals = bodies.filter(({ action }) => action === 'team.remove_member');
  const removedAt = new Map(removals.map(({ data, timestamp }) => [data.user.id, timestamp]));
  const after = bodies.filter(({ data, timestamp }) => timestamp > (removedAt.get(data.actor.id) ?? '9'));
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

test('an arrival is one more event with an id that no other event has', () => {
  const team = createSourceTeam({ seed: 1, anchor });
  const taken = new Set(events.map(({ row }) => row));
  for (let number = 0; number < 50; number += 1) {
    const isTaken = (row: number) => taken.has(row);
    const event = team.arrival(number, { at: anchor, visibleFrom: later(1), isTaken });
    expect(event).toMatchObject({ at: anchor.getTime(), visibleFrom: later(1).getTime() });
    expect(JSON.parse(event.raw)).toMatchObject({ id: event.row, timestamp: anchor.toISOString() });
    expect(taken.has(event.row)).toBe(false);
    taken.add(event.row);
  }
});

test('every event keeps the contract of its shape, and the contract shape leaves out the odd events it forbids', () => {
  const strict = createContractCheck('contract');
  expect(strict.response(200, page(contract))).toEqual([]);
  expect(createContractCheck('reality').response(200, page(events))).toEqual([]);
  const odd = ODD_EVENTS.map((event) => ({ ...event, raw: event.raw('"1"', anchor.getTime()) }));
  const allowed = odd.filter((event) => strict.response(200, page([event])).length === 0);
  expect(allowed).toEqual(odd.filter((event) => event.contract));
  expect(contract.length).toBe(events.length - odd.length + allowed.length);
});
