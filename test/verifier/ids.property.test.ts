import fc from 'fast-check';
import { createIdIndex } from '../../lambdas/verifier/ids';

/** An event whose line is its id, unless the body is another one. */
const event = (id: string, body = id) => ({ id, line: Buffer.from(body) });

/** Numbers in other spellings, and numbers that look alike in a Number or in 32 bits. */
const NUMBERS = [
  ...[
    '0',
    '-0',
    '00',
    '1',
    '01',
    '-1',
    '1.0',
    '1e0',
    ' 1',
    '0x1',
    '4294967295',
    '4294967296',
    '4294967297',
    '-4294967296',
  ],
  ...['9007199254740991', '9007199254740992', '9007199254740993', 'NaN', 'Infinity'],
];

test('the index answers like a Map for any ids', () => {
  const id = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom(...NUMBERS));
  const operation = fc.tuple(id, fc.integer({ min: 1, max: 9_999_999_999 }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 500 }), (operations) => {
      const index = createIdIndex();
      const model = new Map<string, number>();
      for (const [id, seq] of operations) {
        expect(index.isRevision(event(id, 'other body'))).toBe(model.has(id));
        expect(index.isRevision(event(id))).toBe(false);
        const earlier = model.get(id);
        expect(index.add(event(id), seq)).toBe(earlier && Math.min(earlier, 0xffff_ffff));
        if (earlier === undefined) model.set(id, seq);
      }
    }),
  );
});

test('the index distinguishes 200,000 ids while its table grows', () => {
  const index = createIdIndex();
  const ids = Array.from({ length: 200_000 }, (_, n) => String(558_306_001 + n));
  expect(ids.filter((id, n) => index.add(event(id), (n % 1000) + 1) !== undefined)).toEqual([]);
  expect(ids.filter((id, n) => index.add(event(id), 9999) !== (n % 1000) + 1)).toEqual([]);
  expect(ids.filter((id) => index.isRevision(event(id)))).toEqual([]);
  expect(index.isRevision(event('558306000'))).toBe(false);
});

test('an index that has lost ids takes every unknown id for one of them and still finds repeated ones', () => {
  const index = createIdIndex();
  index.add(event('1'), 1);
  index.loseSome();
  expect(index.isRevision(event('2'))).toBe(true);
  expect(index.isRevision(event('1'))).toBe(false);
  expect(index.add(event('2'), 2)).toBeUndefined();
  expect(index.add(event('1'), 3)).toBe(1);
});
