/** `docs/format.md` is normative, so it is tested: it explains every field and every finding, and its shell lines run. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { keyId } from '../../lambdas/shared/dsse';
import { QUARANTINE_REASONS } from '../../lambdas/shared/event';
import { FORMAT, PAYLOAD_TYPE } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { FINDINGS } from '../../lambdas/verifier/findings';
import { buildArchive, createSigner, sampleBatches, testKey, writeObjects } from '../support/archive-builder';
import { inFolder } from '../support/judge';
import { aManifest } from '../support/manifest';

const text = readFileSync(join(import.meta.dirname, '../../docs/format.md'), 'utf8');
const [settings = '', ...blocks] = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');

const TOOLS = ['bash', 'jq', 'openssl', 'sha256sum', 'gzip', 'zcat', 'base64', 'find', 'xargs', 'seq', 'diff', 'cmp'];
const missing = TOOLS.filter((tool) => !hasTool(tool));

const SEGMENT = 'events/team=main/dt=2026-03-10/0000000002.ndjson.gz';
const M2 = manifestKey('main', 2);

/** Prints the first line of the true answer. */
const STOPPING_JQ = `#!/bin/sh
PATH=\${PATH#*:}
jq "$@" | head -n 1
exit 5
`;

describe('the text', () => {
  test.each(Object.entries(FINDINGS))('format.md explains the finding %s in the words of the verifier', (code, {
    severity,
    sentence,
  }) => {
    expect(text).toContain(`| \`${code}\` | ${severity} | ${sentence} |`);
  });

  test('format.md explains no finding that does not exist', () => {
    const explained = [...text.matchAll(/^\| `([a-z-]+)` \| (?:finding|notice) \|/gm)].map((match) => match[1]);
    expect(explained).toEqual(Object.keys(FINDINGS));
  });

  test('format.md explains every field of a manifest', () => {
    const manifest = aManifest();
    const reasons = fieldsOf(manifest.counts.quarantined, 'counts.quarantined');
    const fields = fieldsOf(manifest).filter((field) => !reasons.includes(field));
    expect(fields).toEqual(expect.arrayContaining(['sweeps[].missing', 'segments[].sha256', 'retention.days']));
    expect(fields.filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
  });

  test('format.md explains every quarantine reason, and names the format and the payload type', () => {
    for (const reason of QUARANTINE_REASONS) expect(text).toContain(`| \`${reason}\` |`);
    expect(text).toContain(`\`${FORMAT}\``);
    expect(text).toContain(`"payloadType":"${PAYLOAD_TYPE}"`);
  });
});

describe('the shell lines', () => {
  for (const block of blocks) {
    testLines(`the shell lines accept a good archive: ${block.split('\n')[0]}`, block, (archive) => {
      expect(run(block, archive)).toMatchObject({ status: 0, stderr: '' });
    });
  }

  const segment = (archive: string) => join(archive, SEGMENT);
  const tamperings: readonly (readonly [what: string, part: string, tamper: (archive: string) => void])[] = [
    [
      'another key',
      'openssl dgst',
      (archive) => writeFileSync(join(archive, '../public.pem'), createSigner().publicPem),
    ],
    ['a changed payload', 'openssl dgst', (archive) => rewriteManifest(join(archive, M2))],
    ['a missing manifest', 'seq -f', (archive) => rmSync(join(archive, M2))],
    ['a missing manifest', 'does not follow', (archive) => rmSync(join(archive, M2))],
    ['a changed payload', 'does not follow', (archive) => rewriteManifest(join(archive, M2))],
    ['a changed line', 'SEGMENT differs', (archive) => rewrite(segment(archive), 'sign_in', 'sign_on')],
    ['a missing segment', 'SEGMENT differs', (archive) => rmSync(segment(archive))],
    ['a segment compressed again', 'cmp -', (archive) => rewrite(segment(archive), '', '')],
    ['a missing segment', 'find events quarantine', (archive) => rmSync(segment(archive))],
    ['an unlisted object', 'find events quarantine', (archive) => writeFileSync(join(archive, 'events/planted'), '')],
    [
      'a cut segment',
      'gzip -t',
      (archive) => writeFileSync(segment(archive), readFileSync(segment(archive)).subarray(1)),
    ],
    ['a line archived twice', 'sort | uniq -d', (archive) => copyFileSync(segment(archive), `${segment(archive)}.gz`)],
    ['an id archived twice', 'jq -c .id', (archive) => rewrite(segment(archive), '"id":6', '"id":"5"')],
  ];
  for (const [what, part, tamper] of tamperings) {
    const block = blocks.find((candidate) => candidate.includes(part)) ?? `no block with ${part}`;
    testLines(`the shell lines with "${part}" reject ${what}`, block, (archive) => {
      tamper(archive);
      expect(run(block, archive).status).toBeGreaterThan(0);
    });
  }

  // The exit code of a tool is easily lost, for example within a substitution.
  for (const block of blocks.filter((each) => /\bjq\b/.test(each))) {
    testLines(`the shell lines fail aloud where jq stops in the middle: ${block.split('\n')[0]}`, block, (archive) => {
      const tools = join(archive, '../tools');
      mkdirSync(tools);
      writeFileSync(join(tools, 'jq'), STOPPING_JQ, { mode: 0o755 });
      const { status, stderr } = run(block, archive, { ...process.env, PATH: `${tools}:${process.env.PATH}` });
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain('NOT GOOD: a check has failed');
    });
  }

  testLines('the shell lines print the id of the pinned key', blocks[0] ?? '', (archive) => {
    expect(run(blocks[0] ?? '', archive).stdout).toBe(`${keyId(testKey)}  -\n`);
  });

  const ofADay = blocks.find((block) => block.includes('wc -l\n')) ?? '';
  testLines('the shell lines print how many events a day has', ofADay, (archive) => {
    expect(run(ofADay, archive).stdout.trim()).toBe('5');
  });
});

/** If a tool is missing on this machine, the tests of the lines that need it are skipped and their names say so. */
function testLines(name: string, block: string, check: (archive: string) => void): void {
  const lacking = missing.filter((tool) => new RegExp(`\\b${tool}\\b`).test(settings + block));
  const declare = lacking.length > 0 ? test.skip : test;
  declare(`${name}${lacking.length > 0 ? ` (this machine has no ${lacking.join(', ')})` : ''}`, () =>
    inFolder(async (folder) => {
      const archive = join(folder, 'archive');
      writeObjects(await buildArchive({ batches: sampleBatches }), archive);
      check(archive);
    }),
  );
}

function run(block: string, archive: string, env = process.env) {
  return spawnSync('bash', ['-c', `${settings}\n${block}`], { cwd: archive, encoding: 'utf8', env });
}

function hasTool(tool: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
}

function rewrite(file: string, from: string, to: string): void {
  writeFileSync(file, gzipSync(String(gunzipSync(readFileSync(file))).replace(from, to), { level: 0 }));
}

/** Replaces the payload and keeps the signature. */
function rewriteManifest(file: string): void {
  const envelope = JSON.parse(readFileSync(file, 'utf8'));
  const payload = String(Buffer.from(envelope.payload, 'base64')).replace('0.1.0', '0.1.1');
  writeFileSync(file, JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') }));
}

/** The names of all fields as format.md writes them: `a`, `a.b`, and `a[].b` for a field within a list. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [path, ...fieldsOf(value[0], `${path}[]`).filter((field) => field !== `${path}[]`)];
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).map(([name, item]): [string, unknown] => [path ? `${path}.${name}` : name, item]);
  return inner.flatMap(([field, item]) => fieldsOf(item, field));
}
