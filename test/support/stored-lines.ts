/**
 * The judge of every scenario: what is stored against what was served, with eyes of its own (plain gunzip, a pattern
 * for the id), then the verifier, which must find nothing, and the secrets, which must be nowhere.
 */
import type { KeyObject } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { verify } from '../../lambdas/verifier/verify';
import { readerOf } from './archive-builder';

export type Objects = ReadonlyMap<string, Buffer>;

/** Every line under a prefix, in any order. Members one after the other are all read. */
export function linesUnder(objects: Objects, prefix: string): string[] {
  const found = [...objects].filter(([key]) => key.startsWith(prefix));
  return found.flatMap(([, bytes]) => gunzipSync(bytes).toString().split('\n').slice(0, -1));
}

/** The id's token, quotes off; a line without one is known by its text. Ids stand first in the texts of these tests. */
export function identityOf(line: string): string {
  return /^\{"id":(?!null)"?([^",]+)/.exec(line)?.[1] ?? line;
}

export interface Served {
  /** Every distinct text that was ever served. */
  readonly lines: readonly string[];
  /** What is served now. */
  readonly visible: readonly string[];
  /** Texts that may not enter `events/`. */
  readonly unfit: ReadonlySet<string>;
}

/**
 * Each id served stands once under `events/`, in the bytes of one of its bodies; quarantine holds what is unfit, and of
 * each id at most one further body; nothing else is stored, and nothing that can be seen is missing.
 */
export function expectEverythingOnce(objects: Objects, { lines, visible, unfit }: Served): void {
  const [archived, held] = [linesUnder(objects, 'events/'), linesUnder(objects, 'quarantine/')];
  const served = new Set(lines);
  const ids = new Set(archived.map(identityOf));
  const known = new Set([...ids, ...held.filter((line) => unfit.has(line))].map(identityOf));
  const bodies = new Set(archived);
  expect({
    neverServed: [...archived, ...held].filter((line) => !served.has(line)),
    archivedTwice: repeated(archived.map(identityOf)),
    heldTwice: repeated(held.map(identityOf)),
    unfitForEvents: archived.filter((line) => unfit.has(line)),
    heldForNothing: held.filter((line) => !unfit.has(line) && (bodies.has(line) || !ids.has(identityOf(line)))),
    missing: [...new Set([...lines, ...visible])].filter((line) => !known.has(identityOf(line))),
  }).toEqual({
    neverServed: [],
    archivedTwice: [],
    heldTwice: [],
    unfitForEvents: [],
    heldForNothing: [],
    missing: [],
  });
}

function repeated(identities: readonly string[]): string[] {
  const seen = new Set<string>();
  return identities.filter((identity) => seen.has(identity) || !seen.add(identity));
}

export async function expectVerified(objects: Objects, publicKey: KeyObject): Promise<void> {
  const { findings } = await verify(readerOf(objects), { publicKey, now: new Date() });
  expect(findings).toEqual([]);
}

/** The secrets are in none of the texts; the API key is in no object either, packed or not. */
export function expectNoSecrets(
  texts: readonly string[],
  objects: Objects,
  secrets: { apiKeys: string[]; body: string },
) {
  const { apiKeys, body } = secrets;
  expect(texts.filter((text) => [...apiKeys, body].some((secret) => text.includes(secret)))).toEqual([]);
  const plain = [...objects].map(([key, bytes]) => ({ key, text: unpacked(key, bytes) }));
  expect(plain.filter(({ key, text }) => apiKeys.some((secret) => `${key} ${text}`.includes(secret)))).toEqual([]);
  const manifests = plain.filter(({ key }) => key.startsWith('manifests/'));
  expect(manifests.filter(({ text }) => text.includes(body))).toEqual([]);
}

function unpacked(key: string, bytes: Buffer): string {
  if (key.endsWith('.gz')) return gunzipSync(bytes).toString('latin1');
  const { payload } = JSON.parse(bytes.toString()) as { payload: string };
  return `${bytes} ${Buffer.from(payload, 'base64')}`;
}
