/**
 * What the view `events_ocsf` must show of an event, by rules instead of a table; and what OCSF 1.6.0 requires of each
 * class (schema.ocsf.io, read in the schema's own repository at the commit of that release).
 */
import { at, scalarAt, textAt } from './first-wins';
import { periodBefore } from './logs';
import type { EventRow } from './rows';
import type { Asking } from './suite';

type Fields = Readonly<Record<string, string | null>>;

/** Of each class: its required attributes, and those of which one is. Objects are shown by their own required ones. */
const REQUIRED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  3002: [['user_uid', 'user_name'], ['service_name']],
  3004: [['entity_name']],
  3005: [['user_uid', 'user_name'], ['privileges']],
  3006: [['group_uid', 'group_name']],
  6003: [['actor_uid', 'actor_name'], ['operation'], ['endpoint_ip', 'endpoint_name']],
};
const REQUIRED_OF_ALL = [
  'activity_id',
  'category_uid',
  'class_uid',
  'type_uid',
  'severity_id',
  'time',
  'version',
  'product',
];

/** No attribute is asked of a class that does not have it. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  user_uid: ['3002', '3005', '3006'],
  user_name: ['3002', '3005', '3006'],
  service_name: ['3002'],
  entity_name: ['3004'],
  entity_type: ['3004'],
  privileges: ['3005'],
  group_uid: ['3006'],
  group_name: ['3006'],
  operation: ['6003'],
};

const SELECTED = `
  class_uid, class_name, category_uid, activity_id, activity_name, type_uid, type_name, severity_id, status_id, time,
  actor."user".uid AS actor_uid, actor."user".name AS actor_name, "user".uid AS user_uid, "user".name AS user_name,
  src_endpoint.ip AS endpoint_ip, src_endpoint.name AS endpoint_name, http_request.user_agent AS user_agent,
  api.operation AS operation, service.name AS service_name, entity.name AS entity_name, entity.type AS entity_type,
  "group".uid AS group_uid, "group".name AS group_name, array_join(privileges, ' ') AS privileges,
  metadata.version AS version, metadata.product.name AS product, metadata.uid AS uid, metadata.event_code AS event_code,
  metadata.original_time AS original_time, message, raw_data`;

export function testOcsf(asking: () => Asking): void {
  test('the view events_ocsf has every event once, of the class that it means', async () => {
    const rows = await askOcsf(asking(), `dt >= '${asking().archive.firstDay}'`);
    expect(inOrder(rows)).toEqual(inOrder(asking().archive.events.map(ocsfOf)));
  });

  test('the view events_ocsf can be asked for a team and a period: what lies a second outside is not there', async () => {
    const { archive } = asking();
    const { from, to } = periodBefore(archive.now);
    const rows = await askOcsf(asking(), `team = 'main' AND dt BETWEEN '${from}' AND '${to}'`);
    const expected = archive.events.filter(({ team, dt }) => team === 'main' && dt >= from && dt <= to);
    expect(inOrder(rows)).toEqual(inOrder(expected.map(ocsfOf)));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(archive.events.length);
  });

  test('every row has what OCSF requires of its class, and nothing of another class', async () => {
    const rows = await askOcsf(asking(), `dt >= '${asking().archive.firstDay}'`);
    expect(new Set(rows.map(({ class_uid }) => class_uid))).toEqual(new Set(Object.keys(REQUIRED)));
    const missing = rows.filter((row) => {
      const wanted = [...REQUIRED_OF_ALL.map((name) => [name]), ...(REQUIRED[row.class_uid ?? ''] ?? [])];
      return !wanted.every((some) => some.some((name) => (row[name] ?? null) !== null));
    });
    const foreign = rows.filter((row) =>
      Object.entries(OWN).some(([name, classes]) => row[name] !== null && !classes.includes(row.class_uid ?? '')),
    );
    expect({ missing, foreign }).toEqual({ missing: [], foreign: [] });
  });
}

async function askOcsf({ ask }: Asking, where: string): Promise<Fields[]> {
  const { columns, rows } = await ask(`SELECT ${SELECTED} FROM events_ocsf WHERE ${where}`);
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])));
}

function inOrder(rows: readonly Fields[]): Fields[] {
  return [...rows].sort((a, b) => (String(a.raw_data) < String(b.raw_data) ? -1 : 1));
}

interface Meaning {
  readonly class: '3002' | '3004' | '3005' | '3006' | '6003';
  readonly activity: readonly [id: number, name: string];
  readonly entity?: string;
}

const CLASS_NAMES = {
  3002: 'Authentication',
  3004: 'Entity Management',
  3005: 'User Access Management',
  3006: 'Group Management',
  6003: 'API Activity',
};

const KNOWN =
  /^(user\.(sign_in|login_(password|google|sso)_success|apikey_create|authenticate_third_party_app|authaccount\.linked)|admin\.apikey_create|api_key\.created|team\.(member_added|(scim_)?add_member|remove_member|(send|cancel)_invite|update_user_roles|(add|delete)_domain|update_domain_verification|(name|url)_updated|customauth\.(create|update|enable|disable|remove)|(in|de)crease_size|modify_future_plan|retry_invoice_success|start_enterprise)|(collection|workspace)\.(created|shared))$/;

function meaningOf(row: EventRow): Meaning {
  const action = row.action ?? '';
  const other: Meaning = { class: '6003', activity: [99, row.action ?? 'Other'] };
  if (!KNOWN.test(action)) return other;
  if (/sign_in|login/.test(action))
    return person(row, 'actor') === null && person(row, 'user') === null
      ? other
      : { class: '3002', activity: [1, 'Logon'] };
  if (/roles/.test(action))
    return person(row, 'user') === null && roleChange(row) === undefined
      ? other
      : { class: '3005', activity: [1, 'Assign Privileges'] };
  if (/member/.test(action))
    return { class: '3006', activity: /remove/.test(action) ? [4, 'Remove User'] : [3, 'Add User'] };
  if (/^(collection|workspace)/.test(action))
    return { class: '6003', activity: /created/.test(action) ? [1, 'Create'] : [3, 'Update'] };
  const activity: [RegExp, number, string][] = [
    [/third_party|linked/, 6, 'Enroll'],
    [/enable/, 8, 'Enable'],
    [/disable/, 9, 'Disable'],
    [/remove|delete|cancel/, 4, 'Delete'],
    [/create(?!ase)|\.add_|send/, 1, 'Create'],
    [/./, 3, 'Update'],
  ];
  const [, id = 0, name = ''] = activity.find(([pattern]) => pattern.test(action)) ?? [];
  return { class: '3004', activity: [id, name], entity: entityOf(action) };
}

function entityOf(action: string): string {
  const kinds: [RegExp, string][] = [
    [/key/, 'API key'],
    [/app$/, 'third-party app'],
    [/account/, 'linked account'],
    [/invite/, 'invitation'],
    [/domain/, 'domain'],
    [/customauth/, 'authentication scheme'],
    [/name|url/, 'team'],
    [/./, 'plan'],
  ];
  return kinds.find(([pattern]) => pattern.test(action))?.[1] ?? '';
}

function ocsfOf(row: EventRow): Fields {
  const meaning = meaningOf(row);
  const { class: uid, activity, entity } = meaning;
  const only = (classes: readonly string[], value: string | null) => (classes.includes(uid) ? value : null);
  const named = person(row, 'user') ?? (uid === '3002' ? person(row, 'actor') : null);
  const change = roleChange(row);
  const doer = person(row, 'actor');
  return {
    class_uid: uid,
    class_name: CLASS_NAMES[uid],
    category_uid: uid.charAt(0),
    activity_id: String(activity[0]),
    activity_name: activity[1],
    type_uid: String(Number(uid) * 100 + activity[0]),
    type_name: `${CLASS_NAMES[uid]}: ${activity[1]}`,
    severity_id: '1',
    status_id: /fail/.test(row.action ?? '') ? '2' : activity[0] === 99 ? '0' : '1',
    time: String(Date.parse(`${row.event_time.replace(' ', 'T')}Z`)),
    actor_uid: row.actor_id,
    actor_name: doer === null ? 'unknown' : doer.name,
    user_uid: only(['3002', '3005', '3006'], named === null ? only(['3005'], change?.person ?? null) : named.uid),
    user_name: only(['3002', '3005', '3006'], named?.name ?? null),
    endpoint_ip: row.ip,
    endpoint_name: row.ip === null ? 'unknown' : null,
    user_agent: row.user_agent,
    operation: only(['6003'], row.action ?? 'unknown'),
    service_name: only(['3002'], 'Postman'),
    entity_name: only(['3004'], entityName(row) ?? entity ?? null),
    entity_type: only(['3004'], entity ?? null),
    group_uid: only(['3006'], row.team_id),
    group_name: only(['3006'], row.team_name ?? row.team),
    privileges: only(['3005'], change?.roles ?? null),
    version: '1.6.0',
    product: 'Postman',
    uid: row.id,
    event_code: row.action,
    original_time: scalarAt(row.line, 'timestamp') ?? null,
    message: row.message,
    raw_data: row.line,
  };
}

/** Null where nothing is known of the person. */
function person(row: EventRow, who: 'actor' | 'user'): { uid: string | null; name: string | null } | null {
  const [uid, name, username, email] = [
    row[`${who}_id`],
    row[`${who}_name`],
    row[`${who}_username`],
    row[`${who}_email`],
  ];
  return (uid ?? name ?? username ?? email) ? { uid, name: username ?? email ?? name } : null;
}

function entityName({ variables }: EventRow): string | undefined {
  if (variables === null || !variables.startsWith('{')) return undefined;
  const paths = [['apikey', 'name'], ['scheme', 'name'], ['domain'], ['email'], ['app']];
  return paths.map((path) => scalarAt(variables, ...path)).find((name) => name !== undefined);
}

/** Of the one person whose roles an event changed. */
function roleChange({ variables }: EventRow): { person: string; roles: string } | undefined {
  if (variables === null || !variables.startsWith('{')) return undefined;
  const users = at(scalarAt(variables, 'users') ?? textAt(variables, 'users') ?? '{}')?.value;
  if (!(users instanceof Map) || users.size !== 1) return undefined;
  const [[id, roles]] = [...users] as [[string, unknown]];
  return { person: id, roles: Array.isArray(roles) ? roles.join(' ') : '' };
}
