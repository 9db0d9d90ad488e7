/**
 * Athena's own engine over the deployed tables, views and queries, on an archive that the bundled handler wrote into a
 * versioned and locked bucket: every row equal to what is worked out without SQL, and nothing read that was not asked.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { heldStatement } from '../../cli/query';
import { type Query, readQueries } from '../../infra/queries/queries';
import { testFunctions } from '../support/asked/functions';
import { periodBefore } from '../support/asked/logs';
import { testOcsf } from '../support/asked/ocsf';
import { askedOf, statementOf, testQueries, testViews } from '../support/asked/suite';
import { describeWith, type LoggedRequest, stopServers } from './servers';
import { openSqlArchive, type SqlArchive } from './sql-archive';

afterAll(stopServers);

describeWith(['versitygw', 'moto', 'trino'], 'the deployed SQL', () => {
  let sql: SqlArchive;
  const asking = () => sql;

  beforeAll(async () => {
    sql = await openSqlArchive();
  }, 300_000);

  afterAll(() => sql.close());

  // First, while the request log is short.
  describe('reads nothing but what is asked for:', () => {
    test.each(readQueries())('$name', async (query) => {
      const requests = await sql.requestsOf(() => sql.ask(statementOf(query, sql.archive.now)));
      expect(outside(requests, foldersOf(query, sql.archive.now))).toEqual([]);
      expect(requests.some(({ operation }) => operation === 'GetObject')).toBe(true);
    });

    test.each([
      ['events', 'id, line', []],
      ['events', 'id, late', ['manifests/team=main/']],
      ['events_ocsf', '*', []],
    ])('%s, for %s', async (view, columns, others) => {
      const { from } = periodBefore(sql.archive.now);
      const statement = `SELECT ${columns} FROM ${view} WHERE team = 'main' AND dt = '${from}'`;
      const requests = await sql.requestsOf(() => sql.ask(statement));
      const folders = [`events/team=main/dt=${from}/`, ...others];
      expect(outside(requests, folders)).toEqual([]);
      for (const folder of folders) expect(requests.map(({ key }) => key)).toContain(folder);
    });
  });

  describe('is Trino, which answers as DuckDB does:', () => testFunctions('trino', asking));

  test('says what the archive holds', async () => {
    const { rows } = await sql.ask(heldStatement('ma_n'));
    expect(rows.map(([team, asked]) => [team, asked])).toEqual([
      ['eu', 'false'],
      ['main', 'true'],
    ]);
  });

  describe('in every row', () => {
    testViews(asking);
    testQueries(asking);
    testOcsf(asking);
  });

  describe('taken together', () => {
    test('has each event of the sources as often as they served it, by id and hash of the line', async () => {
      expect(await hashedRows(sql)).toEqual(hashedEvents(sql));
    });

    test('shows a line twice when one object is copied to another key', async () => {
      const [key = '', bytes = Buffer.of()] =
        [...sql.archive.objects].find(([each]) => /^events\/team=main\//.test(each)) ?? [];
      const copy = key.replace(/\d{10}(?=\.ndjson)/, '0000000099');
      const since = sql.archive.firstDay;
      const rows = await sql.withObject(copy, bytes, () => hashedRows(sql, since));
      expect(rows.length).toBeGreaterThan(hashedEvents(sql).length);
      expect(new Set(rows)).toEqual(new Set(hashedEvents(sql)));
      expect(await hashedRows(sql, since)).toEqual(hashedEvents(sql));
    });

    test.each([
      ['event_lines', 'events/'],
      ['quarantine_lines', 'quarantine/'],
      ['manifest_lines', 'manifests/'],
    ])('reads into %s the objects under %s and no others', async (table, area) => {
      const where = table === 'manifest_lines' ? '' : `WHERE dt >= '${sql.archive.firstDay}'`;
      const { rows } = await sql.ask(`SELECT DISTINCT regexp_replace("$path", '^s3://[^/]*/') FROM ${table} ${where}`);
      const keys = [...sql.archive.objects.keys()];
      expect(rows.map(([path]) => path).sort()).toEqual(keys.filter((key) => key.startsWith(area)).sort());
      expect(keys.some((key) => key.startsWith('batches/'))).toBe(true);
    });

    test.each([
      'events',
      'quarantine',
      'events_ocsf',
    ])('has no row in %s for a day, or a team, without any', async (view) => {
      const ofTeam = `team = 'idle' AND dt >= '${sql.archive.firstDay}'`;
      for (const where of ["dt = '2021-03-01'", ofTeam])
        expect((await sql.ask(`SELECT team FROM ${view} WHERE ${where}`)).rows).toEqual([]);
    });

    test('has a line of almost 16 MB whole, with its columns', async () => {
      const line = `{"id":"long","action":"odd","timestamp":"2025-01-01T00:00:00Z","message":"${'x'.repeat(16e6)}"}`;
      const { rows } = await sql.withObject(
        'events/team=idle/dt=2025-01-01/0000000001.ndjson.gz',
        gzipSync(`${line}\n`),
        () =>
          sql.ask(`
            SELECT id, action, length(message), lower(to_hex(sha256(to_utf8(line))))
            FROM events WHERE team = 'idle' AND dt = '2025-01-01'`),
      );
      expect(rows).toEqual([['long', 'odd', '16000000', sha256(line)]]);
    });
  });

  describe('over ten years of partitions', () => {
    test('is planned at once, without a request to S3', async () => {
      const started = Date.now();
      const requests = await sql.requestsOf(() => sql.askDecade('EXPLAIN SELECT * FROM events'));
      expect(requests).toEqual([]);
      expect(Date.now() - started).toBeLessThan(10_000);
    });

    test('reads the one day that is asked for', async () => {
      const { from } = periodBefore(sql.archive.now);
      const where = `WHERE team = 'main' AND dt = '${from}'`;
      const requests = await sql.requestsOf(() => sql.askDecade(`SELECT line FROM events ${where}`));
      expect(outside(requests, [`events/team=main/dt=${from}/`])).toEqual([]);
    });

    test('answers all of them', async () => {
      const { rows } = await sql.askDecade(`SELECT count(*) FROM events WHERE dt >= '${sql.decade.from}'`);
      expect(rows).toEqual([[String(sql.archive.events.length)]]);
    });
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function hashedRows({ ask }: SqlArchive, since?: string): Promise<string[]> {
  const where = since === undefined ? '' : `WHERE dt >= '${since}'`;
  const { rows } = await ask(`SELECT id, lower(to_hex(sha256(to_utf8(line)))) FROM events ${where}`);
  return rows.map((row) => row.join(' ')).sort();
}

function hashedEvents({ archive }: SqlArchive): string[] {
  return archive.events.map(({ id, line }) => `${id} ${sha256(line)}`).sort();
}

/** Where the rows lie that a query is asked for; and, for what only they know, the manifests of its team. */
function foldersOf({ name, text }: Query, now: Date): string[] {
  const { team = '', from = '', to = '', history_from: first = from } = askedOf(name, now);
  const area = /FROM quarantine/.test(text) ? 'quarantine' : 'events';
  const usesManifests = ['events_per_day', 'late_events', 'quarantine_and_revisions'].includes(name);
  const folders = usesManifests ? [`manifests/team=${team}/`] : [];
  for (let day = new Date(first); day <= new Date(to); day = new Date(day.getTime() + 86_400_000))
    folders.push(`${area}/team=${team}/dt=${day.toISOString().slice(0, 10)}/`);
  return folders;
}

function outside(requests: readonly LoggedRequest[], folders: readonly string[]): LoggedRequest[] {
  return requests.filter(({ key }) => !folders.some((folder) => key.startsWith(folder)));
}
