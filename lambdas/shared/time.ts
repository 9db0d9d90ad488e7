/** Instants and UTC dates. Inside the product an instant is a `Date`, and a date is a text `YYYY-MM-DD`, always in UTC. */

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

export function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

/** The instant `ms` milliseconds later. A negative number gives an earlier instant. */
export function addMs(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

/** The UTC date of an instant. */
export function dateOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/** 00:00 UTC of the instant's date, plus `days`. A negative number gives an earlier date. */
export function midnight(instant: Date, days = 0): Date {
  return new Date(Math.floor(instant.getTime() / DAY_MS) * DAY_MS + days * DAY_MS);
}

/** Every UTC date from that of `from` to that of `to`, both included. */
export function datesBetween(from: Date, to: Date): string[] {
  const dates: string[] = [];
  for (let day = midnight(from); day <= to; day = midnight(day, 1)) dates.push(dateOf(day));
  return dates;
}

const ISO_INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)?$/;

/**
 * The instant of an ISO 8601 date and time, to the millisecond. Further digits are cut off. A text without a time zone is in
 * UTC. An offset may have hours alone (`+02`). Undefined where a field is out of its range: `Date` would turn 30 February into
 * 2 March, and an auditor would read a wrong day.
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

/** The same for a setting that a person writes. A date alone means 00:00 UTC of that date. */
export function parseDateOrInstant(text: string): Date | undefined {
  return parseInstant(text) ?? parseInstant(`${text}T00:00:00Z`);
}

function offsetMinutes(sign?: string, hours = '0', minutes = '0'): number | undefined {
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
