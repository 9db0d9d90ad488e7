import type { SourceEvent } from '../../../local/postman/source-table';
import { createSourceTeam, type TeamOptions } from '../../../local/postman/source-team';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import { createContractCheck } from '../../support/contract-check';
import { minified } from '../../support/naive-client';

const DAY_MS = 86_400_000;
const anchor = new Date('2026-06-30T12:00:00Z');
const later = (days: number) => new Date(anchor.getTime() + days * DAY_MS);
const play = (options: Partial<TeamOptions> = {}, to = anchor) =>
  createSourceTeam({ seed: 1, anchor, ...options }).playTo(to);

interface Body {
  readonly id: number;
  readonly action: string;
  readonly timestamp: string;
  readonly data: {
    readonly actor: { readonly id: number; readonly email: string; readonly active: boolean };
    readonly variables?: unknown;
  };
}
const read = ({ raw }: SourceEvent): Body => JSON.parse(raw) as Body;
const isOdd = ({ raw }: SourceEvent): boolean => raw.includes('"message":"odd: ');

const events = play();
const bodies = events.filter((event) => !isOdd(event)).map(read);

describe('the same team', () => {
  const days = 20;

  test('comes of the same seed and anchor, whether played at once or day by day', () => {
    const team = createSourceTeam({ seed: 1, anchor, days });
    const played = Array.from({ length: days + 4 }, (_, day) => team.playTo(later(day - days)));
    expect(played.flat()).toEqual(play({ days }, later(3)));
    expect(played.slice(0, days + 1).flat()).toEqual(play({ days }));
  });

  test('is another with another seed', () => {
    expect(play({ days, seed: 2 })).not.toEqual(play({ days }));
  });
});

describe('the log', () => {
  test('holds about 200 events a day for 180 days, few of them at weekends and at night', () => {
    expect(events.length).toBeGreaterThan(34_000);
    expect(events.length).toBeLessThan(39_000);
    const share = (holds: (date: Date) => boolean) =>
      bodies.filter(({ timestamp }) => holds(new Date(timestamp))).length / bodies.length;
    expect(share((date) => [0, 6].includes(date.getUTCDay()))).toBeLessThan(0.1);
    expect(share((date) => date.getUTCHours() < 3)).toBeLessThan(0.02);
  });

  test('is JSON without white space between tokens, one line for each event', () => {
    const texts = events.flatMap(({ raw, later: changes = [] }) => [raw, ...changes.map((change) => change.raw)]);
    expect(texts.filter((text) => text !== minified(text) || text.includes('\n'))).toEqual([]);
    expect(JSON.parse(`[${texts.join(',')}]`)).toHaveLength(texts.length);
  });

  test('has ids that are unique, spread out, and not quite in the order of time', () => {
    const ids = bodies.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const steps = ids.slice(1).map((id, index) => id - (ids[index] ?? 0));
    expect(steps.filter((step) => step < 0).length).toBeGreaterThan(100);
    expect(steps.filter((step) => step > 1000).length).toBeGreaterThan(100);
  });

  test('has more events in one second than a page holds, and ties at midnight', () => {
    const perSecond = new Map<string, number>();
    for (const { timestamp } of bodies) perSecond.set(timestamp, (perSecond.get(timestamp) ?? 0) + 1);
    expect([...perSecond.values()].filter((count) => count > 300)).toHaveLength(2);
    expect([...perSecond].filter(([at, count]) => at.endsWith('T00:00:00.000Z') && count >= 3).length).toBeGreaterThan(
      5,
    );
  });

  test('has nulls, absent fields, variables of both types and templates nobody filled in', () => {
    const has = (part: string) => events.filter(({ raw }) => raw.includes(part)).length;
    for (const part of [
      '"ip":null,"userAgent":null',
      '"ip":"2001:db8:',
      '"variables":"{',
      '"variables":{',
      '$' + '{actor.name}',
      '"user":{',
    ]) {
      expect(has(part)).toBeGreaterThan(10);
    }
    expect(bodies.some(({ data }) => data.variables === undefined)).toBe(true);
    expect(bodies.every(({ data }) => /@(example\.com|partner\.example)$/.test(data.actor.email))).toBe(true);
  });

  test('has every odd event once', () => {
    const names = events.filter(isOdd).map(({ raw }) => /"message":"odd: ([^"]*)"/.exec(raw)?.[1]);
    expect(names.sort()).toEqual(ODD_EVENTS.map(({ name }) => name).sort());
  });

  test('lets some events be served hours late, and a few ten days late, one of them after the anchor', () => {
    const delays = events.map(({ at, visibleFrom }) => (visibleFrom ?? 0) - (at ?? 0));
    expect(Math.min(...delays)).toBe(0);
    expect(delays.filter((delay) => delay > 60_000 && delay < 5.01 * 3_600_000).length).toBeGreaterThan(100);
    const veryLate = events.filter(({ at, visibleFrom }) => (visibleFrom ?? 0) - (at ?? 0) === 10 * DAY_MS);
    expect(veryLate).toHaveLength(4);
    expect(veryLate.filter(({ visibleFrom }) => (visibleFrom ?? 0) > anchor.getTime())).toHaveLength(1);
  });
});

