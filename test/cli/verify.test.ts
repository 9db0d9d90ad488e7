import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runVerify, type VerifyFlags } from '../../cli/verify';
import { keyId } from '../../lambdas/shared/dsse';
import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { buildArchive, createSigner, sampleBatches, testKey, writeObjects } from '../support/archive-builder';
import { inFolder, NOW } from '../support/judge';

const SEGMENT = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const COMMAND = join(import.meta.dirname, '../../cli/audit-archive.mjs');

describe('the report', () => {
  test('of a good archive names the key, each team and its head, and what only a saved head shows', async () => {
    await inArchive(async ({ run }) => {
      const { exitCode, text } = await run();
      expect(exitCode).toBe(0);
      expect(text).toContain(`13 objects, checked with the key ${keyId(testKey)} at ${NOW.toISOString()}`);
      expect(text).toContain('main: 4 manifests, 7 events, 3 in quarantine');
      expect(text).toContain('from 2026-03-09T18:00:00.000Z to 2026-03-10T04:00:00.000Z');
      expect(text).toMatch(/head 4, SHA-256 [0-9a-f]{64}, of 2026-03-10T04:00:20.000Z/);
      expect(text).toContain('Good: up to these heads nothing is missing, added or changed.');
      expect(text).toContain('Whether newer manifests were cut off shows only against heads saved earlier');
    });
  });

  test('of findings has code, object and sentence, and is not called good', async () => {
    await inArchive(async ({ archive, run }) => {
      rmSync(join(archive, SEGMENT));
      const { exitCode, text } = await run();
      expect(exitCode).toBe(1);
      expect(text).toContain(`1 finding:\n  segment-missing  ${SEGMENT}\n    A segment is missing.`);
      expect(text).toContain('NOT GOOD');
      expect(text).not.toContain('Good:');
    });
  });

  test('of an archive whose data has expired says so, and does not call it whole', async () => {
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
      expect(text).toContain('1 object with 2 lines expired, as their manifests promised');
      expect(text).toContain(`1 notice:\n  expired  ${SEGMENT}\n    The object is gone, and`);
      expect(text).toContain('Good: up to these heads nothing is added or changed, and nothing missing but what has');
      expect(JSON.parse((await run({ json: true })).text)).toMatchObject({
        clean: true,
        now: NOW.toISOString(),
        teams: [{ expired: { objects: 1, lines: 2 } }],
      });
    });
  });

  test('lets no control character through to the terminal', async () => {
    await inArchive(async ({ archive, run }) => {
      writeFileSync(join(archive, 'events', '\u001b[2J\u202eclean'), 'x');
      const { exitCode, text } = await run();
      expect(exitCode).toBe(1);
      expect(text).toContain('object-unlisted  events/\\u{1b}[2J\\u{202e}clean');
    });
  });

  test('as JSON is one document with all findings, teams and heads', async () => {
    await inArchive(async ({ archive, run }) => {
      rmSync(join(archive, SEGMENT));
      const { exitCode, text } = await run({ json: true });
      expect(exitCode).toBe(1);
      expect(JSON.parse(text)).toMatchObject({
        clean: false,
        objects: 12,
        findings: [{ code: 'segment-missing', severity: 'finding', team: 'main', object: SEGMENT, detail: '' }],
        teams: [{ team: 'main', manifests: 4, head: { seq: 4 }, codeVersions: ['0.1.0'] }],
      });
    });
  });
});

