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
  const screen = { width: 200, print: (text: string) => printed.push(text) };
  expect(compareWithSource(folder, served.all, screen)).toBe(true);
  served.add(['c']);
  writeFileSync(join(folder, 'events/dt=2026-06-12/2.ndjson.gz'), gzipSync('b\nplanted\n'));
  const { all } = openServedLines(join(folder, 'served.ndjson'));
  expect(compareWithSource(folder, all, screen)).toBe(false);
  expect(printed.join('\n').replace(/\s+/g, ' ').split('COMPARE ').slice(1)).toEqual([
    expect.stringContaining('2 different lines served, 2 lines archived, events and quarantine together: the same'),
    expect.stringMatching(
      /3 different lines served, 4 lines archived, .*NOT EQUAL\. Served, and not in the archive: 1 line\. Archived, and never served or more than once: 2 lines\./,
    ),
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
