/** The evidence package: what the report and the answers of a year show, and that whatever is taken out of a package is missed. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describeEvidence } from '../../cli/evidence';
import { COLUMNS } from '../../cli/evidence/answer-chapter';
import { UNCOMPARED } from '../../cli/evidence/package-format';
import { prepareQuestions } from '../../cli/evidence/questions';
import { verifyPackage } from '../../cli/evidence/verify-package';
import { readQueries } from '../../infra/queries/queries';
import type { Slice } from '../../lambdas/shared/json';
import { sha256 } from '../../lambdas/shared/manifest';
import { segmentKey } from '../../lambdas/shared/object-keys';
import { buildArchive, createSigner, eventLine, readerOf, sampleBatches, twoTeams } from '../support/archive-builder';
import { evidenceOf } from '../support/evidence';
import { archiveYear, HOSTILE, YEAR } from '../support/evidence-year';
import { inFolder, NOW } from '../support/judge';
import { scratch } from '../support/scratch';

const FOREVER = { mode: 'COMPLIANCE', until: new Date('2099-01-01T00:00:00Z') } as const;
const MARCH = { from: '2026-03-09', to: '2026-03-10' };

describe('the package of a year with a gap, late events, a revision, days that were not read, and a finding', () => {
  const folder = join(scratch, 'year');
  let made: Awaited<ReturnType<typeof evidenceOf>>;
  let report = '';

  beforeAll(async () => {
    const objects = new Map(await archiveYear());
    const key = [...objects.keys()].find((each) => each.startsWith('events/team=main/dt=2025-09-10/')) ?? '';
    objects.set(key, Buffer.from('not what was committed'));
    made = await evidenceOf(objects, folder, {
      ...YEAR,
      asked: 'all',
      param: { office: '203.0.113.0/24' },
    });
    report = readFileSync(join(folder, 'report.html'), 'utf8');
  });

  test('the report says first that it is not good, and names the object and the kind of the finding', () => {
    expect(made.clean).toBe(false);
    expect(report).toContain('<p class="result">NOT GOOD: 1 finding.');
    expect(report).toMatch(
      /<code>segment-malformed<\/code>.*<code>events\/team=main\/dt=2025-09-10\/\d{10}\.ndjson\.gz<\/code>/,
    );
    expect(report).toContain('1 object did not match the signed manifests.');
  });

  test('the calendar shows each kind of day in its own way, and tells its facts', () => {
    const squares = report.matchAll(/<g class="([^"]+)"><title>(\d{4}-\d\d-\d\d): ([^<]+)<\/title>/g);
    const days = new Map([...squares].map(([, kind, date = '', facts]) => [date, `${kind}: ${facts}`]));
    const dates = ['2025-01-09', '2025-01-12', '2025-03-04', '2025-04-11', '2025-05-06', '2025-06-03', '2025-12-31'];
    expect(days.size).toBe(365);
    expect(dates.map((date) => days.get(date))).toEqual([
      'unread: before the archive, 0 events',
      'level0: complete, 0 events, read in one go on 2025-01-20, sweep complete',
      'level4: complete, 7 events, 1 late, read in one go on 2025-03-05, sweep complete',
      'level4: complete, 7 events, 1 in quarantine, 1 changed at the source, read in one go on 2025-04-12, sweep complete',
      'level4: complete, 8 events, 1 in quarantine, 1 run, sweep complete',
      'gap: gap, 1,440 minutes lost, 0 events, sweep partial',
      'unread: not read yet, 0 events',
    ]);
  });

  test('the report says before the findings what is open, and explains its words', () => {
    const beginning = report.slice(0, report.indexOf('<h2>Findings'));
    for (const sentence of [
      UNCOMPARED,
      'Locks: No retention was set, so no object is locked.',
      'Anchors: anchors.json is empty.',
      'Sweeps: a sweep read 323 of the 344 archived days completely a second time.',
      'Quarantine: 2 lines could not be archived',
      'Not read: 9 days, because the archive begins at 2025-01-10 00:00:00 UTC.',
      'Not read yet: 12 days, because the archive had come to 2025-12-20 00:00:00 UTC when this package was made',
      'Gap: 2025-06-0',
      '<dt>Sweep</dt><dd>a second reading',
    ])
      expect(beginning).toContain(sentence);
  });

  test('the report says who stated a parameter, where the events came from, and nothing to those who run queries', () => {
    expect(report).toContain('The company stated these networks as its offices: 203.0.113.0/24.');
    expect(report).toContain('Defaults: history_from = 2020-01-01, minutes = 60.');
    expect(report).toContain('<dt>Events from</dt><dd>https://api.getpostman.com, as the manifests state</dd>');
    expect(report).not.toMatch(/Athena|By default/);
  });

  test('the report explains each column of the CSV files, and no other', () => {
    const answers = join(import.meta.dirname, '../fixtures/queries');
    const files = readQueries().map(({ name }) => join(answers, `${name}.csv`));
    const names = [join(folder, 'events.csv'), ...files].flatMap((file) =>
      (readFileSync(file, 'utf8').replace('\ufeff', '').split('\n')[0] ?? '').split(','),
    );
    expect(Object.keys(COLUMNS).sort()).toEqual([...new Set(names)].sort());
  });

  test('the verdict counts complete days, days with a gap and days that were not read', () => {
    expect(report).toContain(
      'Days read completely: 323 of 365. With a gap: 21, in which 28,802 minutes are lost. Not read: 21.',
    );
  });

  test('a text of an event stays text in the report, and the page loads nothing and runs nothing', () => {
    const [script, image] = HOSTILE;
    expect(report).toContain(script.replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
    expect(report).not.toContain('<script');
    expect(report).not.toContain(image.slice(2));
    expect(report).toContain('\\u{202e}gnp.exe');
    expect(report).not.toMatch(/<(?:img|link|iframe|object|embed)|\bon\w+="|(?:src|href)="(?:\w+:|\/\/)|url\((?!#)/);
    expect(report).toContain("default-src 'none'");
  });

  test('every answer is a file that the report links, and a query whose parameter is missing says what it needs', () => {
    const files = readdirSync(join(folder, 'answers')).sort();
    expect([...report.matchAll(/<td><a href="answers\/([^"]+)">/g)].map(([, file]) => file)).toEqual(files);
    expect(files).toContain('completeness.csv');
    expect(report).toContain('Not asked: it needs <code>--param person=ada@example.com</code>');
    expect(readFileSync(join(folder, 'answers/late_events.csv'), 'utf8')).toMatch(/^2025-03-04 12:00:00,.*,9001$/m);
    expect(readFileSync(join(folder, 'answers/quarantine_and_revisions.csv'), 'utf8')).toMatch(
      /^2025-04-11,main,revision,"Postman served this event again .*",9002,/m,
    );
  });

  test('events.csv holds each event of the period once, but for the segment that was changed', () => {
    const rows = readFileSync(join(folder, 'events.csv'), 'utf8').trimEnd().split('\n').slice(1);
    const ids = rows.map((row) => /^[^,]+,main,(\d+),/.exec(row)?.[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(made.summary.events);
    expect(ids).toContain('9002');
  });
});

describe('a package of two days', () => {
  let number = 0;
  let packageSha256 = '';

  /** Makes a package, changes something in it, and verifies it. */
  async function verdict(change: (folder: string) => void = () => undefined, options: { packageSha256?: string } = {}) {
    number += 1;
    const folder = join(scratch, `package-${number}`);
    cpSync(join(scratch, 'package'), folder, { recursive: true });
    change(folder);
    const printed: string[] = [];
    const exitCode = await verifyPackage(folder, { now: NOW, ...options, print: (text) => printed.push(text) });
    return { exitCode, text: printed.join('\n') };
  }

  beforeAll(async () => {
    ({ packageSha256 } = await evidenceOf(await twoTeams(), join(scratch, 'package'), MARCH));
  });

  test('it is good, says what it holds, and that its key must be compared', async () => {
    const { exitCode, text } = await verdict();
    expect(exitCode).toBe(0);
    expect(text).toContain(
      'The package holds team main from 2026-03-09 to 2026-03-10, and the chain up to manifest 4.',
    );
    expect(text).toContain('Segments of other dates, and the batch objects, were not read.');
    expect(text).toContain('The public key came with the package');
    expect(text).toMatch(
      new RegExp(`^SHA-256 of this package .*: ${packageSha256}\\nCompare this with what the company`),
    );
    expect(text).toContain(UNCOMPARED);
    const compared = await verdict(undefined, { packageSha256 });
    expect(compared.exitCode).toBe(0);
    expect(compared.text).not.toContain(UNCOMPARED);
  });

  test('the report of a month that was never swept says so, and when the month was first read', () => {
    const report = readFileSync(join(scratch, 'package/report.html'), 'utf8');
    const month = /<th scope="row">2026-03<\/th>(.*?)<\/tr>/s.exec(report)?.[1]?.replaceAll(/<[^>]*>|\n/g, ' ');
    expect(month).toMatch(/^ +2026-03-10 .* not checked +not checked +$/);
  });

  test('it is good however its folder is written', async () => {
    for (const path of [join(scratch, 'package/'), relative('.', join(scratch, 'package')), `${scratch}/./package`])
      expect(await verifyPackage(path, { now: NOW, print: () => undefined })).toBe(0);
  });

  test('it holds all manifests of its team and the segments of the period, and nothing of another team', () => {
    const files = readdirSync(join(scratch, 'package/archive'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.json'))).toHaveLength(4);
    expect(files.filter((file) => file.endsWith('.gz')).sort()).toEqual([
      'events/team=main/dt=2026-03-09/0000000001.ndjson.gz',
      'events/team=main/dt=2026-03-10/0000000001.ndjson.gz',
      'events/team=main/dt=2026-03-10/0000000002.ndjson.gz',
      'events/team=main/dt=2026-03-10/0000000004.ndjson.gz',
      'quarantine/team=main/dt=2026-03-09/0000000002.ndjson.gz',
      'quarantine/team=main/dt=2026-03-10/0000000002.ndjson.gz',
    ]);
  });

  const forgeries: readonly (readonly [string, (folder: string) => void])[] = [
    ['the answers are removed', (folder) => rmSync(join(folder, 'answers'), { recursive: true })],
    [
      'the newest manifest and its events are removed',
      (folder) => {
        const manifests = join(folder, 'archive/manifests/team=main');
        rmSync(join(manifests, '0000000004.json'));
        rmSync(join(folder, 'archive', segmentKey('events', 'main', '2026-03-10', 4)));
        edit(join(folder, 'events.csv'), (text) => text.replace(/^.*,main,.*,4\n/gm, ''));
        const envelope = JSON.parse(readFileSync(join(manifests, '0000000003.json'), 'utf8'));
        const head = { seq: 3, sha256: sha256(Buffer.from(envelope.payload, 'base64')) };
        editDescription(folder, { head });
      },
    ],
  ];
  test.each(forgeries)('a package in which %s, with new hashes, is another package', async (_what, forge) => {
    const forged = (folder: string) => {
      forge(folder);
      updateHashes(folder);
    };
    expect(await verdict(forged)).toMatchObject({ exitCode: 0, text: expect.stringContaining(UNCOMPARED) });
    const { exitCode, text } = await verdict(forged, { packageSha256 });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^.*\nNOT GOOD: the SHA-256 that was given/);
    expect(text).not.toContain('Good');
  });

  test.each<[string, string, (text: string) => string]>([
    ['lacks an event', '2026-03-10', (text) => text.replace(/[^\n]*\n$/, '')],
    ['has an event twice', '2026-03-10', (text) => text + text.slice(text.trimEnd().lastIndexOf('\n') + 1)],
    [
      'has an event with another id',
      '2026-03-10',
      (text) => text.replace(/,main,([^,]+),(?![\s\S]*,main,)/, ',main,77,'),
    ],
    ['lacks a day', '2026-03-09', (text) => text.replace(/^2026-03-09.*\n/gm, '')],
  ])('events.csv that %s is not that of the signed archive, also with new hashes', async (_what, date, change) => {
    const { exitCode, text } = await verdict((folder) => {
      edit(join(folder, 'events.csv'), change);
      updateHashes(folder);
    });
    expect(exitCode).toBe(1);
    expect(text).toContain(`events.csv (its events of ${date} are not those of the signed archive)`);
  });

  test.each<[string, (text: string) => string]>([
    ['other line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['no mark at its beginning', (text) => text.slice(1)],
  ])('a CSV file with %s was probably saved by a spreadsheet', async (_what, change) => {
    const { text } = await verdict((folder) => edit(join(folder, 'events.csv'), change));
    expect(text).toContain('events.csv (changed: saved again by a spreadsheet? Work on a copy of the package)');
  });

  test('a package without anchors.json cannot be verified, and a sentence says so', async () => {
    const without = verdict((folder) => rmSync(join(folder, 'anchors.json')));
    await expect(without).rejects.toThrow(/anchors\.json is missing, so the package was not verified/);
  });

  const segment = segmentKey('events', 'main', '2026-03-10', 2);
  test.each<[string, string, (folder: string) => void]>([
    ['a segment', 'its manifest lists 2 events of 2026-03-10', (folder) => rmSync(join(folder, 'archive', segment))],
    [
      'a day',
      'segment-missing',
      (folder) => rmSync(join(folder, 'archive/events/team=main/dt=2026-03-09'), { recursive: true }),
    ],
    ['a manifest', 'manifest-missing', (folder) => rmSync(join(folder, 'archive/manifests/team=main/0000000002.json'))],
    [
      'the newest manifest',
      'chain-truncated',
      (folder) => rmSync(join(folder, 'archive/manifests/team=main/0000000004.json')),
    ],
    ['a line of events.csv', 'events.csv (changed)', (folder) => withoutLastLine(join(folder, 'events.csv'))],
    [
      'a line of an answer',
      'answers/who_did_what.csv',
      (folder) => withoutLastLine(join(folder, 'answers/who_did_what.csv')),
    ],
    [
      'an answer',
      'answers/events_per_day.csv (missing)',
      (folder) => rmSync(join(folder, 'answers/events_per_day.csv')),
    ],
  ])('the verifier of the package misses %s that was removed', async (_what, named, remove) => {
    const { exitCode, text } = await verdict(remove);
    expect(exitCode).toBe(1);
    expect(text).toContain(named);
    expect(text).toContain('NOT GOOD');
    expect(text).not.toContain('Good');
  });

  test.each<[string, string, (folder: string) => void]>([
    [
      'a file that nothing lists',
      'answers/zz.csv (added)',
      (folder) => writeFileSync(join(folder, 'answers/zz.csv'), ''),
    ],
    ['an object of another day', 'dt=2026-03-11/0000000002.ndjson.gz (added)', (folder) => plant(folder, '2026-03-11')],
    [
      'a list that names a file elsewhere',
      '../../../../../dev/zero',
      (folder) => editDescription(folder, { files: { '../../../../../dev/zero': 'a'.repeat(64) } }),
    ],
    [
      'a list that names another key',
      'public-key.pem (evidence',
      (folder) => editDescription(folder, { keyid: 'b'.repeat(64) }),
    ],
    [
      'a number of findings',
      'the archive had 2 findings: report.html',
      (folder) => editDescription(folder, { findings: 2 }),
    ],
  ])('the verifier of the package does not call good %s', async (_what, named, change) => {
    const { exitCode, text } = await verdict(change);
    expect(exitCode).toBe(1);
    expect(text).toContain(named);
  });

  test.each([
    ['ends before it begins', { from: '2026-03-10', to: '2026-03-09' }],
    ['ends with manifest 0', { head: { seq: 0, sha256: 'a'.repeat(64) } }],
  ])('evidence.json that %s is refused', async (_what, change) => {
    await expect(verdict((folder) => editDescription(folder, change))).rejects.toThrow(
      'does not describe an evidence package',
    );
  });

  test('saved heads that name no manifest of the team are refused, because nothing would be compared', async () => {
    const heads = join(scratch, 'heads.json');
    writeFileSync(heads, JSON.stringify([{ team: 'other', seq: 99, sha256: 'a'.repeat(64) }]));
    const verifying = verifyPackage(join(scratch, 'package'), { now: NOW, head: heads, print: () => undefined });
    await expect(verifying).rejects.toThrow('names no manifest of team main');
  });

  test('nothing expires in a package, and its report says how long the archive is kept', async () => {
    const retention = { mode: 'COMPLIANCE', days: 200, expireAfterDays: 200 } as const;
    const batches = sampleBatches.map((spec) => ({
      ...spec,
      amend: (drawn: object) => ({ ...drawn, retention }) as never,
    }));
    const folder = join(scratch, 'expiring');
    await evidenceOf(await buildArchive({ batches }), folder, { ...MARCH, now: new Date('2026-03-11T00:00:00Z') });
    const report = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(report).toContain(
      'from 2026-03-10 to 2026-03-10 is kept for 200 days after it was written (mode COMPLIANCE). Nobody can',
    );
    expect(report).toContain('<li>Locks: A copy of the bucket has no locks, so the locks were not checked');
    rmSync(join(folder, 'archive', segment));
    const printed: string[] = [];
    const now = new Date('2036-01-01T00:00:00Z');
    expect(await verifyPackage(folder, { now, print: (text) => printed.push(text) })).toBe(1);
    expect(printed.join('\n')).not.toContain('this copy is old');
  });

  test('another key than the one that came with the package is refused', () =>
    inFolder(async (folder) => {
      const key = join(folder, 'other.pem');
      writeFileSync(key, createSigner().publicPem);
      const printed: string[] = [];
      const options = { now: NOW, key, print: (text: string) => printed.push(text) };
      expect(await verifyPackage(join(scratch, 'package'), options)).toBe(1);
      expect(printed.join('\n')).toContain('signature-other-key');
    }));

  test('a folder without evidence.json is not a package', async () => {
    await expect(verifyPackage(join(scratch, 'package/archive'), { now: NOW, print: () => undefined })).rejects.toThrow(
      'evidence.json is missing, so the package was not verified',
    );
  });
});

