/**
 * One audit event: its line, its id, its instant, and whether it may enter `events/`. A line is what the source sent,
 * byte for byte, white space between tokens removed. Nothing that cannot be classified is dropped: it is quarantined,
 * verbatim, with a reason.
 */
import { isObject, keyIs, members, minify, parseSlice, rawToken, type Slice } from './json';

/** Why a line is not under `events/`. */
export type QuarantineReason =
  /** No `id`, or one that is null, empty, not a string or number, or given twice with different tokens. */
  | 'no-id'
  /** No `timestamp`, or one that is not an ISO 8601 date and time, or given twice with different tokens. */
  | 'bad-timestamp'
  /** Before 2020-01-01, or more than one day after the run's walk start. */
  | 'out-of-range'
  /** Longer than `MAX_LINE_BYTES`. */
  | 'oversize'
  /** The id is archived with another body. */
  | 'revision';

export const QUARANTINE_REASONS: readonly QuarantineReason[] = [
  'no-id',
  'bad-timestamp',
  'out-of-range',
  'oversize',
  'revision',
];

/** Athena fails on rows over 32 MB; half of that leaves room for what a query adds. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
export const EARLIEST_INSTANT = new Date('2020-01-01T00:00:00.000Z');
const DAY_MS = 86_400_000;

export interface AuditEvent {
  readonly line: Buffer;
  /** Raw text of the id's token, quotes off: `1` and `"1"` are equal, and nothing passes through a Number. */
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
  // Before the white space goes: without it `1 2` would pass for 12.
  parseSlice(document, slice);
  return readEvent(minify(document, slice));
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

/** Why the event may not enter `events/`, or undefined where it may. `walkStart` bounds what counts as the future. */
export function quarantineReason(event: AuditEvent, walkStart: Date): QuarantineReason | undefined {
  if (event.line.length > MAX_LINE_BYTES) return 'oversize';
  if (event.id === undefined) return 'no-id';
  if (event.instant === undefined) return 'bad-timestamp';
  return instantInRange(event, walkStart) === undefined ? 'out-of-range' : undefined;
}

/** The event's own instant where it lies between 2020-01-01 and one day after the walk start, otherwise undefined. */
export function instantInRange({ instant }: AuditEvent, walkStart: Date): Date | undefined {
  if (instant === undefined || instant < EARLIEST_INSTANT) return undefined;
  return instant.getTime() > walkStart.getTime() + DAY_MS ? undefined : instant;
}

export function isDated(event: AuditEvent): event is DatedEvent {
  return event.id !== undefined && event.instant !== undefined;
}

/** The order of lines in a segment: by instant, then id by (length, text). */
export function compareEvents(a: DatedEvent, b: DatedEvent): number {
  return (
    a.instant.getTime() - b.instant.getTime() || a.id.length - b.id.length || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

const ISO_INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)?$/;

/**
 * The instant of an ISO 8601 date and time, to the millisecond (further digits are cut off). No time zone means UTC.
 * An offset may be hours alone (`+02`).
 * Undefined where any field is out of its range: `Date` would roll 30 February over, and an auditor would be told
 * another day.
 */
export function parseInstant(text: string): Date | undefined {
  const match = ISO_INSTANT.exec(text);
  if (match === null) return undefined;
  const field = (group: number) => Number(match[group]);
  const [year, month, day] = [field(1), field(2), field(3)];
  const [hour, minute, second] = [field(4), field(5), field(6)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = offsetMinutes(match[9], match[10], match[11]);
  if (offset === undefined) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const millis = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const clock = ((hour * 60 + minute - offset) * 60 + second) * 1000 + millis;
  return new Date(midnight.getTime() + clock);
}

/** The same for what a person sets: a date alone is its 00:00 UTC. */
export function parseDateOrInstant(text: string): Date | undefined {
  return parseInstant(text) ?? parseInstant(`${text}T00:00:00Z`);
}

function offsetMinutes(sign?: string, hours = '0', minutes = '0'): number | undefined {
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/**
 * The values of an object's members, in the order of `keys`. A key given twice with different tokens is ambiguous
 * (parsers disagree on which counts), so it is as good as absent.
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
