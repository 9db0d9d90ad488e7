/**
 * Finds where each value of a JSON document begins and ends, in bytes. The archive is verbatim because a value is cut out of
 * the response and never parsed and written again: numbers, key order, duplicate keys and escapes stay as they were sent.
 *
 * The scanner finds boundaries only. `parseSlice` checks the bytes inside a slice with `JSON.parse`, so together they accept
 * exactly the documents that `JSON.parse` accepts. The input must be valid UTF-8.
 */

/** Half-open byte range, such as that of one value. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

export interface Member {
  /** The key's token with its quotes and escapes. `keyIs` compares it. */
  readonly key: Slice;
  readonly value: Slice;
}

/** The document is not JSON. The message names the byte offset and never quotes the document. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** The bytes that end a number or a word, besides white space. */
const AFTER_SCALAR: ReadonlySet<number> = new Set([COMMA, COLON, QUOTE, CLOSE_BRACE, CLOSE_BRACKET]);

/** The members of a document that is one object; undefined where the document is any other value. */
export function documentMembers(bytes: Buffer): Member[] | undefined {
  const start = skipWhite(bytes, 0);
  if (bytes[start] !== OPEN_BRACE) return undefined;
  const { found, end } = readMembers(bytes, start);
  if (skipWhite(bytes, end) !== bytes.length) throw new JsonError(`unexpected byte at ${end}`);
  return found;
}

export function isObject(bytes: Buffer, slice: Slice): boolean {
  return bytes[slice.start] === OPEN_BRACE;
}

export function isArray(bytes: Buffer, slice: Slice): boolean {
  return bytes[slice.start] === OPEN_BRACKET;
}

/** The members of an object, in order, including duplicates. */
export function members(bytes: Buffer, object: Slice): Member[] {
  return readMembers(bytes, object.start).found;
}

/**
 * The members of a line that is one object; none where the line is another value. Undefined where there is white space between
 * tokens. The line must be JSON. One pass finds both, because every served and every archived line is read in this way.
 */
export function lineMembers(line: Buffer): Member[] | undefined {
  const found: Member[] = [];
  let key = { start: 0, end: 0 };
  let depth = 0;
  let end = 0;
  for (let at = 0; at < line.length; at = end) {
    const byte = line[at];
    end = at + 1;
    if (byte === QUOTE) {
      end = skipString(line, at);
      if (depth === 1 && line[end] === COLON) key = { start: at, end };
    } else if (isWhite(byte)) {
      return undefined;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
    } else if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 1 && key.end > 0) found.push({ key, value: { start: key.end + 1, end: at } });
      if (byte !== COMMA) depth -= 1;
    }
  }
  return found;
}

/** Whether a key equals `name` (plain ASCII). A key that differs from it before its first escape is another one. */
export function keyIs(bytes: Buffer, key: Slice, name: string): boolean {
  const start = key.start + 1;
  let same = 0;
  while (same < name.length && bytes[start + same] === name.charCodeAt(same)) same += 1;
  if (bytes[start + same] === BACKSLASH) return parseSlice(bytes, key) === name;
  return same === name.length && start + same === key.end - 1;
}

/** The elements of an array, in order. */
export function elements(bytes: Buffer, array: Slice): Slice[] {
  const found: Slice[] = [];
  eachItem(bytes, array.start, CLOSE_BRACKET, (start) => {
    const end = skipValue(bytes, start);
    found.push({ start, end });
    return end;
  });
  return found;
}

/** Parses one value. */
export function parseSlice(bytes: Buffer, slice: Slice): unknown {
  const value = tryParse(bytes.toString('utf8', slice.start, slice.end));
  if (value === undefined) throw new JsonError(`malformed value at ${slice.start}`);
  return value;
}

/** The parsed text; undefined where it is not JSON. The error of `JSON.parse` would quote the text. */
export function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The token's text as it was sent. A string loses its quotes and keeps its escapes. */
export function rawToken(bytes: Buffer, slice: Slice): string {
  const quoted = bytes[slice.start] === QUOTE ? 1 : 0;
  return bytes.toString('utf8', slice.start + quoted, slice.end - quoted);
}

/** A copy of the value without the white space between its tokens. Nothing else changes. */
export function minify(bytes: Buffer, slice: Slice): Buffer {
  const copy = Buffer.allocUnsafe(slice.end - slice.start);
  let length = 0;
  for (let at = slice.start; at < slice.end; at = skipWhite(bytes, at)) {
    const from = at;
    while (at < slice.end && !isWhite(bytes[at])) at = bytes[at] === QUOTE ? skipString(bytes, at) : at + 1;
    length += bytes.copy(copy, length, from, at);
  }
  return copy.subarray(0, length);
}

function readMembers(bytes: Buffer, object: number): { found: Member[]; end: number } {
  const found: Member[] = [];
  const end = eachItem(bytes, object, CLOSE_BRACE, (at) => {
    const key = { start: at, end: skipString(bytes, at) };
    const colon = skipWhite(bytes, key.end);
    if (bytes[colon] !== COLON) throw new JsonError(`expected ":" at ${colon}`);
    const start = skipWhite(bytes, colon + 1);
    const value = { start, end: skipValue(bytes, start) };
    found.push({ key, value });
    return value.end;
  });
  return { found, end };
}

/** Visits the items of the container at `start`. Returns the offset after the container. */
function eachItem(bytes: Buffer, start: number, close: number, item: (at: number) => number): number {
  let at = skipWhite(bytes, start + 1);
  if (bytes[at] === close) return at + 1;
  for (;;) {
    at = skipWhite(bytes, item(at));
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== COMMA) throw new JsonError(`expected "," at ${at}`);
    at = skipWhite(bytes, at + 1);
  }
}

function skipValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return skipString(bytes, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(bytes, start);
  let at = start;
  while (at < bytes.length && isScalarByte(bytes[at])) at += 1;
  if (at === start) throw new JsonError(`expected a value at ${start}`);
  return at;
}

/** Counts brackets of both kinds together. `parseSlice` later checks that they match. */
function skipContainer(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at];
    at = byte === QUOTE ? skipString(bytes, at) : at + 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    if (depth === 0) return at;
  }
  throw new JsonError('unexpected end of the document');
}

function skipString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) throw new JsonError(`expected a string at ${start}`);
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  throw new JsonError('unexpected end of a string');
}

function skipWhite(bytes: Buffer, start: number): number {
  let at = start;
  while (isWhite(bytes[at])) at += 1;
  return at;
}

/** Most bytes are above the space, so one comparison is enough for them. */
function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function isScalarByte(byte: number | undefined): boolean {
  return byte !== undefined && !isWhite(byte) && !AFTER_SCALAR.has(byte);
}
