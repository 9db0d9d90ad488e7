/**
 * The views over the archive's raw lines. The SQL of each view is one file in this folder. Athena and Trino run it
 * unchanged, and DuckDB runs it with a few macros. The columns listed here must be those that the file selects; the
 * tests on the engines check that.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type View = (typeof views)[number];

const WHAT = columns(
  'action message ip user_agent actor_id actor_name actor_username actor_email user_id user_name user_username user_email' +
    ' team_id team_name data variables line',
);
const WHICH = columns('team dt id event_time:timestamp(3) archived_at:timestamp(3) seq:bigint');

const OCSF_USER = row('uid', 'name', 'full_name', 'email_addr', 'type_id integer');
const OCSF_METADATA = row(
  ...['version', 'uid', 'event_code', 'original_time', 'tenant_uid', 'log_name'],
  `product ${row('name', 'vendor_name')}`,
  'labels array(varchar)',
);

/** In the order of their definition: a view uses only views before it. */
export const views = [
  {
    name: 'manifests',
    sql: sqlFile('manifests'),
    columns: columns(
      'team seq:bigint archived_at:timestamp(3) run_id scheduled_time walk_start:timestamp(3) code_version reason source' +
        ' chain_start:timestamp(3) window_from:timestamp(3) window_to:timestamp(3) position:timestamp(3)' +
        ' latest:timestamp(3) swept_at:timestamp(3) late_before:timestamp(3) pages:bigint requests:bigint events:bigint' +
        ' late:bigint known:bigint revisions:bigint quarantined gaps sweeps retention segments previous sha256 payload',
    ),
  },
  { name: 'events', sql: sqlFile('events'), columns: [...WHICH, ...columns('late:boolean'), ...WHAT] },
  {
    name: 'quarantine',
    sql: `WITH held AS (\n${sqlFile('events').replace('FROM event_lines', 'FROM quarantine_lines')})\n${sqlFile('quarantine')}`,
    columns: [...WHICH, ...columns('reason'), ...WHAT],
  },
  {
    name: 'events_ocsf',
    sql: sqlFile('events_ocsf'),
    columns: [
      ...columns(
        'team dt activity_id:integer activity_name category_uid:integer category_name class_uid:integer class_name' +
          ' type_uid:integer type_name severity_id:integer severity status_id:integer status time:bigint message',
      ),
      { name: 'actor', type: `row(user ${OCSF_USER})` },
      { name: 'user', type: OCSF_USER },
      { name: 'src_endpoint', type: row('ip', 'name') },
      { name: 'http_request', type: row('user_agent') },
      { name: 'api', type: row('operation') },
      { name: 'service', type: row('name') },
      { name: 'entity', type: row('name', 'type') },
      { name: 'group', type: row('uid', 'name') },
      { name: 'privileges', type: 'array(varchar)' },
      { name: 'metadata', type: OCSF_METADATA },
      ...columns('unmapped raw_data'),
    ],
  },
];

function row(...fields: readonly string[]): string {
  return `row(${fields.map((field) => (field.includes(' ') ? field : `${field} varchar`)).join(', ')})`;
}

/** Each name may carry a type in Trino's spelling, as in `seq:bigint`. */
function columns(names: string) {
  return names.split(' ').map((each) => {
    const [name = '', type = 'varchar'] = each.split(':');
    return { name, type };
  });
}

function sqlFile(name: string): string {
  return readFileSync(join(import.meta.dirname, `${name}.sql`), 'utf8');
}
