/** EventBridge's cron expressions: their syntax, and the distances between their firings. All times are UTC. */
import { DAY_MS, HOUR_MS, MINUTE_MS, midnight } from '../lambdas/shared/time';

/** So many days ahead are looked at, so that every date of a year is among them. */
const HORIZON_DAYS = 400;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names for the values, from 1 on. */
  readonly names?: readonly string[];
  /** A day that is named in a way (`L`, `W`, `#`) that comes once a month. Only the two fields of days have it. */
  readonly monthly?: RegExp;
}

const FIELDS: readonly CronField[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, monthly: /^(LW?|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 1, max: 7, names: WEEKDAYS, monthly: /^[1-7](L|#[1-5])$/ },
  { name: 'year', min: 1970, max: 2199 },
];

export type Cron = Exclude<ReturnType<typeof readCron>, string>;

/**
 * Reads what stands in the brackets of cron(...) as the values of each field, or returns what is wrong with it. A day that
 * is `?` has all values, and so has a monthly one, because it does not matter which day that is.
 */
export function readCron(body: string) {
  // L, the last day of the week, is Saturday.
  const texts = body.split(' ').map((text, i) => (i === 4 && text === 'L' ? '7' : text));
  if (texts.length !== FIELDS.length) {
    return 'must have six fields: cron(minutes hours day-of-month month day-of-week year)';
  }
  const values = FIELDS.map((field, i) => valuesOf(field, texts[i] ?? ''));
  const [minutes, hours, daysOfMonth, months, daysOfWeek, years] = values;
  if (!minutes || !hours || !daysOfMonth || !months || !daysOfWeek || !years) {
    const bad = FIELDS.filter((_, i) => values[i] === undefined).map(({ name }) => name);
    return `is no valid cron expression: ${bad.join(', ')}`;
  }
  if ((texts[2] === '?') === (texts[4] === '?')) {
    return 'must have a ? as either day of month or day of week, and a value as the other';
  }
  const isMonthly = FIELDS.some(({ monthly }, i) => monthly?.test(texts[i] ?? ''));
  return { minutes, hours, daysOfMonth, months, daysOfWeek, years, isMonthly };
}

/** The values in ascending order; undefined where the text is not valid. */
function valuesOf({ min, max, names = [], monthly }: CronField, text: string): number[] | undefined {
  if (monthly !== undefined && (text === '?' || monthly.test(text))) return numbers(min, max);
  const value = `\\d{1,${String(max).length}}|[A-Z]{3}`;
  const item = new RegExp(`^(?:\\*|(${value})(?:-(${value}))?)(?:/([1-9]\\d?))?$`);
  const number = (name: string) => (names.includes(name) ? names.indexOf(name) + 1 : Number(name));
  const lists = text.split(',').map((each) => {
    const [matched, first, last, step] = item.exec(each) ?? [];
    if (matched === undefined) return [];
    const start = first === undefined ? min : number(first);
    const isOpen = first === undefined || step !== undefined;
    const end = last === undefined ? (isOpen ? max : start) : number(last);
    return start >= min && end <= max ? numbers(start, end, Number(step ?? 1)) : [];
  });
  // A range that ends before it begins is not documented, so it counts as an error.
  return lists.some((list) => list.length === 0) ? undefined : [...new Set(lists.flat())].sort((a, b) => a - b);
}

function numbers(start: number, end: number, step = 1): number[] {
  return Array.from({ length: Math.max(0, Math.floor((end - start) / step) + 1) }, (_, i) => start + i * step);
}

/** A day and a month that the expression names although the month never has that day, if it names no others. */
export function impossibleDate({ daysOfMonth, months }: Cron): string | undefined {
  const dates = months.flatMap((month) => daysOfMonth.map((day) => ({ month, day })));
  const exists = dates.some(({ month, day }) => day <= (MONTH_DAYS[month - 1] ?? 0));
  return exists ? undefined : `${daysOfMonth[0]} ${MONTHS[(months[0] ?? 1) - 1]}`;
}

/** The longest time without a firing between `now` and the end of the horizon. */
export function longestGap(cron: Cron, now: Date) {
  const start = now.getTime();
  const end = midnight(now, HORIZON_DAYS).getTime();
  let longest = { from: start, to: start };
  let from = start;
  for (const to of firings(cron, start, end)) {
    if (to - from > longest.to - longest.from) longest = { from, to };
    from = to;
  }
  return { from: new Date(longest.from), to: new Date(longest.to) };
}

/** The shortest time between two firings of a day, or of two days in a row, in minutes. */
export function shortestGapMinutes(cron: Cron): number {
  const times = timesOfDay(cron);
  const next = [...times.slice(1), (times[0] ?? 0) + DAY_MS];
  return Math.min(...next.map((time, i) => time - (times[i] ?? 0))) / MINUTE_MS;
}

/** Milliseconds since midnight, in ascending order. */
function timesOfDay({ hours, minutes }: Cron): number[] {
  return hours.flatMap((hour) => minutes.map((minute) => hour * HOUR_MS + minute * MINUTE_MS));
}

/** In milliseconds, and at last the end itself. */
function* firings(cron: Cron, start: number, end: number): Generator<number> {
  const offsets = timesOfDay(cron);
  for (let day = midnight(new Date(start)); day.getTime() < end; day = midnight(day, 1)) {
    if (firesOn(day, cron)) yield* offsets.map((offset) => day.getTime() + offset).filter((instant) => instant > start);
  }
  yield end;
}

function firesOn(day: Date, { daysOfMonth, months, daysOfWeek, years }: Cron): boolean {
  return (
    daysOfMonth.includes(day.getUTCDate()) &&
    months.includes(day.getUTCMonth() + 1) &&
    daysOfWeek.includes(day.getUTCDay() + 1) &&
    years.includes(day.getUTCFullYear())
  );
}
