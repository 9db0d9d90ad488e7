/**
 * Reads a JSON document from left to right and tells where each value begins and ends, in bytes. The archive is verbatim because
 * a value is cut out of the response and never parsed and written again: numbers, key order, duplicate keys and escapes stay as
 * they were sent.
 *
 * The reader checks every byte that it passes. So it accepts exactly the documents that `JSON.parse` accepts, and one pass over a
 * page is enough. It makes no objects, because every served and every archived event is read with it. The input must be valid
 * UTF-8.
 */

/** Half-open byte range, such as that of one value. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** A place in a document. Functions that begin, pass or skip something move it; those that only ask leave it where it is. */
export interface JsonReader {
  readonly bytes: Buffer;
  /** Offset of the next byte. */
  at: number;
  /** How many bytes of white space between tokens were passed so far. */
  white: number;
  /** The token of the last key, with its quotes and escapes. */
  keyStart: number;
  keyEnd: number;
}

/** The document is not JSON. The message names the byte offset and never quotes the document. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export function readJson(bytes: Buffer, at = 0): JsonReader {
  return { bytes, at, white: 0, keyStart: at, keyEnd: at };
}

/** Passes the white space before a document. */
export function beginDocument(reader: JsonReader): void {
  passWhite(reader);
}

/** Throws where anything but white space follows. */
export function endDocument(reader: JsonReader): void {
  passWhite(reader);
  if (reader.at < reader.bytes.length) throw unexpected(reader.bytes, reader.at);
}

export function isObject({ bytes, at }: JsonReader): boolean {
  return bytes[at] === OPEN_BRACE;
}

export function isArray({ bytes, at }: JsonReader): boolean {
  return bytes[at] === OPEN_BRACKET;
}

/** Enters an object: returns true at the value of its first member. An empty object and any other value are passed. */
export function beginObject(reader: JsonReader): boolean {
  if (isObject(reader)) return enterObject(reader);
  skipValue(reader);
  return false;
}

/** Call this behind the value of a member. Returns true at the value of the next one, and false behind the object. */
export function nextMember(reader: JsonReader): boolean {
  if (!nextItem(reader, CLOSE_BRACE)) return false;
  passKey(reader);
  return true;
}

/** Enters an array: returns true at its first element. An empty array and any other value are passed. */
export function beginArray(reader: JsonReader): boolean {
  if (isArray(reader)) return enterArray(reader);
  skipValue(reader);
  return false;
}

/** Call this behind an element. Returns true at the next one, and false behind the array. */
export function nextElement(reader: JsonReader): boolean {
  return nextItem(reader, CLOSE_BRACKET);
}

/** Whether the last key equals `name` (plain ASCII). A key that differs from it before its first escape is another one. */
export function keyIs({ bytes, keyStart, keyEnd }: JsonReader, name: string): boolean {
  const start = keyStart + 1;
  let same = 0;
  while (same < name.length && bytes[start + same] === name.charCodeAt(same)) same += 1;
  if (bytes[start + same] === BACKSLASH) return parseSlice(bytes, { start: keyStart, end: keyEnd }) === name;
  return same === name.length && start + same === keyEnd - 1;
}

/** The last key, without quotes and escapes. */
export function keyText({ bytes, keyStart, keyEnd }: JsonReader): string {
  return String(parseSlice(bytes, { start: keyStart, end: keyEnd }));
}

export function nextSlice(reader: JsonReader): Slice {
  const start = reader.at;
  skipValue(reader);
  return { start, end: reader.at };
}

/** Checks the next value completely. */
export function skipValue(reader: JsonReader): void {
  if (isObject(reader) || isArray(reader)) skipContainer(reader);
  else skipScalar(reader);
}

/** Parses one value. */
export function parseSlice(bytes: Buffer, { start, end }: Slice): unknown {
  const value = tryParse(bytes.toString('utf8', start, end));
  if (value === undefined) throw new JsonError(`malformed value at ${start}`);
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
export function rawToken(bytes: Buffer, { start, end }: Slice): string {
  const quoted = bytes[start] === QUOTE ? 1 : 0;
  return bytes.toString('utf8', start + quoted, end - quoted);
}

/** A copy of a value without the white space between its tokens. Nothing else changes. */
export function minify(value: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at = endOfWhite(value, at)) {
    const from = at;
    while (at < value.length && !isWhite(value[at])) at = value[at] === QUOTE ? endOfString(value, at) : at + 1;
    length += value.copy(copy, length, from, at);
  }
  return copy.subarray(0, length);
}

/** How many containers one number stands for. */
const KINDS = 30;

