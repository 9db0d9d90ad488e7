/**
 * Reads a JSON document from left to right and tells where each value begins and ends, in bytes. The archive is verbatim because
 * a value is cut out of the response and never parsed and written again: numbers, key order, duplicate keys and escapes stay as
 * they were sent.
 *
 * The reader checks every byte that it passes. So it accepts exactly the documents that `JSON.parse` accepts, and one pass over a
 * page is enough. Passing a value makes no object, because every served and every archived event is read in this way. The input
 * must be valid UTF-8.
 */

import { BACKSLASH, endOfScalar, endOfString, endOfWhite, isWhite, JsonError, QUOTE, unexpected } from './json-tokens';

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

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
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

/** One number holds so many bits. */
const KINDS = 30;

/** A value may be nested deeply: it is read without recursion, and each open container takes one bit of memory. */
function skipContainer(reader: JsonReader): void {
  /** A bit is set where a container is an object. The lowest bit belongs to the innermost container. */
  let kinds = 0;
  /** The same bits for the containers around these, `KINDS` in each number. */
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
  reader.at = endOfScalar(reader.bytes, reader.at);
}
