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

test('the keys of format 1 are these and never change', () => {
  expect(batchKey('main', 12, 'attempt')).toBe('batches/team=main/0000000012-attempt.gz');
  expect(manifestKey('main', 12)).toBe('manifests/team=main/0000000012.json');
  expect(segmentKey('events', 'main', '2026-06-12', 12)).toBe('events/team=main/dt=2026-06-12/0000000012.ndjson.gz');
  expect(segmentKey('quarantine', 'a-b', '2026-06-12', 1)).toBe(
    'quarantine/team=a-b/dt=2026-06-12/0000000001.ndjson.gz',
  );
});

test('every key begins with the prefix of its folder, which holds no other team', () => {
  expect(batchPrefix('main')).toBe('batches/team=main/');
  expect(manifestPrefix('main')).toBe('manifests/team=main/');
  expect(areaPrefix('events', 'main')).toBe('events/team=main/');
  expect(datePrefix('events', 'main', '2026-06-12')).toBe('events/team=main/dt=2026-06-12/');
});

test('the keys of manifests sort as their numbers do', () => {
  const keys = [1, 2, 9, 10, 99, 100, 1_000_000, 9_999_999_999].map((seq) => manifestKey('main', seq));
  expect([...keys].sort()).toEqual(keys);
});

test.each([1, 12, 9_999_999_999])('the key of manifest %d gives its number back', (seq) => {
  expect(seqOfManifestKey('main', manifestKey('main', seq))).toBe(seq);
});

test.each([
  ...['0000000000.json', '1.json', '00000000001.json', '000000000a.json', '-000000001.json', '0000000001.json.bak'],
  ...['0000000001.json\n', '0000000001Xjson', 'x/0000000001.json', ' 000000001.json', ''],
  `${'\u0660'.repeat(10)}.json`,
])('%j in the folder of the team main is not the name of a manifest', (name) => {
  expect(seqOfManifestKey('main', `manifests/team=main/${name}`)).toBeUndefined();
});

test.each([
  'manifests/team=main2/0000000001.json',
  'Manifests/team=main/0000000001.json',
  'x/manifests/team=main/0000000001.json',
])('%j is not the key of a manifest of the team main', (key) => {
  expect(seqOfManifestKey('main', key)).toBeUndefined();
});

test.each(['a', '0', 'main', 'a-b', 'a--b', '0-9', 'a'.repeat(32)])('%s is a team name', (name) => {
  expect(TEAM_PATTERN.test(name)).toBe(true);
});

test.each([
  ...['', '-', '-a', 'a-', 'A', 'a_b', 'a.b', '..', 'a/b', '../a', 'a b', ' a', 'a\n', 'a\0', 'a=b', '*', "a'--"],
  ...['\u00e9', '\u0430', '\u0661', '\u212a', 'a'.repeat(33)],
])('%j is not a team name', (name) => {
  expect(TEAM_PATTERN.test(name)).toBe(false);
});
