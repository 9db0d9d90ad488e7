/** DuckDB on a copy of the bucket: the manifests decide what is read, whatever the folder is called and else contains. */

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openFolderSql } from '../../cli/sql';
import { AlteredCopyError, type CopyOptions, readManifests, readSegments } from '../../cli/sql-copy';
import { bind, readQueries, statement } from '../../infra/queries/queries';
import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { compress } from '../../lambdas/shared/segment';
import {
  type BatchSpec,
  buildArchive,
  createSigner,
  type Objects,
  readerOf,
  sampleBatches,
  testKey,
  writeObjects,
} from '../support/archive-builder';
import { keyOf, read } from '../support/tampering';

const NOW = new Date('2026-03-20T00:00:00Z');
const EVENTS = 'SELECT team, dt, seq, id FROM events ORDER BY id';

const folder = mkdtempSync(join(tmpdir(), 'sql-'));
let good: Objects;
let copies = 0;

beforeAll(async () => {
  good = await buildArchive({ batches: sampleBatches });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function rowsIn(path: string, sql: string, options: Partial<CopyOptions> = {}) {
  const engine = await openFolderSql(path, { now: NOW, ...options });
  try {
    return { rows: (await engine.ask(sql)).rows, remarks: (engine.remarks ?? []).join('\n') };
  } finally {
    engine.close();
  }
}

/** The rows in a copy of these objects. */
function ask(objects: Objects, sql: string, options: Partial<CopyOptions> = {}) {
  copies += 1;
  const path = join(folder, `copy-${copies}`);
  writeObjects(objects, path);
  return rowsIn(path, sql, options);
}

function changed(change: (objects: Objects) => void): Objects {
  const objects = new Map(good);
  change(objects);
  return objects;
}

/** The answer of events_per_day for the days from 8 to 11 March. */
function statesOf(objects: Objects, options: Partial<CopyOptions> = {}) {
  const query = readQueries().find(({ name }) => name === 'events_per_day');
  const bound = query && bind(query, { from: '2026-03-08', to: '2026-03-11' }, NOW);
  if (query === undefined || bound === undefined || 'problems' in bound) throw new Error('events_per_day has changed');
  return ask(objects, `SELECT dt, events, state FROM (${statement(query, bound.values)}) AS days ORDER BY dt`, options);
}

test.each([
  'copies/dt=2026-11-25',
  'team=zzz',
  'st*r',
  'br[1]ack',
  'q?m',
  'back\\slash',
  "o'clock",
  'a,b',
])('a copy below a folder with the name %s gives the same answer', async (name) => {
  const path = join(folder, name, 'bucket');
  writeObjects(good, path);
  // A pattern in the path must not match these neighbours.
  for (const neighbour of ['star', 'br1ack', 'qxm']) {
    mkdirSync(join(folder, neighbour), { recursive: true });
    cpSync(path, join(folder, neighbour, 'bucket'), { recursive: true });
  }
  expect((await rowsIn(path, EVENTS)).rows).toEqual([
    ['main', '2026-03-09', '1', '1'],
    ['main', '2026-03-09', '1', '2'],
    ['main', '2026-03-10', '1', '3'],
    ['main', '2026-03-10', '1', '4'],
    ['main', '2026-03-10', '2', '5'],
    ['main', '2026-03-10', '2', '6'],
    ['main', '2026-03-10', '4', '8'],
  ]);
});

test('files that no manifest lists are not read', async () => {
  const path = join(folder, 'strays');
  writeObjects(good, path);
  const planted = compress(Buffer.from('{"id":99,"timestamp":"2026-03-09T00:00:00Z"}\n'));
  for (const stray of [
    keyOf('E1a').replace('0000000001', '._0000000001'),
    keyOf('E1a').replace('0000000001', '0000000003'),
    'events/team=main/dt=2026-03-09/copy/0000000001.ndjson.gz',
    manifestKey('main', 1).replace('0000000001', '._0000000001'),
    'manifests/.DS_Store',
  ]) {
    mkdirSync(dirname(join(path, stray)), { recursive: true });
    writeFileSync(join(path, stray), planted);
  }
  expect((await rowsIn(path, 'SELECT count(*), count(DISTINCT id) FROM events')).rows).toEqual([['7', '7']]);
});

describe('a copy that contradicts its manifests is not queried', () => {
  const other = () => compress(Buffer.from('{"id":1,"timestamp":"2026-03-09T23:58:00Z","ip":"192.0.2.99"}\n'));
  test.each<[string, (objects: Objects) => void, Partial<CopyOptions>, string]>([
    [
      'a segment with another address',
      (all) => all.set(keyOf('E1a'), other()),
      {},
      `${keyOf('E1a')} has other content`,
    ],
    ['a manifest that is no manifest', (all) => all.set(keyOf('M3'), other()), {}, `${keyOf('M3')} is not a manifest`],
    ['a manifest at another place', (all) => all.set(keyOf('M5'), read(all, 'M4')), {}, 'contains manifest 4'],
    [
      'manifests of another key',
      () => undefined,
      { publicKey: createSigner().publicKey },
      'was not signed with the given',
    ],
  ])('%s', async (_, change, options, problem) => {
    const asked = ask(changed(change), EVENTS, options);
    await expect(asked).rejects.toThrow(AlteredCopyError);
    await expect(asked).rejects.toThrow(problem);
  });

  test('a manifest that lists a key outside of its own folders', async () => {
    const amend = (manifest: Manifest) => ({
      ...manifest,
      segments: manifest.segments.map((entry) => ({
        ...entry,
        key: 'events/team=main/dt=2026-03-09/../../../key.pem',
      })),
    });
    const objects = await buildArchive({ batches: [{ ...sampleBatches[0], amend }] });
    await expect(ask(objects, EVENTS)).rejects.toThrow('which is not a key of its segments');
  });
});

test('a changed segment of a day that is not asked for does not matter', async () => {
  const objects = changed((all) => all.set(keyOf('E1a'), Buffer.from('x')));
  expect((await ask(objects, 'SELECT count(*) FROM events', { from: '2026-03-10' })).rows).toEqual([['5']]);
});

test('a copy is said to be unverified unless a key was given that signed its manifests', async () => {
  expect((await ask(good, EVENTS)).remarks).toMatch(/^This copy was not verified: .*--key/);
  expect((await ask(good, EVENTS, { publicKey: testKey })).remarks).toBe('');
});

test.each([
  ['a segment', keyOf('E2b')],
  ['a manifest', keyOf('M2')],
])('the user is told that %s is absent', async (_, key) => {
  const { remarks } = await ask(
    changed((all) => all.delete(key)),
    EVENTS,
    { publicKey: testKey },
  );
  expect(remarks).toBe(
    `This copy is not complete: it lacks 1 object that should be there, ${key}. Their lines are not in the result. Copy the bucket again.`,
  );
});

test('manifests that are absent before one with an absurd number are counted at once', async () => {
  const seq = 9_999_999_999;
  const stray = await buildArchive({ batches: [{ amend: (manifest) => ({ ...manifest, seq }) }] });
  const objects = changed((all) => all.set(manifestKey('main', seq), read(stray, 'M1')));
  const { remarks } = await ask(objects, EVENTS, { publicKey: testKey });
  const absent = `it lacks 9,999,999,994 objects that should be there, ${manifestKey('main', 5)} and 9999999993 more`;
  expect(remarks).toContain(absent);
});

test('a day whose events are not those that the manifests list is not called complete', async () => {
  expect((await statesOf(good)).rows).toEqual([
    ['2026-03-08', '0', 'before the archive'],
    ['2026-03-09', '2', 'read in part'],
    ['2026-03-10', '5', 'read in part'],
    ['2026-03-11', '0', 'not read yet'],
  ]);
  const partial = changed((all) => {
    for (const name of ['E1a', 'E2b']) all.delete(keyOf(name));
  });
  expect((await statesOf(partial)).rows.map(([, events, state]) => [events, state])).toEqual([
    ['0', 'before the archive'],
    ['0', 'not as listed'],
    ['3', 'not as listed'],
    ['0', 'not read yet'],
  ]);
});

test('a segment that the signed retention allowed to delete is no gap in the copy, and its day has expired', async () => {
  const amend = (manifest: Manifest): Manifest => ({
    ...manifest,
    retention: { mode: 'GOVERNANCE', days: 100, expireAfterDays: 200 },
  });
  const objects = await buildArchive({ batches: sampleBatches.map((batch: BatchSpec) => ({ ...batch, amend })) });
  objects.delete(keyOf('E1a'));
  const late = await statesOf(objects, { publicKey: testKey, now: new Date('2026-11-25T00:00:00Z') });
  expect(late.remarks).toBe('');
  expect(late.rows[1]).toEqual(['2026-03-09', '0', 'expired']);
});

test('a file that cannot be read is an error, and not a missing one', async () => {
  const reader = readerOf(good);
  const get = async (key: string) => {
    if (key === keyOf('E1a')) throw new Error('EACCES: permission denied');
    return reader.get(key);
  };
  async function readAll(): Promise<void> {
    const { manifests } = await readManifests(reader, { now: NOW });
    for await (const segment of readSegments({ ...reader, get }, manifests, { now: NOW }))
      expect(segment).toBeDefined();
  }
  await expect(readAll()).rejects.toThrow(`${keyOf('E1a')} cannot be read (EACCES: permission denied)`);
});

test.each([
  ["SELECT id FROM events WHERE id = '1'; SELECT 2", 'it contains 2 statements'],
  ["SELECT id FROM events\0 WHERE id = '1'", 'it contains a NUL character'],
  ['DROP VIEW events', 'DROP asks for nothing'],
  ['SELEC 1', 'syntax error at or near "SELEC"'],
  ['-- nothing', 'the SQL must be one query'],
])('SQL of which only a part would be answered is refused: %j', async (sql, problem) => {
  await expect(ask(good, sql)).rejects.toThrow(problem);
});

test('an integer is a number, and an instant with a time zone has milliseconds', async () => {
  const path = join(folder, 'types');
  writeObjects(good, path);
  const engine = await openFolderSql(path, { now: NOW });
  const { columns, rows } = await engine.ask("SELECT 1 AS n, TIMESTAMPTZ '2026-03-09 12:00:00.123456+00' AS t");
  engine.close();
  expect(columns.map(({ kind }) => kind)).toEqual(['number', 'instant']);
  expect(rows).toEqual([['1', '2026-03-09 12:00:00.123+00']]);
});

test('a statement cannot open files', async () => {
  await expect(ask(good, "SELECT * FROM read_text('/etc/hostname')")).rejects.toThrow(/disabled/);
});
