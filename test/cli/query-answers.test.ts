/**
 * The views and the auditors' queries in DuckDB, on an archive that the handler wrote: every row equal to what is
 * worked out without SQL. DuckDB stands in for Athena; `test/engines` asks the same of Trino. Known to differ, and left
 * out here: the number -0. What DuckDB is relied on for, and where it differs, stands in `support/asked/functions.ts`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openFolderSql } from '../../cli/sql';
import type { SqlEngine } from '../../cli/sql-engine';
import { type AskedArchive, openAskedArchive } from '../support/asked/archive';
import { calledFunctions, functionsAlike, testFunctions } from '../support/asked/functions';
import { NEGATIVE_ZERO } from '../support/asked/logs';
import { testOcsf } from '../support/asked/ocsf';
import { testQueries, testViews } from '../support/asked/suite';
import { openLocalBackend } from '../support/backend';

const folder = mkdtempSync(join(tmpdir(), 'asked-'));
let archive: AskedArchive;
let engine: SqlEngine;

beforeAll(async () => {
  archive = await openAskedArchive(openLocalBackend, [NEGATIVE_ZERO]);
  for (const [key, bytes] of archive.objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), bytes);
  }
  engine = await openFolderSql(folder);
}, 300_000);

afterAll(async () => {
  engine.close();
  await archive.close();
  rmSync(folder, { recursive: true });
});

const asking = () => ({
  archive,
  ask: async (statement: string) => {
    const { columns, rows } = await engine.ask(statement);
    return { columns: columns.map(({ name }) => name), rows };
  },
});

testViews(asking);
testQueries(asking);
testOcsf(asking);

describe('of Trino, DuckDB answers alike:', () => testFunctions('duckdb', asking));

test('views and queries call nothing else', () => {
  expect(calledFunctions()).toContain('json_extract_scalar');
  expect(calledFunctions().filter((name) => !functionsAlike().includes(name))).toEqual([]);
});
