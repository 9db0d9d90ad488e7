/**
 * One response of the source, cut into events. What is not what the contract says fails loudly (a page without
 * `trails` is not "0 events"), and the failure says what was expected and what came, never the payload.
 *
 * The contract has the cursor in `meta.nextCursor`, a string; the live service sends it at the top level, a number.
 * Both are read, as raw text, so that a cursor above 2^53 is echoed exactly.
 */
import { isUtf8 } from 'node:buffer';
import { type AuditEvent, sliceEvent } from '../shared/event';
import {
  documentMembers,
  elements,
  isArray,
  isObject,
  JsonError,
  type Member,
  members,
  parseSlice,
  rawToken,
  type Slice,
} from '../shared/json';

export interface Page {
  readonly events: readonly AuditEvent[];
  /** Opaque text to send back, or undefined where the walk ends. */
  readonly cursor: string | undefined;
}

/** The body is not what the contract says. */
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
  const response = documentMembers(body);
  if (response === undefined) throw new PageError('expected a JSON object with "trails"');
  const fields = uniqueMembers(body, response, 'the response');
  const trails = fields.get('trails');
  if (trails === undefined) throw new PageError(`expected "trails", got an object without it`);
  if (!isArray(body, trails)) throw new PageError('expected "trails" to be an array');
  const events = elements(body, trails).map((slice) => sliceEvent(body, slice));
  return { events, cursor: oneCursor([fields.get('nextCursor'), metaCursor(body, fields.get('meta'))], body) };
}

/** A `meta` that cannot be read may hold the cursor: going on without it would end the walk too early. */
function metaCursor(body: Buffer, meta: Slice | undefined): Slice | undefined {
  if (meta === undefined || parseSlice(body, meta) === null) return undefined;
  if (!isObject(body, meta)) throw new PageError('expected "meta" to be an object');
  return uniqueMembers(body, members(body, meta), '"meta"').get('nextCursor');
}

function oneCursor(slices: readonly (Slice | undefined)[], body: Buffer): string | undefined {
  const cursors = new Set(slices.flatMap((slice) => (slice && cursorText(body, slice)) ?? []));
  if (cursors.size > 1) throw new PageError('expected one nextCursor, got two that differ');
  return [...cursors][0];
}

/** Absent, null and "" end the walk. */
function cursorText(body: Buffer, slice: Slice): string | undefined {
  const value = parseSlice(body, slice);
  if (value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return rawToken(body, slice);
  throw new PageError('expected nextCursor to be a string or a number');
}

/** Members by key, each one checked to be JSON. Two of one name are refused: parsers disagree on which counts. */
function uniqueMembers(body: Buffer, object: readonly Member[], where: string): Map<string, Slice> {
  const fields = new Map<string, Slice>();
  for (const { key: token, value } of object) {
    const key = String(parseSlice(body, token));
    if (fields.has(key) && (key === 'trails' || key === 'meta' || key === 'nextCursor')) {
      throw new PageError(`expected one "${key}" in ${where}, got two`);
    }
    if (key !== 'trails') parseSlice(body, value);
    fields.set(key, value);
  }
  return fields;
}
