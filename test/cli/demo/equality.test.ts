import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compareWithSource, openServedLines } from '../../../cli/demo/equality';

const folder = mkdtempSync(join(tmpdir(), 'equality-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('lines that are missing, repeated or were never served are counted, also against lines of an earlier start', () => {
  mkdirSync(join(folder, 'events/dt=2026-06-12'), { recursive: true });
  writeFileSync(join(folder, 'events/dt=2026-06-12/1.ndjson.gz'), gzipSync('a\nb\n'));
  const served = openServedLines(join(folder, 'served.ndjson'));
  served.add(['a', 'b', 'a']);
  const printed: string[] = [];
  expect(compareWithSource(folder, served.all, () => undefined)).toBe(true);
  served.add(['c']);
  writeFileSync(join(folder, 'events/dt=2026-06-12/2.ndjson.gz'), gzipSync('b\nplanted\n'));
  const { all } = openServedLines(join(folder, 'served.ndjson'));
  expect(compareWithSource(folder, all, (text) => printed.push(text))).toBe(false);
  expect(printed).toEqual([
    '\nCompared with the source, line by line:',
    '  3 distinct lines served, 4 archived: NOT EQUAL',
    '  1 served lines are not in the archive',
    '  2 archived lines were not served, or occur more than once',
  ]);
});

test('a part of a line that a full disk has left is not counted as served, and the next line does not join it', () => {
  const file = join(folder, 'cut.ndjson');
  writeFileSync(file, 'whole\npar');
  const served = openServedLines(file);
  expect([...served.all]).toEqual(['whole']);
  served.add(['whole', 'part']);
  expect([...openServedLines(file).all]).toEqual(['whole', 'part']);
});
