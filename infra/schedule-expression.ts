/** Checks schedule expressions. CloudFormation would find a wrong one only in the middle of a deployment. */

/** An alarm can look back one week. If a team is read less often, nobody would notice that its runs have stopped. */
const MAX_PERIOD_MINUTES = 7 * 24 * 60;
const UNIT_MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 24 * 60 };

/** The pattern of a single value of each field, and of texts other than values, lists, ranges and steps. */
const CRON_FIELDS: readonly (readonly [name: string, value: string, special?: string])[] = [
  ['minutes', '[0-5]?\\d'],
  ['hours', '[01]?\\d|2[0-3]'],
  ['day of month', '0?[1-9]|[12]\\d|3[01]', '\\?|LW?|(?:[1-9]|[12]\\d|3[01])W'],
  ['month', '0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'],
  ['day of week', '[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT', '\\?|[1-7]?L|[1-7]#[1-5]'],
  ['year', '19[7-9]\\d|2[01]\\d\\d'],
];

/** The problem of a schedule expression, or undefined. */
export function scheduleProblem(expression: string): string | undefined {
  const [, kind, body] = /^(rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (kind === undefined || body === undefined) return 'must be rate(...) or cron(...), such as rate(1 hour)';
  return kind === 'rate' ? rateProblem(body) : cronProblem(body);
}

function rateProblem(body: string): string | undefined {
  const [, value, unit = '', plural] = /^([1-9]\d{0,5}) (minute|hour|day)(s?)$/.exec(body) ?? [];
  if (value === undefined) return 'must be rate(<number> minutes|hours|days)';
  if ((value === '1') === (plural === 's')) return `must be rate(${value} ${unit}${value === '1' ? '' : 's'})`;
  const minutes = Number(value) * (UNIT_MINUTES[unit] ?? Number.NaN);
  return minutes <= MAX_PERIOD_MINUTES ? undefined : 'must run at least once in 7 days';
}

function cronProblem(body: string): string | undefined {
  const texts = body.split(' ');
  if (texts.length !== CRON_FIELDS.length) {
    return 'must have six fields: cron(minutes hours day-of-month month day-of-week year)';
  }
  const bad = CRON_FIELDS.filter(([, value, special], i) => !cronField(value, special).test(texts[i] ?? ''));
  if (bad.length > 0) return `is no valid cron expression: ${bad.map(([name]) => name).join(', ')}`;
  const questionMarks = [texts[2], texts[4]].filter((text) => text === '?').length;
  return questionMarks === 1
    ? undefined
    : 'must have a ? as either day of month or day of week, and a value as the other';
}

function cronField(value: string, special = '(?!)'): RegExp {
  const item = `(?:\\*|(?:${value})(?:-(?:${value}))?)(?:/[1-9]\\d?)?`;
  return new RegExp(`^(?:${special}|${item}(?:,${item})*)$`);
}
