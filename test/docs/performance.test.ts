/** The ratios in `docs/performance.md` must follow from the figures that the bench printed into the same table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8');

interface Measured {
  readonly period: string;
  readonly schedule: string;
  readonly seconds: number;
  readonly requests: number;
}

const rows = [
  ...text.matchAll(/^\| (a day|a month|the year) \| (\w+) \| ([\d.]+) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) \|$/gm),
].map(([, period = '', schedule = '', seconds, time, requests = '', asked]) => ({
  period,
  schedule,
  seconds: Number(seconds),
  requests: Number(requests.replaceAll(',', '')),
  ratios: [Number(time), Number(asked)],
}));

function daily(period: string): Measured {
  const found = rows.find((row) => row.period === period && row.schedule === 'daily');
  if (found === undefined) throw new Error(`the table has no row for ${period} with daily segments`);
  return found;
}

test('the table of measurements has every period with every schedule', () => {
  expect(rows.map(({ period, schedule }) => `${period}, ${schedule}`)).toEqual(
    ['a day', 'a month', 'the year'].flatMap((period) =>
      ['daily', 'hourly', 'quarter'].map((each) => `${period}, ${each}`),
    ),
  );
});

test.each(rows)('the ratios of $period with $schedule segments follow from the figures', ({
  period,
  seconds,
  requests,
  ratios,
}) => {
  const base = daily(period);
  expect(Math.abs(seconds / base.seconds - (ratios[0] ?? 0))).toBeLessThan(0.1);
  expect(Math.abs(requests / base.requests - (ratios[1] ?? 0))).toBeLessThan(0.1);
});
