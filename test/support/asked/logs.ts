/**
 * What the sources of the SQL tests serve: two demo teams, every odd shape, and what each of the auditors' queries looks
 * for, planted on both sides of midnight at both ends of the period asked for, and in the other team.
 */
import type { SourceEvent } from '../../../local/postman/source-table';
import { createSourceTeam } from '../../../local/postman/source-team';

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** The days that are asked for, long before now, and when history begins for the queries that look back. */
export interface Period {
  readonly historyFrom: string;
  readonly from: string;
  readonly to: string;
}

export function periodBefore(now: Date): Period {
  const day = (ago: number) => dateText(now.getTime() - ago * DAY_MS);
  return { historyFrom: day(120), from: day(40), to: day(31) };
}

export function dateText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** What is there when the archive begins, by team. */
export function firstLogs(
  now: Date,
  leftOut: readonly string[] = [],
): Readonly<Record<'main' | 'eu', readonly SourceEvent[]>> {
  return {
    main: [
      ...demo({ seed: 20, now, days: 179, eventsPerDay: 12 }),
      ...odd(now, leftOut),
      ...planted(now, 'main'),
      ...unfit(now),
    ],
    eu: [
      ...demo({ seed: 7, now, days: 60, eventsPerDay: 12, shape: 'contract' }),
      ...planted(now, 'eu'),
      ...unfit(now, 1),
    ],
  };
}

/** What shows up afterwards, on days of the last week: on both sides of midnight at both ends of one day. */
export function lateLog(now: Date, team: 'main' | 'eu'): readonly SourceEvent[] {
  const { from } = latePeriod(now);
  const first = Date.parse(from);
  const instants = team === 'main' ? [-1000, 0, DAY_MS - 1000, DAY_MS] : [HOUR_MS];
  const row = team === 'main' ? 990_000_000 : 990_000_010;
  return instants.map((after, nth) =>
    act({ row: row + nth, at: first + after, who: ADA, action: 'collection.created' }),
  );
}

/** Within the lookback of every run: it comes again with another body. */
export function recentAct(now: Date): SourceEvent {
  return act({
    row: 991_000_000,
    at: Math.floor(now.getTime() / 1000) * 1000 - HOUR_MS,
    who: ADA,
    action: 'collection.created',
  });
}

/** The day that is asked for late events. */
export function latePeriod(now: Date): Pick<Period, 'from' | 'to'> {
  return { from: dateText(now.getTime() - 4 * DAY_MS), to: dateText(now.getTime() - 4 * DAY_MS) };
}

type DemoOptions = Omit<Parameters<typeof createSourceTeam>[0], 'anchor'> & { readonly now: Date };

/** As it stands an hour ago: nothing in it comes, goes or changes while the tests run. */
function demo({ now, ...options }: DemoOptions): SourceEvent[] {
  const then = now.getTime() - HOUR_MS;
  const settled = createSourceTeam({ ...options, anchor: now })
    .playTo(now)
    .filter(({ at, visibleFrom = 0 }) => at !== null && at < then && visibleFrom < then);
  return settled.map(({ row, at, raw, later = [] }) => {
    return { row, at, raw: later.findLast(({ from }) => from <= then)?.raw ?? raw };
  });
}

interface Person {
  readonly id: number;
  readonly name: string;
  readonly email: string;
}

const person = (id: number, name: string): Person => ({ id, name, email: `${name.toLowerCase()}@example.com` });
const ADA = person(81_000_001, 'Ada');
const LEAVER = person(81_000_002, 'Lea');
const TRAVELLER = person(81_000_003, 'Tom');
const SLEEPER = person(81_000_004, 'Ike');
const FORGOTTEN = person(81_000_005, 'Uma');

interface Act {
  readonly row: number;
  readonly at: number;
  readonly who: Person;
  readonly action: string;
  readonly whom?: Person;
  readonly variables?: unknown;
  readonly ip?: string;
}

function act({ row, at, who, action, whom, variables, ip = '192.0.2.7' }: Act): SourceEvent {
  const data = { actor: who, user: whom, team: { id: 70_000_001, name: 'Acme' }, variables };
  const event = {
    id: row,
    ip,
    userAgent: 'agent/1',
    action,
    timestamp: new Date(at).toISOString(),
    message: `did ${action}`,
    data,
  };
  return { row, at, raw: JSON.stringify(event) };
}

