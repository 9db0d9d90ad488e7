/** `audit-archive query` as an auditor uses it: the list, the explanations, the results, and the errors for mistakes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QueryFlags, runQuery } from '../../cli/query';
import type { QueryResult, SqlEngine } from '../../cli/sql-engine';
import { readQueries } from '../../infra/queries/queries';
import { buildArchive, sampleBatches, writeObjects } from '../support/archive-builder';

const folder = mkdtempSync(join(tmpdir(), 'query-'));
const MARCH = { from: '2026-03-01', to: '2026-03-31' };

beforeAll(async () => writeObjects(await buildArchive({ batches: sampleBatches }), folder));
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly name?: string;
  readonly path?: string;
  readonly flags?: Partial<QueryFlags>;
  readonly athena?: SqlEngine;
}

async function run({ name, path, flags, athena }: Given) {
  const printed: string[] = [];
  const noted: string[] = [];
  const workgroups: string[] = [];
  const openAthena = async (workgroup: string) => {
    workgroups.push(workgroup);
    if (athena === undefined) throw new Error('this test must not use Athena');
    return athena;
  };
  const wrong = await runQuery(
    { name, path, flags: { param: {}, workgroup: 'the-workgroup', ...flags } },
    {
      openAthena,
      now: () => new Date('2026-03-20T00:00:00Z'),
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      width: 100,
    },
  );
  return { wrong, printed: printed.join('\n'), noted: noted.join('\n'), workgroups };
}

/** Returns the given results one after the other, and records the statements. */
function fakeAthena(...answers: readonly QueryResult[]): SqlEngine & { readonly asked: string[]; closed: number } {
  const asked: string[] = [];
  return {
    asked,
    closed: 0,
    async ask(statement) {
      asked.push(statement);
      const answer = answers[asked.length - 1];
      if (answer === undefined) throw new Error('there was one statement too many');
      return answer;
    },
    close() {
      this.closed += 1;
    },
  };
}

const text = (...names: readonly string[]) => names.map((name) => ({ name, kind: 'text' as const }));
const HELD: QueryResult = {
  columns: text('team', 'asked', 'first', 'last'),
  rows: [
    ['eu', 'false', '2026-01-01 00:00:00.000', '2026-03-19 00:00:00.000'],
    ['main', 'true', '2026-02-01 00:00:00.000', '2026-03-20 00:00:00.000'],
  ],
};

test('without a name every query is listed with the first sentence of its purpose', async () => {
  const { printed, wrong } = await run({});
  for (const { name } of readQueries()) expect(printed).toMatch(new RegExp(`^  ${name} +[A-Z].*\\.$`, 'm'));
  expect(wrong).toBeUndefined();
  expect(JSON.parse((await run({ flags: { json: true } })).printed)).toHaveLength(readQueries().length);
});

describe.each(readQueries())('the query $name', ({ name, purpose, controls, parameters }) => {
  test(`${name} is explained with its purpose, controls, parameters and SQL`, async () => {
    const { printed } = await run({ name, flags: { explain: true } });
    expect(printed).toContain(purpose);
    for (const text of [...controls, ...parameters.map(({ meaning }) => meaning)]) expect(printed).toContain(text);
    expect(printed).toMatch(/\n(SELECT|WITH)\s[\s\S]*ORDER BY [^;]*$/);
    expect(printed).not.toMatch(/^--/m);
  });

  test(`${name} runs on a copy of the bucket with its defaults and examples`, async () => {
    const examples = parameters.flatMap(({ name: each, example }) => (example === undefined ? [] : [[each, example]]));
    const { wrong, noted } = await run({ name, path: folder, flags: { param: Object.fromEntries(examples) } });
    expect(wrong).toBeUndefined();
    expect(noted).toMatch(/^(\d+ rows?, times in UTC|No rows: nothing in the .* query)\. Parameters: team = %/);
  });
});

test('a result is printed as a table, with the number of rows and the parameters on standard error', async () => {
  const { printed, noted } = await run({ name: 'sign_ins_by_method', path: folder, flags: MARCH });
  expect(printed).toMatch(/│ team │ method +│ sign_ins │/);
  expect(printed).toMatch(/│ main │ user\.sign_in +│ +\d+ │/);
  expect(noted).toBe('1 row, times in UTC. Parameters: team = %, from = 2026-03-01, to = 2026-03-31');
});

