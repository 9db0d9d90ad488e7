/**
 * What every engine must answer: each row of the views and of the auditors' queries, equal to what was worked out from
 * the sources' lines without SQL.
 */
import { bind, type Query, readQueries, statement } from '../../../infra/queries/queries';
import { type Asked, answers, type Cell, type Rows } from './answers';
import type { AskedArchive } from './archive';
import { DAY_MS, dateText, latePeriod, periodBefore } from './logs';
import type { EventRow } from './rows';

export interface Asking {
  readonly archive: AskedArchive;
  /** Cells as text, rows as they come. */
  ask(statement: string): Promise<{ readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }>;
}

/** What each query is asked. A function, since the days depend on when the tests run. */
export function askedOf(name: string, now: Date): Asked {
  const { historyFrom, from, to } = periodBefore(now);
  const ago = (days: number) => dateText(now.getTime() - days * DAY_MS);
  const plain = { team: 'main', from, to };
  const special: Readonly<Record<string, Asked>> = {
    activity_outside_hours: { zone: 'Asia/Kolkata', begin_hour: '7', end_hour: '20' },
    dormant_admins: { from: historyFrom, idle_days: '20' },
    events_per_day: { team: 'eu', from: ago(203), to: ago(-1) },
    everything_one_person_did: { person: 'ADA@example.com' },
    invitations_and_external_members: { domains: 'example.com,example.org' },
    late_events: latePeriod(now),
    quarantine_and_revisions: { from: ago(1), to: ago(-1) },
    unusual_sign_ins: { minutes: '60' },
    who_did_what: { action: '%' },
  };
  const query = readQueries().find((each) => each.name === name);
  const history = query?.parameters.some((parameter) => parameter.name === 'history_from')
    ? { history_from: historyFrom }
    : {};
  return { ...plain, ...history, ...special[name] };
}

export function statementOf(query: Query, now: Date): string {
  const bound = bind(query, askedOf(query.name, now), now);
  if ('problems' in bound) throw new Error(bound.problems.join('; '));
  return statement(query, bound.values);
}

export function testQueries(asking: () => Asking): void {
  const queries = readQueries();

  test('every query is among those that are worked out', () => {
    expect(queries.map(({ name }) => name)).toEqual(Object.keys(answers).sort());
  });

  describe.each(queries)('the query $name', (query) => {
    const answer = answers[query.name] ?? (() => []);

    test('answers what the sources served, neither nothing nor everything', async () => {
      const { archive, ask } = asking();
      const expected = answer(archive, askedOf(query.name, archive.now));
      const { columns, rows } = await ask(statementOf(query, archive.now));
      expect(rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])))).toEqual(
        expected,
      );
      expect(columns).toEqual(Object.keys(expected[0] ?? {}));
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.length).toBeLessThan(archive.events.length);
    });

    test('is asked where a day more at either end, or the other team, would answer more', () => {
      const { archive } = asking();
      const asked = askedOf(query.name, archive.now);
      const day = (text = '', change: number) => dateText(Date.parse(text) + change * DAY_MS);
      const before = answer(archive, { ...asked, from: day(asked.from, -1) });
      const after = answer(archive, { ...asked, to: day(asked.to, 1) });
      const others = answer(archive, { ...asked, team: '%' });
      const nearby: Rows[] = [before, after, others];
      for (const each of nearby) expect(each).not.toEqual(answer(archive, asked));
    });
  });
}

export function testViews(asking: () => Asking): void {
  test('the view events has every event once, whatever its shape, with every column right', async () => {
    const { archive, ask } = asking();
    const { from } = periodBefore(archive.now);
    const { columns, rows } = await ask(`SELECT * FROM events WHERE dt >= '${from}'`);
    const expected = archive.events.filter(({ dt }) => dt >= from);
    expect(named(columns, rows)).toEqual(comparable(expected));
    expect(columns).toEqual(Object.keys(expected[0] ?? {}));
  });

  test('the view quarantine has every line that may not be among the events, and why', async () => {
    const { archive, ask } = asking();
    const { columns, rows } = await ask("SELECT * FROM quarantine WHERE dt >= '2026-01-01'");
    expect(named(columns, rows)).toEqual(comparable(archive.quarantine));
  });

  test('the view manifests has every manifest, and counts the late events that "events" shows', async () => {
    const { archive, ask } = asking();
    const { rows } = await ask(
      'SELECT team, CAST(seq AS varchar), run_id, CAST(late AS varchar), CAST(events AS varchar) FROM manifests ORDER BY team, seq',
    );
    const expected = archive.chains.flatMap(({ team, manifests }) =>
      manifests.map(({ seq, run }) => {
        const own = archive.events.filter((row) => row.team === team && row.seq === String(seq));
        const late = own.filter((row) => row.late === 'true');
        return [team, String(seq), run.id, String(late.length), String(own.length)];
      }),
    );
    expect(rows).toEqual(expected);
  });
}

type Row = Readonly<Record<string, unknown>>;

function named(columns: readonly string[], rows: readonly (readonly Cell[])[]): Row[] {
  return comparable(rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null]))));
}

/** In one order; JSON by what it says, since engines write numbers and escapes in their own way. */
function comparable(rows: readonly object[]): Row[] {
  return rows
    .map((row) => ({ ...(row as EventRow) }))
    .sort((a, b) => (`${a.team} ${a.line}` < `${b.team} ${b.line}` ? -1 : 1))
    .map((row) => ({ ...row, data: meaningOf(row.data), variables: meaningOf(row.variables) }));
}

function meaningOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null', (_, value) => {
      // Trino writes what no double can hold as a string.
      if (value === 'Infinity') return Number.POSITIVE_INFINITY;
      return typeof value === 'string' ? value.replace(/\p{Cs}/gu, '?') : value;
    });
  } catch {
    return text;
  }
}