/** What each query looks for, at one instant. */
const SIGNS: readonly Omit<Act, 'row' | 'at'>[] = [
  { who: ADA, action: 'user.login_password_failed' },
  { who: ADA, action: 'user.login_password_success' },
  { who: ADA, action: 'admin.apikey_create', variables: { apikey: { name: 'nightly "export"' } } },
  { who: ADA, action: 'team.update_user_roles', variables: { users: { '81000004': ['user', 'admin'] } } },
  { who: ADA, action: 'workspace.visibility_changed', variables: { workspace: { name: 'Plans' }, with: 'public' } },
  { who: ADA, action: 'team.send_invite', variables: '{"email":"Guest@Partner.example"}' },
  { who: ADA, action: 'team.add_member', whom: { id: 81_000_009, name: 'Guest', email: 'guest@partner.example' } },
  { who: ADA, action: 'team.customauth.disable', variables: { scheme: { name: 'Okta' } } },
  { who: LEAVER, action: 'collection.created', variables: { collection: { name: 'Farewell' } } },
];

function planted(now: Date, team: 'main' | 'eu'): SourceEvent[] {
  const { historyFrom, from, to } = periodBefore(now);
  const [first, end] = [Date.parse(from), Date.parse(to) + DAY_MS];
  let row = team === 'main' ? 980_000_000 : 970_000_000;
  const add = (at: number, what: Omit<Act, 'row' | 'at'>): SourceEvent => act({ row: ++row, at, ...what });
  const instants = team === 'main' ? [first - 1000, first, end - 1000, end] : [first];
  return [
    add(Date.parse(historyFrom) - 1000, { who: FORGOTTEN, action: 'team.customauth.create' }),
    add(first - 20 * DAY_MS, { who: SLEEPER, action: 'team.customauth.create' }),
    add(first - 9 * DAY_MS, { who: TRAVELLER, action: 'user.login_sso_success', ip: '198.51.100.1' }),
    add(first - 8 * DAY_MS, { who: ADA, action: 'team.remove_member', whom: LEAVER }),
    ...instants.flatMap((at, nth) => [
      ...SIGNS.map((sign) => add(at, sign)),
      add(at, { who: TRAVELLER, action: 'user.login_sso_success', ip: `203.0.113.${nth + 1}` }),
      add(at, { who: ADA, action: `agent.new_at_${nth}` }),
    ]),
    // Added again: what comes after is no longer the act of a leaver.
    add(first + 2 * DAY_MS, { who: ADA, action: 'team.add_member', whom: { ...LEAVER, email: 'lea@example.com' } }),
    add(first + 3 * DAY_MS, { who: LEAVER, action: 'collection.created' }),
    add(end - 2 * HOUR_MS, { who: ADA, action: 'team.remove_member', whom: LEAVER }),
  ];
}

/** Ids, clocks and fields as no one would write them, that are good all the same. */
function odd(now: Date, leftOut: readonly string[]): SourceEvent[] {
  return ODD.filter((raw) => !leftOut.includes(raw)).map((raw, nth) => {
    const at = Date.parse(periodBefore(now).from) + DAY_MS + nth * 1000;
    return { row: 960_000_000 + nth, at, raw: raw.replaceAll('CLOCK', new Date(at).toISOString().slice(0, 19)) };
  });
}

/** What may not be among the events. */
function unfit(now: Date, count = UNFIT.length): SourceEvent[] {
  const clock = `${periodBefore(now).from}T12:00:00`;
  return UNFIT.slice(0, count).map((raw, nth) => ({
    row: 961_000_000 + nth,
    at: null,
    raw: raw.replaceAll('CLOCK', clock),
  }));
}

export const NEGATIVE_ZERO = '{"id":-0,"action":"odd","timestamp":"CLOCK.000Z"}';

