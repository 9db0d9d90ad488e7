/** `audit-archive query` as an auditor uses it: the list, the explanations, the results, and the errors for mistakes. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QueryFlags, runQuery } from '../../cli/query-run';
import type { QueryResult, SqlEngine } from '../../cli/sql-engine';
import { readQueries } from '../../infra/queries/queries';
import { buildArchive, createSigner, sampleBatches, testSigner, writeObjects } from '../support/archive-builder';

const folder = mkdtempSync(join(tmpdir(), 'query-'));
const MARCH = { from: '2026-03-01', to: '2026-03-31' };

beforeAll(async () => {
  writeObjects(await buildArchive({ batches: sampleBatches }), folder);
  writeObjects(await buildArchive({ team: 'eu', batches: [{}] }), folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly name?: string;
  readonly path?: string;
  readonly flags?: Partial<QueryFlags>;
  readonly athena?: SqlEngine;
  readonly standardInput?: string;
}

async function run({ name, path, flags, athena, standardInput = '' }: Given) {
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
      readStandardInput: async () => standardInput,
      now: new Date('2026-03-20T00:00:00Z'),
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      width: 100,
    },
  );
  return { wrong, printed: printed.join('\n'), noted: noted.join('\n'), workgroups };
}

/** Always returns this result, also about the archive, and counts how often it was closed. */
function fakeAthena(answer: Partial<QueryResult>): SqlEngine & { closed: number } {
  return {
    closed: 0,
    ask: async () => ({ columns: [{ name: 'team', kind: 'text' }], rows: [['main', 'true']], ...answer }),
    close() {
      this.closed += 1;
    },
  };
}

test('without a name every query is listed with the first sentence of its purpose', async () => {
  const { printed, wrong } = await run({});
  for (const { name } of readQueries()) expect(printed).toMatch(new RegExp(`^  ${name} +[A-Z].*\\.$`, 'm'));
  expect(wrong).toBeUndefined();
  expect(JSON.parse((await run({ flags: { json: true } })).printed)).toHaveLength(readQueries().length);
});

