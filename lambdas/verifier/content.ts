/**
 * The claims about one manifest's data: its segments fill its batch object exactly, each segment holds the committed lines
 * in the bytes that were staged, and the lines add up to the manifest's counts.
 *
 * One batch object and one segment are in memory at a time. An adversary may have forged the manifest (`chain.ts` reports
 * that), so it can only name objects that the format allows it, and only the format limits how much is decompressed.
 */
import type { QuarantineReason } from '../shared/event';
import type { Manifest, SegmentEntry } from '../shared/manifest';
import { type Area, readSegmentKey, segmentKey } from '../shared/object-keys';
import { plural } from '../shared/text';
import { describes, miscounts } from './counts';
import type { AddFinding } from './findings';
import type { IdIndex } from './ids';
import { type ArchiveReader, readObject, seqOfBatchKey, type TeamFolder } from './inventory';
import { checkLines } from './lines';
import { isUnderLock } from './lock';
import { checkMember, MAX_OBJECT_BYTES } from './member';
import { coversDate, type Scope } from './scope';

export interface ContentContext {
  readonly reader: ArchiveReader;
  readonly addFinding: AddFinding;
  readonly folder: TeamFolder;
  readonly ids: IdIndex;
  readonly tally: ContentTally;
  readonly manifest: Manifest;
  readonly manifestKey: string;
  /** Only the head may be unpublished. */
  readonly isHead: boolean;
  /** Whether the manifest is signed and its retention says that the bucket may have deleted its data by now. */
  readonly mayHaveExpired: boolean;
  readonly scope: Scope;
}

/** How many lines of each area a team has, and what has expired. Each manifest adds to it. */
export interface ContentTally extends Record<Area, number> {
  /** Missing objects that may have expired, and their lines. */
  readonly expired: { objects: number; lines: number };
  firstExpired: string | undefined;
}

interface PlacedSegment {
  readonly entry: SegmentEntry;
  readonly area: Area;
  readonly date: string;
}

export async function verifyContent(context: ContentContext): Promise<void> {
  const { addFinding, folder, ids, manifest, manifestKey, scope, tally } = context;
  const reasons = new Map<QuarantineReason, number>();
  const walkStart = new Date(manifest.run.walkStart);

  if (scope.kind === 'range' && scope.depth === 'keys') return verifyKeys(context);
  if (!fillsTheBatch(manifest)) addFinding('batch-untiled', manifestKey);
  const batch = scope.kind === 'period' ? undefined : await readBatch(context);
  for (const { entry, area, date } of placedSegments(context)) {
    if (!coversDate(scope, date)) continue;
    const wasListed = folder.unlisted.delete(entry.key);
    const content = await committedLines(entry, { ...context, batch, wasListed });
    if (content === undefined) {
      if (area === 'events') ids.loseSome();
      continue;
    }
    const mayHoldUndated = mayHoldUndatedLines(date, manifest);
    const facts = checkLines(content, { area, date, seq: manifest.seq, walkStart, mayHoldUndated, ids, reasons });
    for (const [code, detail] of facts.findings) addFinding(code, entry.key, detail);
    if (!describes(entry, facts)) addFinding('segment-misdescribed', entry.key, `found ${facts.lines} lines`);
    tally[area] += facts.lines;
  }
  for (const detail of miscounts(manifest, reasons)) addFinding('counts-wrong', manifestKey, detail);
}

/** Whether everything that the manifest lists is stored or may have expired. No byte is read. */
async function verifyKeys(context: ContentContext): Promise<void> {
  const { addFinding, folder, isHead, manifest } = context;
  const { batch } = manifest;
  if (
    batch !== null &&
    !folder.staged.delete(batch.key) &&
    !(await hasExpired({ key: batch.key, lines: 0 }, { ...context, wasListed: false }))
  )
    addFinding('batch-missing', batch.key);
  for (const { entry } of placedSegments(context)) {
    if (folder.unlisted.delete(entry.key)) continue;
    if (await hasExpired(entry, { ...context, wasListed: false })) continue;
    addFinding(isHead ? 'segment-unpublished' : 'segment-missing', entry.key);
  }
}

/**
 * Whether a line without an instant in range may be in this partition: that of the walk start, or of a day that the run
 * swept. A batch that was sealed because it was full may hold lines of a sweep that only a later manifest records.
 */
function mayHoldUndatedLines(date: string, { run, sweeps }: Manifest): boolean {
  const today = run.walkStart.slice(0, 10);
  return date === today || sweeps.some((sweep) => sweep.date === date) || (run.reason === 'batch-full' && date < today);
}

/** Whether the listed members, one after the other, fill the batch object from its first byte to its last. */
function fillsTheBatch({ batch, segments }: Manifest): boolean {
  let end = 0;
  for (const { offset, length } of segments) {
    if (offset !== end || length === 0) return false;
    end += length;
  }
  return batch === null ? segments.length === 0 : segments.length > 0 && end === batch.bytes;
}

