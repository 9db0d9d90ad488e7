/**
 * One audit event: its line, its id, its instant, and whether it may enter `events/`. A line holds the bytes that the source
 * sent, without the white space between tokens. An event that cannot be classified is not dropped: its line goes to
 * quarantine, verbatim and with a reason.
 */
import {
  beginObject,
  type JsonReader,
  keyIs,
  nextMember,
  nextSlice,
  parseSlice,
  rawToken,
  readJson,
  type Slice,
  skipValue,
} from './json';
import { JsonError, minify } from './json-tokens';
import { DAY_MS, parseInstant } from './time';

/** Why a line is not under `events/`. */
export const QUARANTINE_REASONS = [
  /** No `id`, or one that is null, empty, not a string or number, or given twice with different tokens. */
  'no-id',
  /** No `timestamp`, or one that is not an ISO 8601 date and time, or given twice with different tokens. */
  'bad-timestamp',
  /** Before 2020-01-01, or more than one day after the run's walk start. */
  'out-of-range',
  /** Longer than `MAX_LINE_BYTES`. */
  'oversize',
  /** The id is archived with another body. */
  'revision',
] as const;

export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** Athena fails on rows over 32 MB. Half of that leaves room for the columns that a query adds. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
export const EARLIEST_INSTANT = new Date('2020-01-01T00:00:00.000Z');

export interface AuditEvent {
  readonly line: Buffer;
  /** Raw text of the id's token without quotes. `1` and `"1"` are equal, and no id passes through a Number. */
  readonly id: string | undefined;
  readonly instant: Date | undefined;
  /** `data.team.id`: which Postman team the event belongs to. */
  readonly sourceTeam: string | undefined;
}

/** An event that may enter `events/`. */
export interface DatedEvent extends AuditEvent {
  readonly id: string;
  readonly instant: Date;
}

/** Cuts the next value out of a document. Throws `JsonError` where it is not JSON. */
export function nextEvent(reader: JsonReader): AuditEvent {
  const { bytes, at, white } = reader;
  const { id, timestamp, sourceTeam } = readFields(reader);
  const asSent = bytes.subarray(at, reader.at);
  return {
    line: reader.white === white ? asSent : minify(asSent),
    id: id && tokenId(bytes, id),
    instant: timestamp && instantAt(bytes, timestamp),
    sourceTeam: sourceTeam && teamAt(bytes, sourceTeam),
  };
}

/** Reads a line. Throws `JsonError` where it is not JSON, or has white space between its tokens. */
export function readEvent(line: Buffer): AuditEvent {
  const reader = readJson(line);
  const event = nextEvent(reader);
  if (reader.at < line.length || reader.white > 0)
    throw new JsonError('expected one value without white space between its tokens');
  return event;
}

interface Fields {
  readonly id: Slice | undefined;
  readonly timestamp: Slice | undefined;
  readonly sourceTeam: Slice | undefined;
}

function readFields(reader: JsonReader): Fields {
  let [id, timestamp, sourceTeam]: (Slice | undefined)[] = [];
  for (let hasMember = beginObject(reader); hasMember; hasMember = nextMember(reader)) {
    if (keyIs(reader, 'id')) id = onlyToken(reader.bytes, id, nextSlice(reader));
    else if (keyIs(reader, 'timestamp')) timestamp = onlyToken(reader.bytes, timestamp, nextSlice(reader));
    else if (keyIs(reader, 'data')) sourceTeam = teamOfData(reader);
    else skipValue(reader);
  }
  return { id, timestamp, sourceTeam };
}

/** No token begins here, so that no id and no instant is read from it. */
const NOWHERE: Slice = { start: -1, end: -1 };

/** A key that occurs twice with different tokens counts as absent, because parsers disagree about which of the two is meant. */
function onlyToken(bytes: Buffer, before: Slice | undefined, token: Slice): Slice {
  return before === undefined || sameBytes(bytes, before, token) ? token : NOWHERE;
}

