/**
 * The engine of Athena answers the deployed queries on the hand-written log in a versioned and locked bucket. Every answer
 * equals its table, and Trino reads no more than it was asked for.
 */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { archiveStatement } from '../../cli/query-period';
import { type Query, readQueries } from '../../infra/queries/queries';
import { datesBetween } from '../../lambdas/shared/time';
import { ALL_DAYS, testFunctions, testLines, testManifests, testNetworks, testTables } from '../support/asked/suite';
import { statementOf, valuesOf } from '../support/asked/tables';
import { testOcsf } from './ocsf';
import { describeWith, type LoggedRequest, stopServers } from './servers';
import { openSqlArchive, type SqlArchive } from './sql-archive';

/** A day with events of both teams. */
const DAY = '2026-03-04';

afterAll(stopServers);

describeWith(['versitygw', 'moto', 'trino'], 'the deployed SQL', () => {
  let sql: SqlArchive;
  const asking = () => sql;

  beforeAll(async () => {
    sql = await openSqlArchive();
  }, 300_000);

  afterAll(() => sql.close());

  // These tests come first, while the request log is short.
  test.each(readQueries())('Trino reads for the query $name only the days and the team asked for', async (query) => {
    const requests = await sql.requestsOf(() => sql.ask(statementOf(query.name, { team: 'main' })));
    expect(outside(requests, foldersOf(query))).toEqual([]);
    expect(requests.some(({ operation }) => operation === 'GetObject')).toBe(true);
  });

  test.each([
    ['events', 'id, line', []],
    ['events', 'id, late', ['manifests/team=main/']],
    ['events_ocsf', '*', []],
  ])('Trino reads for one day of %s, columns %s, only that day and %j', async (view, columns, others) => {
    const statement = `SELECT ${columns} FROM ${view} WHERE team = 'main' AND dt = '${DAY}'`;
    const requests = await sql.requestsOf(() => sql.ask(statement));
    const folders = [`events/team=main/dt=${DAY}/`, ...others];
    expect(outside(requests, folders)).toEqual([]);
    for (const folder of folders) expect(requests.map(({ key }) => key)).toContain(folder);
  });

  testTables(asking);
  testLines(asking);
  testManifests(asking);
  testFunctions('trino', asking);
  testNetworks(asking);
  testOcsf(asking);

  test('the command line is told which teams the archive holds', async () => {
    const { rows } = await sql.ask(archiveStatement('ma_n'));
    expect(rows.map(([team, asked]) => [team, asked])).toEqual([
      ['eu', 'false'],
      ['main', 'true'],
    ]);
  });

  test('a line is shown twice while its object has a copy under another key', async () => {
    const [key = '', bytes = Buffer.of()] = [...sql.objects].find(([each]) => /^events\/team=main\//.test(each)) ?? [];
    const copy = key.replace(/\d{10}(?=\.ndjson)/, '0000000099');
    const lines = `SELECT count(*), count(DISTINCT line) FROM events WHERE ${ALL_DAYS}`;
    const [before] = (await sql.ask(lines)).rows;
    const [during] = (await sql.withObject(copy, bytes, () => sql.ask(lines))).rows;
    expect(Number(during?.[0])).toBeGreaterThan(Number(before?.[0]));
    expect(during?.[1]).toBe(before?.[1]);
  });

  test.each([
    ['event_lines', 'events/'],
    ['quarantine_lines', 'quarantine/'],
    ['manifest_lines', 'manifests/'],
  ])('the table %s holds the objects under %s and no others', async (table, area) => {
    const where = table === 'manifest_lines' ? '' : `WHERE ${ALL_DAYS}`;
    const { rows } = await sql.ask(`SELECT DISTINCT regexp_replace("$path", '^s3://[^/]*/') FROM ${table} ${where}`);
    const keys = [...sql.objects.keys()];
    expect(rows.map(([path]) => path).sort()).toEqual(keys.filter((key) => key.startsWith(area)).sort());
    expect(keys.some((key) => key.startsWith('batches/'))).toBe(true);
  });

  test.each([
    'events',
    'quarantine',
    'events_ocsf',
  ])('%s has no row for a day or a team without events', async (view) => {
    for (const where of ["dt = '2021-03-01'", `team = 'idle' AND ${ALL_DAYS}`])
      expect((await sql.ask(`SELECT team FROM ${view} WHERE ${where}`)).rows).toEqual([]);
  });

  test('a line of almost 16 MB is shown whole, with its columns', async () => {
    const line = `{"id":"long","action":"odd","timestamp":"2025-01-01T00:00:00Z","message":"${'x'.repeat(16e6)}"}`;
    const key = 'events/team=idle/dt=2025-01-01/0000000001.ndjson.gz';
    const sha256 = createHash('sha256').update(line).digest('hex');
    const statement = `
      SELECT id, action, length(message), lower(to_hex(sha256(to_utf8(line))))
      FROM events WHERE team = 'idle' AND dt = '2025-01-01'`;
    const { rows } = await sql.withObject(key, gzipSync(`${line}\n`), () => sql.ask(statement));
    expect(rows).toEqual([['long', 'odd', '16000000', sha256]]);
  });

  test('a query over all years of partitions is planned without a request to S3', async () => {
    expect(await sql.requestsOf(() => sql.ask('EXPLAIN SELECT * FROM events'))).toEqual([]);
  });
});

/** The folders of the days for which the team main is asked, and its manifests where the query needs them. */
function foldersOf({ name, sql }: Query): string[] {
  const { from = '', to = '', history_from: first = from } = valuesOf(name);
  if (name === 'completeness') return ['manifests/team=main/'];
  const area = /FROM quarantine/.test(sql) ? 'quarantine' : 'events';
  const needsManifests = ['events_per_day', 'late_events', 'quarantine_and_revisions'].includes(name);
  const days = datesBetween(new Date(first), new Date(to)).map((day) => `${area}/team=main/dt=${day}/`);
  return needsManifests ? ['manifests/team=main/', ...days] : days;
}

function outside(requests: readonly LoggedRequest[], folders: readonly string[]): LoggedRequest[] {
  return requests.filter(({ key }) => !folders.some((folder) => key.startsWith(folder)));
}
