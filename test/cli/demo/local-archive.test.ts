import { createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archivePaths, ensureKeyPair } from '../../../cli/demo/local-archive';

const folder = mkdtempSync(join(tmpdir(), 'keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  'public-key.pem',
  'signing-key.pem.new',
])('a disk that is full while %s is written leaves no private key, and the next start makes a whole pair', (file) => {
  const at = archivePaths(mkdtempSync(join(folder, 'full-')));
  const full = join(at.publicKey, '..', file);
  symlinkSync('/dev/full', full);
  expect(() => ensureKeyPair(at)).toThrow('ENOSPC');
  expect(existsSync(at.privateKey)).toBe(false);
  rmSync(full);
  ensureKeyPair(at);
  const publicKey = createPublicKey(readFileSync(at.privateKey)).export({ type: 'spki', format: 'pem' });
  expect(readFileSync(at.publicKey, 'utf8')).toBe(publicKey);
});
