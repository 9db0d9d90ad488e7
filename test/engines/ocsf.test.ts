/** DuckDB, which answers in place of Athena for a copy, makes events of OCSF. `sql.test.ts` shows the same of Trino. */
import { join } from 'node:path';
import { openFolderSql } from '../../cli/sql';
import type { SqlEngine } from '../../cli/sql-engine';
import { writeObjects } from '../support/archive-builder';
import { archiveLog, type Objects } from '../support/asked/archive';
import { scratch } from '../support/scratch';
import { testOcsf } from './ocsf';

let objects: Objects;
let engine: SqlEngine;

beforeAll(async () => {
  const folder = join(scratch, 'ocsf');
  objects = await archiveLog();
  writeObjects(objects, folder);
  engine = await openFolderSql(folder, { now: new Date() });
});
afterAll(() => engine.close());

testOcsf(() => ({
  objects,
  async ask(statement) {
    const { columns, rows } = await engine.ask(statement);
    return { columns: columns.map(({ name }) => name), rows };
  },
}));
