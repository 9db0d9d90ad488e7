/**
 * The views and the auditors' queries in DuckDB, on an archive that the handler wrote: every row equal to what is
 * worked out without SQL. DuckDB stands in for Athena; `test/engines` asks the same of Trino. Known to differ, and left
 * out here: the number -0, which DuckDB shows as 0. Every event's own line is the same everywhere.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openFolderSql } from '../../cli/sql';
import type { SqlEngine } from '../../lambdas/shared/ports';
import { type AskedArchive, openAskedArchive } from '../support/asked/archive';
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
