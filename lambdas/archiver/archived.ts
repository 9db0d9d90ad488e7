/**
 * What the archive holds, as far as a run has read it. Nothing counts that a signed manifest does not list with that content: a
 * planted object would silence the real events that it imitates, and a hidden one would be archived a second time. What is
 * missing, other than listed, or met without being listed stops the run before anything is written.
 *
 * The walk reads back along the chain and never lists. A sweep lists the partitions of its day, which costs less for an old day.
 * LIST does not show what was hidden, so the chain is read back to the day as soon as the sweep finds anything new.
 */
import { IntegrityError, UpstreamError } from '../shared/errors';
import { type AuditEvent, quarantineReason, readEvent } from '../shared/event';
import { type Manifest, mayHaveExpired, type SegmentEntry, sha256 } from '../shared/manifest';
import { datePrefix, readSegmentKey } from '../shared/object-keys';
import { streamLines } from '../shared/segment';
import { dateOf, later, midnight } from '../shared/time';
import type { Chain } from './chain';
import { createLineIndex, type LineIndex } from './line-index';
import { inParallel } from './parallel';
import type { Run } from './run';

const READERS = 4;
/** Time that must be left for committing what the run has gathered so far. */
const RESERVE_MS = 3000;

export interface Archived {
  /** The lines under `events/`, by id. */
  readonly events: LineIndex;
  /** The lines under `quarantine/`, by `heldIdentity`. */
  readonly held: LineIndex;
  /** Ids of revisions under `quarantine/`. Such an id is archived, even where its first body lies before what was read. */
  readonly revised: LineIndex;
  /** Reads all lines from this instant on. Throws `IntegrityError`, or `UpstreamError` where the time ends. */
  readFrom(instant: Date): Promise<void>;
  /** Reads the lines of a day: of its partition under `events/`, and under `quarantine/` of its own and of the next one. */
  readDay(date: string): Promise<void>;
  /** Checks along the chain that `readDay` has met every line of the day. */
  proveDay(date: string): Promise<void>;
  /** Call this only when all sorted lines are committed and published. Before that, they could not be read again. */
  forgetBefore(date: string): void;
}

interface ListedSegment {
  readonly manifest: Manifest;
  readonly segment: SegmentEntry;
}