const ODD: readonly string[] = [
  String.raw`{"id":"a\u0041","action":"odd","timestamp":"CLOCKZ"}`,
  String.raw`{"data":{"actor":{"id":"aA"},"user":{"id":"\u0061\u0041"}},"id":"aA","action":"odd","timestamp":"CLOCKZ"}`,
  String.raw`{"id":"say \"id\":\"x\"","action":"odd","timestamp":"CLOCKZ"}`,
  '{"id":9007199254740992,"action":"odd","timestamp":"CLOCK.000Z"}',
  '{"id":9007199254740993,"action":"odd","timestamp":"CLOCK.000Z"}',
  `{"id":${'7'.repeat(300)},"action":"odd","timestamp":"CLOCK.000Z"}`,
  '{"id":1e400,"action":"odd","timestamp":"CLOCK.000Z"}',
  NEGATIVE_ZERO,
  '{"id":1.0,"action":"odd","timestamp":"CLOCK.000Z"}',
  '{"id":"01","action":"odd","timestamp":"CLOCK.000Z"}',
  '{"id":"../../x","action":"odd","timestamp":"CLOCK.000Z"}',
  '{"id":"x1","id":"x1","action":"odd","timestamp":"CLOCKZ","timestamp":"CLOCKZ"}',
  '{"id":"x2","action":"odd","timestamp":"CLOCK"}',
  '{"id":"x3","action":"odd","timestamp":"CLOCK,5"}',
  '{"id":"x4","action":"odd","timestamp":"CLOCK.123456789+00:00"}',
  '{"id":"x5","action":null,"timestamp":"CLOCKz"}',
  '{"id":"x6","timestamp":"CLOCK-0000"}',
  '{"id":"x7","action":{"name":"odd"},"timestamp":"CLOCKZ","ip":null,"userAgent":null}',
  '{"id":"x8","action":7,"timestamp":"CLOCKZ","data":[1,2],"user":"Ada"}',
  '{"id":"x9","action":"odd","timestamp":"CLOCKZ","data":"text","user":null}',
  '{"id":"y1","action":"odd","timestamp":"CLOCKZ","user":{"id":1},"data":{"user":{"id":2,"email":"two@example.com"}}}',
  '{"id":"y2","action":"odd","timestamp":"CLOCKZ","data":{"actor":null,"user":{"id":3,"name":"\u674e\u5a1c \ud83d\ude00"}}}',
  '{"id":"y3","action":"odd","timestamp":"CLOCKZ","actor":{"id":4,"username":"four"},"data":{"variables":"no JSON"}}',
  String.raw`{"id":"y4","action":"odd","timestamp":"CLOCKZ","message":"a\u0000b\nc\r\td\u2028e\ud800f","data":{"variables":7}}`,
  '{"id":"y5","action":"odd","timestamp":"CLOCKZ","__proto__":{"id":1},"constructor":2,"ID":"z","message":"\u2028\u2029\u0085"}',
  `{"id":"y6","action":"odd","timestamp":"CLOCKZ","data":${'{"d":'.repeat(400)}1${'}'.repeat(400)}}`,
  `{"id":"y7","action":"odd","timestamp":"CLOCKZ","message":"${'long '.repeat(200_000)}"}`,
  '{"id":"y8","action":"it\'s; -- \\"odd\\"","timestamp":"CLOCKZ","message":"=1+1"}',
];

const UNFIT: readonly string[] = [
  '{"action":"unfit","timestamp":"CLOCKZ"}',
  '{"id":null,"action":"unfit","timestamp":"CLOCKZ"}',
  '{"id":"","action":"unfit","timestamp":"CLOCKZ"}',
  '{"id":"u1","action":"unfit"}',
  '{"id":"u2","action":"unfit","timestamp":null}',
  '{"id":"u3","action":"unfit","timestamp":"CLOCK+24:00"}',
  '{"id":"u4","action":"unfit","timestamp":"2026-02-30T00:00:00Z"}',
  '{"id":"u5","action":"unfit","timestamp":"2019-12-31T23:59:59Z"}',
  '{"id":"u6","action":"unfit","timestamp":"9999-12-31T23:59:59.000Z"}',
  '{"id":"u7","action":"unfit","timestamp":"2026-01-01T00:00:00+14:30","timestamp":"2026-01-01"}',
  '{"id":"u8","id":"u9","action":"unfit","timestamp":"2026-01-01T00:00:00Z"}',
];
