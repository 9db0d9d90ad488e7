import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openFolder } from '../../cli/folder';
import { runVerify, type VerifyFlags } from '../../cli/verify';
import { keyId } from '../../lambdas/shared/dsse';
import { type Manifest, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { FINDINGS } from '../../lambdas/verifier/findings';
import { folderStorage, s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { type BatchSpec, buildArchive, sampleBatches, testKey, writeObjects } from '../support/archive-builder';
import { inFolder, NOW } from '../support/judge';

const EVIDENCE = 'evidence archive --key public.pem --team main --out new --from 2026-03-10 --to'.split(' ');
const SEGMENT = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const PRIVATE_PEM = String(
  generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'sec1', format: 'pem' }),
);
const COMMAND = join(import.meta.dirname, '../../cli/audit-archive.mjs');

test('the report of a good archive names the key, each team and its newest manifest', async () => {
  await inArchive(async ({ run }) => {
    const { exitCode, text } = await run();
    expect(exitCode).toBe(0);
    expect(text).toContain(`13 objects checked at ${NOW.toISOString()} with the public key ${keyId(testKey)}`);
    expect(text).toContain('main: 4 manifests, 7 events, 3 in quarantine');
    expect(text).toContain('from 2026-03-09T18:00:00.000Z to 2026-03-10T04:00:00.000Z');
    expect(text).toMatch(/newest manifest: 4, SHA-256 [0-9a-f]{64}, of 2026-03-10T04:00:20.000Z/);
    expect(text).toContain("Good: nothing is missing, added or changed, up to each team's newest manifest above.");
    expect(text).toContain('To find out next time whether newer manifests were deleted, verify now with --save-head');
  });
});

test('the report of an archive with findings shows code, object and meaning, and does not call it good', async () => {
  await inArchive(async ({ archive, run }) => {
    rmSync(join(archive, SEGMENT));
    const { exitCode, text } = await run();
    expect(exitCode).toBe(1);
    expect(text).toContain(`1 finding:\n  segment-missing  ${SEGMENT}\n    ${FINDINGS['segment-missing'].sentence}`);
    expect(text).toContain('NOT GOOD');
    expect(text).not.toContain('Good:');
    expect(JSON.parse((await run({ json: true })).text)).toMatchObject({
      clean: false,
      objects: 12,
      findings: [{ code: 'segment-missing', object: SEGMENT, detail: 'its manifest lists 2 events of 2026-03-10' }],
      teams: [{ team: 'main', manifests: 4, head: { seq: 4 }, codeVersions: ['0.1.0'] }],
    });
  });
});

test('the report of an archive with expired objects counts them, and does not call it complete', async () => {
  await inArchive(async ({ archive, run }) => {
    const retention = { mode: 'COMPLIANCE', days: 200, expireAfterDays: 200 } as const;
    const expiring = sampleBatches.map((spec) => ({
      ...spec,
      amend: (drawn: Manifest) => ({ ...drawn, retention }),
    }));
    rmSync(archive, { recursive: true });
    writeObjects(await buildArchive({ batches: expiring }), archive);
    rmSync(join(archive, SEGMENT));
    const { exitCode, text } = await run();
    expect(exitCode).toBe(0);
    expect(text).toContain('main: 4 manifests, 5 events, 3 in quarantine');
    expect(text).toContain('expired: 1 object with 2 lines, which the signed retention allows to delete');
    expect(text).toContain(`1 notice:\n  expired  ${SEGMENT}\n    ${FINDINGS.expired.sentence}`);
    expect(text).toContain('Good: nothing is added or changed, up to');
    expect(text).toContain('Nothing is missing except expired objects.');
    expect(JSON.parse((await run({ json: true })).text)).toMatchObject({
      clean: true,
      now: NOW.toISOString(),
      teams: [{ expired: { objects: 1, lines: 2 } }],
    });
  });
});

test('a control character in the name of an object does not reach the terminal', async () => {
  await inArchive(async ({ archive, run }) => {
    writeFileSync(join(archive, 'events', '\u001b[2J\u202eclean'), 'x');
    const { exitCode, text } = await run();
    expect(exitCode).toBe(1);
    expect(text).toContain('object-unlisted  events/\\u{1b}[2J\\u{202e}clean');
  });
});

