/** The folder of a bucket. What every bucket must do, in memory and in a folder, is in object-store-contract.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { folderStorage, type Storage, s3Bucket } from '../../local/s3-bucket';
import { memoryStorage } from '../support/memory-storage';

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

test.each([
  ...['', '/etc/passwd', '..', '../a', 'a/../../b', 'a/./b', 'a//b', 'a/', 'a\0b', 'a\nb', 'a\\..\\b', '\ud800'],
])('the key %j, which could leave the folder, is refused in memory and in a folder', (key) => {
  for (const storage of [memoryStorage(), openFolder()]) {
    const { create, text, keys } = bucketOf(storage);
    expect(() => create(key, 'x')).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
    expect(() => text(key)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
    expect(keys()).toEqual([]);
  }
});

test('objects are plain files under their keys, and a folder shows what a person changes, adds and removes', () => {
  const { create, text, keys } = bucketOf(openFolder());
  for (const key of ['events/a', 'events/b']) create(key, 'old');
  expect(readFileSync(join(root, 'archive/events/a'), 'utf8')).toBe('old');
  writeFileSync(join(root, 'archive/events/a'), 'edited');
  writeFileSync(join(root, 'archive/planted'), 'x');
  rmSync(join(root, 'archive/events/b'));
  expect(keys()).toEqual(['events/a', 'planted']);
  expect(text('events/a')).toBe('edited');
});

test('a symbolic link in the folder is neither listed nor read', () => {
  const { text, keys } = bucketOf(openFolder());
  writeFileSync(join(root, 'outside'), 'secret');
  symlinkSync(join(root, 'outside'), join(root, 'archive/link'));
  expect(keys()).toEqual([]);
  expect(() => text('link')).toThrow(expect.objectContaining({ code: 'NoSuchKey' }));
});

test('a new process finds the objects of an earlier one, and removes its unfinished uploads', () => {
  bucketOf(openFolder()).create('a', 'kept');
  writeFileSync(join(root, 'uploads/half'), 'partial');
  expect(bucketOf(openFolder()).text('a')).toBe('kept');
  expect(readdirSync(join(root, 'uploads'))).toEqual([]);
});

test('two processes that write the same keys until they are killed leave only complete objects, each of the process that was told so', async () => {
  const [a, b] = await Promise.all(['a', 'b'].map(writeUntilKilled));
  const { keys, text } = bucketOf(openFolder());
  const owners = new Map(keys().map((key) => [key, text(key)]));
  for (const [letter, won] of [['a', a ?? []] as const, ['b', b ?? []] as const]) {
    expect(won.length).toBeGreaterThan(0);
    for (const key of won) expect(owners.get(key)).toBe(letter.repeat(200_000));
  }
  expect([...owners.values()].filter((each) => !/^(a{200000}|b{200000})$/.test(each))).toEqual([]);
});

/** A process that creates keys at random, each object 200,000 times its letter. Returns the keys that it has created. */
async function writeUntilKilled(letter: string): Promise<string[]> {
  const module = pathToFileURL(join(import.meta.dirname, '../../local/s3-bucket.ts')).href;
  const script = `
    const { folderStorage } = await import(${JSON.stringify(module)});
    const storage = folderStorage(${JSON.stringify(join(root, 'archive'))}, ${JSON.stringify(join(root, letter))});
    for (;;) {
      const n = Math.floor(Math.random() * 900);
      if (storage.create('k/' + n, Buffer.alloc(200_000, '${letter}'))) process.stdout.write('k/' + n + '\\n');
    }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  const output = buffer(child.stdout);
  await once(child.stdout, 'readable');
  setTimeout(() => child.kill('SIGKILL'), 600);
  return (await output).toString().split('\n').slice(0, -1);
}
