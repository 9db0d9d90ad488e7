/** Large and hostile documents. What the reader finds is compared with `JSON.parse` in `json.property.test.ts`. */
import { spawnSync } from 'node:child_process';
import { buildSync } from 'esbuild';
import {
  beginArray,
  endDocument,
  nextElement,
  nextSlice,
  parseSlice,
  readJson,
  skipValue,
} from '../../lambdas/shared/json';
import { JsonError, minify } from '../../lambdas/shared/json-tokens';

const readerOf = (text: string) => readJson(Buffer.from(text));

test('minifying leaves the document unchanged', () => {
  const bytes = Buffer.from('[ 1 ]');
  expect(String(minify(bytes))).toBe('[1]');
  expect(bytes.toString()).toBe('[ 1 ]');
});

describe('deep nesting', () => {
  const DEPTH = 100_000;

  test('a value nested 100,000 deep is read without recursion', () => {
    const reader = readerOf(`${'[ '.repeat(DEPTH)}${'] '.repeat(DEPTH)}`);
    const slice = nextSlice(reader);
    endDocument(reader);
    expect(parseSlice(reader.bytes, slice)).toHaveLength(1);
    expect(minify(reader.bytes).length).toBe(2 * DEPTH);
  });

  test('brackets of both kinds must match at each depth', () => {
    const nested = '[{"a":'.repeat(DEPTH);
    skipValue(readerOf(`${nested}1${'}]'.repeat(DEPTH)}`));
    expect(() => skipValue(readerOf(`${nested}1${'}]'.repeat(DEPTH - 1)}]}`))).toThrow(JsonError);
  });

  test('100,000 brackets that are never closed are refused', () => {
    expect(() => skipValue(readerOf('['.repeat(DEPTH)))).toThrow('unexpected end of the document');
  });
});

test('a line that is nested 16 million deep is refused with little memory', () => {
  const contents = `import { readJson, skipValue } from '../../lambdas/shared/json';
    skipValue(readJson(Buffer.alloc(16 * 1024 * 1024, '[{"a":')));`;
  const stdin = { contents, resolveDir: import.meta.dirname };
  const { outputFiles } = buildSync({ stdin, bundle: true, write: false, platform: 'node' });
  const args = ['--max-old-space-size=32', '-e', outputFiles[0]?.text ?? ''];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toContain('JsonError: unexpected end of the document');
});

test('a string of 20 MB of escaped quotes and backslashes takes one pass', () => {
  const inner = '\\"\\\\'.repeat(5_000_000);
  const { start, end } = nextSlice(readerOf(`"${inner}"`));
  expect(end - start).toBe(inner.length + 2);
});

test('the members of a container that is no object, and the elements of one that is no array, are passed', () => {
  const reader = readerOf('[{"a":1},[2]]');
  expect(beginArray(reader)).toBe(true);
  expect(beginArray(reader)).toBe(false);
  expect(nextElement(reader)).toBe(true);
  expect(nextSlice(reader)).toEqual({ start: 9, end: 12 });
  expect(nextElement(reader)).toBe(false);
  endDocument(reader);
});

const malformed = ['secret', '[secret]', '"\u0001secret"', '{"secret":}', '01', '+1', '.5', '1.', "'secret'", 'NaN'];

test.each(malformed)('the error for the malformed value %j does not quote it', (text) => {
  const { bytes } = readerOf(text);
  expect(() => parseSlice(bytes, { start: 0, end: bytes.length })).toThrow(new JsonError('malformed value at 0'));
  const read = () => {
    const reader = readJson(bytes);
    skipValue(reader);
    endDocument(reader);
  };
  expect(read).toThrow(/^unexpected (byte at \d+|end of the document)$/);
});
