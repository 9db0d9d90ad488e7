/**
 * The claims about one manifest's data: its segments fill its batch object exactly, each one holds the committed lines
 * in the very bytes that were staged, and the lines add up to the manifest's counts.
 *
 * One batch object and one segment are in memory at a time. The manifest may be forged (which is told elsewhere), so
 * nothing it says decides which object is read, or how much is unpacked, beyond what the format allows.
 */
import { QUARANTINE_REASONS, type QuarantineReason } from '../shared/event';
import { type Manifest, type SegmentEntry, sha256 } from '../shared/manifest';
import { type Area, segmentKey } from '../shared/object-keys';
import { decompress, GzipError } from '../shared/segment';
import type { AddFinding, FindingCode } from './findings';
import type { IdIndex } from './ids';
import { type ArchiveReader, readObject, seqOfBatchKey, type TeamFolder } from './inventory';
import { checkLines } from './lines';

/** Of an object, and of a segment's lines. The archiver's batches are a fraction of that. */
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024;

export interface ContentContext {
  readonly reader: ArchiveReader;
  readonly addFinding: AddFinding;
  readonly folder: TeamFolder;
  readonly ids: IdIndex;
  readonly manifestKey: string;
  /** Only the head may be unpublished. */
  readonly isHead: boolean;
  /** The manifest is signed, and its retention says that what it lists may be gone by now. */
  readonly mayHaveExpired: boolean;
}

/** What was really found, in lines; and what has expired. */
export interface ContentTally extends Readonly<Record<Area, number>> {
  readonly expired: readonly Expired[];
}

/** An object that is gone, and how many lines it was of: none for a batch object, which holds those of its segments. */
export type Expired = Pick<SegmentEntry, 'key' | 'lines'>;

interface Placed {
  readonly entry: SegmentEntry;
  readonly area: Area;
  readonly date: string;
}

export async function verifyContent(manifest: Manifest, context: ContentContext): Promise<ContentTally> {
  const { addFinding, ids, manifestKey } = context;
  const expired: Expired[] = [];
  const found = { events: 0, quarantine: 0, expired };
  const reasons = new Map<QuarantineReason, number>();
  const walkStart = new Date(manifest.run.walkStart);
  const isMet = (date: string) => isDateOfMeeting(date, manifest);

  if (!fillsTheBatch(manifest)) addFinding('batch-untiled', manifestKey);
  const batch = await readBatch(manifest, { ...context, expired });
  for (const { entry, area, date } of placedSegments(manifest, context)) {
    const wasListed = context.folder.unlisted.delete(entry.key);
    const content = await readSegment(entry, { ...context, batch, manifest, wasListed, expired });
    if (content === undefined) {
      if (area === 'events') ids.loseSome();
      continue;
    }
    const facts = checkLines(content, { area, date, seq: manifest.seq, walkStart, isMet, ids });
    for (const [code, what] of facts.troubles) addFinding(code, entry.key, what);
    if (!describes(entry, facts)) addFinding('segment-misdescribed', entry.key, `found ${facts.lines} lines`);
    for (const [reason, lines] of facts.reasons) reasons.set(reason, lines + (reasons.get(reason) ?? 0));
    found[area] += facts.lines;
  }
  for (const what of miscounts(manifest, reasons)) addFinding('counts-wrong', manifestKey, what);
  return found;
}

/**
 * Whether a line without an instant in range may be in this partition: of the walk start, or of a day that the run
 * swept. A batch that was sealed because it was full may hold lines of a sweep that only a later manifest records.
 */
function isDateOfMeeting(date: string, { run, sweeps }: Manifest): boolean {
  const today = run.walkStart.slice(0, 10);
  return date === today || sweeps.some((sweep) => sweep.date === date) || (run.reason === 'batch-full' && date < today);
}

/** The members stand in the batch object in the order of the list, from its first byte to its last. */
function fillsTheBatch({ batch, segments }: Manifest): boolean {
  let end = 0;
  for (const { offset, length } of segments) {
    if (offset !== end || length === 0) return false;
    end += length;
  }
  return batch === null ? segments.length === 0 : segments.length > 0 && end === batch.bytes;
}

interface ReadingContext extends ContentContext {
  /** Takes what is gone, and may be. */
  readonly expired: Expired[];
}

async function readBatch(manifest: Manifest, context: ReadingContext): Promise<Buffer | undefined> {
  const { batch, team, seq } = manifest;
  if (batch === null) return undefined;
  if (seqOfBatchKey(team, batch.key) !== seq) {
    context.addFinding('batch-misnamed', context.manifestKey, batch.key);
    return undefined;
  }
  const wasListed = context.folder.staged.delete(batch.key);
  const bytes = await readObject(context.reader, batch.key, MAX_OBJECT_BYTES);
  if (!Buffer.isBuffer(bytes)) {
    if (bytes === 'missing' && (await hasExpired({ key: batch.key, lines: 0 }, { ...context, wasListed })))
      return undefined;
    context.addFinding(bytes === 'missing' ? 'batch-missing' : bytes, batch.key);
    return undefined;
  }
  if (bytes.length !== batch.bytes) {
    context.addFinding('batch-differs', batch.key, `${bytes.length} bytes instead of ${batch.bytes}`);
  }
  return bytes;
}

