/**
 * One audit event: its line, its id, its instant, and whether it may enter `events/`. A line holds the bytes that the source
 * sent, without the white space between tokens. An event that cannot be classified is not dropped: its line goes to
 * quarantine, verbatim and with a reason.
 */
import {
  isObject,
  JsonError,
  keyIs,
  lineMembers,
  type Member,
  members,
  minify,
  parseSlice,
  rawToken,
  type Slice,
} from './json';
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
  /** `data.team.id`: which Postman team the event belongs to. It is read only of an event that the source has just served. */
  readonly sourceTeam: string | undefined;
}

/** An event that may enter `events/`. */
export interface DatedEvent extends AuditEvent {
  readonly id: string;
  readonly instant: Date;
}

/** Cuts one event out of a document. Throws `JsonError` where the slice is not JSON. */
export function sliceEvent(document: Buffer, slice: Slice): AuditEvent {
  // This check comes before the white space is removed, because `1 2` would then become 12.
  const value = parseSlice(document, slice);
  const asSent = document.subarray(slice.start, slice.end);
  const fields = lineMembers(asSent);
  if (fields !== undefined) return eventOf(asSent, fields, sourceTeamOf(value, asSent));
  const line = minify(document, slice);
  return eventOf(line, lineMembers(line) ?? [], sourceTeamOf(value, line));
}

/** Reads a line that is known to be JSON. Throws `JsonError` where there is white space between its tokens. */
export function readEvent(line: Buffer): AuditEvent {
  const fields = lineMembers(line);
  if (fields === undefined) throw new JsonError('white space between tokens');
  return eventOf(line, fields, undefined);
}

function eventOf(line: Buffer, fields: readonly Member[], sourceTeam: string | undefined): AuditEvent {
  const id = fieldOf(line, fields, 'id');
  const timestamp = fieldOf(line, fields, 'timestamp');
  return { line, id: id && tokenId(line, id), instant: timestamp && instantAt(line, timestamp), sourceTeam };
}

function instantAt(line: Buffer, slice: Slice): Date | undefined {
  if (!isString(line, slice)) return undefined;
  const token = rawToken(line, slice);
  return parseInstant(token.includes('\\') ? String(parseSlice(line, slice)) : token);
}

/** Only arrays and objects of JSON have properties of these names, because no prototype has them. */
interface Parsed {
  readonly data?: { readonly team?: { readonly id?: unknown } | null } | null;
}

/** The live service sends a number, of which the parsed value tells the token. Of a key that occurs twice, it has the last one. */
function sourceTeamOf(value: unknown, line: Buffer): string | undefined {
  const id = ((value ?? {}) as Parsed).data?.team?.id;
  if (id === undefined) return undefined;
  return Number.isSafeInteger(id) ? String(id) : rawSourceTeam(line);
}

function rawSourceTeam(line: Buffer): string | undefined {
  const data = fieldOf(line, lineMembers(line) ?? [], 'data');
  const team = data && isObject(line, data) ? fieldOf(line, members(line, data), 'team') : undefined;
  const id = team && isObject(line, team) ? fieldOf(line, members(line, team), 'id') : undefined;
  return id && tokenId(line, id);
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

/** A key that occurs twice with different tokens counts as absent, because parsers disagree about which of the two is meant. */
function fieldOf(line: Buffer, fields: readonly Member[], name: string): Slice | undefined {
  let found: Slice | undefined;
  for (const { key, value } of fields) {
    if (!keyIs(line, key, name)) continue;
    if (found !== undefined && !sameBytes(line, found, value)) return undefined;
    found = value;
  }
  return found;
}

function sameBytes(line: Buffer, a: Slice, b: Slice): boolean {
  return line.subarray(a.start, a.end).equals(line.subarray(b.start, b.end));
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