test('heads that were saved from a good archive show later that the newest manifests were deleted', async () => {
  await inArchive(async ({ archive, file, run }) => {
    expect(await run({ saveHead: file('heads.json') })).toMatchObject({ exitCode: 0 });
    const saved = JSON.parse(readFileSync(file('heads.json'), 'utf8'));
    expect(saved).toEqual([{ team: 'main', seq: 4, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect((await run({ head: file('heads.json') })).text).toMatch(
      /Every manifest that existed when .* is still there/,
    );

    rmSync(archive, { recursive: true });
    writeObjects(await buildArchive({ batches: sampleBatches.slice(0, 3) }), archive);
    const { exitCode, text } = await run({ head: file('heads.json'), saveHead: file('heads.json') });
    expect(exitCode).toBe(1);
    expect(text).toContain(`chain-truncated  ${manifestKey('main', 4)}`);
    expect(JSON.parse(readFileSync(file('heads.json'), 'utf8'))).toEqual(saved);
  });
});

test('saved heads are replaced by newer ones, and never by older or other ones', async () => {
  await inArchive(async ({ archive, file, run }) => {
    const heads = { saveHead: file('heads.json') };
    const replaceBy = async (batches: readonly BatchSpec[]) => {
      rmSync(archive, { recursive: true });
      writeObjects(await buildArchive({ batches }), archive);
      return run(heads);
    };
    expect((await run(heads)).text).toMatch(/verify with --head .*heads.json\. Keep that file outside the archive/);
    const saved = readFileSync(heads.saveHead, 'utf8');
    const refused = /heads.json was not overwritten: it names newer or other manifests than this archive holds/;
    await expect(replaceBy(sampleBatches.slice(0, 3))).rejects.toThrow(refused);
    await expect(replaceBy([...sampleBatches, {}])).rejects.toThrow(refused); // Another chain, whose manifests have other ids.
    expect(readFileSync(heads.saveHead, 'utf8')).toBe(saved);

    writeFileSync(heads.saveHead, saved.replace('4', '3').replace(/[0-9a-f]{64}/, hashOf(archive, 3)));
    expect(await run(heads)).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(readFileSync(heads.saveHead, 'utf8'))).toMatchObject([{ team: 'main', seq: 5 }]);
  });
});

test('a file that holds no saved heads is not overwritten by them', async () => {
  await inArchive(async ({ file, run }) => {
    writeFileSync(file('notes.txt'), 'notes');
    await expect(run({ saveHead: file('notes.txt') })).rejects.toThrow('give --save-head the name of a new file');
    expect(readFileSync(file('notes.txt'), 'utf8')).toBe('notes');
  });
});

test('an anchor that was kept elsewhere is compared with the chain', async () => {
  await inArchive(async ({ archive, file, run }) => {
    const anchor = {
      format: 'postman-audit-archive-anchor/1',
      team: 'main',
      seq: 4,
      sha256: hashOf(archive, 4),
      inventory: [],
    };
    writeFileSync(file('anchor.json'), `${JSON.stringify(anchor)}\n`);
    expect((await run({ head: file('anchor.json') })).exitCode).toBe(0);
    rmSync(join(archive, manifestKey('main', 4)));
    expect((await run({ head: file('anchor.json') })).text).toContain('chain-truncated');
  });
});

test('saved heads are read after an editor has put a byte order mark before them', async () => {
  await inArchive(async ({ archive, file, run }) => {
    const head = { team: 'main', seq: 4, sha256: hashOf(archive, 4) };
    writeFileSync(file('heads.json'), `\ufeff${JSON.stringify([head])}`);
    expect(await run({ head: file('heads.json') })).toMatchObject({ exitCode: 0 });
  });
});

test.each<readonly [string, string | undefined]>([
  ['a file that does not exist', undefined],
  ['an empty list', '[]'],
  ['a head of another form', '[{"team":"../x","seq":4,"sha256":"x"}]'],
])('saved heads that cannot be read are an error and never skipped: %s', async (_, content) => {
  await inArchive(async ({ file, run }) => {
    if (content !== undefined) writeFileSync(file('heads.json'), content);
    await expect(run({ head: file('heads.json') })).rejects.toThrow(
      /contains no saved heads that can be read: give a file that/,
    );
  });
});

test.each<readonly [string, (archive: string) => void]>([
  ['an empty folder', (archive) => mkdirSync(archive)],
  ['a folder one level too high', (archive) => mkdirSync(join(archive, 'bucket'), { recursive: true })],
  ['empty folders', (archive) => mkdirSync(join(archive, 'manifests/team=main'), { recursive: true })],
  ['manifests behind a symbolic link', (archive) => linked(archive)],
])('%s proves nothing and is not good', async (_, make) => {
  await inArchive(async ({ archive, run }) => {
    rmSync(archive, { recursive: true });
    make(archive);
    const { exitCode, text } = await run();
    expect(exitCode).toBe(1);
    expect(text).toContain('archive-empty');
  });
});

test.each<readonly [string, string | undefined, string]>([
  ['a missing key file', undefined, 'key.pem'],
  ['a key file that contains no key', 'not a key', 'key.pem: expected an ECDSA P-256 public key in PEM'],
  ['a private key', PRIVATE_PEM, 'key.pem contains a private key: give --key the public key'],
])('%s is an error and not a finding', async (_, content, message) => {
  await inArchive(async ({ run, file }) => {
    if (content !== undefined) writeFileSync(file('key.pem'), content);
    await expect(run({ key: file('key.pem') })).rejects.toThrow(message);
  });
});

test.each<readonly [string, readonly string[], number, string]>([
  ['a good archive', ['verify', 'archive', '--key', 'public.pem'], 0, 'Good'],
  ['a good archive, as JSON', ['verify', 'archive', '--key', 'public.pem', '--json'], 0, '"clean": true'],
  ['an empty folder', ['verify', 'empty', '--key', 'public.pem'], 1, 'archive-empty'],
  ['no key', ['verify', 'archive'], 2, "required option '--key <file>' not specified"],
  ['an unknown option', ['verify', 'archive', '--key', 'public.pem', '--heads', 'x'], 2, "unknown option '--heads'"],
  ['no command', [], 2, 'Usage: audit-archive'],
  ['no such folder', ['verify', 'nowhere', '--key', 'public.pem'], 3, 'audit-archive: there is no folder at nowhere'],
  [
    'a folder above the archive',
    ['verify', '.', '--key', 'public.pem'],
    3,
    'audit-archive: . is not an archive, but a folder above one: give archive\n',
  ],
  ['a mistyped folder', ['verify', 'archve', '--key', 'public.pem'], 3, 'did you mean "archive"?'],
  ['no such key', ['verify', 'archive', '--key', 'nokey'], 3, 'nokey'],
  ['a mistyped key', ['verify', 'archive', '--key', 'publc.pem'], 3, 'did you mean "public.pem"?'],
  ['a mistyped command', ['verfy'], 2, 'Did you mean verify?'],
  [
    'heads that would overwrite others',
    ['verify', 'archive', '--key', 'public.pem', '--save-head', 'newer.json'],
    3,
    'newer.json was not overwritten',
  ],
  ['help', ['verify', '--help'], 0, '--save-head <file>'],
  [
    'a period',
    ['verify', 'archive', '--key', 'public.pem', '--from', '2026-03-10'],
    0,
    'Good as far as it was checked',
  ],
  [
    'a day that does not exist',
    ['verify', 'archive', '--key', 'public.pem', '--to', '2026-02-30'],
    2,
    'Write it as 2026-',
  ],
  ['a folder in a bucket', ['verify', 's3://bucket/folder', '--key', 'public.pem'], 3, 'does not name a bucket'],
  ['evidence of a day', [...EVIDENCE, '2026-03-10'], 0, 'report:  new/report.html'],
  ['evidence, as JSON', [...EVIDENCE, '2026-03-10', '--json'], 0, '"query": "completeness"'],
  [
    'evidence with a misspelled parameter',
    [...EVIDENCE, '2026-03-10', '--param', 'x=1'],
    2,
    'no query has a parameter "x"',
  ],
  ['evidence of a period that ends before it begins', [...EVIDENCE, '2026-03-09'], 2, 'from must not be later than to'],
  [
    'evidence of a team with a wrong name',
    [...EVIDENCE, '2026-03-10', '--team', 'Main'],
    2,
    '"Main" is not the name of a team',
  ],
])('the command line has its exit code and message for: %s', async (_, args, exitCode, text) => {
  await inArchive(async ({ folder }) => {
    mkdirSync(join(folder, 'empty'));
    const newer = [{ team: 'main', seq: 5, sha256: 'a'.repeat(64) }];
    writeFileSync(join(folder, 'newer.json'), JSON.stringify(newer));
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { cwd: folder });
    expect(`${stdout}${stderr}`).toContain(text);
    expect(status).toBe(exitCode);
  });
});

test('a period is called good for what was read of it alone', async () => {
  await inArchive(async ({ archive, run }) => {
    rmSync(join(archive, 'events/team=main/dt=2026-03-09'), { recursive: true });
    rmSync(join(archive, 'batches'), { recursive: true });
    const { exitCode, text } = await run({ from: '2026-03-10', to: '2026-03-10' });
    expect(exitCode).toBe(0);
    expect(text).toContain('main: 4 manifests, 5 events, 2 in quarantine');
    expect(text).toContain('Good as far as it was checked: in that part nothing is missing, added or changed.');
    expect(text).toContain('Segments of other dates, and the batch objects, were not read.');
    expect((await run({ to: '2026-03-09' })).exitCode).toBe(1);
  });
});

test('the report says that no run has finished for longer than any schedule allows', async () => {
  await inArchive(async ({ run }) => {
    expect((await run()).text).toContain('no run has finished for 296 days, and every schedule runs at least once in');
    const now = new Date('2026-03-17T06:00:00.000Z');
    expect((await run({}, now)).text).not.toContain('no run has finished');
  });
});

test('the bucket itself is verified with the credentials of the command line', async () => {
  await inArchive(async ({ archive, folder }) => {
    const server = await startS3Server({
      name: 'bucket',
      bucket: s3Bucket(folderStorage(archive, join(folder, 'uploads'))),
    });
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_S3: server.url,
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_REGION: 'eu-central-1',
    };
    const verifyBucket = (name: string) => {
      const child = spawn(process.execPath, [COMMAND, 'verify', `s3://${name}`, '--key', 'public.pem'], {
        cwd: folder,
        env,
      });
      return Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    };
    // This server has no locks, although the manifests promise them.
    expect((await verifyBucket('bucket'))[0]).toContain('lock-missing  manifests/team=main/0000000001.json');
    rmSync(archive, { recursive: true });
    const amend = (drawn: Manifest) => ({ ...drawn, retention: null });
    writeObjects(await buildArchive({ batches: sampleBatches.map((spec) => ({ ...spec, amend })) }), archive);
    const [good, , [exitCode]] = await verifyBucket('bucket');
    expect(good).toContain('Good: nothing is missing');
    expect(exitCode).toBe(0);
    rmSync(join(archive, SEGMENT));
    expect((await verifyBucket('bucket'))[0]).toContain(`segment-missing  ${SEGMENT}`);
    const [, problem, [failed]] = await verifyBucket('other');
    expect(problem).toMatch(/listing .*(NoSuchBucket|bucket does not exist)/);
    expect(failed).toBe(3);
    await server.close();
  });
});