describe('the story', () => {
  const by = (action: string) => bodies.filter((body) => body.action === action);

  test('everyone signs in some hours before they work', () => {
    const admins = new Set([60_000_003, 60_000_040, 60_000_077]);
    const signedIn = new Map<number, number>();
    const hoursSince: number[] = [];
    for (const { data, timestamp, action } of bodies.filter((body) => !admins.has(body.data.actor.id))) {
      const at = Date.parse(timestamp);
      if (action.startsWith('user.login_')) signedIn.set(data.actor.id, at);
      else hoursSince.push((at - (signedIn.get(data.actor.id) ?? 0)) / 3_600_000);
    }
    expect(hoursSince.length).toBeGreaterThan(20_000);
    expect(Math.max(...hoursSince)).toBeLessThan(4);
  });

  test('someone who was removed signs in again later and makes a key', () => {
    const removed = new Map(
      events
        .filter(({ raw }) => raw.includes('team.remove_member'))
        .map(({ raw }) => {
          const { timestamp, data } = JSON.parse(raw);
          return [data.user.id as number, timestamp as string];
        }),
    );
    expect(removed.size).toBe(5);
    const after = bodies.filter(({ data, timestamp }) => timestamp > (removed.get(data.actor.id) ?? '9'));
    expect(after.map(({ action, data }) => [action, data.actor.active])).toEqual([
      ['user.login_password_success', false],
      ['user.apikey_create', false],
    ]);
  });

  test('single sign-on was off once, and an admin key was made at night', () => {
    expect([by('team.customauth.enable'), by('team.customauth.disable')].map((list) => list.length)).toEqual([2, 1]);
    expect(by('admin.apikey_create').map(({ timestamp }) => timestamp.slice(11, 13))).toEqual(['03']);
  });

  test('the last events of a leaver change once, when they leave, and in their active flag only', () => {
    const changing = play({}, later(2)).filter((event) => event.later !== undefined);
    expect(changing.length).toBeGreaterThan(20);
    expect(changing.some(({ later: changes = [] }) => (changes[0]?.from ?? 0) > anchor.getTime())).toBe(true);
    for (const { raw, later: changes = [] } of changing) {
      expect(changes.map((change) => change.raw)).toEqual([raw.replace('"active":true', '"active":false')]);
    }
  });

  test('an arrival is a routine event with an id of its own', () => {
    const team = createSourceTeam({ seed: 1, anchor });
    const taken = new Set<number>();
    const arrive = (number: number) => {
      const event = team.arrival(number, { at: anchor, visibleFrom: later(1), isTaken: (row) => taken.has(row) });
      taken.add(event.row);
      return event;
    };
    const arrivals = Array.from({ length: 50 }, (_, number) => arrive(number));
    expect(taken.size).toBe(50);
    expect(arrivals.every(({ row }) => !events.some((event) => event.row === row))).toBe(true);
    expect(arrivals[0]).toMatchObject({ at: anchor.getTime(), visibleFrom: later(1).getTime() });
    expect(
      arrivals
        .map(read)
        .every(({ id, timestamp }, index) => id === arrivals[index]?.row && timestamp === anchor.toISOString()),
    ).toBe(true);
  });
});

describe('the shapes', () => {
  const contract = play({ shape: 'contract' });
  const [strict, relaxed] = [createContractCheck('contract'), createContractCheck('reality')];
  const page = (list: readonly { readonly raw: string }[]) => `{"trails":[${list.map(({ raw }) => raw).join(',')}]}`;

  test('every event passes the check of its shape', () => {
    expect(strict.response(200, page(contract))).toEqual([]);
    expect(relaxed.response(200, page(events))).toEqual([]);
  });

  test('in the contract shape all but the events it forbids are there, odd ones too', () => {
    expect(contract.length).toBe(events.length - ODD_EVENTS.filter((odd) => !odd.contract).length);
    const odd = ODD_EVENTS.map((event) => ({ ...event, raw: event.raw('"1"', anchor.getTime()) }));
    const allowed = odd.filter((event) => strict.response(200, page([event])).length === 0);
    expect(allowed.map(({ name }) => name)).toEqual(odd.filter((event) => event.contract).map(({ name }) => name));
  });
});