test('ids of every kind are found again in events.csv', async () => {
  const tokens = [
    '1.50',
    '-0',
    '1e3',
    '18446744073709551616',
    '9007199254740993',
    '"=1"',
    '"a,b"',
    '"a\\"b"',
    '"\\u00e9"',
    '"\\ud800"',
    '"é\\n"',
    '"-5"',
  ];
  const events = tokens.map((token, index) =>
    eventLine('ID', `2026-03-10T00:00:${10 + index}.000Z`).replace('"ID"', () => token),
  );
  const { clean, summary } = await evidenceOf(
    await buildArchive({ batches: [{ events }] }),
    join(scratch, 'ids'),
    MARCH,
  );
  expect({ clean, events: summary.events }).toEqual({ clean: true, events: tokens.length });
});

test('a finding outside of the period is not in the package, and one in a foreign place of the team is', async () => {
  const objects = await twoTeams();
  objects.set('events/team=main/dt=2026-03-09/0000000099.ndjson.gz', Buffer.from('planted'));
  const { clean, verification } = await evidenceOf(objects, join(scratch, 'planted'), MARCH);
  expect(clean).toBe(false);
  expect(verification.findings.map(({ code }) => code)).toEqual(['object-unlisted']);
  const { clean: otherDay } = await evidenceOf(await twoTeams(), join(scratch, 'other-day'), {
    from: '2026-03-11',
    to: '2026-03-11',
  });
  expect(otherDay).toBe(true);
});

