/**
 * Reads stored objects without the code under test. Objects are written once, and thousands of fault worlds share their
 * buffers; so everything that was read from a buffer is remembered with it.
 */

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Manifest } from '../../lambdas/shared/manifest';

export type Objects = ReadonlyMap<string, Buffer>;

interface Read {
  readonly manifest?: Manifest;
  readonly payloadHash?: string;
  /** The lines, by offset and length of the member. */
  readonly members: Map<string, readonly string[]>;
}

const remembered = new WeakMap<Buffer, Read>();

/** The manifest, whatever its signature; undefined where there is no such object, or where it is not an envelope. */
export function manifestAt(objects: Objects, key: string): Manifest | undefined {
  const bytes = objects.get(key);
  return bytes && readEnvelope(bytes).manifest;
}

/** The SHA-256 of the bytes that are signed. */
export function payloadHash(objects: Objects, key: string): string | undefined {
  const bytes = objects.get(key);
  return bytes && readEnvelope(bytes).payloadHash;
}

/** Every line of the objects under a prefix, in no particular order. */
export function linesUnder(objects: Objects, prefix: string): string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).flatMap((key) => linesOf(objects.get(key)));
}

/** The lines of one gzip member, or of a whole object by default; none where the bytes are not gzip. */
export function linesOf(
  bytes: Buffer | undefined,
  { offset, length }: { readonly offset: number; readonly length: number } = { offset: 0, length: Infinity },
): readonly string[] {
  if (bytes === undefined) return [];
  const { members } = read(bytes);
  const place = `${offset} ${length}`;
  const lines =
    members.get(place) ??
    unzip(bytes.subarray(offset, offset + length))
      .split('\n')
      .slice(0, -1);
  members.set(place, lines);
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
