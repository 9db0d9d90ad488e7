/**
 * Publishing copies the members of a committed batch to the keys that SQL reads. Only this file writes under `events/` and
 * `quarantine/`, and only from a manifest that is already committed. An object is never overwritten. If a key is taken, it
 * must hold equal content, from an earlier attempt or from another run that publishes the same manifest. Other content was
 * written by somebody else, and the run stops.
 */
import { IntegrityError } from '../shared/errors';
import { type Manifest, mayHaveExpired, type SegmentEntry, sha256 } from '../shared/manifest';
import type { ObjectStore } from '../shared/ports';
import { SEGMENT_CONTENT_TYPE } from '../shared/segment';
import { inParallel } from './parallel';
import type { Run } from './run';

const WRITERS = 8;

/** Publishes a batch from memory, right after its commit. */
export async function publishBatch(manifest: Manifest, members: Buffer, store: ObjectStore): Promise<void> {
  await inParallel(WRITERS, manifest.segments, async (segment) => {
    await publishSegment(segment, members.subarray(segment.offset, segment.offset + segment.length), store);
  });
}

/**
 * Publishes the segments of the head that a crashed run has left unpublished. The bytes come from the batch object. They are
 * never fetched from the source again and never compressed again. A segment that may have expired is not published, because a
 * new object would be locked again and would be kept longer than its retention says.
 */
export async function publishHead(manifest: Manifest, { store, clock }: Pick<Run, 'store' | 'clock'>): Promise<number> {
  const isOver = mayHaveExpired(manifest, clock.now());
  let published = 0;
  await inParallel(WRITERS, manifest.segments, async (segment) => {
    const stored = await store.get(segment.key);
    if (stored !== undefined) return checkContent(segment, stored, 'segment-differs', segment.key);
    if (isOver) return;
    await publishSegment(segment, await stagedMember(manifest, segment, store), store);
    published += 1;
  });
  return published;
}

async function publishSegment(segment: SegmentEntry, member: Buffer, store: ObjectStore): Promise<void> {
  if ((await store.create(segment.key, member, SEGMENT_CONTENT_TYPE)) === 'created') return;
  const stored = await store.get(segment.key);
  if (stored === undefined) throw new IntegrityError('segment-differs', `${segment.key} exists but cannot be read`);
  checkContent(segment, stored, 'segment-differs', segment.key);
}

async function stagedMember(manifest: Manifest, segment: SegmentEntry, store: ObjectStore): Promise<Buffer> {
  const key = manifest.batch?.key ?? '';
  const range = { start: segment.offset, end: segment.offset + segment.length };
  const member = await store.get(key, range);
  if (member === undefined) {
    throw new IntegrityError(
      'batch-unreadable',
      `${segment.key} is not published, and its staged bytes in "${key}" cannot be read; look for delete markers`,
    );
  }
  checkContent(segment, member, 'batch-unreadable', key);
  return member;
}

function checkContent(
  segment: SegmentEntry,
  bytes: Buffer,
  code: 'segment-differs' | 'batch-unreadable',
  key: string,
): void {
  if (sha256(bytes) === segment.objectSha256) return;
  throw new IntegrityError(
    code,
    `${key} does not hold the bytes that the signed manifest states for ${segment.key}; nothing was overwritten`,
  );
}