function sameBytes(bytes: Buffer, a: Slice, b: Slice): boolean {
  return bytes.subarray(a.start, a.end).equals(bytes.subarray(b.start, b.end));
}

function instantAt(bytes: Buffer, slice: Slice): Date | undefined {
  if (!isString(bytes, slice)) return undefined;
  const token = rawToken(bytes, slice);
  return parseInstant(token.includes('\\') ? String(parseSlice(bytes, slice)) : token);
}

const teamOfData = (data: JsonReader) => lastMember(data, 'team', idOfTeam);
const idOfTeam = (team: JsonReader) => lastMember(team, 'id', nextSlice);

/** Reads an object. Of a key that occurs twice the last one counts, as in `JSON.parse`. */
function lastMember<T>(reader: JsonReader, name: string, read: (member: JsonReader) => T): T | undefined {
  let found: T | undefined;
  for (let hasMember = beginObject(reader); hasMember; hasMember = nextMember(reader)) {
    if (keyIs(reader, name)) found = read(reader);
    else skipValue(reader);
  }
  return found;
}

/**
 * The last token of a team and its id. The events of a log have mostly one team, and making a text is slow. The id depends on
 * the token alone, so several archives in one process can share this memory.
 */
let lastTeam = { token: Buffer.alloc(0), id: teamId(Buffer.alloc(0), NOWHERE) };

function teamAt(bytes: Buffer, slice: Slice): string | undefined {
  if (!isToken(bytes, slice, lastTeam.token)) {
    lastTeam = { token: Buffer.from(bytes.subarray(slice.start, slice.end)), id: teamId(bytes, slice) };
  }
  return lastTeam.id;
}

/** `7` and `7.0` are the same team. */
function teamId(bytes: Buffer, slice: Slice): string | undefined {
  const token = tokenId(bytes, slice);
  const number = isNumber(bytes, slice) ? Number(token) : Number.NaN;
  return Number.isSafeInteger(number) ? String(number) : token;
}

/** For a short token this is faster than `Buffer.equals`. */
function isToken(bytes: Buffer, { start, end }: Slice, token: Buffer): boolean {
  if (end - start !== token.length) return false;
  for (let at = 0; at < token.length; at += 1) if (bytes[start + at] !== token[at]) return false;
  return true;
}

/** Why the event may not enter `events/`, or undefined where it may. An instant far after `walkStart` is out of range. */
export function quarantineReason(event: AuditEvent, walkStart: Date): QuarantineReason | undefined {
  if (event.line.length > MAX_LINE_BYTES) return 'oversize';
  if (event.id === undefined) return 'no-id';
  if (event.instant === undefined) return 'bad-timestamp';
  return instantInRange(event, walkStart) === undefined ? 'out-of-range' : undefined;
}

/** The event's own instant if it lies between 2020-01-01 and one day after the walk start, otherwise undefined. */
export function instantInRange({ instant }: AuditEvent, walkStart: Date): Date | undefined {
  // Comparing numbers is much faster than comparing dates.
  const at = instant?.getTime() ?? Number.NaN;
  return at >= EARLIEST_INSTANT.getTime() && at <= walkStart.getTime() + DAY_MS ? instant : undefined;
}

export function isDated(event: AuditEvent): event is DatedEvent {
  return event.id !== undefined && event.instant !== undefined;
}

/** The order of lines in a segment: by instant, then by the id's length, then by its text. */
export function compareEvents(a: DatedEvent, b: DatedEvent): number {
  return (
    a.instant.getTime() - b.instant.getTime() || a.id.length - b.id.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

function tokenId(line: Buffer, slice: Slice): string | undefined {
  const token = isNumber(line, slice) || isString(line, slice) ? rawToken(line, slice) : '';
  return token === '' ? undefined : token;
}

function isString(line: Buffer, slice: Slice): boolean {
  return line[slice.start] === 0x22;
}

function isNumber(line: Buffer, slice: Slice): boolean {
  const first = line[slice.start] ?? 0;
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}
