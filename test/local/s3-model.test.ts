import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { folderStorage } from '../../local/s3-folder';
import { memoryStorage, S3Error, type Storage, s3Model } from '../../local/s3-model';

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 's3-model-'));
  folders.push(folder);
  return folder;
}

function inFolder(root = temporaryFolder()): Storage {
  return folderStorage(join(root, 'archive'), join(root, '.uploads'));
}

function modelOf(storage: Storage) {
  const model = s3Model(new Map([['archive', storage]]));
  return {
    create: (key: string, text = key) => model.put('archive', key, { bytes: Buffer.from(text), createOnly: true }),
    text: (key: string, start?: number, end = Number.POSITIVE_INFINITY) =>
      model.get('archive', key, start === undefined ? undefined : { start, end }).bytes.toString(),
    keys: (prefix = '', startAfter = '', maxKeys = 1000) =>
      model.list('archive', { prefix, startAfter, maxKeys }).objects.map(({ key }) => key),
    ...model,
  };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof S3Error) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'no error';
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe.each([
  ['memory', () => memoryStorage()],
  ['a folder', () => inFolder()],
])('S3 in %s', (_where, storage) => {
  test('gives back what was put, whole, in part and from the end', () => {
    const model = modelOf(storage());
    const put = model.create('events/a', '0123456789');
    expect(model.head('archive', 'events/a')).toEqual(put);
    expect(put.size).toBe(10);
    expect(model.text('events/a')).toBe('0123456789');
    expect(model.text('events/a', 2, 5)).toBe('234');
    expect(model.text('events/a', 8, 99)).toBe('89');
    expect(model.text('events/a', -3)).toBe('789');
    expect(model.text('events/a', -30)).toBe('0123456789');
  });

  test.each([
    [10, 11],
    [5, 5],
    [-0, Number.POSITIVE_INFINITY],
  ])('refuses the range %d to %d of ten bytes', (start, end) => {
    const model = modelOf(storage());
    model.create('a', '0123456789');
    expect(codeOf(() => model.text('a', start, end))).toBe('416 InvalidRange');
  });

  test('keeps an empty object', () => {
    const model = modelOf(storage());
    model.create('a', '');
    expect(model.text('a')).toBe('');
    expect(codeOf(() => model.text('a', 0, 1))).toBe('416 InvalidRange');
  });

  test('creates a key once and never changes it', () => {
    const model = modelOf(storage());
    model.create('a', 'first');
    expect(codeOf(() => model.create('a', 'second'))).toBe('412 PreconditionFailed');
    expect(model.text('a')).toBe('first');
  });

  test('denies every put that is not create-only', () => {
    const model = modelOf(storage());
    const write = { bytes: Buffer.from('x'), createOnly: false };
    expect(codeOf(() => model.put('archive', 'free', write))).toBe('403 AccessDenied');
    model.create('a', 'first');
    expect(codeOf(() => model.put('archive', 'a', write))).toBe('403 AccessDenied');
    expect(model.keys()).toEqual(['a']);
    expect(model.text('a')).toBe('first');
  });

  test('says what is not there', () => {
    const model = modelOf(storage());
    model.create('events/a');
    expect(codeOf(() => model.text('b'))).toBe('404 NoSuchKey');
    expect(codeOf(() => model.text('events'))).toBe('404 NoSuchKey');
    expect(codeOf(() => model.text('events/a/b'))).toBe('404 NoSuchKey');
    expect(codeOf(() => model.list('other', { prefix: '', maxKeys: 1 }))).toBe('404 NoSuchBucket');
    expect(codeOf(() => model.head('toString', 'a'))).toBe('404 NoSuchBucket');
  });

  test('lists by prefix, which need not end at a slash, in the order of the whole key', () => {
    const model = modelOf(storage());
    for (const key of ['a/b/2', 'a/b-1', 'a/b/1', 'a/bc', 'b']) model.create(key);
    expect(model.keys()).toEqual(['a/b-1', 'a/b/1', 'a/b/2', 'a/bc', 'b']);
    expect(model.keys('a/b')).toEqual(['a/b-1', 'a/b/1', 'a/b/2', 'a/bc']);
    expect(model.keys('a/b/')).toEqual(['a/b/1', 'a/b/2']);
    expect(model.keys('a/b/', 'a/b/1')).toEqual(['a/b/2']);
    expect(model.keys('a/c')).toEqual([]);
    expect(model.keys('../')).toEqual([]);
  });

  test('pages through a listing', () => {
    const model = modelOf(storage());
    for (const key of ['a', 'b', 'c']) model.create(key);
    expect(model.list('archive', { prefix: '', maxKeys: 2 }).next).toBe('b');
    expect(model.list('archive', { prefix: '', startAfter: 'b', maxKeys: 2 }).next).toBeUndefined();
    expect(model.list('archive', { prefix: '', maxKeys: 3 }).next).toBeUndefined();
    expect(model.list('archive', { prefix: '', maxKeys: 0 })).toEqual({ objects: [], next: undefined });
  });

  test('orders keys by their UTF-8 bytes, where JavaScript would not', () => {
    const model = modelOf(storage());
    const [basicPlane, beyond] = ['\u{ff5e}', '\u{1f600}'];
    expect(beyond < basicPlane).toBe(true);
    for (const key of [beyond, basicPlane]) model.create(key);
    expect(model.keys()).toEqual([basicPlane, beyond]);
    expect(model.keys('', basicPlane)).toEqual([beyond]);
  });

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
  ])('refuses the key %j', (key) => {
    const model = modelOf(storage());
    expect(codeOf(() => model.create(key, 'x'))).toBe('400 InvalidURI');
    expect(codeOf(() => model.text(key))).toBe('400 InvalidURI');
    expect(model.keys()).toEqual([]);
  });

  test('refuses keys longer than S3 or a file system takes', () => {
    const model = modelOf(storage());
    expect(codeOf(() => model.create('é'.repeat(513)))).toBe('400 KeyTooLongError');
    expect(codeOf(() => model.create('x'.repeat(256)))).toBe('400 InvalidURI');
  });

  test('takes odd but harmless keys', () => {
    const model = modelOf(storage());
    const keys = ['...', '.hidden', 'a b', 'team=x/dt=2026-01-01', '%2e%2e', 'ünï', '~', '$(id)', 'a/..b'];
    for (const key of keys) model.create(key);
    expect([...model.keys()].sort()).toEqual([...keys].sort());
    for (const key of keys) expect(model.text(key)).toBe(key);
  });
});

