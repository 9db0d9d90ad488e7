/**
 * The frozen archive of format 1 (`test/fixtures/format-1`) and its key. The archive was written once, by the version
 * that froze the format, and must never be written again.
 */

import { createECDH, createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../lambdas/shared/ports';

const FIXTURE = join(import.meta.dirname, '../fixtures/format-1');
export const PUBLIC_KEY = join(FIXTURE, 'public-key.pem');

export function frozenObjects(): Map<string, Buffer> {
  const bucket = join(FIXTURE, 'bucket');
  const files = readdirSync(bucket, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path.slice(bucket.length + 1), readFileSync(path)]));
}

/** Signs with the fixture's key. It is worked out from a text, so that no private key lies in the repository. */
export function fixtureSigner(): Signer {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(createHash('sha256').update('postman-audit-archive/1 fixture').digest());
  const [point, d] = [curve.getPublicKey(), curve.getPrivateKey('base64url')];
  const coordinate = (start: number) => point.subarray(start, start + 32).toString('base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', d, x: coordinate(1), y: coordinate(33) },
  });
  return {
    publicKey: createPublicKey(key),
    sign: async (message) => sign('sha256', message, { key, dsaEncoding: 'der' }),
  };
}
