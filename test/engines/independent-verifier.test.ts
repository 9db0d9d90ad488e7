/**
 * An independent implementation of docs/format.md, in Python with securesystemslib, and the verifier of this project: both find
 * the same archive good, with the same heads, and both find it changed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFolder } from '../../cli/folder';
import { readPublicKey } from '../../lambdas/shared/dsse';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { verify } from '../../lambdas/verifier/verify';
import { scratch } from '../support/scratch';
import { engineFolder } from './install';
import { describeWith } from './servers';

const FIXTURE = join(import.meta.dirname, '../fixtures/format-1');
const KEY = join(FIXTURE, 'public-key.pem');

function verifyInPython(folder: string) {
  const program = join(import.meta.dirname, 'securesystemslib/verify.py');
  const python = join(engineFolder('securesystemslib'), 'bin/python');
  const { status, stdout, stderr } = spawnSync(python, [program, KEY, folder], { encoding: 'utf8' });
  return { status, lines: stdout.trim().split('\n'), stderr };
}

const ours = async (folder: string) =>
  verify(await openFolder(folder), { publicKey: readPublicKey(readFileSync(KEY)), now: new Date() });

describeWith(['securesystemslib'], 'a verifier that nobody here wrote', () => {
  test('both verifiers find the frozen archive good, and state the same heads', async () => {
    const { teams } = await ours(join(FIXTURE, 'bucket'));
    const heads = teams.map(
      ({ team, manifests, head }) => `team=${team}: ${manifests} manifests, head ${head?.sha256}`,
    );
    expect(heads).toHaveLength(2);
    expect(verifyInPython(join(FIXTURE, 'bucket'))).toEqual({ status: 0, lines: heads, stderr: '' });
  });

  test.each<[string, (folder: string) => void, string]>([
    ['a changed payload', (folder) => edit(folder, 'payload'), '0000000002.json: not signed with this key'],
    ['a changed signature', (folder) => edit(folder, 'sig'), '0000000002.json: not signed with this key'],
    [
      'a missing manifest',
      (folder) => rmSync(join(folder, manifestKey('main', 2))),
      '0000000003.json: does not follow the manifest before it',
    ],
  ])('both verifiers find %s', async (name, tamper, problem) => {
    const folder = join(scratch, name.replaceAll(' ', '-'));
    cpSync(join(FIXTURE, 'bucket'), folder, { recursive: true });
    tamper(folder);
    const { status, lines } = verifyInPython(folder);
    expect(status).toBe(1);
    expect(lines).toContain(problem);
    expect((await ours(folder)).findings.some(({ severity }) => severity === 'finding')).toBe(true);
  });
});

/** Changes a character of the payload, or of the signature, of manifest 2. It stays what it was in form. */
function edit(folder: string, part: 'payload' | 'sig'): void {
  const file = join(folder, manifestKey('main', 2));
  const envelope = JSON.parse(readFileSync(file, 'utf8'));
  if (part === 'payload') {
    const payload = String(Buffer.from(envelope.payload, 'base64')).replace(/"pages":\d+/, '"pages":9');
    envelope.payload = Buffer.from(payload).toString('base64');
  } else {
    const bytes = Buffer.from(envelope.signatures[0].sig, 'base64');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    envelope.signatures[0].sig = bytes.toString('base64');
  }
  writeFileSync(file, JSON.stringify(envelope));
}