describe('saved heads', () => {
  test('are saved when all is good, and show later that the newest manifests were cut off', async () => {
    await inArchive(async ({ archive, file, run }) => {
      expect(await run({ saveHead: file('heads.json') })).toMatchObject({ exitCode: 0 });
      const saved = JSON.parse(readFileSync(file('heads.json'), 'utf8'));
      expect(saved).toEqual([{ team: 'main', seq: 4, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
      expect((await run({ head: file('heads.json') })).text).toContain('None of the manifests that were there');

      rmSync(archive, { recursive: true });
      writeObjects(await buildArchive({ batches: sampleBatches.slice(0, 3) }), archive);
      const { exitCode, text } = await run({ head: file('heads.json'), saveHead: file('heads.json') });
      expect(exitCode).toBe(1);
      expect(text).toContain(`chain-truncated  ${manifestKey('main', 4)}`);
      expect(JSON.parse(readFileSync(file('heads.json'), 'utf8'))).toEqual(saved);
    });
  });

  test('are not saved of an archive with findings', async () => {
    await inArchive(async ({ archive, file, run }) => {
      rmSync(join(archive, SEGMENT));
      expect(await run({ saveHead: file('heads.json') })).toMatchObject({ exitCode: 1 });
      expect(existsSync(file('heads.json'))).toBe(false);
    });
  });

  test.each<readonly [string, string | undefined]>([
    ['a file that is not there', undefined],
    ['an empty file', ''],
    ['no heads', '[]'],
    ['another document', '{"team":"main"}'],
    ['a head without a hash', '[{"team":"main","seq":4}]'],
    ['a head of another form', '[{"team":"../x","seq":4,"sha256":"x"}]'],
  ])('that cannot be read are never skipped: %s', async (_, content) => {
    await inArchive(async ({ file, run }) => {
      if (content !== undefined) writeFileSync(file('heads.json'), content);
      await expect(run({ head: file('heads.json') })).rejects.toThrow(/holds no saved heads; "--save-head .*" writes/);
    });
  });
});

describe('an archive that proves nothing is not good', () => {
  test.each<readonly [string, (archive: string) => void]>([
    ['an empty folder', (archive) => mkdirSync(archive)],
    ['a folder one level too high', (archive) => mkdirSync(join(archive, 'bucket'), { recursive: true })],
    ['empty folders', (archive) => mkdirSync(join(archive, 'manifests/team=main'), { recursive: true })],
    ['manifests behind a symbolic link', (archive) => linked(archive)],
  ])('%s', async (_, make) => {
    await inArchive(async ({ archive, run }) => {
      rmSync(archive, { recursive: true });
      make(archive);
      const { exitCode, text } = await run();
      expect(exitCode).toBe(1);
      expect(text).toContain('archive-empty');
    });
  });
});

describe('what cannot be done is thrown', () => {
  test('a key that is not there', () =>
    inArchive(async ({ run, file }) => {
      await expect(run({ key: file('no.pem') })).rejects.toThrow('no.pem');
    }));

  test('a key that is none', () =>
    inArchive(async ({ run, file }) => {
      writeFileSync(file('key.pem'), 'not a key');
      await expect(run({ key: file('key.pem') })).rejects.toThrow();
    }));

  test.each(['rsa', 'secp384r1'])('a key of another kind: %s', (kind) =>
    inArchive(async ({ run, file }) => {
      const { publicKey } =
        kind === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 2048 })
          : generateKeyPairSync('ec', { namedCurve: kind });
      writeFileSync(file('key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
      await expect(run({ key: file('key.pem') })).rejects.toThrow('P-256');
    }));
});

test("another archive's key finds every manifest", () =>
  inArchive(async ({ run, file }) => {
    writeFileSync(file('key.pem'), createSigner().publicPem);
    const { exitCode, text } = await run({ key: file('key.pem') });
    expect(exitCode).toBe(1);
    expect(text.match(/signature-other-key/g)).toHaveLength(4);
  }));

describe('the command', () => {
  test.each<readonly [string, readonly string[], number, string]>([
    ['a good archive', ['verify', 'archive', '--key', 'public.pem'], 0, 'Good'],
    ['a good archive, as JSON', ['verify', 'archive', '--key', 'public.pem', '--json'], 0, '"clean": true'],
    ['an empty folder', ['verify', 'empty', '--key', 'public.pem'], 1, 'archive-empty'],
    ['no key', ['verify', 'archive'], 2, "required option '--key <file>' not specified"],
    ['no path', ['verify', '--key', 'public.pem'], 2, "missing required argument 'path'"],
    ['an unknown option', ['verify', 'archive', '--key', 'public.pem', '--heads', 'x'], 2, "unknown option '--heads'"],
    ['an unknown verb', ['prove'], 2, "unknown command 'prove'"],
    ['no verb', [], 2, 'Usage: audit-archive'],
    ['no such folder', ['verify', 'nowhere', '--key', 'public.pem'], 3, 'audit-archive: there is no folder nowhere'],
    ['no such key', ['verify', 'archive', '--key', 'nokey'], 3, 'nokey'],
    ['help', ['verify', '--help'], 0, '--save-head <file>'],
  ])('%s', async (_, args, exitCode, text) => {
    await inArchive(async ({ folder }) => {
      mkdirSync(join(folder, 'empty'));
      const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { cwd: folder });
      expect(`${stdout}${stderr}`).toContain(text);
      expect(status).toBe(exitCode);
    });
  });
});

interface Sandbox {
  readonly folder: string;
  readonly archive: string;
  readonly file: (name: string) => string;
  readonly run: (flags?: Partial<VerifyFlags>) => Promise<{ exitCode: number; text: string }>;
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
      async run(flags = {}) {
        const printed: string[] = [];
        const surroundings = { print: (line: string) => printed.push(line), now: NOW };
        const exitCode = await runVerify(archive, { key: file('public.pem'), ...flags }, surroundings);
        return { exitCode, text: printed.join('\n') };
      },
    });
  });
}

/** A chain that can be followed only out of the folder. */
function linked(archive: string): void {
  mkdirSync(archive);
  mkdirSync(`${archive}-elsewhere`);
  symlinkSync(`${archive}-elsewhere`, join(archive, 'manifests'));
}
