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
  /** The date on which a run had first read the whole day, or all of it that the archive has; empty where the day was not read. */
  readonly readOn: string;
}

export interface Counted {
  readonly name: string;
  readonly count: number;
}

export interface Retention {
  /** As the manifests state it, in JSON. */
  readonly stated: string;
  /** The dates of the first and the last manifest that states it. */
  readonly from: string;
  readonly to: string;
}

export interface Facts {
  readonly days: readonly Day[];
  readonly actions: readonly Counted[];
  readonly people: readonly Counted[];
  /** Quarantined lines by reason. */
  readonly quarantine: readonly Counted[];
  readonly retentions: readonly Retention[];
  /** The origins from which the runs read, as the manifests state them. */
  readonly sources: readonly string[];
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
  const reached = await askRows(engine, REACHED);
  return {
    // The answer begins with the newest day.
    days: (await askRows(engine, completeness)).map((row) => readDay(row, reached)).reverse(),
    actions: await countedBy("coalesce(action, '(no action)')", 'events'),
    people: await countedBy("coalesce(actor_email, actor_username, actor_name, actor_id, '(nobody named)')", 'events'),
    quarantine: await countedBy('reason', 'quarantine'),
    retentions: (await askRows(engine, RETENTIONS)).map(({ stated, first, last }) => {
      return { stated: stated ?? 'null', from: dateIn(first), to: dateIn(last) };
    }),
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

function readDay(row: Row, reached: readonly Row[]): Day {
  const date = row.dt ?? '';
  const whole = reached.find((each) => (each.date ?? '') > date) ?? reached.find((each) => each.date === date);
  return {
    date,
    state: row.state ?? '',
    runs: Number(row.runs),
    events: Number(row.events),
    late: Number(row.late),
    quarantined: Number(row.quarantined),
    gapMinutes: Number(row.gap_minutes),
    sweep: row.sweep ?? '',
    missing: Number(row.missing),
    changed: Number(row.changed),
    readOn: row.state === 'complete' || row.state === 'read in part' ? dateIn(whole?.read) : '',
  };
}