test('a result is printed as CSV if the user asks for CSV', async () => {
  const { printed } = await run({ name: 'sign_ins_by_method', path: folder, flags: { ...MARCH, csv: true } });
  expect(printed).toMatch(/^team,method,sign_ins,people,addresses,first,last\nmain,user\.sign_in,\d+,0,0,2026-/);
});

test('a result is printed as one JSON document if the user asks for JSON', async () => {
  const { printed } = await run({ name: 'sign_ins_by_method', path: folder, flags: { ...MARCH, json: true } });
  expect(JSON.parse(printed)).toMatchObject({
    query: 'sign_ins_by_method',
    parameters: { team: '%', ...MARCH },
    rows: [{ team: 'main', method: 'user.sign_in', people: 0 }],
  });
});

test('a result from Athena shows the scanned bytes and their price, which is never below that of 10 MB', async () => {
  const athena = fakeAthena({ columns: text('team'), rows: [['main']], scannedBytes: 2_000_000_000 });
  const { noted, workgroups } = await run({ name: 'who_did_what', athena });
  expect(noted).toContain('Athena scanned 2,000,000,000 bytes, which costs about $0.01000.');
  expect(workgroups).toEqual(['the-workgroup']);
  expect(athena.closed).toBe(1);
  const cheap = fakeAthena({ columns: text('team'), rows: [['main']], scannedBytes: 1 });
  expect((await run({ name: 'who_did_what', athena: cheap })).noted).toContain(
    'scanned 1 byte, which costs about $0.00005.',
  );
});

test('a result without rows is no error, and shows the period for which the team is archived', async () => {
  const flags = { from: '2026-01-01', to: '2026-01-02' };
  const { wrong, printed, noted } = await run({ name: 'who_did_what', path: folder, flags });
  expect({ wrong, printed }).toEqual({ wrong: undefined, printed: '' });
  expect(noted).toMatch(/^No rows: nothing in the archive matches this query\. Parameters: team = %/);
  expect(noted).toMatch(/Team main is archived from 20\d\d-\d\d-\d\d [\d:]{8} to 2026-03-1\d [\d:]{8} UTC\.$/);
});

test('a query for a team that was never archived is an error that names the teams', async () => {
  const { wrong } = await run({ name: 'who_did_what', path: folder, flags: { param: { team: 'mian' } } });
  expect(wrong).toBe('the archive contains no team mian; its teams are main');
});

test('a result without rows from Athena is also told apart from a team that was never archived', async () => {
  const none = { columns: text('team'), rows: [], scannedBytes: 0 };
  const right = await run({ name: 'who_did_what', athena: fakeAthena(none, HELD) });
  expect(right.wrong).toBeUndefined();
  expect(right.noted).toContain('Team main is archived from 2026-02-01 00:00:00 to 2026-03-20 00:00:00 UTC.');
  expect(right.noted).not.toContain('Team eu');
  const rows = HELD.rows.map(([team = '', , ...rest]) => [team, 'false', ...rest]);
  const wrong = await run({ name: 'who_did_what', athena: fakeAthena(none, { ...HELD, rows }) });
  expect(wrong.wrong).toBe('the archive contains no team %; its teams are eu, main');
});

test.each<[string, Given, RegExp]>([
  ['an unknown query', { name: 'who_did_waht' }, /^there is no query "who_did_waht"; "audit-archive query" lists all/],
  [
    'a date that does not exist',
    { name: 'who_did_what', flags: { from: '2026-13-01' } },
    /^from must be a date .*"2026-13-01"\n/,
  ],
  [
    'a period that ends before it begins',
    { name: 'who_did_what', flags: { from: '2026-03-02', to: '2026-03-01' } },
    /^from must/,
  ],
  [
    'an unknown parameter',
    { name: 'who_did_what', flags: { param: { tema: 'main' } } },
    /^there is no parameter "tema"\n/,
  ],
  ['a missing parameter', { name: 'everything_one_person_did' }, /^person must be given, for example .*\n.*--explain/],
])('%s is reported, and no query runs', async (_, given, message) => {
  const { wrong, printed, workgroups } = await run(given);
  expect(wrong).toMatch(message);
  expect({ printed, workgroups }).toEqual({ printed: '', workgroups: [] });
});

test('a folder without an archive is an error and not a result without rows', async () => {
  const path = join(folder, 'events');
  await expect(run({ name: 'who_did_what', path })).rejects.toThrow(`there is no archive in ${path}`);
});