test('a query is explained with its purpose, controls, parameters and SQL', async () => {
  const { printed } = await run({ name: 'dormant_admins', flags: { explain: true } });
  expect(printed).toMatch(/^-- Administrators who have been inactive for a long time\.\n-- A person counts/);
  expect(printed).toContain('\n-- Controls: SOC 2 CC6.2, CC6.3; ISO 27001 A.5.18, A.8.2; PCI DSS 10.2.1.2, 10.2.1.5\n');
  expect(printed).toMatch(/\n-- {3}team +text += % +the team; % is all of them\n/);
  expect(printed).toMatch(/\nWITH history AS \([\s\S]*\nORDER BY administrators\.team, .*$/);
});

test('a result is printed as a table, with the number of rows and the parameters on standard error', async () => {
  const { printed, noted } = await run({ name: 'sign_ins_by_method', path: folder, flags: MARCH });
  expect(printed).toMatch(/│ team │ method +│ sign_ins │/);
  expect(printed).toMatch(/│ main │ user\.sign_in +│ +\d+ │/);
  expect(noted).toMatch(
    /^1 row, times in UTC, from 2026-03-01 to 2026-03-31\. .*\nParameters: team = %, from = 2026-03-01, to = 2026-03-31\nThis copy was not/,
  );
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

test('a result from Athena shows the scanned bytes and the price of both questions, each never below that of 10 MB', async () => {
  const athena = fakeAthena({ scannedBytes: 2_000_000_000 });
  const { noted, workgroups } = await run({ name: 'who_did_what', athena });
  expect(noted).toContain('Athena scanned 4,000,000,000 bytes, which costs about $0.02000.');
  expect(workgroups).toEqual(['the-workgroup']);
  expect(athena.closed).toBe(1);
  const cheap = await run({ name: 'who_did_what', athena: fakeAthena({ scannedBytes: 1 }) });
  expect(cheap.noted).toContain('Athena scanned 2 bytes, which costs about $0.00010.');
});

test('a result without rows is no error, and shows the period for which the team is archived', async () => {
  const flags = { from: '2026-01-01', to: '2026-01-02', team: 'm%' };
  const { wrong, printed, noted } = await run({ name: 'who_did_what', path: folder, flags });
  expect({ wrong, printed }).toEqual({ wrong: undefined, printed: '' });
  expect(noted).toMatch(
    /^No rows from 2026-01-01 to 2026-01-02\. .* --to 2026-03-10 asks for all of them\.\nParameters: team = m%/,
  );
  expect(noted).not.toContain('Team eu');
  expect(noted).toMatch(/Team main is archived from 20\d\d-\d\d-\d\d [\d:]{8} to 2026-03-1\d [\d:]{8} UTC\. /);
});

test.each<[string, Given]>([
  ['the command line', { flags: { sql: "SELECT id FROM events WHERE id = '8'" } }],
  ['standard input', { flags: { sql: '-' }, standardInput: "SELECT id FROM events WHERE id = '8'\n" }],
])('SQL of the user from %s is answered from the same views', async (_, given) => {
  const { printed } = await run({ name: folder, ...given, flags: { ...given.flags, json: true } });
  expect(JSON.parse(printed)).toMatchObject({
    rows: [{ id: '8' }],
    remarks: [expect.stringMatching(/^This copy was not verified/)],
  });
});

test('SQL of the user runs in Athena without a path', async () => {
  expect((await run({ flags: { sql: 'SELECT 1', csv: true }, athena: fakeAthena({ rows: [['main']] }) })).printed).toBe(
    'team\nmain',
  );
});

test('with --from and --to, SQL of the user reads only the segments of these days', async () => {
  const flags = { sql: 'SELECT DISTINCT dt FROM events', from: '2026-03-09', to: '2026-03-09', csv: true };
  expect((await run({ name: folder, flags })).printed).toBe('dt\n2026-03-09');
});

test('a query for a team that was never archived is an error that names the teams', async () => {
  const { wrong } = await run({ name: 'who_did_what', path: folder, flags: { param: { team: 'mian' } } });
  expect(wrong).toBe('the archive contains no team mian; its teams are eu, main; did you mean "main"?');
});

test('with --excel, CSV begins with the mark of UTF-8, has no fractions of seconds, and is otherwise the same', async () => {
  const given = { name: 'who_did_what', path: folder, flags: { ...MARCH, csv: true } };
  const { printed: plain } = await run(given);
  const { printed } = await run({ ...given, flags: { ...given.flags, excel: true } });
  expect(plain).toMatch(/:\d\d\.\d{3},/);
  expect(printed).toBe(`\ufeff${plain.replaceAll(/(:\d\d)\.\d{3},/g, '$1,')}`);
});

test('--last counts back from the last day, and --from takes a word', async () => {
  const days = async (flags: Partial<QueryFlags>) => {
    const { printed } = await run({ name: 'late_events', path: folder, flags: { json: true, ...flags } });
    const { from, to } = JSON.parse(printed).parameters;
    return [from, to];
  };
  expect(await days({ last: '2w', to: '2026-03-15' })).toEqual(['2026-03-01', '2026-03-15']);
  expect(await days({ from: 'yesterday' })).toEqual(['2026-03-19', '2026-03-20']);
});

test.each<[string, Given, RegExp]>([
  ['an unknown query', { name: 'who_did_waht' }, /^there is no query "who_did_waht"; did you mean "who_did_what"\?$/],
  ['a query that resembles none', { name: 'x' }, /^there is no query "x"; "audit-archive query" lists all/],
  ['a path without a name', { name: folder }, /is a folder: give the name of a query before it/],
  ['--excel without --csv', { name: 'who_did_what', flags: { excel: true } }, /^--excel belongs to --csv$/],
  ['a wrong --from', { name: 'who_did_what', flags: { from: '2026-13-01' } }, /^from must be a date .*"2026-13-01"\n/],
  [
    'a name beside --sql',
    { name: 'who_did_what', path: folder, flags: { sql: 'SELECT 1' } },
    /^with --sql, give only the/,
  ],
  [
    '--param beside --sql',
    { flags: { sql: 'SELECT 1', param: { team: 'eu' } } },
    /^--param, --team and --explain belong to/,
  ],
  [
    '--from with --sql in Athena',
    { flags: { sql: 'SELECT 1', from: '2026-03-01' } },
    /^with --sql in Athena, write the/,
  ],
  ['a wrong --to with --sql', { name: folder, flags: { sql: 'SELECT 1', to: 'x' } }, /^--from and --to must be .*"x"$/],
  ['an empty statement', { name: folder, flags: { sql: ' ' } }, /^the statement of --sql is empty$/],
  ['--key without a copy', { name: 'who_did_what', flags: { key: 'k.pem' } }, /^--key checks a copy/],
  [
    'a missing parameter',
    { name: 'everything_about_one_person' },
    /^person must be given, for example .*\n.*--explain/,
  ],
])('%s is reported, and no query runs', async (_, given, message) => {
  const { wrong, printed, workgroups } = await run(given);
  expect(wrong).toMatch(message);
  expect({ printed, workgroups }).toEqual({ printed: '', workgroups: [] });
});

test('with --key, the copy is checked with that key, and its remark is gone', async () => {
  const key = join(folder, 'key.pem');
  writeFileSync(key, testSigner.publicPem);
  const flags = { ...MARCH, key };
  expect((await run({ name: 'who_did_what', path: folder, flags })).noted).not.toContain('not verified');
  writeFileSync(key, createSigner().publicPem);
  await expect(run({ name: 'who_did_what', path: folder, flags })).rejects.toThrow('was not signed with the given key');
});

test('a folder without an archive is an error and not a result without rows', async () => {
  const path = join(folder, 'events');
  await expect(run({ name: 'who_did_what', path })).rejects.toThrow(`there is no archive in ${path}`);
});
