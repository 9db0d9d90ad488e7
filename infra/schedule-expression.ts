/**
 * Checks schedule expressions. CloudFormation would find a wrong one only in the middle of a deployment, and nobody would
 * find one that does not fire.
 */
import { dateOf, HOUR_MS } from '../lambdas/shared/time';
import { type Cron, impossibleDate, longestGap, readCron, shortestGapMinutes } from './cron';

/** If a team is read less often, it takes too long to notice that its runs have stopped. */
const MAX_GAP_HOURS = 7 * 24;
const MAX_SPREAD_MINUTES = 15;
const RULE = 'a schedule must fire at least once in 7 days';
const LONGEST_MONTH_HOURS = 31 * 24;
const UNIT_HOURS: Readonly<Record<string, number>> = { minute: 1 / 60, hour: 1, day: 24 };

/** The problem of a schedule expression, or undefined. */
export function scheduleProblem(expression: string, now = new Date()): string | undefined {
  const schedule = read(expression);
  if (typeof schedule === 'string') return schedule;
  if (gapHours(schedule, now) <= MAX_GAP_HOURS) return undefined;
  if ('everyHours' in schedule) return `fires too seldom: ${RULE}; write rate(7 days) or less`;
  return `${reason(schedule, now)}: ${RULE}; write ${instead(expression, now)}`;
}

/** The longest time between two firings, from `now` on. Throws an error if the expression is not valid. */
export function longestGapHours(expression: string, now: Date): number {
  return gapHours(readValid(expression), now);
}

/** A team is silent if no run has succeeded for three periods, and for three hours at least. */
export function silentHours(expression: string, now: Date): number {
  return Math.max(3, Math.ceil(3 * longestGapHours(expression, now)));
}

/** A run may begin so many minutes late, so that many teams do not begin in the same minute. */
export function spreadMinutes(expression: string): number {
  const schedule = readValid(expression);
  const period = 'everyHours' in schedule ? schedule.everyHours * 60 : shortestGapMinutes(schedule);
  return Math.min(MAX_SPREAD_MINUTES, Math.floor(period / 4));
}

function readValid(expression: string): Exclude<ReturnType<typeof read>, string> {
  const schedule = read(expression);
  if (typeof schedule === 'string') throw new Error(`"${expression}" ${schedule}`);
  return schedule;
}

/** Returns a cron schedule, the period of a rate, or what is wrong with the expression. */
function read(expression: string): Cron | { readonly everyHours: number } | string {
  const [, kind, body = ''] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'cron') return readCron(body);
  return kind === 'rate' ? readRate(body) : 'must be rate(...) or cron(...), such as rate(1 hour)';
}

function readRate(body: string) {
  const [, value, unit = '', plural] = /^([1-9]\d{0,5}) (minute|hour|day)(s?)$/.exec(body) ?? [];
  if (value === undefined) return 'must be rate(<number> minutes|hours|days)';
  if ((value === '1') === (plural === 's')) return `must be rate(${value} ${unit}${value === '1' ? '' : 's'})`;
  return { everyHours: Number(value) * (UNIT_HOURS[unit] ?? Number.NaN) };
}

function gapHours(schedule: Cron | { readonly everyHours: number }, now: Date): number {
  if ('everyHours' in schedule) return schedule.everyHours;
  if (schedule.isMonthly) return LONGEST_MONTH_HOURS;
  const { from, to } = longestGap(schedule, now);
  return (to.getTime() - from.getTime()) / HOUR_MS;
}

function reason(cron: Cron, now: Date): string {
  if (cron.isMonthly) return 'fires once a month at most';
  const date = impossibleDate(cron);
  if (date !== undefined) return `never fires, because no year has ${date}`;
  const { from, to } = longestGap(cron, now);
  return `does not fire between ${dateOf(from)} and ${dateOf(to)}`;
}

/** The same without its year, if only the year is wrong; otherwise every day at the same times. */
function instead(expression: string, now: Date): string {
  const everyYear = expression.replace(/ \S+\)$/, ' *)');
  if (longestGapHours(everyYear, now) <= MAX_GAP_HOURS) return everyYear;
  const [minutes, hours] = expression.slice('cron('.length).split(' ');
  return `cron(${minutes} ${hours} * * ? *)`;
}
