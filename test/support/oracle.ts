/**
 * The oracle: what must hold of every archive at rest, in the fault world and over sockets alike. It knows what the
 * source served, byte for byte, and reads the stored objects without the code under test. Then it asks the verifier,
 * which must find nothing. A check yields its name and what it found; an archive in order yields nothing.
 */

import type { KeyObject } from 'node:crypto';
import { verify } from '../../lambdas/verifier/verify';
import { readerOf } from './archive-builder';
import { linesOf, linesUnder, manifestAt, type Objects } from './stored';

export type Trouble = readonly [check: string, message: string];

export interface ServedEvent {
  /** Names the event, whatever its body is at the moment. */
  readonly row: number | string;
  /** The id that the archive must know it by; null where it has no usable one. */
  readonly id: string | null;
  /** Whether it may be under `events/`. */
  readonly isFit: boolean;
}

export interface Evidence {
  readonly objects: Objects;
  /** The event that was served with exactly this text; undefined where none was. */
  readonly eventOf: (line: string) => ServedEvent | undefined;
  /** Every event that must be in the archive by now. */
  readonly expected: Iterable<ServedEvent>;
}

/** Every API key and every event's body contains this text. It must not appear anywhere else. */
const CANARY = 'canary';
const KEY_CANARY = 'PMAK-canary';

/**
 * Each event stands once under `events/`, in the bytes of one of its bodies. The quarantine holds at most one line of
 * each id. Nothing else is stored, and no expected event is missing.
 */
export function* lineTroubles({ objects, eventOf, expected }: Evidence): Generator<Trouble> {
  const archived = linesUnder(objects, 'events/');
  const quarantined = linesUnder(objects, 'quarantine/');
  for (const line of [...archived, ...quarantined]) {
    if (eventOf(line) === undefined) yield ['not-verbatim', 'a line was never served as it is'];
  }
  const ids = new Set<string>();
  for (const line of archived) {
    const found = eventOf(line);
    if (found?.id == null || !found.isFit) yield ['unfit', `row ${found?.row} is under events/`];
    else if (ids.has(found.id)) yield ['twice', `id ${found.id} is under events/ twice`];
    else ids.add(found.id);
  }
  const identities = new Set<string>();
  for (const line of quarantined) {
    // An event without an id is known by its text.
    const identity = eventOf(line)?.id ?? line;
    if (identities.has(identity)) yield ['quarantined-twice', `row ${eventOf(line)?.row}`];
    identities.add(identity);
  }
  const rows = new Set(quarantined.map((line) => eventOf(line)?.row));
  for (const { row, id, isFit } of expected) {
    if (!(isFit ? id !== null && ids.has(id) : rows.has(row))) yield ['lost', `row ${row} is not archived`];
  }
}

/**
 * A fit line is only quarantined as a further body of an archived id. This holds where all clocks are right: a run with a
 * clock a day behind quarantines an event as dated in the future, and a later run may archive it.
 */
export function* quarantineTroubles({ objects, eventOf }: Evidence): Generator<Trouble> {
  const archived = new Set(linesUnder(objects, 'events/'));
  for (const line of linesUnder(objects, 'quarantine/')) {
    if (!eventOf(line)?.isFit || !archived.has(line)) continue;
    yield ['quarantined-for-nothing', `row ${eventOf(line)?.row} is archived with the same body`];
  }
}

/** No API key is in any object, no event's body in a manifest, and neither in any of the texts. */
export function* secretTroubles(objects: Objects, texts: readonly string[] = []): Generator<Trouble> {
  for (const [key, bytes] of objects) {
    const isManifest = key.startsWith('manifests/');
    const content = isManifest ? JSON.stringify(manifestAt(objects, key)) : linesOf(bytes).join('\n');
    if (content?.includes(isManifest ? CANARY : KEY_CANARY)) yield ['canary', `${key} holds one`];
  }
  for (const text of texts) if (text.includes(CANARY)) yield ['canary', `a text holds one: ${text.slice(0, 200)}`];
}

/** The verifier must find nothing but objects whose announced time has expired. */
export async function* verifierTroubles(
  objects: Objects,
  publicKey: KeyObject,
  now = new Date(),
): AsyncGenerator<Trouble> {
  const { findings } = await verify(readerOf(objects), { publicKey, now });
  for (const { code, object, detail } of findings)
    if (code !== 'expired') yield [`verifier:${code}`, `${object} ${detail}`];
}
