/**
 * One response of the source, cut into events. A response that breaks the contract is an error: a page without `trails` is not
 * a page of 0 events. The error names what was expected and what was found. It never quotes the payload.
 *
 * The contract has the cursor in `meta.nextCursor`, as a string. The live service sends it at the top level, as a number. Both
 * are read as raw text, so that a cursor above 2^53 is sent back exactly.
 */
import { isUtf8 } from 'node:buffer';
import { type AuditEvent, nextEvent } from '../shared/event';
import {
  beginArray,
  beginDocument,
  beginObject,
  endDocument,
  isArray,
  isObject,
  type JsonReader,
  keyText,
  nextElement,
  nextMember,
  parseSlice,
  rawToken,
  readJson,
  type Slice,
  skipValue,
} from '../shared/json';
import { JsonError } from '../shared/json-tokens';

export interface Page {
  readonly events: readonly AuditEvent[];
  /** Opaque text that the next request sends back; undefined on the last page. */
  readonly cursor: string | undefined;
  /** `meta.total`, where it is a number. Servers disagree about what they count. */
  readonly total: number | undefined;
}

/** The body breaks the contract of the API. */
export class PageError extends Error {
  override readonly name = 'PageError';
}

export function readPage(body: Buffer): Page {
  if (body.length === 0) throw new PageError('expected a JSON object, got an empty body');
  if (!isUtf8(body)) throw new PageError('expected UTF-8, got other bytes');
  try {
    return cutPage(body);
  } catch (error) {
    if (error instanceof JsonError) throw new PageError(`expected JSON: ${error.message} (of ${body.length} bytes)`);
    throw error;
  }
}

function cutPage(body: Buffer): Page {
  const reader = readJson(body);
  beginDocument(reader);
  if (!isObject(reader)) throw new PageError('expected a JSON object with "trails"');
  let events: readonly AuditEvent[] | undefined;
  const fields = uniqueMembers(reader, 'the response', (key) => {
    if (key === 'trails') events = readEvents(reader);
    else skipValue(reader);
  });
  endDocument(reader);
  if (events === undefined) throw new PageError(`expected "trails", got an object without it`);
  const meta = metaFields(body, fields.get('meta'));
  const total = meta.get('total');
  return {
    events,
    cursor: oneCursor([fields.get('nextCursor'), meta.get('nextCursor')], body),
    total: total && numberOf(parseSlice(body, total)),
  };
}

function readEvents(reader: JsonReader): AuditEvent[] {
  if (!isArray(reader)) throw new PageError('expected "trails" to be an array');
  const events: AuditEvent[] = [];
  for (let hasElement = beginArray(reader); hasElement; hasElement = nextElement(reader))
    events.push(nextEvent(reader));
  return events;
}

/** An unreadable `meta` is an error, because it may hold the cursor, and without the cursor the walk would end too early. */
function metaFields(body: Buffer, meta: Slice | undefined): Map<string, Slice> {
  if (meta === undefined || parseSlice(body, meta) === null) return new Map();
  const reader = readJson(body, meta.start);
  if (!isObject(reader)) throw new PageError('expected "meta" to be an object');
  return uniqueMembers(reader, '"meta"', () => skipValue(reader));
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function oneCursor(slices: readonly (Slice | undefined)[], body: Buffer): string | undefined {
  const cursors = new Set(slices.flatMap((slice) => (slice && cursorText(body, slice)) ?? []));
  if (cursors.size > 1) throw new PageError('expected one nextCursor, got two that differ');
  return [...cursors][0];
}

/** Returns undefined where the cursor is null or empty: the page is then the last one. */
function cursorText(body: Buffer, slice: Slice): string | undefined {
  const value = parseSlice(body, slice);
  if (value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return rawToken(body, slice);
  throw new PageError('expected nextCursor to be a string or a number');
}

/** A key with a meaning may not occur twice, because parsers disagree about which of the two is meant. */
function uniqueMembers(reader: JsonReader, where: string, read: (key: string) => void): Map<string, Slice> {
  const fields = new Map<string, Slice>();
  for (let hasMember = beginObject(reader); hasMember; hasMember = nextMember(reader)) {
    const [key, start] = [keyText(reader), reader.at];
    if (fields.has(key) && (key === 'trails' || key === 'meta' || key === 'nextCursor')) {
      throw new PageError(`expected one "${key}" in ${where}, got two`);
    }
    read(key);
    fields.set(key, { start, end: reader.at });
  }
  return fields;
}
