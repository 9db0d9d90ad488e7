/**
 * The views and the auditors' queries in DuckDB, which replaces Athena for an archive in a folder. `test/engines` compares
 * the answers of Trino with the same tables.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderSql } from '../../cli/sql';
import type { SqlEngine } from '../../cli/sql-engine';
import type { Values } from '../../infra/queries/queries';
import { dateOf, midnight } from '../../lambdas/shared/time';
import { buildArchive, eventLine, writeObjects } from '../support/archive-builder';
import { archiveLog, type Objects } from '../support/asked/archive';
import {
  type Asking,
  csvOf,
  testFunctions,
  testLines,
  testManifests,
  testNetworks,
  testTables,
} from '../support/asked/suite';
import { answerTables, parametersOf, readFixture, statementOf } from '../support/asked/tables';

const folder = mkdtempSync(join(tmpdir(), 'asked-'));
const engines: SqlEngine[] = [];
let whole: Asking;
let halved: Asking;

beforeAll(async () => {
  whole = await open('whole', await archiveLog());
  halved = await open('halved', await archiveLog({ isServed: (index) => index % 2 === 0 }));
});

afterAll(() => {
  for (const engine of engines) engine.close();
  rmSync(folder, { recursive: true });
});

async function open(name: string, objects: Objects): Promise<Asking> {
  writeObjects(objects, join(folder, name));
  const engine = await openFolderSql(join(folder, name), { now: new Date() });
  engines.push(engine);
  return {
    objects,
    ask: async (statement) => {
      const { columns, rows } = await engine.ask(statement);
      return { columns: columns.map((column) => column.name), rows };
    },
  };
}

testTables(() => whole);
testLines(() => whole);
testManifests(() => whole);
testFunctions('duckdb', () => whole);
testNetworks(() => whole);

test.each(nearMisses())('the log holds more for $table with $change', async ({ table, change }) => {
  expect(csvOf(await whole.ask(statementOf(table, change)))).not.toBe(readFixture(`${table}.csv`));
});

test.each(answerTables())('the table %s fails when the archive lacks every second line of the log', async (table) => {
  expect(csvOf(await halved.ask(statementOf(table)))).not.toBe(readFixture(`${table}.csv`));
});

test('a line of almost 16 MB is shown whole, and a longer one in quarantine as too large', async () => {
  const line = (message: string) => eventLine('long', '2026-03-09T12:00:00Z', { message });
  const batches = [{ events: [line('x'.repeat(16e6))], quarantine: [line('x'.repeat(17e6))] }];
  const { ask } = await open('long', await buildArchive({ batches }));
  expect((await ask('SELECT id, length(message) FROM events')).rows).toEqual([['long', '16000000']]);
  expect((await ask('SELECT reason, length(message) FROM quarantine')).rows).toEqual([['oversize', '17000000']]);
});

interface NearMiss {
  readonly table: string;
  readonly change: Values;
}

/** A day more at either end, or the other team: the log has something there that each table leaves out. */
function nearMisses(): readonly NearMiss[] {
  return answerTables().flatMap((table) => {
    const { team, from, to, history_from } = parametersOf(table);
    const changes: Values[] = [
      ...(from === undefined ? [] : [{ from: dayAfter(from, -1) }]),
      ...(to === undefined ? [] : [{ to: dayAfter(to, 1) }]),
      ...(history_from === undefined ? [] : [{ history_from: dayAfter(history_from, -1) }]),
      ...(team === undefined || team === '%' ? [] : [{ team: '%' }]),
    ];
    return changes.map((change) => ({ table, change }));
  });
}

function dayAfter(day: string, days: number): string {
  return dateOf(midnight(new Date(day), days));
}