test('each object is read once from the archive, and the locks of the archive are compared', async () => {
  const objects = await twoTeams();
  const gets: string[] = [];
  const { get, list } = readerOf(objects);
  const reader = {
    list,
    get: (key: string, range?: Slice) => {
      gets.push(key);
      return get(key, range);
    },
    lockOf: (key: string) => (key.endsWith('0000000002.json') ? undefined : FOREVER),
  };
  const { verification } = await evidenceOf(objects, join(scratch, 'locks'), { ...MARCH, reader });
  expect(verification.findings.map(({ code, object }) => `${code} ${object}`)).toEqual([
    'lock-missing manifests/team=main/0000000002.json',
  ]);
  expect([...new Set(gets)].sort()).toEqual([...gets].sort());
  expect(readFileSync(join(scratch, 'locks/report.html'), 'utf8')).toContain('The lock of every object that was read');
});

test('a run that commits while the evidence is copied does no harm', async () => {
  const objects = await twoTeams();
  const later = ['manifests/team=main/0000000004.json', 'events/team=main/dt=2026-03-10/0000000004.ndjson.gz'];
  const held = new Map(later.map((key) => [key, objects.get(key) ?? Buffer.of()]));
  for (const key of later) objects.delete(key);
  const { get, list } = readerOf(objects);
  let gets = 0;
  const reader = {
    list,
    get: (key: string, range?: Slice) => {
      gets += 1;
      if (gets === 3) for (const [each, bytes] of held) objects.set(each, bytes);
      return get(key, range);
    },
  };
  const { clean, summary } = await evidenceOf(objects, join(scratch, 'growing'), { ...MARCH, reader });
  expect(clean).toBe(true);
  expect(summary.head?.seq).toBe(3);
});

