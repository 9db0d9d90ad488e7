/** The first line of an answer states its period. A default that means the whole archive becomes its days. */
import { type ArchivedTeam, fromFirstDay, headline } from '../../cli/query-period';

const main: ArchivedTeam = {
  team: 'main',
  isAsked: true,
  from: '2025-06-01 12:00:00',
  to: '2026-06-15 10:00:00',
  firstDay: '2025-06-01',
  lastDay: '2026-06-15',
};
const eu = { ...main, team: 'eu', from: '2026-01-01 00:00:00', firstDay: '2026-01-01' };
const MAIN = 'Team main is archived from 2025-06-01 12:00:00 to 2026-06-15 10:00:00 UTC.';

test.each([
  [
    'the period is a part',
    { from: '2026-05-16', to: '2026-06-15' },
    `from 2026-05-16 to 2026-06-15. ${MAIN} The archive has other days too: --from 2025-06-01 asks for all of them.`,
  ],
  [
    'the period ends early',
    { from: '2025-06-01', to: '2026-06-14' },
    `from 2025-06-01 to 2026-06-14. ${MAIN} The archive has other days too: --to 2026-06-15 asks for all of them.`,
  ],
  [
    'the period is in the middle',
    { from: '2025-06-02', to: '2026-06-14' },
    `from 2025-06-02 to 2026-06-14. ${MAIN} The archive has other days too: --from 2025-06-01 --to 2026-06-15 asks for all of them.`,
  ],
  [
    'the period is the whole archive',
    { from: '2025-06-01', to: '2026-06-15' },
    `from 2025-06-01 to 2026-06-15. ${MAIN} That is the whole archive.`,
  ],
])('an answer without rows and one with rows state the period of both, where %s', (_, values, period) => {
  expect(headline(0, values, [main])).toBe(`No rows ${period}`);
  expect(headline(1200, values, [main])).toBe(`1,200 rows, times in UTC, ${period}`);
});

test('a query that has only a history names the option for it', () => {
  expect(headline(0, { history_from: '2026-01-01', to: '2026-06-15' }, [main])).toMatch(
    / --param history_from=2025-06-01 asks for all of them\.$/,
  );
});

test('many teams are described together, from the first to the newest', () => {
  const teams = [eu, main, eu, eu];
  expect(headline(0, { from: '2026-01-01', to: '2026-06-15' }, teams)).toBe(
    'No rows from 2026-01-01 to 2026-06-15. 4 teams are archived, the first of them from 2025-06-01 12:00:00, and the newest to 2026-06-15 10:00:00 UTC. The archive has other days too: --from 2025-06-01 asks for all of them.',
  );
});

test('an archive without manifests is not taken for one without such events', () => {
  expect(headline(0, { from: '2026-01-01', to: '2026-06-15' }, [])).toBe(
    'No rows from 2026-01-01 to 2026-06-15. The archive has no manifest yet, so nothing was archived.',
  );
});

test.each([
  ['the defaults are the first day of the archive', {}, { from: '2025-06-01', history_from: '2025-06-01' }],
  ['a given day stays', { from: '2020-01-01' }, { from: '2020-01-01', history_from: '2020-01-01' }],
  [
    'a day before the archive stays the last one',
    { to: '2024-01-01' },
    { from: '2024-01-01', history_from: '2024-01-01' },
  ],
])('%s', (_, given, expected) => {
  const values = { from: '2020-01-01', history_from: '2020-01-01', to: '2026-06-15', ...given };
  expect(fromFirstDay(values, given, [eu, main])).toMatchObject(expected);
});
