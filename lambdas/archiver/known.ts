/**
 * Which events the archive holds: the archive is its own index, read from the partitions of the dates met. There is
 * no second index to go wrong.
 *
 * Memory: about 100 bytes an id of the loaded dates. Dates are forgotten only after a commit, when everything this
 * run knows of them can be read again.
 */
import { createHash } from 'node:crypto';
import { IntegrityError } from '../shared/errors';
import { type AuditEvent, type DatedEvent, readEvent } from '../shared/event';
import { JsonError } from '../shared/json';
import { dateOf, datePrefix } from '../shared/keys';
import { GzipError, streamLines } from '../shared/ndjson';
import type { ObjectStore } from '../shared/ports';
import { inParallel } from './parallel';

const READERS = 3;

export type Standing = 'new' | 'known' | 'revision';

export interface Known {
  /** Loads the partitions of these dates, if they are not loaded. */
  load(dates: Iterable<string>): Promise<void>;
  /** Whether the id is in a loaded date, and with the same body. A new event is remembered from here on. */
  meet(event: DatedEvent): Standing;
  /** The ids of a loaded date. */
  idsOf(date: string): ReadonlyMap<string, number>;
  forgetBefore(date: string): void;
}

export function createKnown(team: string, store: Pick<ObjectStore, 'list' | 'get'>): Known {
  const dates = new Map<string, Map<string, number>>();

  async function load(wanted: Iterable<string>): Promise<void> {
    const missing = [...new Set(wanted)].filter((date) => !dates.has(date));
    const keys: { date: string; key: string }[] = [];
    await inParallel(READERS, missing, async (date) => {
      for (const key of await store.list(datePrefix('events', team, date))) keys.push({ date, key });
    });
    const loaded = new Map(missing.map((date) => [date, new Map<string, number>()]));
    await inParallel(READERS, keys, async ({ date, key }) => {
      for await (const { id, line } of readSegment(store, key)) {
        if (id !== undefined) loaded.get(date)?.set(id, bodyDigest(line));
      }
    });
    for (const [date, ids] of loaded) dates.set(date, ids);
  }

  function meet(event: DatedEvent): Standing {
    const digest = bodyDigest(event.line);
    for (const ids of dates.values()) {
      const archived = ids.get(event.id);
      if (archived !== undefined) return archived === digest ? 'known' : 'revision';
    }
    const ids = dates.get(dateOf(event.instant)) ?? new Map<string, number>();
    dates.set(dateOf(event.instant), ids.set(event.id, digest));
    return 'new';
  }

  function forgetBefore(date: string): void {
    for (const loaded of dates.keys()) if (loaded < date) dates.delete(loaded);
  }

  return { load, meet, idsOf: (date) => dates.get(date) ?? new Map(), forgetBefore };
}

/** The events of a published segment. An object that is not one is never passed over: it was tampered with. */
export async function* readSegment(store: Pick<ObjectStore, 'get'>, key: string): AsyncGenerator<AuditEvent> {
  const bytes = await store.get(key);
  if (bytes === undefined) throw new IntegrityError('segment-differs', `${key} was listed, and is not there`);
  try {
    for await (const line of streamLines(bytes)) yield readEvent(line);
  } catch (error) {
    // Lines come before the checksum at the end is read: a damaged one may not even be JSON.
    if (!(error instanceof GzipError || error instanceof JsonError)) throw error;
    throw new IntegrityError('segment-differs', `${key} is not a segment: ${error.message}`, { cause: error });
  }
}

/** 48 bits tell a changed body from the archived one of the same id; ids themselves are compared whole. */
function bodyDigest(line: Buffer): number {
  return createHash('sha256').update(line).digest().readUIntBE(0, 6);
}
