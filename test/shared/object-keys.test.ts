import {
  areaPrefix,
  batchKey,
  batchPrefix,
  datePrefix,
  manifestKey,
  manifestPrefix,
  segmentKey,
  seqOfManifestKey,
  TEAM_PATTERN,
} from '../../lambdas/shared/object-keys';
import { dateOf, datesBetween, midnight } from '../../lambdas/shared/time';

describe('keys of format 1', () => {
  test('are these, and can never change', () => {
    expect(batchKey('main', 12, 'attempt')).toBe('batches/team=main/0000000012-attempt.gz');
    expect(manifestKey('main', 12)).toBe('manifests/team=main/0000000012.json');
    expect(segmentKey('events', 'main', '2026-06-12', 12)).toBe('events/team=main/dt=2026-06-12/0000000012.ndjson.gz');
    expect(segmentKey('quarantine', 'a-b', '2026-06-12', 1)).toBe(
      'quarantine/team=a-b/dt=2026-06-12/0000000001.ndjson.gz',
    );
  });

  test('begin with their prefixes', () => {
    expect(batchKey('main', 1, 'x').startsWith(batchPrefix('main'))).toBe(true);
    expect(manifestKey('main', 1).startsWith(manifestPrefix('main'))).toBe(true);
    expect(segmentKey('events', 'main', '2026-06-12', 1).startsWith(datePrefix('events', 'main', '2026-06-12'))).toBe(
      true,
    );
    expect(datePrefix('events', 'main', '2026-06-12').startsWith(areaPrefix('events', 'main'))).toBe(true);
  });

  test("sort as their numbers do, and one team's prefix holds no other team", () => {
    const seqs = [1, 2, 9, 10, 99, 100, 1_000_000, 9_999_999_999];
    expect(seqs.map((seq) => manifestKey('main', seq)).sort()).toEqual(seqs.map((seq) => manifestKey('main', seq)));
    expect(manifestKey('main2', 1).startsWith(manifestPrefix('main'))).toBe(false);
  });
});

describe('seqOfManifestKey', () => {
  test.each([1, 12, 9_999_999_999])('finds %d again', (seq) => {
    expect(seqOfManifestKey('main', manifestKey('main', seq))).toBe(seq);
  });

  test.each([
    ['manifests/team=main/0000000000.json'],
    ['manifests/team=main/1.json'],
    ['manifests/team=main/00000000001.json'],
    ['manifests/team=main/000000000a.json'],
    ['manifests/team=main/-000000001.json'],
    ['manifests/team=main/0000000001.json.bak'],
    ['manifests/team=main/0000000001.json\n'],
    ['manifests/team=main/0000000001Xjson'],
    ['manifests/team=main/x/0000000001.json'],
    ['manifests/team=main/ 000000001.json'],
    ['manifests/team=main/\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661.json'],
    ['manifests/team=other/0000000001.json'],
    ['manifests/team=main2/0000000001.json'],
    ['Manifests/team=main/0000000001.json'],
    ['x/manifests/team=main/0000000001.json'],
    ['manifests/team=main/'],
    [''],
  ])('finds none in %j', (key) => {
    expect(seqOfManifestKey('main', key)).toBeUndefined();
  });
});

describe('a team name', () => {
  test.each([['a'], ['0'], ['main'], ['a-b'], ['a--b'], ['0-9'], ['a'.repeat(32)]])('may be %s', (name) => {
    expect(TEAM_PATTERN.test(name)).toBe(true);
  });

  test.each([
    [''],
    ['-'],
    ['-a'],
    ['a-'],
    ['A'],
    ['a_b'],
    ['a.b'],
    ['..'],
    ['a/b'],
    ['../a'],
    ['a b'],
    [' a'],
    ['a\n'],
    ['a\0'],
    ['a=b'],
    ['*'],
    ["a'--"],
    ['\u00e9'],
    ['\u0430'],
    ['\u0661'],
    ['\u212a'],
    ['a'.repeat(33)],
  ])('is not %j', (name) => {
    expect(TEAM_PATTERN.test(name)).toBe(false);
  });
});

describe('dates are UTC', () => {
  test.each([
    ['2026-06-12T00:00:00.000Z', '2026-06-12'],
    ['2026-06-12T23:59:59.999Z', '2026-06-12'],
    ['2026-06-12T01:00:00+05:30', '2026-06-11'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31'],
  ])('of %s', (instant, date) => {
    expect(dateOf(new Date(instant))).toBe(date);
    expect(dateOf(midnight(new Date(instant)))).toBe(date);
    expect(midnight(new Date(instant)).toISOString()).toBe(`${date}T00:00:00.000Z`);
  });

  test('and a day further is a date further, whatever a clock on the wall does', () => {
    expect(midnight(new Date('2026-03-28T23:00:00Z'), 1).toISOString()).toBe('2026-03-29T00:00:00.000Z');
    expect(midnight(new Date('2024-03-01T12:00:00Z'), -1).toISOString()).toBe('2024-02-29T00:00:00.000Z');
  });

  test('between two instants: both days count', () => {
    const between = (from: string, to: string) => datesBetween(new Date(from), new Date(to));
    expect(between('2024-02-28T23:59:59.999Z', '2024-03-01T00:00:00.000Z')).toEqual([
      '2024-02-28',
      '2024-02-29',
      '2024-03-01',
    ]);
    expect(between('2026-06-12T05:00:00Z', '2026-06-12T04:00:00Z')).toEqual(['2026-06-12']);
    expect(between('2026-06-12T05:00:00Z', '2026-06-11T23:59:59.999Z')).toEqual([]);
    expect(between('2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z')).toHaveLength(365);
  });
});
