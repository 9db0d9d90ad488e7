import { createLineIndex } from '../../lambdas/archiver/line-index';

const line = Buffer.from('{"id":7}');

test('an identity that stands under two dates is found until both are forgotten', () => {
  const index = createLineIndex();
  for (const date of ['2026-06-10', '2026-06-12', '2026-06-12']) index.add(date, '7', line);
  index.add('2026-06-10', '8', line);
  index.forgetBefore('2026-06-11');
  expect([index.find('7') !== undefined, index.find('8')]).toEqual([true, undefined]);
  expect(index.identitiesOf('2026-06-12')).toEqual(new Set(['7']));
  index.forgetBefore('2026-06-13');
  expect(index.find('7')).toBeUndefined();
});