async function readBatch(context: ContentContext): Promise<Buffer | undefined> {
  const { addFinding, folder, manifest, manifestKey } = context;
  const { batch, team, seq } = manifest;
  if (batch === null) return undefined;
  if (seqOfBatchKey(team, batch.key) !== seq) {
    addFinding('batch-misnamed', manifestKey, batch.key);
    return undefined;
  }
  const wasListed = folder.staged.delete(batch.key);
  const bytes = await readData(batch.key, { ...context, wasListed });
  if (!Buffer.isBuffer(bytes)) {
    // The lines of a batch object count with its segments.
    const isOver = bytes === 'missing' && (await hasExpired({ key: batch.key, lines: 0 }, { ...context, wasListed }));
    if (!isOver) addFinding(bytes === 'missing' ? 'batch-missing' : bytes, batch.key);
    return undefined;
  }
  isUnderLock(batch.key, manifest, context);
  if (bytes.length !== batch.bytes)
    addFinding('batch-differs', batch.key, `${bytes.length} bytes instead of ${batch.bytes}`);
  return bytes;
}

/** Returns segments of events first, because the same manifest may archive an event and quarantine a revision of it. */
function placedSegments({ addFinding, manifest, manifestKey }: ContentContext): readonly PlacedSegment[] {
  const placed = new Map<string, PlacedSegment>();
  for (const entry of manifest.segments) {
    const [, area, date = ''] = /^(events|quarantine)\/team=[^/]+\/dt=(\d{4}-\d{2}-\d{2})\//.exec(entry.key) ?? [];
    const isArea = area === 'events' || area === 'quarantine';
    if (isArea && entry.key === segmentKey(area, manifest.team, date, manifest.seq) && !placed.has(entry.key)) {
      placed.set(entry.key, { entry, area, date });
    } else addFinding('segment-misnamed', manifestKey, entry.key);
  }
  return [...placed.values()].sort((a, b) => Number(a.area > b.area) - Number(a.area < b.area));
}

interface SegmentContext extends ContentContext {
  readonly batch: Buffer | undefined;
  /** Whether the listing showed the segment's key. If it did, the segment is not merely unpublished. */
  readonly wasListed: boolean;
}

/** Returns the lines that the manifest commits, if the segment or the batch object still holds them. */
async function committedLines(entry: SegmentEntry, context: SegmentContext): Promise<Buffer | undefined> {
  const { addFinding, batch, manifest } = context;
  const batchKey = manifest.batch?.key ?? '';
  const member = batch?.subarray(entry.offset, entry.offset + entry.length);
  const staged = member && checkMember(member, entry);
  if (staged?.code) addFinding('batch-differs', batchKey, `its member for ${entry.key}: ${staged.detail}`);

  const stored = await readData(entry.key, context);
  if (!Buffer.isBuffer(stored)) {
    // The lines may still be staged, but they have left the archive, so a later manifest may archive their ids again.
    if (stored === 'missing' && (await hasExpired(entry, context))) return undefined;
    const isMissing = stored === 'missing' && !context.wasListed;
    if (isMissing && context.isHead && staged?.content)
      addFinding('segment-unpublished', entry.key, `committed ${manifest.run.finished}`);
    else addFinding(stored === 'missing' ? 'segment-missing' : stored, entry.key, listedLines(entry));
    return staged?.content;
  }
  isUnderLock(entry.key, manifest, context);
  const isCopy = member?.equals(stored) ?? false;
  const published = staged && isCopy ? staged : checkMember(stored, entry);
  if (published.code) addFinding(published.code, entry.key, `${published.detail}; ${listedLines(entry)}`);
  return published.content ?? staged?.content;
}

/** The day of a damaged segment and the number of its events, on which a reader cannot rely. */
function listedLines({ key, lines }: SegmentEntry): string {
  const { area, date } = readSegmentKey(key) ?? {};
  return `its manifest lists ${plural(lines, area === 'events' ? 'event' : 'quarantined line')} of ${date}`;
}

/** Nobody asks for an object that may have expired and was not listed. It is gone, and each request for it would cost the same. */
async function readData(key: string, { reader, mayHaveExpired, wasListed }: Omit<SegmentContext, 'batch'>) {
  return mayHaveExpired && !wasListed ? 'missing' : readObject(reader, key, MAX_OBJECT_BYTES);
}

/**
 * Whether a missing object has expired. If it has, it is counted. An object that is still listed but cannot be read has not
 * expired: somebody put it there. An object that was listed and no longer is was deleted while the verifier read.
 */
async function hasExpired(
  { key, lines }: Pick<SegmentEntry, 'key' | 'lines'>,
  { reader, mayHaveExpired, wasListed, tally }: Omit<SegmentContext, 'batch'>,
): Promise<boolean> {
  if (!mayHaveExpired || (wasListed && (await reader.list(key)).includes(key))) return false;
  tally.firstExpired ??= key;
  tally.expired.objects += 1;
  tally.expired.lines += lines;
  return true;
}
