/**
 * A segment's bytes: lines, each ended by `\n`, in one gzip member. The signed manifest states the SHA-256 of these bytes, so
 * reading gzip needs no rules about headers, further members or trailing bytes.
 *
 * Compressed bytes differ between zlib builds. The identity of the content is the SHA-256 of the uncompressed lines.
 */
import { crc32, createGunzip, gunzipSync, gzipSync } from 'node:zlib';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

export const SEGMENT_CONTENT_TYPE = 'application/x-ndjson';

export class GzipError extends Error {
  override readonly name = 'GzipError';
}

export function joinLines(lines: readonly Buffer[]): Buffer {
  const content = Buffer.allocUnsafe(lines.reduce((bytes, line) => bytes + line.length + 1, 0));
  let end = 0;
  for (const line of lines) {
    end += line.copy(content, end);
    content[end] = NEWLINE;
    end += 1;
  }
  return content;
}

/** The CRC-32 of the bytes. It detects an accidental change, and does not detect a forgery. */
export function checksum(bytes: Buffer): number {
  return crc32(bytes);
}

/** Memory level 9 takes up to a sixth less time than the default, for output that is no larger. */
export function compress(content: Buffer): Buffer {
  return gzipSync(content, { level: 6, memLevel: 9 });
}

/** The uncompressed content. Throws `GzipError` where the bytes are not gzip, or hold more than `maxBytes`. */
export function decompress(bytes: Buffer, maxBytes: number): Buffer {
  // One chunk has the size that the trailer states. With smaller chunks all content would be allocated twice.
  const claimed = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
  const chunkSize = Math.max(1024, Math.min(claimed, maxBytes)) + 1;
  try {
    const content = gunzipSync(bytes, { chunkSize, maxOutputLength: Math.max(maxBytes, 1) });
    if (content.length <= maxBytes) return content;
  } catch (error) {
    throw new GzipError('the gzip data is damaged or too long', { cause: error });
  }
  throw new GzipError(`more than ${maxBytes} bytes of content`);
}

/**
 * Yields the lines of a segment and needs little memory. Each line is valid until the next one is requested. Throws
 * `GzipError` as soon as it reads a damaged place.
 */
export async function* streamLines(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length === 0) throw new GzipError('no bytes');
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  stream.end(bytes);
  let begun: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      begun.push(chunk);
      if (!chunk.includes(NEWLINE)) continue;
      const bytesSoFar = Buffer.concat(begun);
      const end = bytesSoFar.lastIndexOf(NEWLINE) + 1;
      yield* splitLines(bytesSoFar.subarray(0, end));
      begun = [bytesSoFar.subarray(end)];
    }
  } catch (error) {
    throw new GzipError('not gzip', { cause: error });
  }
  if (begun.some((piece) => piece.length > 0)) throw new GzipError('the last line has no newline');
}

/**
 * Yields the lines without their newlines. Throws `GzipError` where the last line has no newline. The lines share the memory of
 * the content.
 */
export function* splitLines(content: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = content.indexOf(NEWLINE); end !== -1; end = content.indexOf(NEWLINE, start)) {
    yield content.subarray(start, end);
    start = end + 1;
  }
  if (start < content.length) throw new GzipError('the last line has no newline');
}