export function createArchived(run: Pick<Run, 'id' | 'team' | 'store' | 'clock'>, chain: Chain): Archived {
  const index = { events: createLineIndex(), held: createLineIndex(), revised: createLineIndex() };
  /** The keys of the segments whose lines are in the index, with the date of their last line. */
  const read = new Map<string, string>();
  const daysProven = new Set<string>();
  let completeFrom: Date | undefined;
  let rememberedFrom = '';

  async function readFrom(instant: Date): Promise<void> {
    if (completeFrom !== undefined && completeFrom <= instant) return;
    const from = instant.toISOString();
    const manifests = await chain.backTo(({ latest }) => latest === null || latest < from);
    await readAll(manifests.flatMap(listedSegments).filter(({ segment }) => segment.last >= from));
    completeFrom = instant;
  }

  async function readDay(date: string): Promise<void> {
    const keys: string[] = [];
    for (const prefix of prefixesOfDay(run.team, date)) keys.push(...(await run.store.list(prefix)));
    const listed: ListedSegment[] = [];
    await inParallel(READERS, keys, async (key) => void listed.push(await listedAt(key)));
    await readAll(listed);
  }

  /** Returns the entry for this key in the signed manifest of the number that the key names. */
  async function listedAt(key: string): Promise<ListedSegment> {
    const named = readSegmentKey(key);
    const manifest = named && (await chain.find(named.seq));
    const segment = manifest?.segments.find((entry) => entry.key === key);
    if (manifest === undefined || segment === undefined) throw unlisted(key);
    return { manifest, segment };
  }

  async function proveDay(date: string): Promise<void> {
    if (daysProven.has(date)) return;
    const prefixes = prefixesOfDay(run.team, date);
    const manifests = await chain.backTo(({ latest }) => latest === null || latest < date);
    const listed = manifests.flatMap(listedSegments);
    const ofDay = listed.filter(({ segment }) => prefixes.some((prefix) => segment.key.startsWith(prefix)));
    for (const { manifest, segment } of ofDay.filter(isUnread)) {
      if (!mayHaveExpired(manifest, run.clock.now())) throw missing(segment.key);
    }
    daysProven.add(date);
  }

  /** Throws where a segment is missing or other than listed. */
  async function readAll(listed: readonly ListedSegment[]): Promise<void> {
    await inParallel(READERS, listed.filter(isUnread), async ({ manifest, segment }) => {
      if (run.clock.remainingMs() <= RESERVE_MS) throw outOfTime();
      const bytes = await run.store.get(segment.key);
      if (bytes === undefined && mayHaveExpired(manifest, run.clock.now())) return;
      if (bytes === undefined) throw missing(segment.key);
      if (sha256(bytes) !== segment.objectSha256) throw differs(segment.key);
      for await (const line of streamLines(bytes)) add(readEvent(line), { manifest, segment });
      read.set(segment.key, dateOfLast(segment));
    });
  }

  /** A run remembers what it has committed itself. It forgets only events. */
  function isUnread({ manifest, segment }: ListedSegment): boolean {
    if (read.has(segment.key)) return false;
    return manifest.run.id !== run.id || (isOfEvents(segment) && dateOfLast(segment) < rememberedFrom);
  }

  function add(event: AuditEvent, { manifest, segment }: ListedSegment): void {
    const date = dateOfLast(segment);
    const { id = '', line } = event;
    const isRevision = quarantineReason(event, new Date(manifest.run.walkStart)) === undefined;
    if (isOfEvents(segment)) index.events.add(date, id, line);
    else index.held.add(date, heldIdentity(event), line);
    if (!isOfEvents(segment) && isRevision) index.revised.add(date, id, line);
  }

  function forgetBefore(date: string): void {
    for (const lines of Object.values(index)) lines.forgetBefore(date);
    for (const [key, last] of read) if (last < date) read.delete(key);
    // A claim may move back, and what was forgotten before stays forgotten.
    rememberedFrom = date > rememberedFrom ? date : rememberedFrom;
    completeFrom = completeFrom && later(completeFrom, new Date(date));
  }

  return { ...index, readFrom, readDay, proveDay, forgetBefore };
}

function listedSegments(manifest: Manifest): ListedSegment[] {
  return manifest.segments.map((segment) => ({ manifest, segment }));
}

function isOfEvents({ key }: SegmentEntry): boolean {
  return readSegmentKey(key)?.area === 'events';
}

/** Not the date of the partition: a line without an instant counts as its walk start, and may lie under a swept day. */
function dateOfLast({ last }: SegmentEntry): string {
  return dateOf(new Date(last));
}

function prefixesOfDay(team: string, date: string): string[] {
  const next = dateOf(midnight(new Date(date), 1));
  return [datePrefix('events', team, date), datePrefix('quarantine', team, date), datePrefix('quarantine', team, next)];
}

/** The identity of a quarantined line: its id, or its whole content where it has no id. */
export function heldIdentity({ id, line }: AuditEvent): string {
  return id === undefined ? `content ${sha256(line)}` : `id ${id}`;
}

export function unlisted(key: string): IntegrityError {
  return new IntegrityError(
    'object-unlisted',
    `${key} is there, and no signed manifest lists it. Nothing was written. Find out who wrote it, then put a delete marker ` +
      'over it (never delete a version), and run again',
  );
}

function missing(key: string): IntegrityError {
  return new IntegrityError(
    'segment-missing',
    `${key} is listed by a signed manifest and is not there. Nothing was written. Remove the delete marker over it and run again`,
  );
}

function differs(key: string): IntegrityError {
  return new IntegrityError(
    'segment-differs',
    `${key} does not hold the bytes that its signed manifest lists. Nothing was written. Look for a newer version of the ` +
      'object, copy the listed version back to its key, and run again',
  );
}

function outOfTime(): UpstreamError {
  return new UpstreamError(
    'out-of-time',
    'the run had too little time to read what the archive holds of the served days; raise its timeout',
  );
}
