/**
 * The witness looks at every step, not only at the end: each object at the moment it is written, each log line, error
 * and checkpoint item. What it sees wrong is written down, and not thrown: the code under test may not catch it.
 */
import { inspect } from 'node:util';
import { manifestKey } from '../../lambdas/shared/keys';
import type { Manifest } from '../../lambdas/shared/manifest';
import { CANARY_EMAIL, CANARY_KEY, DAY } from './events';
import { linesOf, manifestAt, type Objects, payloadHash, sha256Of } from './stored';

/** What a check found wrong. */
export class Violation extends Error {
  override readonly name = 'Violation';
  constructor(
    /** Names the check, whatever it found. */
    readonly check: string,
    message: string,
  ) {
    super(`${check}: ${message}`);
  }
}

export interface Witness {
  readonly violations: readonly Violation[];
  report(check: string, message: string): void;
  /** Called when the object is there. */
  sawObject(key: string): void;
  /** Looks for an API key or an event's body. */
  sawText(where: string, value: unknown): void;
}

/** The id of the event of which a line is a text; null where that has none. */
type IdOf = (line: string) => string | null | undefined;

type Trouble = readonly [check: string, message: string];

export function createWitness(objects: Objects, idOf: IdOf): Witness {
  const violations: Violation[] = [];
  const report = (check: string, message: string): void => {
    violations.push(new Violation(check, message));
  };
  return {
    violations,
    report,
    sawObject: (key) => {
      for (const [check, message] of troublesOf(key, objects, idOf)) report(check, message);
    },
    sawText: (where, value) => {
      const text = inspect(value, { depth: 10, maxStringLength: null });
      if (text.includes(CANARY_EMAIL)) report('canary', `${where} holds an event's body`);
      if (text.includes(CANARY_KEY)) report('canary', `${where} holds the API key`);
    },
  };
}

function* troublesOf(key: string, objects: Objects, idOf: IdOf): Generator<Trouble> {
  if (key.startsWith('batches/')) return;
  if (!key.startsWith('manifests/')) return yield* segmentTroubles(key, objects);
  const manifest = manifestAt(objects, key);
  if (manifest === undefined) return yield ['manifest-unreadable', key];
  yield* chainTroubles(key, manifest, objects);
  yield* batchTroubles(key, manifest, objects);
  if (repeatsAnId(manifest, objects, idOf)) yield ['committed-twice', `${key} holds an id that is archived already`];
}

/** Manifest n+1 is only put when n is there, and fully published; or so old that it may have expired. */
function* chainTroubles(key: string, manifest: Manifest, objects: Objects): Generator<Trouble> {
  const previousKey = manifestKey(manifest.team, manifest.seq - 1);
  const previous = manifestAt(objects, previousKey);
  if (manifest.previous !== (payloadHash(objects, previousKey) ?? null)) {
    yield ['chain-forked', `${key} does not follow the manifest before it`];
  }
  if (previous === undefined) {
    if (manifest.seq > 1) yield ['chain-hole', `${key}, and none before it`];
    return;
  }
  for (const segment of previous.segments) {
    if (!objects.has(segment.key) && !isOver(previous, manifest))
      yield ['committed-before-published', `${key}, while ${segment.key} is missing`];
  }
  if (manifest.position < previous.position) yield ['position-back', key];
}

function isOver({ run, retention }: Manifest, next: Manifest): boolean {
  const days = (Date.parse(next.run.finished) - Date.parse(run.finished)) / DAY;
  return retention?.expireAfterDays != null && days >= retention.expireAfterDays;
}

function* batchTroubles(key: string, { batch }: Manifest, objects: Objects): Generator<Trouble> {
  const staged = batch === null ? 0 : objects.get(batch.key)?.length;
  if (staged !== (batch?.bytes ?? 0)) yield ['committed-before-staged', key];
}

/** An object under `events/` or `quarantine/` is only ever written from a manifest that is already committed. */
function* segmentTroubles(key: string, objects: Objects): Generator<Trouble> {
  const [, team = '', seq] = /^(?:events|quarantine)\/team=([^/]+)\/dt=[^/]+\/(\d{10})\.ndjson\.gz$/.exec(key) ?? [];
  const manifest = seq === undefined ? undefined : manifestAt(objects, manifestKey(team, Number(seq)));
  const entry = manifest?.segments.find((segment) => segment.key === key);
  if (entry === undefined) return yield ['uncommitted-object', `${key} is in no manifest`];
  const content = linesOf(objects.get(key)).map((line) => `${line}\n`);
  if (sha256Of(content.join('')) !== entry.sha256) yield ['uncommitted-object', `${key} has other lines`];
}

function repeatsAnId(manifest: Manifest, objects: Objects, idOf: IdOf): boolean {
  const archived = new Set<string>();
  for (let seq = 1; seq < manifest.seq; seq += 1) {
    const earlier = manifestAt(objects, manifestKey(manifest.team, seq));
    for (const id of earlier ? idsOf(earlier, objects, idOf) : []) archived.add(id);
  }
  return idsOf(manifest, objects, idOf).some((id) => archived.has(id) || archived.size === archived.add(id).size);
}

/** The ids that a manifest commits to `events/`, from the staged bytes. */
function idsOf({ batch, segments }: Manifest, objects: Objects, idOf: IdOf): string[] {
  const staged = objects.get(batch?.key ?? '');
  const events = segments.filter(({ key }) => key.startsWith('events/'));
  return events.flatMap((segment) => linesOf(staged, segment).flatMap((line) => idOf(line) ?? []));
}
