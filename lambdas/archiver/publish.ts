/**
 * Publishing: copying a committed batch's members to where SQL sees them. Nothing under `events/` or `quarantine/` is
 * ever written but by this file, and only from a manifest that is already committed. Create-only: a key that is taken
 * must hold equal content (an earlier attempt's, or another run's doing the same), or somebody else wrote it.
 */
import { IntegrityError } from '../shared/errors';
import { type Manifest, mayHaveExpired, type SegmentEntry, sha256 } from '../shared/manifest';
import type { ObjectStore } from '../shared/ports';
import { SEGMENT_CONTENT_TYPE } from '../shared/segment';
import { inParallel } from './parallel';
import type { Run } from './run';

const WRITERS = 8;

/** Publishes what is in memory, right after its commit. */
export async function publishBatch(manifest: Manifest, members: Buffer, store: ObjectStore): Promise<void> {
  await inParallel(WRITERS, manifest.segments, async (segment) => {
    await publishSegment(segment, members.subarray(segment.offset, segment.offset + segment.length), store);
  });
}

/**
 * Finishes what a dead run left: from the staged bytes, never from the source, and never compressed anew. What may have
 * expired stays away, staged or not: published now, it would be locked anew, and outlive what was promised of it.
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
  if (stored === undefined) throw new IntegrityError('segment-differs', `${segment.key} exists, and cannot be read`);
  checkContent(segment, stored, 'segment-differs', segment.key);
}

async function stagedMember(manifest: Manifest, segment: SegmentEntry, store: ObjectStore): Promise<Buffer> {
  const key = manifest.batch?.key ?? '';
  const range = { start: segment.offset, end: segment.offset + segment.length };
  const member = await store.get(key, range);
  if (member === undefined) {
    throw new IntegrityError('batch-unreadable', `${segment.key} is missing, and so are its staged bytes in "${key}"`);
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
    `${key} does not hold what the signed manifest says of ${segment.key}; nothing was written over it`,
  );
}