/** A value may be nested deeply: it is read without recursion, and each open container takes one bit of memory. */
function skipContainer(reader: JsonReader): void {
  /** Of the innermost containers, whether each is an object. The last bit stands for the innermost one. */
  let kinds = 0;
  const outerKinds: number[] = [];
  let depth = 0;
  let isAtItem = true;
  do {
    if (isAtItem && (isObject(reader) || isArray(reader))) {
      if (depth % KINDS === 0) outerKinds.push(kinds);
      kinds = (kinds << 1) | Number(isObject(reader));
      depth += 1;
      isAtItem = kinds & 1 ? enterObject(reader) : enterArray(reader);
      continue;
    }
    if (isAtItem) skipScalar(reader);
    else {
      depth -= 1;
      kinds = depth % KINDS === 0 ? (outerKinds.pop() ?? 0) : kinds >> 1;
    }
    // Here a value has ended.
    isAtItem = depth > 0 && (kinds & 1 ? nextMember(reader) : nextElement(reader));
  } while (depth > 0);
}

function enterObject(reader: JsonReader): boolean {
  if (isEmptied(reader, CLOSE_BRACE)) return false;
  passKey(reader);
  return true;
}

function enterArray(reader: JsonReader): boolean {
  return !isEmptied(reader, CLOSE_BRACKET);
}

/** Passes the first byte of a container, and also the last one where the container is empty. */
function isEmptied(reader: JsonReader, close: number): boolean {
  reader.at += 1;
  passWhite(reader);
  if (reader.bytes[reader.at] !== close) return false;
  reader.at += 1;
  return true;
}

function passKey(reader: JsonReader): void {
  reader.keyStart = reader.at;
  reader.keyEnd = endOfString(reader.bytes, reader.at);
  reader.at = reader.keyEnd;
  passWhite(reader);
  pass(reader, COLON);
  passWhite(reader);
}

function nextItem(reader: JsonReader, close: number): boolean {
  passWhite(reader);
  if (reader.bytes[reader.at] === close) {
    reader.at += 1;
    return false;
  }
  pass(reader, COMMA);
  passWhite(reader);
  return true;
}

function pass(reader: JsonReader, byte: number): void {
  if (reader.bytes[reader.at] !== byte) throw unexpected(reader.bytes, reader.at);
  reader.at += 1;
}

function passWhite(reader: JsonReader): void {
  const { bytes, at } = reader;
  if (!isWhite(bytes[at])) return;
  reader.at = endOfWhite(bytes, at);
  reader.white += reader.at - at;
}

function skipScalar(reader: JsonReader): void {
  const { bytes, at } = reader;
  switch (bytes[at]) {
    case QUOTE:
      reader.at = endOfString(bytes, at);
      break;
    case 0x74: // t
      reader.at = endOfWord(bytes, at, 'true');
      break;
    case 0x66: // f
      reader.at = endOfWord(bytes, at, 'false');
      break;
    case 0x6e: // n
      reader.at = endOfWord(bytes, at, 'null');
      break;
    default:
      reader.at = endOfNumber(bytes, at);
  }
}

function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) throw unexpected(bytes, start);
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at = lastOfEscape(bytes, at);
    else if (byte !== undefined && byte < 0x20) throw unexpected(bytes, at);
  }
  throw unexpected(bytes, bytes.length);
}

/** The characters that may follow a backslash, besides `u` with four hexadecimal digits. */
const ESCAPED: ReadonlySet<number | undefined> = new Set(Buffer.from('"\\/bfnrt'));

/** The offset of the last byte of an escape. */
function lastOfEscape(bytes: Buffer, start: number): number {
  const at = start + 1;
  if (ESCAPED.has(bytes[at])) return at;
  const isCode = bytes[at] === 0x75 && /^[0-9A-Fa-f]{4}$/.test(bytes.toString('latin1', at + 1, at + 5));
  if (!isCode) throw unexpected(bytes, at);
  return at + 4;
}

function endOfWord(bytes: Buffer, start: number, word: string): number {
  for (let index = 0; index < word.length; index += 1)
    if (bytes[start + index] !== word.charCodeAt(index)) throw unexpected(bytes, start + index);
  return start + word.length;
}

function endOfNumber(bytes: Buffer, start: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  // A zero at the beginning has no digit behind it.
  let at = bytes[first] === ZERO ? first + 1 : endOfDigits(bytes, first);
  if (bytes[at] === POINT) at = endOfDigits(bytes, at + 1);
  if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return at;
  const sign = bytes[at + 1];
  return endOfDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}

function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  if (at === start) throw unexpected(bytes, start);
  return at;
}

function endOfWhite(bytes: Buffer, start: number): number {
  let at = start;
  while (isWhite(bytes[at])) at += 1;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

/** Most bytes are above the space, so one comparison is enough for them. */
function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

function unexpected(bytes: Buffer, at: number): JsonError {
  return new JsonError(at < bytes.length ? `unexpected byte at ${at}` : 'unexpected end of the document');
}
