/**
 * Reads stored objects without the code under test. What was read of a buffer is remembered with it: objects are
 * written once, and thousands of worlds share them.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Manifest } from '../../lambdas/shared/manifest';

export type Objects = ReadonlyMap<string, Buffer>;

interface Read {
  readonly manifest?: Manifest;
  readonly payloadHash?: string;
  readonly members: Map<number, readonly string[]>;
}

const remembered = new WeakMap<Buffer, Read>();

/** Whatever its signature; undefined where there is no such object, or it is not an envelope. */
export function manifestAt(objects: Objects, key: string): Manifest | undefined {
  const bytes = objects.get(key);
  return bytes && readEnvelope(bytes).manifest;
}

/** SHA-256 of the payload's bytes. */
export function payloadHash(objects: Objects, key: string): string | undefined {
  const bytes = objects.get(key);
  return bytes && readEnvelope(bytes).payloadHash;
}

/** The lines of a gzip member (by default the whole object is one); none where it is not gzip. */
export function linesOf(
  bytes: Buffer | undefined,
  { offset, length }: { readonly offset: number; readonly length: number } = { offset: 0, length: Infinity },
): readonly string[] {
  if (bytes === undefined) return [];
  const { members } = read(bytes);
  const lines =
    members.get(offset) ??
    unzip(bytes.subarray(offset, offset + length))
      .split('\n')
      .slice(0, -1);
  members.set(offset, lines);
  return lines;
}

export function sha256Of(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

function read(bytes: Buffer): Read {
  const known = remembered.get(bytes) ?? { members: new Map() };
  remembered.set(bytes, known);
  return known;
}

function readEnvelope(bytes: Buffer): Read {
  const known = read(bytes);
  if (known.payloadHash !== undefined) return known;
  try {
    const payload = Buffer.from(JSON.parse(bytes.toString('utf8')).payload, 'base64');
    const manifest: Manifest = JSON.parse(payload.toString('utf8'));
    const whole = { ...known, manifest, payloadHash: sha256Of(payload) };
    remembered.set(bytes, whole);
    return whole;
  } catch {
    return known;
  }
}

function unzip(member: Buffer): string {
  try {
    return gunzipSync(member).toString('utf8');
  } catch {
    return '';
  }
}
