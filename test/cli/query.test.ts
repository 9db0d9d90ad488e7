/** `audit-archive query` as an auditor uses it: the list, the explanation, the answers, and what is said of a slip. */
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
    if (athena === undefined) throw new Error('Athena is not asked here');
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

/** Answers in order, and keeps what it was asked. */
function fakeAthena(...answers: readonly QueryResult[]): SqlEngine & { readonly asked: string[]; closed: number } {
  const asked: string[] = [];
  return {
    asked,
    closed: 0,
    async ask(statement) {
      asked.push(statement);
      const answer = answers[asked.length - 1];
      if (answer === undefined) throw new Error('not asked for so much');
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

describe('without a name', () => {
  test('lists every query with its purpose', async () => {
    const { printed, wrong } = await run({});
    for (const { name } of readQueries()) expect(printed).toMatch(new RegExp(`^  ${name} +[A-Z].*\\.$`, 'm'));
    expect(wrong).toBeUndefined();
  });

  test('lists them as JSON', async () => {
    const { printed } = await run({ flags: { json: true } });
    expect(JSON.parse(printed)).toHaveLength(readQueries().length);
  });
});

describe.each(readQueries())('$name', ({ name, purpose, controls, parameters }) => {
  test('is explained: purpose, controls, parameters, SQL', async () => {
    const { printed } = await run({ name, flags: { explain: true } });
    expect(printed).toContain(purpose);
    for (const said of [...controls, ...parameters.map(({ meaning }) => meaning)]) expect(printed).toContain(said);
    expect(printed).toMatch(/\n(SELECT|WITH)\s[\s\S]*ORDER BY [^;]*$/);
    expect(printed).not.toMatch(/^--/m);
  });

  test('runs on a folder', async () => {
    const examples = parameters.flatMap(({ name: each, example }) => (example === undefined ? [] : [[each, example]]));
    const { wrong, noted } = await run({ name, path: folder, flags: { param: Object.fromEntries(examples) } });
    expect(wrong).toBeUndefined();
    expect(noted).toMatch(/^(\d+ rows?, times in UTC|No rows: the archive holds nothing like that)\. team = %/);
  });
});

describe('an answer', () => {
  test('is a table, with the number of rows and what was asked beside it', async () => {
    const { printed, noted } = await run({ name: 'sign_ins_by_method', path: folder, flags: MARCH });
    expect(printed).toMatch(/│ team │ method +│ sign_ins │/);
    expect(printed).toMatch(/│ main │ user\.sign_in +│ +\d+ │/);
    expect(noted).toBe('1 row, times in UTC. team = %, from = 2026-03-01, to = 2026-03-31');
  });

  test('is CSV', async () => {
    const { printed } = await run({ name: 'sign_ins_by_method', path: folder, flags: { ...MARCH, csv: true } });
    expect(printed).toMatch(/^team,method,sign_ins,people,addresses,first,last\nmain,user\.sign_in,\d+,0,0,2026-/);
  });

  test('is one JSON document', async () => {
    const { printed } = await run({ name: 'sign_ins_by_method', path: folder, flags: { ...MARCH, json: true } });
    expect(JSON.parse(printed)).toMatchObject({
      query: 'sign_ins_by_method',
      parameters: { team: '%', ...MARCH },
      rows: [{ team: 'main', method: 'user.sign_in', people: 0 }],
    });
  });

  test('of Athena says how much was read, and what that cost: never less than 10 MB', async () => {
    const athena = fakeAthena({ columns: text('team'), rows: [['main']], scannedBytes: 2_000_000_000 });
    const { noted, workgroups } = await run({ name: 'who_did_what', athena });
    expect(noted).toContain('2,000,000,000 bytes scanned, about $0.01000.');
    expect(workgroups).toEqual(['the-workgroup']);
    expect(athena.closed).toBe(1);
    const cheap = fakeAthena({ columns: text('team'), rows: [['main']], scannedBytes: 1 });
    expect((await run({ name: 'who_did_what', athena: cheap })).noted).toContain('1 byte scanned, about $0.00005.');
  });
});

describe('no rows', () => {
  test('are said to be an answer, with what the archive holds', async () => {
    const { wrong, printed, noted } = await run({
      name: 'who_did_what',
      path: folder,
      flags: { from: '2026-01-01', to: '2026-01-02' },
    });
    expect({ wrong, printed }).toEqual({ wrong: undefined, printed: '' });
    expect(noted).toMatch(/^No rows: the archive holds nothing like that\. team = %/);
    expect(noted).toMatch(/Of team main it holds 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d to 2026-03-1\d \d\d:\d\d:\d\d UTC\.$/);
  });

  test('for a team that was never archived are a slip', async () => {
    const { wrong } = await run({ name: 'who_did_what', path: folder, flags: { param: { team: 'mian' } } });
    expect(wrong).toBe('there is no team mian; the archive has main');
  });

  test('of Athena are told apart in the same way', async () => {
    const none = { columns: text('team'), rows: [], scannedBytes: 0 };
    const right = await run({ name: 'who_did_what', athena: fakeAthena(none, HELD) });
    expect(right.wrong).toBeUndefined();
    expect(right.noted).toContain('Of team main it holds 2026-02-01 00:00:00 to 2026-03-20 00:00:00 UTC.');
    expect(right.noted).not.toContain('Of team eu');
    const rows = HELD.rows.map(([team = '', , ...rest]) => [team, 'false', ...rest]);
    const wrong = await run({ name: 'who_did_what', athena: fakeAthena(none, { ...HELD, rows }) });
    expect(wrong.wrong).toBe('there is no team %; the archive has eu, main');
  });
});

describe('a slip', () => {
  test.each<[string, Given, RegExp]>([
    ['in the name', { name: 'who_did_waht' }, /^there is no query "who_did_waht"; "audit-archive query" lists them$/],
    [
      'in a date',
      { name: 'who_did_what', flags: { from: '2026-13-01' } },
      /^from is no date such as 2026-06-30: 2026-13-01\n/,
    ],
    ['in the order', { name: 'who_did_what', flags: { from: '2026-03-02', to: '2026-03-01' } }, /^from is after to\n/],
    ['in a parameter', { name: 'who_did_what', flags: { param: { tema: 'main' } } }, /^there is no parameter "tema"\n/],
    ['of leaving one out', { name: 'everything_one_person_did' }, /^person must be given, such as .*\n.*--explain/],
  ])('%s is named, and nothing is asked', async (_, given, said) => {
    const { wrong, printed, workgroups } = await run(given);
    expect(wrong).toMatch(said);
    expect({ printed, workgroups }).toEqual({ printed: '', workgroups: [] });
  });

  test('in the path is thrown: nothing is known about the archive', async () => {
    const path = join(folder, 'events');
    await expect(run({ name: 'who_did_what', path })).rejects.toThrow(`there is no archive in ${path}`);
  });
});
