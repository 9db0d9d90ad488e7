/** The facts of the report that come from SQL. The SQL engine reads exactly what the signed manifests list. */
import type { SqlEngine } from '../sql-engine';

export type Facts = Awaited<ReturnType<typeof askFacts>>;
export type Day = ReturnType<typeof readDay>;
export type Counted = Facts['actions'][number];
export type Retention = Facts['retentions'][number];

export interface Period {
  /** UTC dates, both included. */
  readonly from: string;
  readonly to: string;
}

type Row = Readonly<Record<string, string | null>>;

/** `completeness` is the statement of that query over the period. The engine holds one team. */
export async function askFacts(engine: SqlEngine, completeness: string, { from, to }: Period) {
  const inPeriod = `dt BETWEEN '${from}' AND '${to}'`;
  const countedBy = async (column: string, view: string) => {
    const statement = `SELECT ${column} AS name, count(*) AS count FROM ${view} WHERE ${inPeriod} GROUP BY ${column} ORDER BY count DESC, name`;
    return (await askRows(engine, statement)).map(({ name, count }) => ({ name: name ?? '', count: Number(count) }));
  };
  const reached = await askRows(engine, REACHED);
  return {
    // The answer begins with the newest day.
    days: (await askRows(engine, completeness)).map((row) => readDay(row, reached)).reverse(),
    actions: await countedBy("coalesce(action, '(no action)')", 'events'),
    people: await countedBy("coalesce(actor_email, actor_username, actor_name, actor_id, '(nobody named)')", 'events'),
    /** Quarantined lines by reason. */
    quarantine: await countedBy('reason', 'quarantine'),
    /** As the manifests state it, in JSON, with the dates of the first and the last manifest that states it. */
    retentions: (await askRows(engine, RETENTIONS)).map(({ stated, first, last }) => {
      return { stated: stated ?? 'null', from: dateIn(first), to: dateIn(last) };
    }),
    /** The origins from which the runs read, as the manifests state them. */
    sources: (await askRows(engine, SOURCES)).map(({ source }) => source ?? ''),
  };
}

/** A retention that came back later is listed once, with the whole range. */
const RETENTIONS = `SELECT coalesce(retention, 'null') AS stated, min(archived_at) AS first, max(archived_at) AS last
FROM manifests GROUP BY coalesce(retention, 'null') ORDER BY first`;

const SOURCES = 'SELECT DISTINCT source FROM manifests ORDER BY source';

/** For each date that the walk has come to, when the first run that came to it began. */
const REACHED = `SELECT date_format(position, '%Y-%m-%d') AS date, min(walk_start) AS read
FROM manifests GROUP BY date_format(position, '%Y-%m-%d') ORDER BY date`;

async function askRows(engine: SqlEngine, statement: string): Promise<readonly Row[]> {
  const { columns, rows } = await engine.ask(statement);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])));
}

function dateIn(instant: string | null | undefined): string {
  return (instant ?? '').slice(0, 10);
}

/** One UTC day, as the query `completeness` answers. */
function readDay(row: Row, reached: readonly Row[]) {
  const date = row.dt ?? '';
  const whole = reached.find((each) => (each.date ?? '') > date) ?? reached.find((each) => each.date === date);
  return {
    /** `YYYY-MM-DD`. */
    date,
    state: row.state ?? '',
    runs: Number(row.runs),
    events: Number(row.events),
    late: Number(row.late),
    quarantined: Number(row.quarantined),
    gapMinutes: Number(row.gap_minutes),
    /** How the newest sweep of the day ended; empty where there was none. */
    sweep: row.sweep ?? '',
    missing: Number(row.missing),
    changed: Number(row.changed),
    /** The date on which a run had first read the whole day, or all of it that the archive has; empty where the day was not read. */
    readOn: row.state === 'complete' || row.state === 'read in part' ? dateIn(whole?.read) : '',
  };
}
