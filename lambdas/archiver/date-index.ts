/**
 * The lines that the archive holds of some dates, read from the partitions of these dates. The archive is its own index, so
 * no second index can become wrong.
 *
 * Memory: about 100 bytes for each line of the loaded dates. A date may be forgotten only after a commit, because its lines
 * can then be read again.
 */
import { createHash } from 'node:crypto';
import { IntegrityError } from '../shared/errors';
import { type AuditEvent, readEvent } from '../shared/event';
import { JsonError } from '../shared/json';
import { type Area, areaPrefix, datePrefix } from '../shared/object-keys';
import type { ObjectStore } from '../shared/ports';
import { GzipError, streamLines } from '../shared/segment';
import { inParallel } from './parallel';

const READERS = 3;

export interface IndexOptions {
  readonly team: string;
  readonly store: Pick<ObjectStore, 'list' | 'get'>;
  /** Undefined for a line that no other line can equal. */
  readonly identityOf: (event: AuditEvent) => string | undefined;
}

/** Lines of one area by date and identity. */
export function createDateIndex(area: Area, { team, store, identityOf }: IndexOptions) {
  const dates = new Map<string, Map<string, number>>();
  let isWhole = false;

  /** Loads those partitions of these dates that are not loaded yet. */
  async function load(wanted: Iterable<string>): Promise<void> {
    const missing = [...new Set(wanted)].filter((date) => !dates.has(date));
    const keys: string[] = [];
    await inParallel(READERS, missing, async (date) => {
      keys.push(...(await store.list(datePrefix(area, team, date))));
    });
    await read(missing, keys);
  }

  /** Loads every partition of the area that is not loaded. */
  async function loadAll(): Promise<void> {
    if (isWhole) return;
    const keys = (await store.list(areaPrefix(area, team))).filter((key) => !dates.has(dateOfKey(key)));
    await read(keys.map(dateOfKey), keys);
    isWhole = true;
  }

  /** Reads the objects, and adds their dates only when all of them are read. */
  async function read(wanted: readonly string[], keys: readonly string[]): Promise<void> {
    const loaded = new Map(wanted.map((date) => [date, new Map<string, number>()]));
    await inParallel(READERS, keys, async (key) => {
      const lines = loaded.get(dateOfKey(key));
      for await (const event of readStored(store, key)) {
        const identity = identityOf(event);
        if (identity !== undefined) lines?.set(identity, lineDigest(event.line));
      }
    });
    for (const [date, lines] of loaded) dates.set(date, lines);
  }

  /** The digest of the line with this identity in any loaded date. */
  function find(identity: string): number | undefined {
    for (const lines of dates.values()) {
      const digest = lines.get(identity);
      if (digest !== undefined) return digest;
    }
    return undefined;
  }

  function add(date: string, identity: string, line: Buffer): void {
    const lines = dates.get(date) ?? new Map<string, number>();
    dates.set(date, lines.set(identity, lineDigest(line)));
  }

  function forgetBefore(date: string): void {
    isWhole = false;
    for (const loaded of dates.keys()) if (loaded < date) dates.delete(loaded);
  }

  function identitiesOf(date: string): ReadonlySet<string> {
    return new Set(dates.get(date)?.keys());
  }

  return { load, loadAll, find, add, identitiesOf, forgetBefore };
}

/** Yields the events of a published segment. An object that is not a segment was tampered with, so it stops the run. */
async function* readStored(store: Pick<ObjectStore, 'get'>, key: string): AsyncGenerator<AuditEvent> {
  const bytes = await store.get(key);
  if (bytes === undefined)
    throw new IntegrityError(
      'segment-differs',
      `${key} was listed but cannot be read; look for delete markers in its partition`,
    );
  try {
    for await (const line of streamLines(bytes)) yield readEvent(line);
  } catch (error) {
    // The checksum is at the end of the gzip member, so a damaged line can arrive before it and need not be JSON.
    if (!(error instanceof GzipError || error instanceof JsonError)) throw error;
    throw new IntegrityError('segment-differs', `${key} is not a segment: ${error.message}`, { cause: error });
  }
}

/** 48 bits are enough to notice another body of the same id. The ids themselves are compared completely. */
export function lineDigest(line: Buffer): number {
  return createHash('sha256').update(line).digest().readUIntBE(0, 6);
}

function dateOfKey(key: string): string {
  return /\/dt=([^/]*)\//.exec(key)?.[1] ?? '';
}
