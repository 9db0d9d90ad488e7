/**
 * The story of the demo team, day by day: the daily work, and the things that auditors ask about, such as a new admin, a
 * new key, an hour without single sign-on, a share outside of the team, or an action of a person who has left.
 */
import { HOUR_MS } from '../../lambdas/shared/time';
import { createRandom, type Random } from './random';
import { DORMANT, LEAVER, type Person, peopleBy, personOf } from './team-people';

export interface Act {
  /** Epoch milliseconds of a whole second. */
  readonly at: number;
  readonly actor: Person;
  readonly action: string;
  readonly message: string;
  readonly target?: Person;
  /** The id of Postman's own system, where it acts for the person: the event then names the person as its user. */
  readonly systemId?: number;
  readonly variables?: unknown;
  /** Null for actions without a client, such as jobs of the server and SCIM. */
  readonly ip: string | null;
}

interface Day {
  readonly seed: number;
  /** Day of the team, counted from 0. */
  readonly day: number;
  /** Its 00:00 UTC in epoch milliseconds. */
  readonly start: number;
  readonly eventsPerDay: number;
}

const LEAVING_HOUR = 16;
const EVENTS_PER_SESSION = 5;
/** For these actions the live service names its own system as the actor. */
const SYSTEM_IDS: Readonly<Record<string, number>> = {
  'admin.apikey_create': 2,
  'user.authenticate_third_party_app': 18,
};

/** Day, hour (UTC), number of the person (0 to 2 are admins), action, variables, and an unusual address if any. */
type Milestone = readonly [number, number, number, string, unknown?, (string | null)?];
const OKTA = { scheme: { name: 'Okta', type: 'saml' } };
const MILESTONES: readonly Milestone[] = [
  [0, 9, 0, 'team.start_enterprise'],
  [1, 10, 0, 'team.name_updated', { from: 'Acme', to: 'Acme Payments' }],
  [3, 8, 1, 'team.customauth.create', OKTA],
  [3, 8.5, 1, 'team.customauth.enable', OKTA],
  [9, 14, 2, 'team.add_domain', { domain: 'example.com' }],
  [15, 15, 0, 'team.update_user_roles', { users: { '60000077': ['user', 'admin'] } }],
  [47, 3.2, 2, 'user.login_password_success', undefined, '100.64.9.9'],
  [47, 3.3, 2, 'admin.apikey_create', { apiKey: '6a3f1*****' }, null],
  // The second person to leave does so on day 61, and their password still works nine days later.
  [70, 2.7, LEAVER.number, 'user.login_password_success', undefined, '100.64.7.7'],
  [70, 2.8, LEAVER.number, 'user.apikey_create', { apiKey: 'c04d7*****' }, '100.64.7.7'],
  [75, 15, 0, 'team.update_user_roles', { users: `{"${personOf(DORMANT.number, 0).id}":["user","admin"]}` }],
  [90, 0, 0, 'team.retry_invoice_success', undefined, null],
  [110, 21, 1, 'team.customauth.disable', OKTA],
  [110, 21.6, 1, 'team.customauth.enable', OKTA],
];

/** All acts of one day, in no particular order. They depend on the argument alone. */
export function actsOf(today: Day): Act[] {
  const random = createRandom(`${today.seed}/day/${today.day}`);
  return [...sessions(today, random), ...milestones(today), ...comingsAndGoings(today)];
}

export function workAct(actor: Person, at: number, random: Random): Act {
  const [action, what, variables] = work(random);
  const ip = random.chance(0.03) ? null : random.pick(actor.ips);
  // Some events of the live service have a template that nobody has filled in, and some have their variables as text.
  const name = random.chance(0.02) ? UNRENDERED : actor.name;
  return {
    at,
    actor,
    action,
    message: `${name} ${what}`,
    variables: random.chance(0.15) ? JSON.stringify(variables) : variables,
    ...clientOf(action, ip),
  };
}

/** A job of the server has no client. */
function clientOf(action: string, ip: string | null): Pick<Act, 'ip' | 'systemId'> {
  const systemId = SYSTEM_IDS[action];
  return systemId === undefined ? { ip } : { ip: null, systemId };
}

const UNRENDERED = ['$', '{actor.name}'].join('');

