import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, win32 } from 'node:path';
import { keyOf, openFolder, pathOf } from '../../cli/folder';
import { buildArchive, sampleBatches, writeObjects } from '../support/archive-builder';
import { inFolder } from '../support/judge';

const COMMAND = join(import.meta.dirname, '../../cli/audit-archive.mjs');
const SEGMENT = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';

test('a folder lists its keys in order, by prefix and after a given key', async () => {
  await inArchive(async (archive) => {
    const store = await openFolder(archive);
    const all = await store.list('');
    expect(all).toEqual([...all].sort());
    expect(all).toHaveLength(13);
    const manifests = await store.list('manifests/team=main/');
    expect(manifests).toHaveLength(4);
    expect(await store.list('manifests/team=main/', manifests[1])).toEqual(manifests.slice(2));
    expect(await store.list('events/team=main/dt=2026-03-1')).toHaveLength(3);
    expect(await store.list('nothing/here/')).toEqual([]);
  });
});

test('a folder above archives is refused with their names, and one with an object of its own is read', async () => {
  await inArchive(async (archive) => {
    const above = join(archive, '..');
    const right = join(above, basename(archive));
    await expect(openFolder(above)).rejects.toThrow(`not an archive, but a folder above one: give ${right}`);
    mkdirSync(join(above, 'other/bucket/manifests'), { recursive: true });
    renameSync(archive, join(above, 'other/archive'));
    const both = ['archive', 'bucket'].map((name) => join(above, 'other', name)).join(' or ');
    await expect(openFolder(above)).rejects.toThrow(`give ${both}`);
    mkdirSync(join(above, 'events'));
    expect((await (await openFolder(above)).list('')).length).toBeGreaterThan(13);
  });
});

test('a folder reads whole objects and half-open ranges, also beyond the end of the object', async () => {
  await inArchive(async (archive) => {
    writeFileSync(join(archive, 'object'), '0123456789');
    const store = await openFolder(archive);
    expect(String(await store.get('object'))).toBe('0123456789');
    expect(String(await store.get('object', { start: 2, end: 5 }))).toBe('234');
    expect(String(await store.get('object', { start: 8, end: 100 }))).toBe('89');
    expect(await store.get('object', { start: 20, end: 30 })).toEqual(Buffer.alloc(0));
    expect(await store.get('no-object')).toBeUndefined();
  });
});

test.each([
  '../public.pem',
  'events/../../public.pem',
  '/etc/passwd',
  './object',
  'events//object',
  '',
  '.',
  'object/',
  'object\u0000',
  'events',
])('a folder has no object %j', async (key) => {
  await inArchive(async (archive) => {
    writeFileSync(join(archive, 'object'), 'x');
    expect(await (await openFolder(archive)).get(key)).toBeUndefined();
  });
});

test('symbolic links and pipes are listed, but never followed or opened', async () => {
  await inArchive(async (archive, folder) => {
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere/object'), 'x');
    symlinkSync(join(folder, 'elsewhere'), join(archive, 'linked-folder'));
    symlinkSync(join(folder, 'elsewhere/object'), join(archive, 'linked-file'));
    symlinkSync(join(archive, 'loop'), join(archive, 'loop'));
    execFileSync('mkfifo', [join(archive, 'pipe')]);
    const store = await openFolder(archive);
    const odd = ['linked-file', 'linked-folder', 'loop', 'pipe'];
    expect((await store.list('')).filter((key) => !key.includes('/'))).toEqual(odd);
    for (const key of [...odd, 'linked-folder/object']) expect(await store.get(key)).toBeUndefined();
  });
});

test('the folder itself may be a symbolic link', async () => {
  await inArchive(async (archive, folder) => {
    symlinkSync(archive, join(folder, 'link'));
    expect(await (await openFolder(join(folder, 'link'))).get(SEGMENT)).toBeInstanceOf(Buffer);
  });
});

test('a path that is too long to be opened is an error that names the path', async () => {
  await inArchive(async (archive) => {
    const key = 'x'.repeat(300);
    const message = `${key} cannot be opened (ENAMETOOLONG), so nothing was verified: move the copy`;
    await expect((await openFolder(archive)).get(key)).rejects.toThrow(message);
    await expect((await openFolder(archive)).list(`${key}/`)).rejects.toThrow('(ENAMETOOLONG)');
  });
});

test.each([
  'get',
  'list',
] as const)('a file or folder that %s may not read is an error that names it', async (operation) => {
  await inArchive(async (archive, folder) => {
    // root may read everything, so the command runs as nobody.
    chmodSync(folder, 0o755);
    const closed = join(archive, operation === 'get' ? SEGMENT : 'events/team=main');
    chmodSync(closed, 0);
    const asNobody = process.getuid?.() === 0 ? { uid: 65534 } : {};
    const { status, stderr } = spawnSync(
      process.execPath,
      [COMMAND, 'verify', archive, '--key', `${folder}/public.pem`],
      asNobody,
    );
    chmodSync(closed, 0o755);
    expect(String(stderr)).toContain(`${closed} cannot be opened (EACCES), so nothing was verified: make every file`);
    expect(status).toBe(3);
  });
});

test.each(['nowhere', 'public.pem'])('the path %s, which is not a folder, is an error', async (name) => {
  await inFolder(async (folder) => {
    await expect(openFolder(join(folder, name))).rejects.toThrow(`there is no folder at ${join(folder, name)}`);
  });
});

async function inArchive(use: (archive: string, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    writeObjects(await buildArchive({ batches: sampleBatches }), join(folder, 'archive'));
    await use(join(folder, 'archive'), folder);
  });
}

test('a key has the same text on Windows, and names no place outside the folder there', () => {
  const root = 'C:\\copies\\bucket';
  expect(keyOf(root, `${root}\\events\\team=main\\x.gz`, win32)).toBe('events/team=main/x.gz');
  expect(pathOf(root, 'events/team=main/x.gz', win32)).toBe(`${root}\\events\\team=main\\x.gz`);
  for (const key of ['..\\secret', '../secret', 'events\\x.gz', '/x', 'events/../x', 'a\0']) {
    expect([key, pathOf(root, key, win32)]).toEqual([key, undefined]);
  }
});
