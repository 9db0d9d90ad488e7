/** The verdict decides whether the bench fails. */
import { type Row, verdictOf } from './rows';

const row = (ratios: readonly number[], changes: Partial<Row> = {}): Row => ({
  what: 'a figure',
  figure: '1',
  yardstick: '1',
  ratios,
  reach: 2,
  ...changes,
});

test.each([
  ['the median reaches it', [1.5, 2, 2.5], {}, 'reached'],
  ['the median misses it by less than the rounds differ', [1.8, 2.1, 2.2], {}, 'within noise'],
  ['the median misses it by more than the rounds differ', [2.4, 2.5, 2.6], {}, 'MISSED'],
  ['a count misses it at all', [2.01], {}, 'MISSED'],
  ['the median is above a floor', [2.5, 2.6, 2.7], { isFloor: true }, 'reached'],
  ['a count is below a floor', [1.99], { isFloor: true }, 'MISSED'],
] as const)('the verdict on a ratio where %s', (_, ratios, changes, verdict) => {
  expect(verdictOf(row(ratios, changes))).toBe(verdict);
});
