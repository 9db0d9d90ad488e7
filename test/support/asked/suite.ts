/**
 * Every engine must give these answers about the archived log: each table of `test/fixtures/queries` cell by cell, every
 * line of the log once and byte for byte, and the numbers of the signed manifests.
 */
import { asCsv } from '../../../cli/query-output';
import { views } from '../../../infra/views/views';
import { sha256 } from '../../../lambdas/shared/manifest';
import { linesOf, type Objects } from './archive';
import { answerTables, functionTable, networkTable, readFixture, statementOf } from './tables';

export type Cell = string | null;

export interface Asked {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Asking {
  readonly objects: Objects;
  /** Cells as text, rows as they come. */
  ask(statement: string): Promise<Asked>;
}

/** From the day on which the archive begins to the day of the last run. */
export const ALL_DAYS = "dt BETWEEN '2026-01-01' AND '2026-03-17'";

/** As `audit-archive query --csv` writes it. */
export function csvOf({ columns, rows }: Asked): string {
  return `${asCsv({ columns: columns.map((name) => ({ name, kind: 'text' })), rows })}\n`;
}

export function testTables(asking: () => Asking): void {
  test.each(answerTables())('the answer to %s is the one in its table', async (table) => {
    expect(csvOf(await asking().ask(statementOf(table)))).toBe(readFixture(`${table}.csv`));
  });

  test.each(views)('the view $name has the columns with which it is deployed', async ({ name, columns }) => {
    const where = name === 'manifests' ? '' : `WHERE ${ALL_DAYS}`;
    const answer = await asking().ask(`SELECT * FROM ${name} ${where}`);
    expect(answer.columns).toEqual(columns.map((column) => column.name));
    expect(answer.rows.length).toBeGreaterThan(0);
  });
}

export function testLines(asking: () => Asking): void {
  const log = ['main', 'eu'].flatMap((team) => Object.values(linesOf(team)).flat());

  async function linesIn(view: string, column = 'line'): Promise<string[]> {
    const { rows } = await asking().ask(`SELECT ${column} FROM ${view} WHERE ${ALL_DAYS}`);
    return rows.map(([line]) => line ?? '').sort();
  }

  test('events and quarantine together hold each line of the log once, byte for byte', async () => {
    const lines = [...(await linesIn('events')), ...(await linesIn('quarantine'))];
    expect(lines.sort()).toEqual([...log].sort());
  });

  test('events_ocsf holds each line of events once, byte for byte', async () => {
    expect(await linesIn('events_ocsf', 'raw_data')).toEqual(await linesIn('events'));
  });

  test('message, data and variables of each event mean what its line says, however odd it is', async () => {
    const { rows } = await asking().ask(`SELECT line, message, data, variables FROM events WHERE ${ALL_DAYS}`);
    const shown = rows.map(([, message, data, variables]) => [message, meaningOf(data), meaningOf(variables)]);
    const said = rows.map(([line]) => {
      const { message = null, data = null } = Object(meaningOf(line));
      const { variables = null } = Object(data);
      return [message, data, typeof variables === 'string' ? meaningOf(variables) : variables];
    });
    expect(shown).toEqual(said);
  });
}

export function testManifests(asking: () => Asking): void {
  test('the view manifests shows each signed payload, and what it says', async () => {
    const { columns, rows } = await asking().ask('SELECT * FROM manifests ORDER BY team, seq');
    const shown = rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])));
    const payloads = [...asking().objects].filter(([key]) => key.startsWith('manifests/')).sort();
    expect(shown.map(({ payload }) => payload)).toEqual(payloads.map(([, bytes]) => payloadOf(bytes)));
    for (const row of shown) {
      const { counts, run, window, previous, ...said } = JSON.parse(row.payload ?? '');
      expect(row).toMatchObject({ run_id: run.id, scheduled_time: run.scheduledTime, code_version: run.codeVersion });
      expect(row).toMatchObject({ window_from: sqlTime(window.from), window_to: sqlTime(window.to), previous });
      expect(row).toMatchObject({ source: run.source, latest: sqlTime(said.latest), swept_at: sqlTime(said.sweptAt) });
      for (const name of ['pages', 'requests', 'events', 'late', 'known', 'revisions'])
        expect(row[name]).toBe(String(counts[name]));
      for (const name of ['gaps', 'sweeps', 'retention', 'segments']) expect(meaningOf(row[name])).toEqual(said[name]);
      expect(row.sha256).toBe(sha256(Buffer.from(row.payload ?? '')));
    }
  });
}

/** Instead of the archive, the query reads one sign-in from each address. */
export function testNetworks(asking: () => Asking): void {
  test.each(networkTable())('the networks $office have the addresses that their table names', async ({
    office,
    addresses,
  }) => {
    const texts = addresses.map(([ip], index) => `('${index}', ${ip == null ? 'NULL' : `'${ip}'`})`);
    const events = `events AS (
      SELECT 'main' AS team, '2026-03-09' AS dt, 'user.sign_in' AS action, TIMESTAMP '2026-03-09 00:00:00.000' AS event_time, id, ip,
        '' AS user_agent, '' AS actor_email, '' AS actor_username, '' AS actor_name, '' AS actor_id
      FROM (VALUES ${texts.join(', ')}) AS given (id, ip)
    )`;
    const statement = statementOf('sign_ins_outside_networks', { office }).replace(/^WITH /m, `WITH ${events},\n`);
    const { columns, rows } = await asking().ask(statement);
    const found = new Map(rows.map((row) => [row[columns.indexOf('id')], row[columns.indexOf('why')]]));
    expect(addresses.map(([ip], index) => [ip, found.get(`${index}`) ?? 'inside'])).toEqual(addresses);
  });
}

/** A macro in `cli/sql.ts` is right if both engines answer alike. No view or query may depend on the differences. */
export function testFunctions(engine: 'trino' | 'duckdb', asking: () => Asking): void {
  const inputs = `SELECT
    '{"a":{"b":"x"},"n":1.5,"t":true,"z":null,"l":[1],"a":2}' AS document,
    TIMESTAMP '2026-06-12 23:30:00.000' AS clock`;

  test.each(functionTable())(`in ${engine} the value of $expression is $${engine}`, async (row) => {
    const { rows } = await asking().ask(`SELECT ${row.expression} FROM (${inputs}) AS inputs`);
    expect(rows).toEqual([[row[engine]]]);
  });
}

function payloadOf(envelope: Buffer): string {
  return Buffer.from(JSON.parse(String(envelope)).payload, 'base64').toString();
}

function sqlTime(instant: string | null): string | null {
  return instant === null ? null : instant.replace('T', ' ').replace('Z', '');
}

/** JSON by what it says, since engines write numbers and escapes in different ways; other text as it is. */
function meaningOf(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null', (_, value) => {
      // Trino writes a number that is too large for a double as a text, and half of a surrogate pair is shown as "?".
      if (value === 'Infinity') return Number.POSITIVE_INFINITY;
      return typeof value === 'string' ? value.replace(/\p{Cs}/gu, '?') : value;
    });
  } catch {
    return text;
  }
}
