/**
 * No query gives a false "nothing" with its defaults. The hand-written log is asked half a year after its last event, so that a
 * default of the last days finds nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runQuery } from '../../cli/query-run';
import { openFolderSql } from '../../cli/sql';
import type { SqlEngine } from '../../cli/sql-engine';
import { readQueries } from '../../infra/queries/queries';
import { writeObjects } from '../support/archive-builder';
import { archiveLog } from '../support/asked/archive';
import { parametersOf } from '../support/asked/tables';

const folder = mkdtempSync(join(tmpdir(), 'defaults-'));
const NOW = new Date('2026-09-15T12:00:00Z');
/** These list everything, or compare with what was usual before, so their default is a part of the archive. */
const OF_A_PERIOD = ['actions_never_seen_before', 'activity_outside_hours', 'who_did_what'];

let engine: SqlEngine;

beforeAll(async () => {
  writeObjects(await archiveLog(), folder);
  engine = await openFolderSql(folder, { now: NOW });
});
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

async function rowsOf(name: string, from?: string) {
  const printed: string[] = [];
  const noted: string[] = [];
  const { team: _team, history_from: _history, from: _from, to: _to, ...param } = parametersOf(name);
  const flags = { param, json: true, workgroup: '', ...(from !== undefined && { from }) };
  const wrong = await runQuery(
    { name, flags },
    {
      openAthena: async () => ({ ...engine, close: () => undefined }),
      readStandardInput: async () => '',
      now: NOW,
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      width: undefined,
    },
  );
  expect(wrong).toBeUndefined();
  const { rows } = JSON.parse(printed.join('')) as { rows: object[] };
  return { count: rows.length, line: noted[0] ?? '' };
}

test.each(
  readQueries(),
)('the query $name finds with its defaults what the whole archive has, or says how to ask for it', async ({ name }) => {
  const first = await rowsOf(name);
  const option = /--from (\d{4}-\d\d-\d\d) asks for all of them\.$/.exec(first.line)?.[1];
  expect(option !== undefined).toBe(OF_A_PERIOD.includes(name));
  const whole = option === undefined ? first : await rowsOf(name, option);
  expect(whole.line).toMatch(/ That is the whole archive\.$/);
  expect(whole.count).toBeGreaterThan(0);
  if (option !== undefined) expect(first).toEqual({ count: 0, line: expect.stringMatching(/^No rows from 2026-0/) });
});
