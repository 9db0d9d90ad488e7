/**
 * The witness checks every step: each object when it is written, each log line, error and checkpoint item. It collects
 * violations and does not throw them, because the code under test could catch them.
 */

import { inspect } from 'node:util';
import type { Manifest } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import type { Trouble } from '../support/oracle';
import { linesOf, manifestAt, type Objects, payloadHash, sha256Of } from '../support/stored';
import { claimTroubles, type Reading } from './claims';
import { CANARY_EMAIL, CANARY_KEY, DAY } from './events';

export class Violation extends Error {
  override readonly name = 'Violation';
  constructor(
    readonly check: string,
    message: string,
  ) {
    super(`${check}: ${message}`);
  }
}

export interface Witness {
  readonly violations: readonly Violation[];
  report(check: string, message: string): void;
  /** Called after the object was written. */
  sawObject(key: string): void;
  /** Looks for an API key or an event's body. */
  sawText(where: string, value: unknown): void;
}

/** The knowledge of the witness beside the objects. */
export interface Knowledge extends Reading {
  readonly isById: boolean;
  /** The id of the event that has this line as a text; null if the event has no id. */
  readonly idOf: (line: string) => string | null | undefined;
  /** When the run of that id began, in epoch milliseconds of the world. */
  readonly beganAt: (runId: string) => number | undefined;
  readonly now: () => number;
}

export function createWitness(objects: Objects, knowledge: Knowledge): Witness {
  const violations: Violation[] = [];
  const report = (check: string, message: string): void => {
    violations.push(new Violation(check, message));
  };
  return {
    violations,
    report,
    sawObject: (key) => {
      for (const [check, message] of troublesOf(key, objects, knowledge)) report(check, message);
    },
    sawText: (where, value) => {
      const text = inspect(value, { depth: 10, maxStringLength: null });
      if (text.includes(CANARY_EMAIL)) report('canary', `${where} holds an event's body`);
      if (text.includes(CANARY_KEY)) report('canary', `${where} holds the API key`);
    },
  };
}

function* troublesOf(key: string, objects: Objects, knowledge: Knowledge): Generator<Trouble> {
  if (key.startsWith('batches/')) return;
  if (!key.startsWith('manifests/')) return yield* segmentTroubles(key, objects);
  const manifest = manifestAt(objects, key);
  if (manifest === undefined) return yield ['manifest-unreadable', key];
  yield* chainTroubles(key, manifest, objects);
  yield* batchTroubles(key, manifest, objects);
  const earlier = before(manifest, objects);
  const archived = new Set(earlier.flatMap((one) => idsOf(one, objects, knowledge)));
  for (const id of idsOf(manifest, objects, knowledge)) {
    if (archived.has(id)) yield ['committed-twice', `${key} holds ${id}, which is archived already`];
    archived.add(id);
  }
  const began = knowledge.beganAt(manifest.run.id);
  if (began === undefined) return yield ['run-unknown', key];
  // A source that sorts by id may serve a younger event first. A later walk or the sweep reads the older one.
  if (!knowledge.isById) yield* claimTroubles({ manifest, earlier, archived, began, now: knowledge.now() }, knowledge);
}

/** The manifests before this one, oldest first. */
function before({ team, seq }: Manifest, objects: Objects): Manifest[] {
  const seqs = Array.from({ length: seq - 1 }, (_, index) => index + 1);
  return seqs.flatMap((one) => manifestAt(objects, manifestKey(team, one)) ?? []);
}

/** Manifest n + 1 is only put when manifest n exists, and its segments are published or may have expired. */
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

/** The ids that a manifest commits to `events/`, from the staged bytes. */
function idsOf({ batch, segments }: Manifest, objects: Objects, { idOf }: Knowledge): string[] {
  const staged = objects.get(batch?.key ?? '');
  const events = segments.filter(({ key }) => key.startsWith('events/'));
  return events.flatMap((segment) => linesOf(staged, segment).flatMap((line) => idOf(line) ?? []));
}
