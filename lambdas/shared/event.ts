/**
 * One audit event: its line, its id, its instant, and whether it may enter `events/`. A line holds the bytes that the source
 * sent, without the white space between tokens. An event that cannot be classified is not dropped: its line goes to
 * quarantine, verbatim and with a reason.
 */
import { isObject, JsonError, keyIs, members, minify, parseSlice, rawToken, type Slice, tryParse } from './json';
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
  /** Raw token of `data.team.id`: which Postman team the event belongs to. */
  readonly sourceTeam: string | undefined;
}

/** An event that may enter `events/`. */
export interface DatedEvent extends AuditEvent {
  readonly id: string;
  readonly instant: Date;
}

/** Cuts one event out of a document. Throws `JsonError` where the slice is not JSON. */
export function sliceEvent(document: Buffer, slice: Slice): AuditEvent {
  const text = document.toString('utf8', slice.start, slice.end);
  // This check comes before the white space is removed, because `1 2` would then become 12.
  const value = tryParse(text);
  if (value === undefined) throw new JsonError(`malformed value at ${slice.start}`);
  if (isWrittenAgain(value, text)) return eventOf(value, document.subarray(slice.start, slice.end));
  return readEvent(minify(document, slice));
}

/**
 * Whether `JSON.stringify` writes exactly the text from which the value was parsed. Most sources write JSON in this form, and it
 * is read much faster: there is no white space between tokens, no key twice, and the token of each value follows from the value.
 */
function isWrittenAgain(value: unknown, text: string): boolean {
  try {
    return JSON.stringify(value) === text;
  } catch {
    return false; // The value is nested too deeply for `JSON.stringify`.
  }
}

/** Only arrays and objects of JSON have properties of these names, because no prototype has them. */
interface Parsed {
  readonly id?: unknown;
  readonly timestamp?: unknown;
  readonly data?: { readonly team?: { readonly id?: unknown } | null } | null;
}

function eventOf(value: unknown, line: Buffer): AuditEvent {
  const { id, timestamp, data } = (value ?? {}) as Parsed;
  return {
    line,
    id: idOf(id),
    instant: typeof timestamp === 'string' ? parseInstant(timestamp) : undefined,
    sourceTeam: idOf(data?.team?.id),
  };
}

function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? JSON.stringify(value).slice(1, -1) : undefined;
}

/** Reads a line that is known to be JSON. */
export function readEvent(line: Buffer): AuditEvent {
  const whole = { start: 0, end: line.length };
  const [id, timestamp, data] = pick(line, whole, ['id', 'timestamp', 'data']);
  const [team] = pick(line, data, ['team']);
  const [teamId] = pick(line, team, ['id']);
  return {
    line,
    id: id && tokenId(line, id),
    instant: timestamp && isString(line, timestamp) ? parseInstant(String(parseSlice(line, timestamp))) : undefined,
    sourceTeam: teamId && tokenId(line, teamId),
  };
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

/**
 * The values of an object's members, in the order of `keys`. A key that occurs twice with different tokens counts as absent,
 * because parsers disagree about which of the two is meant.
 */
function pick(line: Buffer, object: Slice | undefined, keys: readonly string[]): (Slice | undefined)[] {
  if (object === undefined || !isObject(line, object)) return [];
  const fields = members(line, object);
  return keys.map((key) => {
    const [first, ...others] = fields.filter((member) => keyIs(line, member.key, key));
    return others.every(({ value }) => first && sameBytes(line, first.value, value)) ? first?.value : undefined;
  });
}

function sameBytes(line: Buffer, a: Slice, b: Slice): boolean {
  return line.subarray(a.start, a.end).equals(line.subarray(b.start, b.end));
}

function tokenId(line: Buffer, slice: Slice): string | undefined {
  const isNumber = /^[-0-9]$/.test(String.fromCharCode(line[slice.start] ?? 0));
  const token = isNumber || isString(line, slice) ? rawToken(line, slice) : '';
  return token === '' ? undefined : token;
}

function isString(line: Buffer, slice: Slice): boolean {
  return line[slice.start] === 0x22;
}