/** Events first: a quarantined revision may be of an id archived by the same manifest. */
function placedSegments(manifest: Manifest, { addFinding, manifestKey }: ContentContext): readonly Placed[] {
  const placed = new Map<string, Placed>();
  for (const entry of manifest.segments) {
    const [, area, date = ''] = /^(events|quarantine)\/team=[^/]+\/dt=(\d{4}-\d{2}-\d{2})\//.exec(entry.key) ?? [];
    const isArea = area === 'events' || area === 'quarantine';
    if (isArea && entry.key === segmentKey(area, manifest.team, date, manifest.seq) && !placed.has(entry.key)) {
      placed.set(entry.key, { entry, area, date });
    } else addFinding('segment-misnamed', manifestKey, entry.key);
  }
  return [...placed.values()].sort((a, b) => Number(a.area > b.area) - Number(a.area < b.area));
}

interface SegmentContext extends ReadingContext {
  readonly batch: Buffer | undefined;
  readonly manifest: Manifest;
  /** Something has the segment's name, whether or not it can be read: it is not just unpublished. */
  readonly wasListed: boolean;
}

/** The lines that the manifest means, if the segment or the batch object still has them. */
async function readSegment(entry: SegmentEntry, context: SegmentContext): Promise<Buffer | undefined> {
  const { addFinding, batch, manifest } = context;
  const batchKey = manifest.batch?.key ?? '';
  const member = batch?.subarray(entry.offset, entry.offset + entry.length);
  const staged = member && unpack(member, entry);
  if (staged?.code) addFinding('batch-differs', batchKey, `${entry.key} in it: ${staged.why}`);

  const stored = await readObject(context.reader, entry.key, MAX_OBJECT_BYTES);
  if (!Buffer.isBuffer(stored)) {
    // Its lines may still be staged, but they are in the archive no more, and their ids may come again.
    if (stored === 'missing' && (await hasExpired(entry, context))) return undefined;
    const isMissing = stored === 'missing' && !context.wasListed;
    if (isMissing && context.isHead && staged?.content)
      addFinding('segment-unpublished', entry.key, `committed ${manifest.run.finished}`);
    else addFinding(stored === 'missing' ? 'segment-missing' : stored, entry.key);
    return staged?.content;
  }
  const isCopy = member?.equals(stored) ?? false;
  const published = staged && isCopy ? staged : unpack(stored, entry);
  if (published.code) addFinding(published.code, entry.key, published.why);
  return published.content ?? staged?.content;
}

/**
 * Whether a missing object has expired; notes it. What has its name and cannot be read did not: it was put there. What
 * was listed and is so no more went while the verifier read.
 */
async function hasExpired(
  { key, lines }: Expired,
  { reader, mayHaveExpired, wasListed, expired }: Omit<SegmentContext, 'batch' | 'manifest'>,
): Promise<boolean> {
  if (!mayHaveExpired || (wasListed && (await reader.list(key)).includes(key))) return false;
  expired.push({ key, lines });
  return true;
}

interface Unpacked {
  readonly content?: Buffer;
  readonly code?: FindingCode;
  readonly why: string;
}

function unpack(bytes: Buffer, entry: SegmentEntry): Unpacked {
  if (entry.bytes > MAX_OBJECT_BYTES) return { code: 'object-too-large', why: `${entry.bytes} bytes of lines` };
  try {
    const content = decompress(bytes, entry.bytes);
    const isContent = content.length === entry.bytes && sha256(content) === entry.sha256;
    if (!isContent) return { code: 'segment-differs', why: 'another SHA-256 than committed' };
    if (sha256(bytes) === entry.objectSha256) return { content, why: '' };
    return { content, code: 'segment-recompressed', why: 'another SHA-256 of the compressed bytes than committed' };
  } catch (error) {
    if (error instanceof GzipError) return { code: 'segment-malformed', why: error.message };
    throw error;
  }
}

function describes(entry: SegmentEntry, facts: ReturnType<typeof checkLines>): boolean {
  const [first, last] = [facts.first?.toISOString(), facts.last?.toISOString()];
  return facts.lines > 0 && entry.lines === facts.lines && entry.first === first && entry.last === last;
}

function* miscounts({ counts, segments }: Manifest, reasons: ReadonlyMap<QuarantineReason, number>) {
  const listed = (area: Area) =>
    segments.filter(({ key }) => key.startsWith(`${area}/`)).reduce((sum, { lines }) => sum + lines, 0);
  const quarantined = QUARANTINE_REASONS.reduce((sum, reason) => sum + counts.quarantined[reason], 0);
  if (counts.events !== listed('events')) yield `${counts.events} events, ${listed('events')} listed`;
  if (quarantined !== listed('quarantine')) yield `${quarantined} quarantined, ${listed('quarantine')} listed`;
  if (counts.late > counts.events) yield 'more late events than events';
  if (counts.quarantined.revision > counts.revisions) yield 'more revisions kept than met';
  const reasoned = [...reasons.values()].reduce((sum, lines) => sum + lines, 0);
  if (reasoned !== quarantined) return; // Lines that were not read, or are there without a reason, are told already.
  for (const reason of QUARANTINE_REASONS) {
    const lines = reasons.get(reason) ?? 0;
    if (counts.quarantined[reason] !== lines) yield `${counts.quarantined[reason]} of "${reason}", found ${lines}`;
  }
}
