/** The bench prints the tables of `docs/costs.md`. A line that is changed by hand must not leave a wrong sum. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = readFileSync(join(import.meta.dirname, '../../docs/costs.md'), 'utf8');
const amounts = [...text.matchAll(/^\| [^*|]+ \| [^|]+ \| (< )?\$([\d.]+) \|$/gm)].map(([, less, dollars]) =>
  less === undefined ? Number(dollars) : 0.0025,
);

test('the lines of the bill add up to its sum', () => {
  const [, sum = ''] = /^\| \*\*together\*\* \| \| \*\*\$([\d.]+)\*\* \|$/m.exec(text) ?? [];
  expect(amounts.length).toBeGreaterThan(10);
  expect(Math.abs(amounts.reduce((a, b) => a + b) - Number(sum))).toBeLessThan(0.04);
});
