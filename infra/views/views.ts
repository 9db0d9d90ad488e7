/**
 * The views over the archive's raw lines. The SQL of each view is one file in this folder. Athena and Trino run it
 * unchanged, and DuckDB runs it with a few macros. The columns listed here must be those that the file selects; the
 * tests on the engines check that.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface View {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly name: string;
  /** The type in Trino's spelling. */
  readonly type: string;
}

const PEOPLE = columns(
  'actor_id actor_name actor_username actor_email user_id user_name user_username user_email team_id team_name',
);
const WHAT = [...columns('action message ip user_agent'), ...PEOPLE, ...columns('data variables line')];
const WHICH = [
  ...columns('team dt id'),
  ...columns('event_time archived_at', 'timestamp(3)'),
  ...columns('seq', 'bigint'),
];

const OCSF_USER = row('uid', 'name', 'full_name', 'email_addr', 'type_id integer');
const OCSF_METADATA = row(
  ...['version', 'uid', 'event_code', 'original_time', 'tenant_uid', 'log_name'],
  `product ${row('name', 'vendor_name')}`,
  'labels array(varchar)',
);

/** In the order of their definition: a view uses only views before it. */
export const views: readonly View[] = [
  {
    name: 'manifests',
    sql: sqlFile('manifests'),
    columns: [
      ...columns('team'),
      ...columns('seq', 'bigint'),
      ...columns('archived_at', 'timestamp(3)'),
      ...columns('run_id scheduled_time'),
      ...columns('walk_start', 'timestamp(3)'),
      ...columns('code_version reason source'),
      ...columns('chain_start window_from window_to position latest swept_at late_before', 'timestamp(3)'),
      ...columns('pages requests events late known revisions', 'bigint'),
      ...columns('quarantined gaps sweeps retention segments previous sha256 payload'),
    ],
  },
  { name: 'events', sql: sqlFile('events'), columns: [...WHICH, ...columns('late', 'boolean'), ...WHAT] },
  {
    name: 'quarantine',
    sql: `WITH held AS (\n${sqlFile('events').replace('FROM event_lines', 'FROM quarantine_lines')})\n${sqlFile('quarantine')}`,
    columns: [...WHICH, ...columns('reason'), ...WHAT],
  },
  {
    name: 'events_ocsf',
    sql: sqlFile('events_ocsf'),
    columns: [
      ...columns('team dt'),
      ...columns('activity_id', 'integer'),
      ...columns('activity_name'),
      ...columns('category_uid', 'integer'),
      ...columns('category_name'),
      ...columns('class_uid', 'integer'),
      ...columns('class_name'),
      ...columns('type_uid', 'integer'),
      ...columns('type_name'),
      ...columns('severity_id', 'integer'),
      ...columns('severity'),
      ...columns('status_id', 'integer'),
      ...columns('status'),
      ...columns('time', 'bigint'),
      ...columns('message'),
      ...columns('actor', `row(user ${OCSF_USER})`),
      ...columns('user', OCSF_USER),
      ...columns('src_endpoint', row('ip', 'name')),
      ...columns('http_request', row('user_agent')),
      ...columns('api', row('operation')),
      ...columns('service', row('name')),
      ...columns('entity', row('name', 'type')),
      ...columns('group', row('uid', 'name')),
      ...columns('privileges', 'array(varchar)'),
      ...columns('metadata', OCSF_METADATA),
      ...columns('unmapped raw_data'),
    ],
  },
];

function row(...fields: readonly string[]): string {
  return `row(${fields.map((field) => (field.includes(' ') ? field : `${field} varchar`)).join(', ')})`;
}

function columns(names: string, type = 'varchar'): Column[] {
  return names.split(' ').map((name) => ({ name, type }));
}

function sqlFile(name: string): string {
  return readFileSync(join(import.meta.dirname, `${name}.sql`), 'utf8');
}
