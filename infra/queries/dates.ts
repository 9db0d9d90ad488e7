/**
 * The dates of a query's parameters: a date as such, or a date relative to today or to another parameter. So a default moves
 * with what was given: `from = to - 30` is 30 days before the given last day.
 *
 *     2026-06-30   today   yesterday   to - 30   from - 180   to - 2w   to - 3m
 */
import { EARLIEST_INSTANT } from '../../lambdas/shared/event';
import { dateOf, later, midnight, parseInstant } from '../../lambdas/shared/time';

/** No event is older, so this default means the whole archive. */
export const FIRST_DATE = dateOf(EARLIEST_INSTANT);

const RELATIVE = /^([a-z_]+)(?: - (\d{1,5})([dwm]?))?$/;

/** A UTC date, `YYYY-MM-DD`, that exists. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseInstant(`${text}T00:00:00Z`) !== undefined;
}

/** Undefined if the text is no such date. `known` are the dates to which others may be relative, such as `to`. */
export function resolveDate(
  text: string,
  today: Date,
  known: Readonly<Record<string, string>> = {},
): string | undefined {
  if (isDate(text)) return text;
  const [, base = '', count = '0', unit = 'd'] = RELATIVE.exec(text) ?? [];
  const bases: Readonly<Record<string, string>> = {
    ...known,
    today: dateOf(today),
    yesterday: dateOf(midnight(today, -1)),
  };
  const start = Object.hasOwn(bases, base) ? bases[base] : undefined;
  if (start === undefined || !isDate(start)) return undefined;
  return dateOf(later(before(new Date(start), Number(count), unit), EARLIEST_INSTANT));
}

function before(day: Date, count: number, unit: string): Date {
  if (unit !== 'm') return midnight(day, -count * (unit === 'w' ? 7 : 1));
  const month = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - count, 1));
  const lastDay = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 0)).getUTCDate();
  return midnight(month, Math.min(day.getUTCDate(), lastDay) - 1);
}
