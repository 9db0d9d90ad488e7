/**
 * This file reads what the archive holds. An object counts only if a signed manifest lists it with its content: otherwise a
 * planted object would silence the real events that it imitates, and a hidden one would be archived a second time. What is
 * missing, other than listed, or met without being listed stops the run before anything is written.
 *
 * The walk reads back along the chain and never lists. A sweep lists the partitions of its day, which costs less for an old day.
 * LIST does not show what was hidden, so the chain is read back to the day as soon as the sweep finds anything new.
 */
import { IntegrityError } from '../shared/errors';
import { type AuditEvent, quarantineReason, readEvent } from '../shared/event';
import { type Manifest, mayHaveExpired, type SegmentEntry, sha256 } from '../shared/manifest';
import { datePrefix, readSegmentKey } from '../shared/object-keys';
import { streamLines } from '../shared/segment';
import { dateOf, later, midnight } from '../shared/time';
import { type Chain, outOfTime, RESERVE_MS } from './chain';
import { createLineIndex, type LineIndex } from './line-index';
import { inParallel } from './parallel';
import type { Run } from './run';

const READERS = 4;

export interface Archived {
  /** The lines under `events/`, by id. */
  readonly events: LineIndex;
  /** The unfit lines under `quarantine/`, by the SHA-256 of the line. */
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
  const memory = createMemory(run.id);
  const daysProven = new Set<string>();
  /** All lines from this instant on have been read and are remembered. */
  let readSince: Date | undefined;

  async function readFrom(instant: Date): Promise<void> {
    if (readSince !== undefined && readSince <= instant) return;
    const from = instant.toISOString();
    const manifests = await chain.readBackTo(({ latest }) => latest === null || latest < from);
    await readAll(manifests.flatMap(listedSegments).filter(({ segment }) => segment.last >= from));
    readSince = instant;
  }

  async function readDay(date: string): Promise<void> {
    const keys = (await Promise.all(prefixesOfDay(run.team, date).map((prefix) => run.store.list(prefix)))).flat();
    const listed: ListedSegment[] = [];
    await inParallel(READERS, keys, async (key) => void listed.push(await listedAt(key, chain)));
    await readAll(listed);
  }

  async function proveDay(date: string): Promise<void> {
    if (daysProven.has(date)) return;
    const manifests = await chain.readBackTo(({ latest }) => latest === null || latest < date);
    const ofDay = manifests.flatMap(listedSegments).filter(({ segment }) => isOfDay(segment, date));
    for (const { manifest, segment } of ofDay.filter(memory.isUnread)) {
      if (!mayHaveExpired(manifest, run.clock.now())) throw missing(segment.key);
    }
    daysProven.add(date);
  }

  /** Throws where a segment is missing or other than listed. */
  async function readAll(listed: readonly ListedSegment[]): Promise<void> {
    await inParallel(READERS, listed.filter(memory.isUnread), async (unread) => {
      const { manifest, segment } = unread;
      if (run.clock.remainingMs() <= RESERVE_MS) throw outOfTime();
      const bytes = await run.store.get(segment.key);
      if (bytes === undefined && mayHaveExpired(manifest, run.clock.now())) return;
      if (bytes === undefined) throw missing(segment.key);
      if (sha256(bytes) !== segment.objectSha256) throw differs(segment.key);
      for await (const line of streamLines(bytes)) memory.add(readEvent(line), unread);
      memory.hasRead(unread);
    });
  }

  function forgetBefore(date: string): void {
    memory.forgetBefore(date);
    readSince = readSince && later(readSince, new Date(date));
  }

  return { ...memory.index, readFrom, readDay, proveDay, forgetBefore };
}

/** Returns the entry for this key in the signed manifest of the number that the key names. */
async function listedAt(key: string, chain: Chain): Promise<ListedSegment> {
  const named = readSegmentKey(key);
  const manifest = named && (await chain.find(named.seq));
  const segment = manifest?.segments.find((entry) => entry.key === key);
  if (manifest === undefined || segment === undefined) throw unlisted(key);
  return { manifest, segment };
}

/** The memory of a run: the lines of the segments that it has read, and those that it has committed itself. */
function createMemory(runId: string) {
  const index = { events: createLineIndex(), held: createLineIndex(), revised: createLineIndex() };
  /** The keys of the segments that were read, with the date of their last line. */
  const read = new Map<string, string>();
  /** The events before this date were forgotten, also those that the run has committed itself. */
  let forgottenBefore = '';

  /** Only events are forgotten. Lines under `quarantine/` are few, and stay. */
  function isUnread({ manifest, segment }: ListedSegment): boolean {
    if (read.has(segment.key)) return false;
    return manifest.run.id !== runId || (isOfEvents(segment) && dateOfLast(segment) < forgottenBefore);
  }

  function add(event: AuditEvent, { manifest, segment }: ListedSegment): void {
    const date = dateOfLast(segment);
    const { id = '', line } = event;
    const isRevision = quarantineReason(event, new Date(manifest.run.walkStart)) === undefined;
    if (isOfEvents(segment)) index.events.add(date, id, line);
    else if (isRevision) index.revised.add(date, id, line);
    else index.held.add(date, sha256(line), line);
  }

  function hasRead({ segment }: ListedSegment): void {
    read.set(segment.key, dateOfLast(segment));
  }

  function forgetBefore(date: string): void {
    index.events.forgetBefore(date);
    for (const [key, last] of read) if (last < date && key.startsWith('events/')) read.delete(key);
    // A claim may move back, and what was forgotten before stays forgotten.
    forgottenBefore = date > forgottenBefore ? date : forgottenBefore;
  }

  return { index, isUnread, add, hasRead, forgetBefore };
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

/** Whether `readDay` must have met the segment. */
function isOfDay({ key }: SegmentEntry, date: string): boolean {
  const [, , partition] = key.split('/');
  return partition === `dt=${date}` || (key.startsWith('quarantine/') && partition === `dt=${dayAfter(date)}`);
}

function dayAfter(date: string): string {
  return dateOf(midnight(new Date(date), 1));
}

function prefixesOfDay(team: string, date: string): string[] {
  const quarantine = [date, dayAfter(date)].map((day) => datePrefix('quarantine', team, day));
  return [datePrefix('events', team, date), ...quarantine];
}

export function unlisted(key: string): IntegrityError {
  return new IntegrityError(
    'object-unlisted',
    `${key} is there, and no signed manifest lists it. This run writes nothing more. Find out who wrote it, then put a delete marker ` +
      'over it (never delete a version), and run again',
  );
}

function missing(key: string): IntegrityError {
  return new IntegrityError(
    'segment-missing',
    `${key} is listed by a signed manifest and is not there. This run writes nothing more. Remove the delete marker over it and run again`,
  );
}

function differs(key: string): IntegrityError {
  return new IntegrityError(
    'segment-differs',
    `${key} does not hold the bytes that its signed manifest lists. This run writes nothing more. Look for a newer version of the ` +
      'object, copy the listed version back to its key, and run again',
  );
}
