import { readRow, sumOf, tableRow } from '../../../cli/demo/shown-runs';
import { aManifest } from '../../support/manifest';

const { counts } = aManifest();
const summary = { outcome: 'archived', team: 'main', runId: 'x', throttled: 0, durationMs: 1 } as const;

test('the row of a run adds up: a revision that is kept is in quarantine, and one that is only counted is known', () => {
  const quarantined = { ...counts.quarantined, 'no-id': 2, revision: 1 };
  const row = readRow({
    ...summary,
    manifests: 3,
    seq: 9,
    counts: { ...counts, events: 1000, late: 4, known: 20, revisions: 5, quarantined },
  });
  expect(row).toMatchObject({ archived: 1000, quarantined: 3, known: 24, read: 1027, late: 4, manifests: [7, 9] });
  expect(row && tableRow('1', row)).toBe('    1     1,027 =    1,000 +          3 +            24   7-9');
  expect(row && sumOf([row, { ...row, manifests: [10, 10] }])).toMatchObject({ read: 2054, manifests: [7, 10] });
});

test('a run that committed nothing has no row', () => {
  expect(readRow({ ...summary, outcome: 'race', manifests: 0 })).toBeUndefined();
});
