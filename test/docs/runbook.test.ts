/** Whoever is paged at night believes `docs/runbook.md`, so it is tested: its sections, its commands and its queries. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OUTCOMES } from '../../cli/outcomes';
import { openFolderSql } from '../../cli/sql';
import { alarmTexts } from '../../infra/alarm-texts';
import { handler } from '../../lambdas/archiver/handler';
import { type AlarmId, alarmIds } from '../../lambdas/shared/alarms';
import type { Finding } from '../../lambdas/verifier/findings';
import { everyRight } from '../infra/calls';
import { buildArchive, sampleBatches, writeObjects } from '../support/archive-builder';
import { ACCOUNT, deploy } from '../support/deployed';
import { type Context, isAllowed } from '../support/policy';
import { blocksIn, runbook, runbookText as text } from '../support/runbook';
import { only, synthesise } from '../support/synthesised';
import { trinoProblems } from '../support/trino-grammar';

const ROOT = join(import.meta.dirname, '../..');
const errors = readFileSync(join(ROOT, 'lambdas/shared/errors.ts'), 'utf8');
const blocks = (kind: string, of?: string) => blocksIn(kind, of).map((body) => body.trim());
const headingsIn = (chapter: string) =>
  [...chapterOf(chapter).matchAll(/^### (.*)$/gm)].map(([, heading]) => heading).sort();

/** The second level of headings. */
function chapterOf(title: string): string {
  return text.split(/^## /m).find((chapter) => chapter.startsWith(`${title}\n`)) ?? '';
}

function sectionOf(id: string): string {
  return text.split(/^##+ /m).find((section) => section.startsWith(`${id}\n`)) ?? '';
}

test('there is a section for every alarm, and for no other', () => {
  expect(headingsIn('Alarms')).toEqual(alarmIds.toSorted());
});

test('there is a section for every code with which a run can fail, and for no other', () => {
  const codes = [...errors.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code);
  expect(codes).toContain('team-mismatch');
  expect(headingsIn('Failures')).toEqual([...codes, 'unexpected'].sort());
});

test('every end of a run that needs a person has a section, to which status points', () => {
  const pointed = Object.entries(OUTCOMES).flatMap(([code, { mend }]) => (mend === undefined ? [] : code));
  expect(pointed.filter((code) => sectionOf(code) === '')).toEqual([]);
});

test.each(
  alarmIds,
)('the section of %s says what it means, what to look at first, what mends it, and when not to use it', (id) => {
  const section = sectionOf(id);
  for (const part of ['Means', 'Look first', 'Mend', 'Do not use this']) expect(section).toContain(`**${part}**`);
});

test.each(
  Object.entries(alarmTexts).filter(([, { query }]) => query !== ''),
)('the section of %s repeats the query that the alarm opens', (id, { query }) => {
  expect(blocks('insights', sectionOf(id as AlarmId))).toContain(query.replace('<team>', 'main'));
});

describe('the queries of the log', () => {
  /** The fields of the lines that the functions log, besides those that CloudWatch adds. */
  const known = new Set<string>(['@timestamp', '@message', 'gaps.0.from', 'gaps.0.to', 'position']);
  known.add('object' satisfies keyof Finding);
  beforeAll(async () => {
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((chunk) => lines.push(...String(chunk).split('\n')) > 0);
    await handler(undefined, { getRemainingTimeInMillis: () => 0 } as never).catch(() => undefined);
    for (const line of lines.filter((each) => each.startsWith('{')))
      for (const field of Object.keys(JSON.parse(line))) known.add(field);
  });

  test.each(
    blocks('insights'),
  )('a query of the log has commands of Logs Insights and fields that are logged: %s', (query) => {
    const [filter = '', display = '', ...others] = query.split(' | ');
    expect([filter.split(' ')[0], display.split(' ')[0], others]).toEqual(['filter', 'display', []]);
    const words = filter.replace(/"[^"]*"/g, '').match(/[@\w][\w.]*/g) ?? [];
    const fields = words.filter((word) => !['filter', 'and', 'or', 'ispresent'].includes(word));
    const shown = display.replace('display ', '').split(', ');
    expect([...fields, ...shown].filter((field) => !known.has(field))).toEqual([]);
    expect(fields.length).toBeGreaterThan(0);
  });
});

describe('the queries in SQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(blocks('sql'))('a query in SQL is right for Athena and answers on a copy: %s', async (sql) => {
    expect(trinoProblems(sql)).toEqual([]);
    writeObjects(await buildArchive({ batches: sampleBatches }), folder);
    const engine = await openFolderSql(folder, { now: new Date() });
    try {
      expect((await engine.ask(sql)).columns.length).toBeGreaterThan(2);
    } finally {
      engine.close();
    }
  });
});

