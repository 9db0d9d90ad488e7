/** The folder of a bucket. What every bucket must do, in memory and in a folder, is in object-store-contract.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { folderStorage, memoryStorage, S3Error, type Storage, s3Bucket } from '../../local/s3-bucket';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 's3-bucket-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const openFolder = () => folderStorage(join(root, 'archive'), join(root, 'uploads'));

function bucketOf(storage: Storage) {
  const bucket = s3Bucket(storage);
  return {
    create: (key: string, text: string) => bucket.put(key, { bytes: Buffer.from(text), createOnly: true }),
    text: (key: string) => bucket.get(key).toString(),
    keys: () => bucket.list({ prefix: '', maxKeys: 1000 }).keys,
  };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return 'no error';
}

test.each([
  '',
  '/etc/passwd',
  '..',
  '../a',
  'a/../../b',
  'a/./b',
  'a//b',
  'a/',
  'a\0b',
  'a\nb',
  'a\\..\\b',
  '\ud800',
])('the key %j, which could leave the folder, is refused in memory and in a folder', (key) => {
  for (const storage of [memoryStorage(), openFolder()]) {
    const { create, text, keys } = bucketOf(storage);
    expect(codeOf(() => create(key, 'x'))).toBe('InvalidURI');
    expect(codeOf(() => text(key))).toBe('InvalidURI');
    expect(keys()).toEqual([]);
  }
});

test('objects are plain files under their keys, and nothing else stays behind', () => {
  bucketOf(openFolder()).create('events/team=a/1.gz', 'bytes');
  expect(readFileSync(join(root, 'archive/events/team=a/1.gz'), 'utf8')).toBe('bytes');
  expect(readdirSync(join(root, 'uploads'))).toEqual([]);
});

test('a folder shows what a person has changed, added and removed by hand', () => {
  const { create, text, keys } = bucketOf(openFolder());
  for (const key of ['a', 'b']) create(key, 'old');
  writeFileSync(join(root, 'archive/a'), 'edited');
  writeFileSync(join(root, 'archive/planted'), 'x');
  rmSync(join(root, 'archive/b'));
  expect(keys()).toEqual(['a', 'planted']);
  expect(text('a')).toBe('edited');
});

test('a symbolic link in the folder is neither listed nor read', () => {
  const { text, keys } = bucketOf(openFolder());
  writeFileSync(join(root, 'outside'), 'secret');
  symlinkSync(join(root, 'outside'), join(root, 'archive/link'));
  expect(keys()).toEqual([]);
  expect(codeOf(() => text('link'))).toBe('NoSuchKey');
});

test('a new process finds the objects of an earlier one, and removes its unfinished uploads', () => {
  bucketOf(openFolder()).create('a', 'kept');
  writeFileSync(join(root, 'uploads/half'), 'partial');
  const { text, keys } = bucketOf(openFolder());
  expect(keys()).toEqual(['a']);
  expect(text('a')).toBe('kept');
  expect(readdirSync(join(root, 'uploads'))).toEqual([]);
});

test('two processes that write the same keys until they are killed leave only complete objects, each of the process that was told so', async () => {
  const writers = await Promise.all(['a', 'b'].map((letter) => writeUntilKilled(letter, 600)));
  const storage = openFolder();
  const owners = new Map<string, string>();
  for (const key of storage.keys('')) {
    const text = storage.read(key, 0, 200_000).toString();
    expect(['a'.repeat(200_000), 'b'.repeat(200_000)].includes(text)).toBe(true);
    owners.set(key, text.slice(0, 1));
  }
  expect(writers.every(({ won }) => won.length > 0)).toBe(true);
  for (const { letter, won } of writers) expect(won.filter((key) => owners.get(key) !== letter)).toEqual([]);
});

/** A process that creates keys at random, each object 200,000 times its letter, and reports those it has created. */
async function writeUntilKilled(letter: string, afterMs: number) {
  const module = pathToFileURL(join(import.meta.dirname, '../../local/s3-bucket.ts')).href;
  const script = `
    const { folderStorage } = await import(${JSON.stringify(module)});
    const storage = folderStorage(${JSON.stringify(join(root, 'archive'))}, ${JSON.stringify(join(root, letter))});
    for (;;) {
      const n = Math.floor(Math.random() * 2000);
      if (storage.create('k/' + n, Buffer.alloc(200_000, '${letter}'))) process.stdout.write('k/' + n + '\\n');
    }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  const output = buffer(child.stdout);
  await once(child.stdout, 'readable');
  setTimeout(() => child.kill('SIGKILL'), afterMs);
  return { letter, won: (await output).toString().split('\n').slice(0, -1) };
}