test('with a wrong key there is a package too, which is not good', async () => {
  const objects = await buildArchive({ batches: sampleBatches, signer: createSigner() });
  const { clean, verification } = await evidenceOf(objects, join(scratch, 'wrong-key'), MARCH);
  expect(clean).toBe(false);
  expect(verification.findings[0]?.code).toBe('signature-other-key');
});

test('a period before the archive is good, and the result says that no day is covered', async () => {
  const period = { from: '2021-01-01', to: '2021-01-31' };
  const made = await evidenceOf(await twoTeams(), join(scratch, 'before'), period);
  expect(describeEvidence(made, 'out')).toContain('Days read completely: 0 of 31. Not read: 31.');
});

test('a query compares with the history before the period, which the package does not hold', async () => {
  const events = [
    eventLine(1, '2026-03-09T20:00:00.000Z', { action: 'known' }),
    eventLine(2, '2026-03-10T00:10:00.000Z', { action: 'known' }),
  ];
  const folder = join(scratch, 'history');
  await evidenceOf(await buildArchive({ batches: [{ events }] }), folder, {
    from: '2026-03-10',
    to: '2026-03-10',
    asked: ['actions_never_seen_before'],
  });
  expect(readFileSync(join(folder, 'answers/actions_never_seen_before.csv'), 'utf8').split('\n')).toHaveLength(2);
  expect(readdirSync(join(folder, 'archive/events/team=main'))).toEqual(['dt=2026-03-10']);
});

