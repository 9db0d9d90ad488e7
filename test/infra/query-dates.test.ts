import { resolveDate } from '../../infra/queries/dates';

const TODAY = new Date('2026-03-31T23:30:00Z');

test.each([
  ['2026-06-30', '2026-06-30'],
  ['today', '2026-03-31'],
  ['yesterday', '2026-03-30'],
  ['today - 7', '2026-03-24'],
  ['today - 7d', '2026-03-24'],
  ['today - 2w', '2026-03-17'],
  ['today - 1m', '2026-02-28'],
  ['today - 13m', '2025-02-28'],
  ['to - 1m', '2024-01-29'],
  ['today - 99999', '2020-01-01'],
  ['2026-02-29', undefined],
  ['2026-6-1', undefined],
  ['from', undefined],
  ['wrong - 3', undefined],
  ['tomorrow', undefined],
  ['today + 1', undefined],
  ['today - 1y', undefined],
  ['constructor', undefined],
  ['', undefined],
])('the date %j is %s', (text, date) => {
  expect(resolveDate(text, TODAY, { to: '2024-02-29', wrong: 'x' })).toBe(date);
});
