/**
 * A segment's bytes: lines, each ended by `\n`, in one gzip member. Whoever reads a segment compares the SHA-256 of its
 * bytes with the signed manifest, so the reader of gzip needs no rules about headers, further members or trailing bytes.
 *
 * Compressed bytes differ between zlib builds. The identity of the content is the SHA-256 of the uncompressed lines.
 */
import { createGunzip, gunzipSync, gzipSync, type ZlibOptions } from 'node:zlib';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

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

/** The uncompressed content. Throws `GzipError` where the bytes are not gzip or hold more than `maxBytes`. */
export function decompress(bytes: Buffer, maxBytes: number): Buffer {
  // One chunk of the size that the trailer claims: with the default, everything would be allocated twice.
  const claimed = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
  const chunkSize = Math.max(1024, Math.min(claimed, maxBytes)) + 1;
  const content = gunzip(bytes, { chunkSize, maxOutputLength: Math.max(maxBytes, 1) });
  if (content.length > maxBytes) throw new GzipError(`more than ${maxBytes} bytes of content`);
  return content;
}

function gunzip(bytes: Buffer, options: ZlibOptions): Buffer {
  try {
    return gunzipSync(bytes, options);
  } catch (error) {
    throw new GzipError('not gzip of the expected size', { cause: error });
  }
}

/**
 * The lines of a segment in little memory: each line is valid until the next one is asked for. Throws `GzipError` when
 * the reading arrives at what is wrong.
 */
export async function* streamLines(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length === 0) throw new GzipError('no bytes');
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  stream.end(bytes);
  let begun: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      begun.push(chunk);
      if (chunk.includes(NEWLINE)) begun = [yield* wholeLines(Buffer.concat(begun))];
    }
  } catch (error) {
    throw new GzipError('not gzip', { cause: error });
  }
  if (begun.some((piece) => piece.length > 0)) throw new GzipError('the last line has no newline');
}

/** The lines without their newlines. Throws where the last line has none. The lines share the content's memory. */
export function* splitLines(content: Buffer): Generator<Buffer> {
  const rest = yield* wholeLines(content);
  if (rest.length > 0) throw new GzipError('the last line has no newline');
}

/** Yields the complete lines, and returns the bytes after the last newline. */
function* wholeLines(content: Buffer): Generator<Buffer, Buffer> {
  let start = 0;
  for (let end = content.indexOf(NEWLINE); end !== -1; end = content.indexOf(NEWLINE, start)) {
    yield content.subarray(start, end);
    start = end + 1;
  }
  return content.subarray(start);
}
