/** What each of the auditors' queries must answer, worked out without SQL from the rows of the events. */
import { at, scalarAt, textAt } from './first-wins';
import { DAY_MS, dateText } from './logs';
import type { Chain, EventRow } from './rows';

export type Cell = string | null;
export type Asked = Readonly<Record<string, string>>;

export interface Archived {
  readonly events: readonly EventRow[];
  readonly quarantine: readonly QuarantineRow[];
  readonly chains: readonly Chain[];
}

export interface QuarantineRow extends Omit<EventRow, 'late' | 'id' | 'event_time'> {
  readonly id: Cell;
  readonly event_time: Cell;
  readonly reason: string;
}

/** Rows in order, with the columns by name. */
export type Rows = readonly Readonly<Record<string, Cell>>[];

const who = (row: Pick<EventRow, `actor_${'email' | 'username' | 'name' | 'id'}`>) =>
  row.actor_email ?? row.actor_username ?? row.actor_name ?? row.actor_id;
const whom = (row: EventRow) => row.user_email ?? row.user_username ?? row.user_name ?? row.user_id;

/** As the queries are to read it. */
const variable = (row: EventRow, ...path: readonly string[]): Cell =>
  row.variables === null || !/^[{[]/.test(row.variables) ? null : (scalarAt(row.variables, ...path) ?? null);
const isSignIn = ({ action }: EventRow) => /^user\.(login|sign_in)/.test(action ?? '');
const seconds = (time: string) => Date.parse(`${time.replace(' ', 'T')}Z`) / 1000;
const days = (time: string) => Math.floor(seconds(time) / 86_400);

export const answers: Readonly<Record<string, (archived: Archived, asked: Asked) => Rows>> = {
  who_did_what: ({ events }, asked) =>
    inTime(during(events, asked).filter(({ action }) => like(asked.action).test(action ?? ''))).map((row) => ({
      ...pick(row, 'event_time', 'team'),
      who: who(row),
      ...pick(row, 'action', 'message', 'ip', 'user_agent', 'id'),
    })),

  everything_one_person_did: ({ events }, asked) => {
    const names = ({ actor_id, actor_email, actor_username, actor_name }: EventRow) =>
      [actor_id, actor_email, actor_username, actor_name].map((name) => name?.toLowerCase());
    const found = during(events, asked).filter((row) => names(row).includes(asked.person?.toLowerCase()));
    return inTime(found).map((row) =>
      pick(row, 'event_time', 'team', 'action', 'message', 'ip', 'user_agent', 'actor_id', 'id'),
    );
  },

  leavers_still_active: ({ events }, asked) => {
    const known = during(events, { ...asked, from: asked.history_from ?? '' });
    const changes = known.filter(({ action }) =>
      /add_member|member_added|remove_member|member_removed/.test(action ?? ''),
    );
    const acts = known
      .filter(({ dt }) => dt >= (asked.from ?? ''))
      .flatMap((row) => {
        const mine = changes.filter(
          (each) => each.team === row.team && each.user_id !== null && each.user_id === row.actor_id,
        );
        const last = inTime(mine.filter(({ event_time }) => event_time < row.event_time)).at(-1);
        return last === undefined || /add/.test(last.action ?? '') ? [] : [{ row, last }];
      });
    return inTime(acts.map(({ row }) => row)).map((row) => ({
      ...pick(row, 'event_time', 'team'),
      who: who(row),
      ...pick(row, 'action', 'message', 'ip'),
      removed_at: acts.find((each) => each.row === row)?.last.event_time ?? null,
      id: row.id,
    }));
  },

  admin_and_role_changes: ({ events }, asked) =>
    inTime(during(events, asked).filter(({ action }) => /role|admin|permission|owner/.test(action ?? ''))).map(
      (row) => ({
        ...pick(row, 'event_time', 'team'),
        who: who(row),
        action: row.action,
        whom: whom(row),
        ...pick(row, 'variables', 'message', 'ip', 'id'),
      }),
    ),

  api_keys_created: ({ events }, asked) =>
    inTime(
      during(events, asked).filter(({ action }) => /api_?key/.test(action ?? '') && /creat|generat/.test(action ?? '')),
    ).map((row) => ({
      ...pick(row, 'event_time', 'team'),
      who: who(row),
      action: row.action,
      key_name: variable(row, 'apikey', 'name'),
      ...pick(row, 'ip', 'user_agent', 'id'),
    })),

  sign_ins_by_method: ({ events }, asked) => {
    const groups = grouped(during(events, asked).filter(isSignIn), (row) => [row.team, row.action]);
    const rows = groups.map((group) => ({
      team: group[0].team,
      method: group[0].action,
      sign_ins: String(group.length),
      people: distinct(group, 'actor_id'),
      addresses: distinct(group, 'ip'),
      first: inTime(group)[0]?.event_time ?? null,
      last: inTime(group).at(-1)?.event_time ?? null,
    }));
    return sorted(rows, (row) => [row.team, -Number(row.sign_ins), row.method]);
  },

  sign_ins_from_new_places: ({ events }, asked) => {
    const known = during(events, { ...asked, from: asked.history_from ?? '' }).filter(
      (row) => isSignIn(row) && row.actor_id !== null,
    );
    const earlier = (row: EventRow) =>
      known.filter(
        (each) => each.team === row.team && each.actor_id === row.actor_id && each.event_time < row.event_time,
      );
    return inTime(known.filter(({ dt }) => dt >= (asked.from ?? ''))).flatMap((row) => {
      const before = earlier(row);
      const isNew = (field: 'ip' | 'user_agent') =>
        row[field] !== null && !before.some((each) => each[field] === row[field]);
      const news = [isNew('ip') ? 'new address' : '', isNew('user_agent') ? 'new agent' : ''].filter(
        (each) => each !== '',
      );
      if (before.length === 0 || news.length === 0) return [];
      return [
        {
          ...pick(row, 'event_time', 'team'),
          who: who(row),
          new: news.join(' and '),
          method: row.action,
          ...pick(row, 'ip', 'user_agent', 'id'),
        },
      ];
    });
  },

  unusual_sign_ins: ({ events }, asked) => {
    const known = inTime(during(events, { ...asked, from: asked.history_from ?? '' }).filter(isSignIn));
    return known
      .filter(({ dt }) => dt >= (asked.from ?? ''))
      .flatMap((row) => {
        const mine =
          row.actor_id === null ? [] : known.filter((each) => each.team === row.team && each.actor_id === row.actor_id);
        const before = mine.filter((each) => each.event_time < row.event_time);
        const previous = mine[mine.indexOf(row) - 1];
        const isNear =
          previous !== undefined &&
          seconds(row.event_time) - seconds(previous.event_time) <= 60 * Number(asked.minutes);
        const why = [
          /fail|denied|block|invalid/.test(row.action ?? '') ? 'failed' : '',
          before.length > 0 && !before.some((each) => each.action === row.action) ? 'new method' : '',
          isNear && row.ip !== null && previous.ip !== null && previous.ip !== row.ip
            ? `other address before: ${previous.ip}`
            : '',
        ].filter((each) => each !== '');
        if (why.length === 0) return [];
        return [
          {
            ...pick(row, 'event_time', 'team'),
            who: who(row),
            why: why.join(', '),
            method: row.action,
            ...pick(row, 'ip', 'user_agent', 'id'),
          },
        ];
      });
  },

  sharing_and_visibility: ({ events }, asked) =>
    inTime(during(events, asked).filter(({ action }) => /shar|visib|publi|transfer|fork/.test(action ?? ''))).map(
      (row) => ({
        ...pick(row, 'event_time', 'team'),
        who: who(row),
        action: row.action,
        what: variable(row, 'collection', 'name') ?? variable(row, 'workspace', 'name') ?? variable(row, 'name'),
        with_whom: variable(row, 'with') ?? row.user_email ?? row.user_name ?? row.user_id,
        ...pick(row, 'message', 'id'),
      }),
    ),

  invitations_and_external_members: ({ events }, asked) =>
    inTime(during(events, asked).filter(({ action }) => /invit|add_member|member_added/.test(action ?? ''))).flatMap(
      (row) => {
        const email = (row.user_email ?? variable(row, 'email'))?.toLowerCase() ?? null;
        const external = email === null ? null : !asked.domains?.split(',').includes(email.split('@')[1] ?? '');
        if (!/invit/.test(row.action ?? '') && external === false) return [];
        return [
          {
            ...pick(row, 'event_time', 'team'),
            who: who(row),
            action: row.action,
            whom: email,
            external: external === null ? null : String(external),
            ...pick(row, 'message', 'id'),
          },
        ];
      },
    ),

  scim_and_sso_configuration: ({ events }, asked) =>
    inTime(
      during(events, asked).filter(
        ({ action }) => /scim|customauth|sso|saml|domain/.test(action ?? '') && !/^user\.|_member/.test(action ?? ''),
      ),
    ).map((row) => ({
      ...pick(row, 'event_time', 'team'),
      who: who(row),
      action: row.action,
      what: variable(row, 'scheme', 'name') ?? variable(row, 'domain'),
      ...pick(row, 'message', 'ip', 'id'),
    })),

  activity_outside_hours: ({ events }, asked) =>
    inTime(during(events, asked)).flatMap((row) => {
      const local = localTime(row.event_time, asked.zone ?? 'UTC');
      const hour = Number(local.slice(11, 13));
      const isWeekend = [0, 6].includes(new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay());
      if (!isWeekend && hour >= Number(asked.begin_hour) && hour < Number(asked.end_hour)) return [];
      return [
        {
          local_time: local,
          team: row.team,
          who: who(row),
          ...pick(row, 'action', 'message', 'ip', 'event_time', 'id'),
        },
      ];
    }),

  dormant_admins: ({ events }, asked) => {
    const known = inTime(during(events, asked));
    const evidence = known.flatMap((row): { team: string; person: Cell; time: string }[] => {
      const own = /^admin\.|update_user_roles|customauth|_domain|_invite|remove_member/.test(row.action ?? '')
        ? [{ team: row.team, person: row.actor_id, time: row.event_time }]
        : [];
      return [...own, ...givenAdmin(row).map((person) => ({ team: row.team, person, time: row.event_time }))];
    });
    const rows = grouped(
      evidence.filter(({ person }) => person !== null),
      ({ team, person }) => [team, person],
    ).flatMap((group) => {
      const [{ team, person }] = group;
      const acts = known.filter((row) => row.team === team && row.actor_id === person);
      const last = acts.at(-1);
      const idle = last === undefined ? null : Date.parse(asked.to ?? '') / DAY_MS - days(last.event_time);
      if (idle !== null && idle < Number(asked.idle_days)) return [];
      const name = last === undefined ? null : who(last);
      const administrator_on =
        group
          .map(({ time }) => time)
          .sort()
          .at(-1) ?? null;
      return [
        {
          team,
          actor_id: person,
          who: name,
          administrator_on,
          last_seen: last?.event_time ?? null,
          idle_days: idle === null ? null : String(idle),
        },
      ];
    });
    return sorted(rows, (row) => [row.team, row.last_seen ?? '~', row.actor_id]);
  },

  actions_never_seen_before: ({ events }, asked) => {
    const known = during(events, { ...asked, from: asked.history_from ?? '' });
    const rows = grouped(known, ({ team, action }) => [team, action]).flatMap((group) => {
      const first = inTime(group)[0];
      if (first === undefined || first.dt < (asked.from ?? '')) return [];
      return [
        {
          team: first.team,
          action: first.action,
          first_seen: first.event_time,
          events: String(group.length),
          people: distinct(group, 'actor_id'),
        },
      ];
    });
    return sorted(rows, (row) => [row.team, row.first_seen, row.action]);
  },

  events_per_day: ({ events, chains }, asked) => {
    const rows = chains
      .filter(({ team }) => like(asked.team).test(team))
      .flatMap(({ team, manifests }) => {
        const [start, position] = [manifests[0]?.start ?? '', manifests.at(-1)?.position ?? ''];
        const gaps = manifests.flatMap(({ gaps: each }) => each);
        return datesOf(asked).map((dt) => {
          const [begin, end] = [Date.parse(dt), Date.parse(dt) + DAY_MS];
          const some = events.filter((row) => row.team === team && row.dt === dt);
          const missing = gaps.some((gap) => Date.parse(gap.from) < end && Date.parse(gap.to) > begin);
          const isPart = begin < Date.parse(start) || end > Date.parse(position);
          const state = missing
            ? 'gap'
            : begin >= Date.parse(position)
              ? 'not read yet'
              : end <= Date.parse(start)
                ? 'before the archive'
                : isPart
                  ? 'read in part'
                  : 'complete';
          return { team, dt, events: String(some.length), people: distinct(some, 'actor_id'), state };
        });
      });
    return sorted(rows, (row) => [row.team, row.dt]);
  },

  late_events: ({ events }, asked) =>
    inTime(during(events, asked).filter(({ late }) => late === 'true')).map((row) => ({
      ...pick(row, 'event_time', 'team', 'archived_at'),
      minutes_late: String(Math.floor((seconds(row.archived_at) - seconds(row.event_time)) / 60)),
      who: who(row),
      ...pick(row, 'action', 'message', 'id'),
    })),

  quarantine_and_revisions: ({ quarantine }, asked) =>
    sorted(during(quarantine, asked), (row) => [row.dt, row.team, row.reason, row.id, row.line]).map((row) => ({
      ...pick(row, 'dt', 'team', 'reason', 'id', 'event_time', 'archived_at'),
      who: who(row),
      ...pick(row, 'action', 'message', 'line'),
    })),
};

type Dated = Pick<EventRow, 'team' | 'dt'>;

/** Both days are included. */
function during<Row extends Dated>(rows: readonly Row[], { team, from = '', to = '' }: Asked): Row[] {
  return rows.filter((row) => like(team).test(row.team) && row.dt >= from && row.dt <= to);
}

function like(pattern = '%'): RegExp {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('_', '.').replaceAll('%', '.*')}$`, 's');
}

function inTime<Row extends Pick<EventRow, 'event_time' | 'id'>>(rows: readonly Row[]): Row[] {
  return sorted(rows, (row) => [row.event_time, row.id]);
}

function sorted<Row>(rows: readonly Row[], keysOf: (row: Row) => readonly (Cell | number)[]): Row[] {
  const ordered = rows.map((row) => ({ row, keys: keysOf(row) }));
  ordered.sort((a, b) => {
    for (const [index, key] of a.keys.entries()) {
      const order = compare(key, b.keys[index] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  });
  return ordered.map(({ row }) => row);
}

/** Text by its code points, as SQL orders it; what is not there comes last. */
function compare(a: Cell | number, b: Cell | number): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => readonly Cell[]): (readonly [Row, ...Row[]])[] {
  const groups = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const key = JSON.stringify(keyOf(row));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}

function distinct(rows: readonly EventRow[], field: 'actor_id' | 'ip'): string {
  return String(new Set(rows.map((row) => row[field]).filter((value) => value !== null)).size);
}

function pick<Row extends object, Name extends keyof Row>(row: Row, ...names: readonly Name[]): Pick<Row, Name> {
  return Object.fromEntries(names.map((name) => [name, row[name]])) as Pick<Row, Name>;
}

function datesOf({ from = '', to = '' }: Asked): string[] {
  const found: string[] = [];
  for (let day = Date.parse(from); day <= Date.parse(to); day += DAY_MS) found.push(dateText(day));
  return found;
}

function localTime(time: string, zone: string): string {
  const format = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return `${format.format(new Date(`${time.replace(' ', 'T')}Z`))}${time.slice(19)}`;
}

function givenAdmin(row: EventRow): string[] {
  if (row.action !== 'team.update_user_roles' || row.variables === null || !row.variables.startsWith('{')) return [];
  const users = scalarAt(row.variables, 'users') ?? textAt(row.variables, 'users') ?? '{}';
  const value = at(users)?.value;
  if (!(value instanceof Map)) return [];
  return [...value].flatMap(([person, roles]) => (Array.isArray(roles) && roles.includes('admin') ? [person] : []));
}
