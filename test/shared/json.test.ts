import {
  documentMembers,
  elements,
  isArray,
  isObject,
  JsonError,
  members,
  minify,
  parseSlice,
  rawToken,
} from '../../lambdas/shared/json';

const slices = (text: string) => {
  const bytes = Buffer.from(text);
  return { bytes, whole: { start: 0, end: bytes.length } };
};

describe('the members of a document', () => {
  test.each([
    ['an empty object', '{}', 0],
    ['white space of all four kinds around it', '\r\n\t {"a":1} \r\n\t', 1],
    ['duplicate keys', '{"a":1,"a":2}', 2],
  ])('the members of %s are found', (_name, text, count) => {
    expect(documentMembers(Buffer.from(text))).toHaveLength(count);
  });

  test.each([
    ...['[]', '1', '"{}"', 'null', '', ' ', '<html>', '\ufeff{}', '\u00a0{}', '\u2028{}'],
  ])('%j is not taken for an object', (text) => {
    expect(documentMembers(Buffer.from(text))).toBeUndefined();
  });

  test.each([
    ...['{', '{"a"', '{"a":', '{"a":1', '{"a":"', '{"a":"\\"}', '{"a":[1}', '{"a":1]', '{"a":1,}', '{,"a":1}'],
    ...['{"a" 1}', '{"a":,"b":1}', '{a:1}', '{"a":1 "b":2}', '{"a":1}}', '{"a":1}{}', '{"a":1} x'],
    ...['{"a":1}\u0000', '{"a":1}\u00a0'],
  ])('the malformed document %j is refused', (text) => {
    expect(() => documentMembers(Buffer.from(text))).toThrow(JsonError);
  });
});

describe('raw tokens', () => {
  test.each([
    ['1', '1'],
    ['"1"', '1'],
    ['9007199254740993', '9007199254740993'],
    ['1e400', '1e400'],
    ['-0', '-0'],
    ['"\\u0061\\"\\ud800"', '\\u0061\\"\\ud800'],
    ['"é\u2028😀"', 'é\u2028😀'],
    ['""', ''],
    ['null', 'null'],
  ])('the raw token of %s is %s', (text, token) => {
    const { bytes, whole } = slices(text);
    expect(rawToken(bytes, whole)).toBe(token);
  });
});

describe('minifying', () => {
  test.each([
    ['{ "a" : [ 1 , 2 ] }', '{"a":[1,2]}'],
    ['[\r\n\t"a b\\" c\\\\" ,\n"\\\\\\" "]', '["a b\\" c\\\\","\\\\\\" "]'],
    ['[" \u2028 \u00a0 "]', '[" \u2028 \u00a0 "]'],
    ['[1.0,-0, 1e400,9007199254740993]', '[1.0,-0,1e400,9007199254740993]'],
    ['{"__proto__" : 1,"__proto__":2}', '{"__proto__":1,"__proto__":2}'],
  ])('%j without white space between tokens is %j', (text, expected) => {
    const { bytes, whole } = slices(text);
    expect(minify(bytes, whole).toString()).toBe(expected);
  });

  test('minifying leaves the document unchanged', () => {
    const { bytes, whole } = slices('[ 1 ]');
    minify(bytes, whole);
    expect(bytes.toString()).toBe('[ 1 ]');
  });
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

test('isObject and isArray look at the value alone and not at the bytes around it', () => {
  const bytes = Buffer.from('[{}]');
  expect([isObject(bytes, { start: 0, end: 4 }), isArray(bytes, { start: 0, end: 4 })]).toEqual([false, true]);
  expect([isObject(bytes, { start: 1, end: 3 }), isArray(bytes, { start: 1, end: 3 })]).toEqual([true, false]);
});