function work(random: Random): readonly [action: string, what: string, variables: object] {
  const name = `${random.pick(['Billing', 'Ledger', 'Payouts', 'Risk', 'Cards'])} ${random.below(90)}`;
  const roll = random.below(100);
  if (roll < 40)
    return [
      'user.authenticate_third_party_app',
      'opened an app',
      { appName: random.pick(['GitHub', 'Slack']), orgDesc: 'Postman', orgId: 'T0' },
    ];
  if (roll < 66)
    return ['collection.created', `created ${name}`, { collection: { id: `c-${random.below(1e9)}`, name } }];
  if (roll < 82) return ['collection.shared', `shared ${name}`, { collection: { name }, with: 'team' }];
  if (roll < 90) return ['workspace.created', `created ${name}`, { workspace: { name, type: 'team' } }];
  if (roll < 93)
    return ['workspace.shared', `shared ${name}`, { workspace: { name }, with: 'auditor@partner.example' }];
  if (roll < 96) return ['user.authaccount.linked', 'linked an account', { provider: 'google' }];
  const beginning = random
    .below(16 ** 5)
    .toString(16)
    .padStart(5, '0');
  return ['user.apikey_create', 'created an API key', { apiKey: `${beginning}*****` }];
}

/** Sessions lie in the office hours of each person's time zone; at weekends there are fewer, at any hour. */
function sessions({ seed, day, start, eventsPerDay }: Day, random: Random): Act[] {
  const weekend = [0, 6].includes(new Date(start).getUTCDay());
  const present = peopleBy(day - 1, seed).filter(({ leaves, restsAfter }) => day < leaves && day <= restsAfter);
  const count = (eventsPerDay / EVENTS_PER_SESSION) * (weekend ? 0.3 : 1.28) * (0.85 + 0.3 * random.next());
  return Array.from({ length: Math.round(count) }).flatMap(() => {
    const actor = random.pick(present);
    const hour = weekend ? 10 + 12 * random.next() : 8.5 + 4 * (random.next() + random.next());
    return session(actor, start + wholeSeconds((hour - actor.utcOffset) * HOUR_MS), { day, random });
  });
}

/** A sign-in and then work. From day 4 on, nearly all staff use single sign-on. */
function session(actor: Person, begin: number, { day, random }: { day: number; random: Random }): Act[] {
  const sso = day > 3 && !actor.external && random.chance(0.95);
  const action = `user.login_${sso ? 'sso' : random.pick(['password', 'google'])}_success`;
  const acts: Act[] = [{ at: begin, actor, action, message: `${actor.name} signed in`, ip: actor.ips[0] }];
  let at = begin;
  for (let left = 1 + random.below(7); left > 0; left -= 1) {
    at += random.chance(0.1) ? 0 : wholeSeconds(20_000 + random.next() ** 2 * 1_500_000);
    acts.push(workAct(actor, at, random));
  }
  return acts;
}

function milestones({ seed, day, start }: Day): Act[] {
  const todays = MILESTONES.filter(([on]) => on === day);
  return todays.map(([, hour, number, action, variables, ip]) => {
    const act = adminAct(personOf(number, seed), start + wholeSeconds(hour * HOUR_MS), action);
    return { ...act, variables, ...clientOf(action, ip === undefined ? act.ip : ip) };
  });
}

/** Staff join by SCIM, and external people by invitation. */
function comingsAndGoings({ seed, day, start }: Day): Act[] {
  const act = (action: string, hour: number, target: Person): Act => {
    return { ...adminAct(personOf(1, seed), start + hour * HOUR_MS, action), target };
  };
  return peopleBy(day, seed).flatMap((person) => {
    if (person.leaves === day) return [act('team.remove_member', LEAVING_HOUR, person)];
    if (person.joins !== day) return [];
    const variables = { roles: 'user' };
    if (!person.external) return [{ ...act('team.scim_add_member', 13, person), variables, ip: null }];
    return [act('team.send_invite', 9, person), { ...act('team.add_member', 13, person), variables }];
  });
}

/** The instant at which a person is removed on the day that starts then. */
export function leavingInstant(dayStart: number): number {
  return dayStart + LEAVING_HOUR * HOUR_MS;
}

function adminAct(actor: Person, at: number, action: string): Act {
  return { at, actor, action, message: `${actor.name}: ${action.replaceAll(/[._]/g, ' ')}`, ip: actor.ips[0] };
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}
