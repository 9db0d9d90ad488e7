/** The claims about the bytes of one segment: they are gzip of the committed lines, and the very bytes that were staged. */
import { type SegmentEntry, sha256 } from '../shared/manifest';
import { decompress, GzipError } from '../shared/segment';
import type { FindingCode } from './findings';

/** The largest size of an object, and of a segment's lines. The archiver's batches are much smaller. */
export const MAX_OBJECT_BYTES = 256 * 1024 * 1024;

export interface CheckedMember {
  /** The committed lines; undefined where the bytes hold something else. */
  readonly content?: Buffer;
  readonly code?: FindingCode;
  readonly detail?: string;
}

export function checkMember(bytes: Buffer, entry: SegmentEntry): CheckedMember {
  if (entry.bytes > MAX_OBJECT_BYTES) return { code: 'object-too-large', detail: `${entry.bytes} bytes of lines` };
  try {
    const content = decompress(bytes, entry.bytes);
    const isContent = content.length === entry.bytes && sha256(content) === entry.sha256;
    if (!isContent) return { code: 'segment-differs', detail: 'the SHA-256 of the lines is not the committed one' };
    if (sha256(bytes) === entry.objectSha256) return { content };
    const detail = 'the SHA-256 of the compressed bytes is not the committed one';
    return { content, code: 'segment-recompressed', detail };
  } catch (error) {
    if (error instanceof GzipError) return { code: 'segment-malformed', detail: error.message };
    throw error;
  }
}