describe('the commands', () => {
  const lines = blocks('sh').join('\n').replaceAll('\\\n', ' ').split('\n');

  test('every block of commands is typed by a suite that has the real AWS CLI', () => {
    const suites = ['engines/runbook.test.ts', 'deploy/deploy.test.ts'].map((file) =>
      readFileSync(join(ROOT, 'test', file), 'utf8'),
    );
    const typed = Object.entries(runbook).filter(([name]) =>
      suites.some((suite) => new RegExp(`\\brunbook\\.${name}\\b`).test(suite)),
    );
    expect(typed.map(([, block]) => block).sort()).toEqual(blocksIn('sh').sort());
  });

  test('no command deletes a version that is not a marker', () => {
    const deletions = lines.filter((line) => line.includes('delete-object'));
    expect(deletions.map((line) => /--version-id (.*)$/.exec(line)?.[1])).toEqual([undefined, '"$MARKER"']);
  });
});

describe('the lines that exempt an administrator from the bucket policy', () => {
  const { template } = synthesise({ teams: [{ name: 'main' }] });
  const { policies, arnOf } = deploy(template);
  const { id } = only(template, 'AWS::S3::BucketPolicy', 'StorageBucket');
  const { id: bucket } = only(template, 'AWS::S3::Bucket', 'StorageBucket');
  const Statement = policies.find(({ source }) => source === id)?.statements ?? [];
  const [administrator, other] = ['Administrator', 'Other'].map((name) => `arn:aws:iam::${ACCOUNT}:role/${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'policy-'));
  const policyFile = join(folder, 'deployed.json');
  beforeAll(() => writeFileSync(policyFile, JSON.stringify({ Statement })));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Types the block, with a stand-in for the AWS CLI that keeps the policy in a file. */
  function type(lines: string): void {
    const aws = `aws() { case $2 in get-*) cat deployed.json ;; *) cp "$(echo "$6" | cut -c 8-)" deployed.json ;; esac; }`;
    const { status, stderr } = spawnSync('bash', ['-ec', `${aws}\n${lines}`], { cwd: folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  }

  const overwriting = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:ObjectCreationOperation': 'true' };
  const creating = { ...overwriting, 's3:if-none-match': '*' };

  /** Whether somebody with every right may put the object. */
  function mayPut(principal = '', key = 'events/team=main/a', context: Context = creating): boolean {
    const { Statement: statements } = JSON.parse(readFileSync(policyFile, 'utf8'));
    const now = policies.map((policy) => (policy.source === id ? { ...policy, statements } : policy));
    const call = { principal, action: 's3:PutObject', resource: `${arnOf(bucket)}/${key}`, context };
    return isAllowed([...now, everyRight(principal)], call);
  }

  const declare = spawnSync('sh', ['-c', 'command -v jq']).status === 0 ? test : test.skip;
  declare('they let one role create objects of the archive, and nothing else, until they are undone', () => {
    expect(mayPut(administrator)).toBe(false);
    type(runbook.exempt);
    expect(mayPut(administrator)).toBe(true);
    expect(mayPut(other)).toBe(false);
    expect(mayPut(administrator, 'events/team=main/a', overwriting)).toBe(false);
    expect(mayPut(administrator, 'anchors/team=main/a')).toBe(false);
    type(runbook.restorePolicy);
    expect(JSON.parse(readFileSync(policyFile, 'utf8'))).toEqual({ Statement });
  });
});
