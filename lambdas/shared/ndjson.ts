/**
 * A segment's bytes: lines, each ended by `\n`, in exactly one gzip member. Reading is strict: `gunzipSync` silently
 * joins appended members and ignores trailing zeros, so bytes that no manifest knows would go unseen.
 *
 * Compressed bytes differ between zlib builds; the identity of the content is the SHA-256 of the uncompressed lines.
 */
import { crc32, gzipSync, inflateRawSync } from 'node:zlib';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const NEWLINE = 0x0a;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

export const SEGMENT_CONTENT_TYPE = 'application/x-ndjson';

export class GzipError extends Error {
  override readonly name = 'GzipError';
}

export function joinLines(lines: readonly Buffer[]): Buffer {
  const newline = Buffer.from([NEWLINE]);
  return Buffer.concat(lines.flatMap((line) => [line, newline]));
}

export function compress(content: Buffer): Buffer {
  return gzipSync(content, { level: 6 });
}

/**
 * The content of exactly one gzip member that fills `bytes`. Throws `GzipError` for anything else: a second member,
 * trailing bytes, a cut or wrong trailer, more than `maxBytes` of content.
 */
export function decompress(bytes: Buffer, maxBytes: number): Buffer {
  const start = headerEnd(bytes);
  const { content, consumed } = inflate(bytes.subarray(start), maxBytes);
  if (content.length > maxBytes) throw new GzipError(`more than ${maxBytes} bytes of content`);
  const trailer = bytes.subarray(start + consumed);
  if (trailer.length < TRAILER_BYTES) throw new GzipError('the gzip trailer is cut off');
  if (trailer.length > TRAILER_BYTES)
    throw new GzipError(`${trailer.length - TRAILER_BYTES} bytes after the gzip member`);
  if (trailer.readUInt32LE(0) !== crc32(content)) throw new GzipError('the gzip checksum is wrong');
  if (trailer.readUInt32LE(4) !== content.length >>> 0) throw new GzipError('the gzip length is wrong');
  return content;
}

/** The lines without their newlines. Throws where the last line has none. The lines share the content's memory. */
export function* splitLines(content: Buffer): Generator<Buffer> {
  for (let start = 0; start < content.length; ) {
    const end = content.indexOf(NEWLINE, start);
    if (end === -1) throw new GzipError('the last line has no newline');
    yield content.subarray(start, end);
    start = end + 1;
  }
}

function inflate(bytes: Buffer, maxBytes: number): { content: Buffer; consumed: number } {
  try {
    // With `info`, Node also hands out the engine, whose `bytesWritten` is how much input the stream really had.
    const result: unknown = inflateRawSync(bytes, { info: true, maxOutputLength: Math.max(maxBytes, 1) });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return { content: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw new GzipError(`not one gzip member of at most ${maxBytes} bytes`, { cause: error });
  }
}

/** RFC 1952: the fixed header, then the fields that its flags announce (another tool's gzip may write them). */
function headerEnd(bytes: Buffer): number {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== 0x1f8b || bytes[2] !== 8) {
    throw new GzipError('not gzip');
  }
  const flags = bytes[3] ?? 0;
  if (flags & FLAG.reserved) throw new GzipError('the gzip header has reserved flags');
  let end = HEADER_BYTES;
  if (flags & FLAG.extra) end += 2 + (bytes.length >= end + 2 ? bytes.readUInt16LE(end) : 0);
  if (flags & FLAG.name) end = zeroEnd(bytes, end);
  if (flags & FLAG.comment) end = zeroEnd(bytes, end);
  return flags & FLAG.headerCrc ? headerCrcEnd(bytes, end) : end;
}

function headerCrcEnd(bytes: Buffer, end: number): number {
  if (bytes.length < end + 2) throw new GzipError('the gzip header is cut off');
  const expected = crc32(bytes.subarray(0, end)) & 0xffff;
  if (bytes.readUInt16LE(end) !== expected) throw new GzipError('the gzip header checksum is wrong');
  return end + 2;
}

function zeroEnd(bytes: Buffer, start: number): number {
  const zero = bytes.indexOf(0, start);
  if (zero === -1) throw new GzipError('the gzip header is cut off');
  return zero + 1;
}