interface Sandbox {
  readonly folder: string;
  readonly archive: string;
  readonly file: (name: string) => string;
  readonly run: (flags?: Partial<VerifyFlags>, now?: Date) => Promise<{ exitCode: number; text: string }>;
}

async function inArchive(use: (sandbox: Sandbox) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const archive = join(folder, 'archive');
    const file = (name: string) => join(folder, name);
    writeObjects(await buildArchive({ batches: sampleBatches }), archive);
    await use({
      folder,
      archive,
      file,
      async run(flags = {}, now = NOW) {
        const printed: string[] = [];
        const surroundings = { print: (line: string) => printed.push(line), now };
        const exitCode = await runVerify(
          await openFolder(archive),
          { key: file('public.pem'), ...flags },
          surroundings,
        );
        return { exitCode, text: printed.join('\n') };
      },
    });
  });
}

/** The SHA-256 of the payload of a manifest. */
function hashOf(archive: string, seq: number): string {
  const { payload } = JSON.parse(readFileSync(join(archive, manifestKey('main', seq)), 'utf8'));
  return sha256(Buffer.from(payload, 'base64'));
}

/** Makes an archive whose manifests are reached only by a symbolic link that leaves the folder. */
function linked(archive: string): void {
  mkdirSync(archive);
  mkdirSync(`${archive}-elsewhere`);
  symlinkSync(`${archive}-elsewhere`, join(archive, 'manifests'));
}
