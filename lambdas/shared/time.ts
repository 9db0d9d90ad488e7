/** Instants and UTC dates. Inside the product an instant is a `Date`, and a date is a text `YYYY-MM-DD`, always in UTC. */

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export function earlier(a: Date, b: Date): Date {
  return a.getTime() < b.getTime() ? a : b;
}

export function later(a: Date, b: Date): Date {
  return a.getTime() > b.getTime() ? a : b;
}

/** The instant `ms` milliseconds later. A negative number gives an earlier instant. */
export function addMs(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

/** The last result of `dateOf`: instants come in order, and writing a date is slow. */
let latest = { day: Number.NaN, date: '' };

/** The UTC date of an instant. */
export function dateOf(instant: Date): string {
  const day = Math.floor(instant.getTime() / DAY_MS);
  if (day !== latest.day) latest = { day, date: instant.toISOString().slice(0, 10) };
  return latest.date;
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

const CLOCK = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d';
/** The form of most texts by far. Without groups the expression is much faster. */
const CANONICAL_FORM = new RegExp(`^\\d{4}-\\d{2}-\\d{2}T${CLOCK}\\.\\d{3}Z$`);
const ISO_FORM = new RegExp(
  `^(\\d{4}-\\d{2}-\\d{2})[Tt ](${CLOCK})(?:[.,](\\d{1,3})\\d*)?(?:[Zz]|([+-])([01]\\d|2[0-3])(?::?([0-5]\\d))?)?$`,
);

/**
 * The instant of an ISO 8601 date and time, to the millisecond. Further digits are cut off. A text without a time zone is in
 * UTC. An offset may have hours alone (`+02`). Undefined where a field is out of its range.
 */
export function parseInstant(text: string): Date | undefined {
  if (CANONICAL_FORM.test(text)) return onItsDay(text);
  const [match, date, clock, fraction = '', sign, hours = '0', minutes = '0'] = ISO_FORM.exec(text) ?? [];
  if (match === undefined) return undefined;
  const local = onItsDay(`${date}T${clock}.${fraction.padEnd(3, '0')}Z`);
  const offset = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS;
  return local && addMs(local, sign === '-' ? offset : -offset);
}

/** The last date that was read, and its midnight: instants come in order, and reading a date is slow. */
let lastRead = { date: 'none', midnight: Number.NaN };

/** `Date` reads 30 February as 2 March, and an auditor would read a wrong day. Undefined for such a text. */
function onItsDay(text: string): Date | undefined {
  if (!text.startsWith(lastRead.date)) lastRead = midnightOf(text.slice(0, 10));
  if (Number.isNaN(lastRead.midnight)) return undefined;
  const clock = digits(text, 11, 13) * HOUR_MS + digits(text, 14, 16) * MINUTE_MS + digits(text, 17, 19) * SECOND_MS;
  return new Date(lastRead.midnight + clock + digits(text, 20, 23));
}

function midnightOf(date: string): typeof lastRead {
  const first = new Date(`${date}T00:00:00.000Z`);
  return { date, midnight: first.getUTCDate() === Number(date.slice(8)) ? first.getTime() : Number.NaN };
}

/** The number that the decimal digits from `start` to `end` write. */
function digits(text: string, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at += 1) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
}

/** Whether the text is ISO 8601 in UTC with milliseconds, which is how `Date` writes an instant before the year 10,000. */
export function isCanonicalInstant(text: string): boolean {
  return CANONICAL_FORM.test(text) && onItsDay(text) !== undefined;
}

/** The same for a setting that a person writes. A date alone means 00:00 UTC of that date. */
export function parseDateOrInstant(text: string): Date | undefined {
  return parseInstant(text) ?? parseInstant(`${text}T00:00:00Z`);
}
