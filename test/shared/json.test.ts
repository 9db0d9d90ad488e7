/** Large and hostile documents. What the scanner finds is compared with `JSON.parse` in `json.property.test.ts`. */
import { documentMembers, elements, isArray, JsonError, members, minify, parseSlice } from '../../lambdas/shared/json';

const slices = (text: string) => {
  const bytes = Buffer.from(text);
  return { bytes, whole: { start: 0, end: bytes.length } };
};

test.each([
  ...['[]', '1', '"{}"', 'null', '', ' ', '<html>', '\ufeff{}', '\u00a0{}', '\u2028{}'],
])('the document %j is not taken for an object', (text) => {
  expect(documentMembers(Buffer.from(text))).toBeUndefined();
});

test('minifying leaves the document unchanged', () => {
  const { bytes, whole } = slices('[ 1 ]');
  expect(String(minify(bytes, whole))).toBe('[1]');
  expect(bytes.toString()).toBe('[ 1 ]');
});

describe('deep nesting', () => {
  const DEPTH = 100_000;

  test('a document nested 100,000 deep is sliced without recursion', () => {
    const { bytes } = slices(`{"a":${'[ '.repeat(DEPTH)}${'] '.repeat(DEPTH)}}`);
    const [member] = documentMembers(bytes) ?? [];
    const value = member?.value ?? { start: 0, end: 0 };
    expect(isArray(bytes, value)).toBe(true);
    expect(elements(bytes, value)).toHaveLength(1);
    expect(minify(bytes, value).length).toBe(2 * DEPTH);
    expect(parseSlice(bytes, value)).toHaveLength(1);
  });

  test('100,000 brackets that are never closed are refused', () => {
    expect(() => documentMembers(Buffer.from(`{"a":${'['.repeat(DEPTH)}`))).toThrow('unexpected end of the document');
  });
});

test('a string of 20 MB of escaped quotes and backslashes takes one pass', () => {
  const inner = '\\"\\\\'.repeat(5_000_000);
  const { bytes, whole } = slices(`{"a":"${inner}"}`);
  const [member] = members(bytes, whole);
  expect(member && member.value.end - member.value.start).toBe(inner.length + 2);
});

test('the error for a malformed value does not quote the value', () => {
  const malformed = ['secret', '[secret]', '"\u0001secret"', '{"secret":}', '01', '+1', '.5', '1.', "'secret'", 'NaN'];
  for (const text of malformed) {
    const { bytes, whole } = slices(text);
    expect(() => parseSlice(bytes, whole)).toThrow(new JsonError('malformed value at 0'));
  }
});
