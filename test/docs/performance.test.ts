/** The ratios in `docs/performance.md` must follow from the figures that the bench printed into the same table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8');
const row = /^\| (a day|a month|the year) \| (daily|hourly|quarter) \| (.*) \|$/gm;
const table = [...text.matchAll(row)].map(([, period, schedule, figures = '']) => {
  const [seconds = 0, time = 0, requests = 0, asked = 0] = figures.replaceAll(',', '').split(' | ').map(Number);
  return { name: `${period}, ${schedule}`, seconds, requests, time, asked };
});

test('the table of measurements has every period with every schedule', () => {
  const names = ['a day', 'a month', 'the year'].flatMap((period) =>
    ['daily', 'hourly', 'quarter'].map((schedule) => `${period}, ${schedule}`),
  );
  expect(table.map(({ name }) => name)).toEqual(names);
});

test.each(
  table.map((each, index) => ({ ...each, daily: table[index - (index % 3)] ?? each })),
)('the ratios of $name segments follow from the figures', ({ seconds, requests, time, asked, daily }) => {
  expect(Math.abs(seconds / daily.seconds - time)).toBeLessThan(0.1);
  expect(Math.abs(requests / daily.requests - asked)).toBeLessThan(0.1);
});

const dailyRow = /^\| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \| ([\d,]+) \|$/gm;
const archives = [...text.matchAll(dailyRow)].map((match) => {
  const [years = 0, objects = 0, gets = 0, allowed = 0, cpu = 0, inOneRun = 0] = match
    .slice(1)
    .map((figure) => Number(figure.replaceAll(',', '')));
  return { years, objects, gets, allowed, cpu, inOneRun };
});

test('the daily verification was measured on archives of one and of five years', () => {
  expect(archives.map(({ years }) => years)).toEqual([1, 5]);
});

test.each(archives)('the figures of the daily verification of $years years follow from each other', (archive) => {
  const { years, objects, gets, allowed, cpu, inOneRun } = archive;
  expect(gets).toBeLessThanOrEqual(allowed);
  expect(Math.abs(allowed - objects / 30 - objects / (365 * years) - 80)).toBeLessThan(2);
  const seconds = gets * 0.04 + (objects / 1000) * 0.3 + cpu / 0.58;
  expect(Math.abs((780 / seconds) * objects - inOneRun)).toBeLessThan(10_000);
});

const benchRow =
  /^\| [^|]+ \| [^|]+ \| [^|]+ \| ([\d.]+) \| ([\d.]+|once) \| (at most|at least) ([\d.]+) \| (.*) \|$/gm;
const rows = [...text.matchAll(benchRow)].map(([row, ratio, spread, kind, reach, verdict]) => ({
  row,
  miss: kind === 'at most' ? Number(ratio) - Number(reach) : Number(reach) - Number(ratio),
  spread: spread === 'once' ? 0 : Number(spread),
  verdict,
}));

test('each verdict of the bench follows from its ratio, its spread and its reach', () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const { row, miss, spread, verdict } of rows)
    expect([row, verdict]).toEqual([row, miss <= 0 ? 'reached' : miss <= spread ? 'within noise' : 'MISSED']);
});
