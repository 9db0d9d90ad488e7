/** The facts of the report that come from SQL. The SQL engine reads exactly what the signed manifests list. */
import type { SqlEngine } from '../sql-engine';

/** One UTC day, as the query `completeness` answers. */
export interface Day {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly state: string;
  readonly runs: number;
  readonly events: number;
  readonly late: number;
  readonly quarantined: number;
  readonly gapMinutes: number;
  /** How the newest sweep of the day ended; empty where there was none. */
  readonly sweep: string;
  readonly missing: number;
  readonly changed: number;
}

export interface Counted {
  readonly name: string;
  readonly count: number;
}

export interface Retention {
  /** As the manifests state it, in JSON. */
  readonly retention: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface Facts {
  readonly days: readonly Day[];
  readonly actions: readonly Counted[];
  readonly people: readonly Counted[];
  /** Quarantined lines by reason. */
  readonly quarantine: readonly Counted[];
  readonly retentions: readonly Retention[];
}

export interface Period {
  /** UTC dates, both included. */
  readonly from: string;
  readonly to: string;
}

type Row = Readonly<Record<string, string | null>>;

/** `completeness` is the statement of that query over the period. The engine holds one team. */
export async function askFacts(engine: SqlEngine, completeness: string, { from, to }: Period): Promise<Facts> {
  const inPeriod = `dt BETWEEN '${from}' AND '${to}'`;
  const countedBy = async (column: string, view: string) => {
    const statement = `SELECT ${column} AS name, count(*) AS count FROM ${view} WHERE ${inPeriod} GROUP BY ${column} ORDER BY count DESC, name`;
    return (await askRows(engine, statement)).map(({ name, count }) => ({ name: name ?? '', count: Number(count) }));
  };
  return {
    // The answer begins with the newest day.
    days: (await askRows(engine, completeness)).map(readDay).reverse(),
    actions: await countedBy("coalesce(action, '(no action)')", 'events'),
    people: await countedBy("coalesce(actor_email, actor_username, actor_name, actor_id, '(nobody named)')", 'events'),
    quarantine: await countedBy('reason', 'quarantine'),
    retentions: (await askRows(engine, RETENTIONS)).map(({ retention, first, last }) => ({
      retention: retention ?? 'null',
      firstSeq: Number(first),
      lastSeq: Number(last),
    })),
  };
}

/** A retention that came back later is listed once, with the whole range. */
const RETENTIONS = `SELECT coalesce(retention, 'null') AS retention, min(seq) AS first, max(seq) AS last
FROM manifests GROUP BY coalesce(retention, 'null') ORDER BY first`;

async function askRows(engine: SqlEngine, statement: string): Promise<readonly Row[]> {
  const { columns, rows } = await engine.ask(statement);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])));
}

function readDay(row: Row): Day {
  return {
    date: row.dt ?? '',
    state: row.state ?? '',
    runs: Number(row.runs),
    events: Number(row.events),
    late: Number(row.late),
    quarantined: Number(row.quarantined),
    gapMinutes: Number(row.gap_minutes),
    sweep: row.sweep ?? '',
    missing: Number(row.missing),
    changed: Number(row.changed),
  };
}