test('memory and folder hold the same after the same calls', () => {
  const key = fc
    .array(fc.constantFrom('a', 'b', '..', '', 'é', '😀', '～'), { maxLength: 3 })
    .map((x) => `k/${x.join('/')}`);
  const call = fc.record({ key, text: fc.string({ maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 12 }), (calls) => {
      // A folder cannot hold both `k/a` and `k/a/b`; the model does not promise it.
      const flat = calls.map((one) => ({ ...one, key: one.key.replace(/(?<=k\/.*[^/.])\/(?=[^/.])/g, '-') }));
      const [memory, folder] = [modelOf(memoryStorage()), modelOf(inFolder())];
      for (const { key: name, text } of flat) {
        expect(codeOf(() => folder.create(name, text))).toBe(codeOf(() => memory.create(name, text)));
      }
      expect(folder.keys()).toEqual(memory.keys());
      for (const name of memory.keys()) expect(folder.text(name)).toBe(memory.text(name));
    }),
    { numRuns: 50 },
  );
});

describe('a bucket as a folder', () => {
  test('is plain files under their keys, and nothing else', () => {
    const root = temporaryFolder();
    modelOf(inFolder(root)).create('events/team=a/1.gz', 'bytes');
    expect(readFileSync(join(root, 'archive/events/team=a/1.gz'), 'utf8')).toBe('bytes');
    expect(readdirSync(join(root, '.uploads'))).toEqual([]);
  });

  test('serves what a person changed, added and removed by hand', () => {
    const root = temporaryFolder();
    const model = modelOf(inFolder(root));
    for (const key of ['a', 'b']) model.create(key, 'old');
    writeFileSync(join(root, 'archive/a'), 'edited');
    writeFileSync(join(root, 'archive/planted'), 'x');
    rmSync(join(root, 'archive/b'));
    expect(model.keys()).toEqual(['a', 'planted']);
    expect(model.text('a')).toBe('edited');
    expect(model.head('archive', 'a').size).toBe(6);
  });

  test('never shows a part of an object, and one winner per key, when two processes write and are killed', async () => {
    const root = temporaryFolder();
    const writers = await Promise.all(['a', 'b'].map((letter) => writeUntilKilled(root, letter, 600)));
    const storage = inFolder(root);
    const owners = new Map<string, string>();
    for (const key of storage.keys('')) {
      const text = storage.read(key, 0, 200_000).toString();
      expect(['a'.repeat(200_000), 'b'.repeat(200_000)].includes(text)).toBe(true);
      owners.set(key, text.slice(0, 1));
    }
    expect(writers.every(({ won }) => won.length > 0)).toBe(true);
    for (const { letter, won } of writers) expect(won.filter((key) => owners.get(key) !== letter)).toEqual([]);
  });

  test('goes on from what an earlier process kept, without its unfinished uploads', () => {
    const root = temporaryFolder();
    modelOf(inFolder(root)).create('a', 'kept');
    writeFileSync(join(root, '.uploads/half'), 'partial');
    const next = modelOf(inFolder(root));
    expect(next.keys()).toEqual(['a']);
    expect(next.text('a')).toBe('kept');
    expect(readdirSync(join(root, '.uploads'))).toEqual([]);
  });

  test('neither lists nor serves a link that leads out of it', () => {
    const root = temporaryFolder();
    const model = modelOf(inFolder(root));
    writeFileSync(join(root, 'outside'), 'secret');
    symlinkSync(join(root, 'outside'), join(root, 'archive/link'));
    expect(model.keys()).toEqual([]);
    expect(codeOf(() => model.text('link'))).toBe('404 NoSuchKey');
  });

  test('fails rather than mix up an object and a folder of one name', () => {
    const model = modelOf(inFolder());
    model.create('a/b');
    expect(() => model.create('a/b/c')).toThrow();
    expect(model.keys()).toEqual(['a/b']);
  });

  test('survives that the bucket is removed by hand', () => {
    const root = temporaryFolder();
    const model = modelOf(inFolder(root));
    model.create('a');
    rmSync(join(root, 'archive'), { recursive: true });
    expect(model.keys()).toEqual([]);
    mkdirSync(join(root, 'archive'));
    model.create('b');
    expect(model.keys()).toEqual(['b']);
  });
});

/** A process of its own that creates keys at random, all of one letter, 200,000 bytes each, and reports those it won. */
async function writeUntilKilled(root: string, letter: string, afterMs: number) {
  const module = pathToFileURL(join(import.meta.dirname, '../../local/s3-folder.ts')).href;
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
