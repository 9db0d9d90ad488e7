/**
 * A segment's bytes: lines, each ended by `\n`, in exactly one gzip member. Reading is strict: `gunzipSync` silently
 * joins appended members and ignores trailing zeros, so bytes that no manifest knows would go unseen.
 *
 * Compressed bytes differ between zlib builds; the identity of the content is the SHA-256 of the uncompressed lines.
 */
import { crc32, createInflateRaw, gzipSync, inflateRawSync } from 'node:zlib';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;
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
  checkTrailer(bytes.subarray(start + consumed), crc32(content), content.length);
  return content;
}

/**
 * The lines of a segment, as `decompress` and `splitLines` give them, in little memory: each is good until the next is
 * asked for. Throws `GzipError` as they do, but only when it comes to what is wrong.
 */
export async function* streamLines(bytes: Buffer): AsyncGenerator<Buffer> {
  const start = headerEnd(bytes);
  const stream = createInflateRaw({ chunkSize: CHUNK_BYTES });
  stream.end(bytes.subarray(start));
  let begun: Buffer[] = [];
  let checksum = 0;
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      checksum = crc32(chunk, checksum);
      length += chunk.length;
      begun.push(chunk);
      if (chunk.includes(NEWLINE)) begun = [yield* wholeLines(Buffer.concat(begun))];
    }
  } catch (error) {
    throw new GzipError('not one gzip member', { cause: error });
  }
  if (begun.some((piece) => piece.length > 0)) throw new GzipError('the last line has no newline');
  checkTrailer(bytes.subarray(start + stream.bytesWritten), checksum, length);
}

/** Yields the lines that are whole, and returns what is left. */
function* wholeLines(content: Buffer): Generator<Buffer, Buffer> {
  let start = 0;
  for (let end = content.indexOf(NEWLINE); end !== -1; end = content.indexOf(NEWLINE, start)) {
    yield content.subarray(start, end);
    start = end + 1;
  }
  return content.subarray(start);
}

function checkTrailer(trailer: Buffer, checksum: number, length: number): void {
  if (trailer.length < TRAILER_BYTES) throw new GzipError('the gzip trailer is cut off');
  if (trailer.length > TRAILER_BYTES)
    throw new GzipError(`${trailer.length - TRAILER_BYTES} bytes after the gzip member`);
  if (trailer.readUInt32LE(0) !== checksum) throw new GzipError('the gzip checksum is wrong');
  if (trailer.readUInt32LE(4) !== length >>> 0) throw new GzipError('the gzip length is wrong');
}

/** The lines without their newlines. Throws where the last line has none. The lines share the content's memory. */
export function* splitLines(content: Buffer): Generator<Buffer> {
  const rest = yield* wholeLines(content);
  if (rest.length > 0) throw new GzipError('the last line has no newline');
}

function inflate(bytes: Buffer, maxBytes: number): { content: Buffer; consumed: number } {
  try {
    // With `info`, Node also hands out the engine, whose `bytesWritten` is how much input the stream really had.
    // One chunk of the size that the trailer claims: otherwise everything would be allocated twice.
    const chunkSize = Math.min(Math.max(claimedLength(bytes), 1024), Math.max(maxBytes, 1024)) + 1;
    const result: unknown = inflateRawSync(bytes, { info: true, chunkSize, maxOutputLength: Math.max(maxBytes, 1) });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return { content: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw new GzipError(`not one gzip member of at most ${maxBytes} bytes`, { cause: error });
  }
}

/** The trailer's last four bytes. Only a hint for an allocation: it is checked against the content later. */
function claimedLength(bytes: Buffer): number {
  return bytes.length < TRAILER_BYTES ? 0 : bytes.readUInt32LE(bytes.length - 4);
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