test('a folder that is not empty, an unknown team and a wrong parameter are refused', async () => {
  mkdirSync(join(scratch, 'full'));
  writeFileSync(join(scratch, 'full/old'), '');
  await expect(evidenceOf(await twoTeams(), join(scratch, 'full'), MARCH)).rejects.toThrow('is not empty');
  await expect(evidenceOf(await twoTeams(), join(scratch, 'none'), { ...MARCH, team: 'mian' })).rejects.toThrow(
    'the archive contains no team mian; its teams are main, other',
  );
  expect(prepareQuestions('main', MARCH, { nobody: 'x' }, NOW)).toEqual(['no query has a parameter "nobody"']);
  expect(prepareQuestions('main', { from: '2019-12-31', to: '9999-12-31' }, {}, NOW)).toEqual(
    expect.arrayContaining([expect.stringContaining('no event is older'), 'to must not be later than tomorrow']),
  );
  expect(prepareQuestions('main', { from: MARCH.to, to: MARCH.from }, {}, NOW)).toContain(
    `from must not be later than to: ${MARCH.to} is later than ${MARCH.from}`,
  );
});

function plant(folder: string, date: string): void {
  const day = join(folder, `archive/events/team=main/dt=${date}`);
  mkdirSync(day);
  writeFileSync(join(day, '0000000002.ndjson.gz'), '');
}

function editDescription(folder: string, change: object): void {
  const file = join(folder, 'evidence.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
}

function withoutLastLine(file: string): void {
  edit(file, (text) => text.replace(/[^\n]*\n$/, ''));
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** A forger can bring the hashes in evidence.json up to date, because nobody signs that file. */
function updateHashes(folder: string): void {
  const names = Object.keys(JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8')).files);
  const found = names.filter((name) => existsSync(join(folder, name)));
  const files = Object.fromEntries(found.map((name) => [name, sha256(readFileSync(join(folder, name)))]));
  editDescription(folder, { files });
}
