/**
 * Schedule expressions as EventBridge Scheduler reads them. CloudFormation would find a wrong one only in the middle
 * of a deployment, so each is checked before.
 */

/** An alarm can look back one week: a team that is read less often could fall silent without anybody noticing. */
const MAX_PERIOD_MINUTES = 7 * 24 * 60;

const UNIT_MINUTES = { minute: 1, hour: 60, day: 24 * 60 } as const;

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
  /** What this field allows beyond numbers, lists, ranges and steps. */
  readonly special?: RegExp;
}

const CRON_FIELDS: readonly CronField[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, special: /^(\?|L|LW|([1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 1, max: 7, names: WEEKDAYS, special: /^(\?|L|[1-7]L|[1-7]#[1-5])$/ },
  { name: 'year', min: 1970, max: 2199 },
];

/** What is wrong with a schedule expression, or undefined. */
export function scheduleProblem(expression: string): string | undefined {
  const [, kind, body] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === undefined || body === undefined) return 'must be rate(...) or cron(...), such as rate(1 hour)';
  return kind === 'rate' ? rateProblem(body) : cronProblem(body);
}

function rateProblem(body: string): string | undefined {
  const [, value, unit, plural] = /^([1-9]\d{0,5}) (minute|hour|day)(s?)$/.exec(body) ?? [];
  if (value === undefined || unit === undefined) return 'must be rate(<number> minutes|hours|days)';
  if ((value === '1') === (plural === 's')) return `must be rate(${value} ${unit}${value === '1' ? '' : 's'})`;
  const minutes = Number(value) * UNIT_MINUTES[unit as keyof typeof UNIT_MINUTES];
  return minutes > MAX_PERIOD_MINUTES ? 'must come at least once in 7 days' : undefined;
}

function cronProblem(body: string): string | undefined {
  const texts = body.split(' ');
  if (texts.length !== CRON_FIELDS.length) {
    return 'must have six fields: cron(minutes hours day-of-month month day-of-week year)';
  }
  const bad = CRON_FIELDS.filter((field, i) => !holds(field, texts[i] ?? '')).map((field) => field.name);
  if (bad.length > 0) return `is no valid cron expression: ${bad.join(', ')}`;
  const questionMarks = [texts[2], texts[4]].filter((text) => text === '?').length;
  return questionMarks === 1
    ? undefined
    : 'must have a ? as either day of month or day of week, and a value as the other';
}

function holds(field: CronField, text: string): boolean {
  return field.special?.test(text) === true || text.split(',').every((item) => itemHolds(field, item));
}

/** `*`, `5`, `1-5`, and any of them with a step: `0/15`. */
function itemHolds(field: CronField, item: string): boolean {
  const [range = '', step, ...rest] = item.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((end) => numberOf(field, end));
  return ends.length <= 2 && ends.every((end) => end >= field.min && end <= field.max);
}

function numberOf(field: CronField, text: string): number {
  const named = field.names?.indexOf(text) ?? -1;
  if (named >= 0) return field.min + named;
  return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
}
