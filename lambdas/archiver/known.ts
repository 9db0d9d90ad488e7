/**
 * Which lines the archive holds: the archive is its own index, read from the partitions of the dates met. There is no
 * second index that could go wrong.
 *
 * Memory: about 100 bytes a line of the loaded dates. Dates are forgotten only after a commit, when everything this run
 * knows of them can be read again.
 */
import { createHash } from 'node:crypto';
import { IntegrityError } from '../shared/errors';
import { type AuditEvent, type DatedEvent, readEvent } from '../shared/event';
import { JsonError } from '../shared/json';
import { sha256 } from '../shared/manifest';
import { type Area, datePrefix } from '../shared/object-keys';
import type { ObjectStore } from '../shared/ports';
import { GzipError, streamLines } from '../shared/segment';
import { dateOf } from '../shared/time';
import { inParallel } from './parallel';

const READERS = 3;

export type Standing = 'new' | 'known' | 'revision';

/** Lines of one area by date and identity. */
interface DateIndex {
  /** Loads the partitions of these dates, if they are not loaded. */
  load(dates: Iterable<string>): Promise<void>;
  /** The digest of the line with this identity in any loaded date. */
  find(identity: string): number | undefined;
  add(date: string, identity: string, line: Buffer): void;
  identitiesOf(date: string): ReadonlyMap<string, number>;
  forgetBefore(date: string): void;
}

export interface Known extends Pick<DateIndex, 'load' | 'forgetBefore'> {
  /** Whether the id is in a loaded date, and with the same body. A new event is remembered from here on. */
  meet(event: DatedEvent): Standing;
  /** The ids of a loaded date. */
  idsOf(date: string): ReadonlyMap<string, number>;
}

/** The events that the archive holds. */
export function createKnown(team: string, store: Pick<ObjectStore, 'list' | 'get'>): Known {
  const { load, find, add, identitiesOf, forgetBefore } = createDateIndex('events', {
    team,
    store,
    identityOf: ({ id }) => id,
  });

  function meet(event: DatedEvent): Standing {
    const archived = find(event.id);
    if (archived !== undefined) return archived === lineDigest(event.line) ? 'known' : 'revision';
    add(dateOf(event.instant), event.id, event.line);
    return 'new';
  }

  return { load, meet, idsOf: identitiesOf, forgetBefore };
}

export interface Kept extends Pick<DateIndex, 'load' | 'forgetBefore'> {
  /** Whether the line still has to be kept: its identity is in no loaded date. It is remembered from here on. */
  isMissing(date: string, event: AuditEvent): boolean;
}

/** The lines that the quarantine holds. A line is kept once, however often it is served. */
export function createKept(team: string, store: Pick<ObjectStore, 'list' | 'get'>): Kept {
  const { load, find, add, forgetBefore } = createDateIndex('quarantine', { team, store, identityOf: heldIdentity });

  function isMissing(date: string, event: AuditEvent): boolean {
    const identity = heldIdentity(event);
    if (find(identity) !== undefined) return false;
    add(date, identity, event.line);
    return true;
  }

  return { load, isMissing, forgetBefore };
}

interface IndexOptions {
  readonly team: string;
  readonly store: Pick<ObjectStore, 'list' | 'get'>;
  /** Undefined for a line that no other line can equal. */
  readonly identityOf: (event: AuditEvent) => string | undefined;
}

function createDateIndex(area: Area, { team, store, identityOf }: IndexOptions): DateIndex {
  const dates = new Map<string, Map<string, number>>();

  async function load(wanted: Iterable<string>): Promise<void> {
    const missing = [...new Set(wanted)].filter((date) => !dates.has(date));
    const keys: { date: string; key: string }[] = [];
    await inParallel(READERS, missing, async (date) => {
      for (const key of await store.list(datePrefix(area, team, date))) keys.push({ date, key });
    });
    const loaded = new Map(missing.map((date) => [date, new Map<string, number>()]));
    await inParallel(READERS, keys, async ({ date, key }) => {
      for await (const event of readSegment(store, key)) {
        const identity = identityOf(event);
        if (identity !== undefined) loaded.get(date)?.set(identity, lineDigest(event.line));
      }
    });
    for (const [date, lines] of loaded) dates.set(date, lines);
  }

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
    for (const loaded of dates.keys()) if (loaded < date) dates.delete(loaded);
  }

  return { load, find, add, identitiesOf: (date) => dates.get(date) ?? new Map(), forgetBefore };
}

/** What makes two quarantined lines the same: the id, or the whole content of a line without an id. */
function heldIdentity({ id, line }: AuditEvent): string {
  return id === undefined ? `content ${sha256(line)}` : `id ${id}`;
}

/** The events of a published segment. An object that is not a segment was tampered with, so it stops the run. */
export async function* readSegment(store: Pick<ObjectStore, 'get'>, key: string): AsyncGenerator<AuditEvent> {
  const bytes = await store.get(key);
  if (bytes === undefined) throw new IntegrityError('segment-differs', `${key} was listed, and is not there`);
  try {
    for await (const line of streamLines(bytes)) yield readEvent(line);
  } catch (error) {
    // Lines arrive before the checksum at the end is read, so a damaged one may not even be JSON.
    if (!(error instanceof GzipError || error instanceof JsonError)) throw error;
    throw new IntegrityError('segment-differs', `${key} is not a segment: ${error.message}`, { cause: error });
  }
}

/** 48 bits tell a changed body from the archived one of the same id; ids themselves are compared whole. */
function lineDigest(line: Buffer): number {
  return createHash('sha256').update(line).digest().readUIntBE(0, 6);
}
