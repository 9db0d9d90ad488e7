import fc from 'fast-check';
import { compress, decompress, GzipError, joinLines, splitLines, streamLines } from '../../lambdas/shared/segment';

const CONTENT = joinLines(['{"id":1,"a":"é\u2028"}', '{"id":2}', '{"id":"3"}'].map((line) => Buffer.from(line)));
const MEMBER = compress(CONTENT);
const LIMIT = 1_000_000;

const line = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));
const lines = fc.array(line, { maxLength: 20 });

test('each line ends with a newline, and only newlines end a line', () => {
  expect(CONTENT.toString()).toBe('{"id":1,"a":"é\u2028"}\n{"id":2}\n{"id":"3"}\n');
  expect([...splitLines(Buffer.from('a\r\n\n\u0085\u2028\n\0\n'))].map(String)).toEqual([
    'a\r',
    '',
    '\u0085\u2028',
    '\0',
  ]);
  expect([...splitLines(joinLines([]))]).toEqual([]);
});

test.each([...['x', 'a\nb', ' ', '\0']])('the content %j is refused because its last line has no newline', (text) => {
  expect(() => [...splitLines(Buffer.from(text))]).toThrow(new GzipError('the last line has no newline'));
});

test('lines are read from gzip as they were joined', () => {
  const property = fc.property(lines, (all) => {
    const content = joinLines(all);
    expect([...splitLines(decompress(compress(content), content.length))].map(String)).toEqual(all.map(String));
  });
  fc.assert(property, { numRuns: 200 });
});

test('content of exactly as many bytes as are allowed is read, and one byte more is refused', () => {
  expect(decompress(MEMBER, CONTENT.length)).toEqual(CONTENT);
  expect(decompress(compress(Buffer.alloc(0)), 0)).toHaveLength(0);
  expect(() => decompress(MEMBER, CONTENT.length - 1)).toThrow(GzipError);
  expect(() => decompress(compress(Buffer.from('x')), 0)).toThrow(GzipError);
});

const [wrongChecksum, wrongLength] = [Buffer.from(MEMBER), Buffer.from(MEMBER)];
wrongChecksum.writeUInt32LE(0, MEMBER.length - 8);
wrongLength.writeUInt32LE(CONTENT.length + 1, MEMBER.length - 4);

test.each([
  ['the content itself', CONTENT],
  ['a byte before the member', Buffer.concat([Buffer.alloc(1), MEMBER])],
  ['zlib instead of gzip', Buffer.from('789c030000000001', 'hex')],
  ['a wrong checksum', wrongChecksum],
  ['a wrong length', wrongLength],
])('bytes that are %s are refused by both readers', async (_, bytes) => {
  expect(() => decompress(bytes, LIMIT)).toThrow(GzipError);
  expect((await streamed(bytes)).error).toBeInstanceOf(GzipError);
});

test('a member that is cut at any byte is refused by both readers', async () => {
  for (let end = 0; end < MEMBER.length; end += 1) {
    const cut = MEMBER.subarray(0, end);
    expect(() => decompress(cut, LIMIT)).toThrow(GzipError);
    expect((await streamed(cut)).error).toBeInstanceOf(GzipError);
  }
});

test('a decompression bomb is refused before its content is in memory', () => {
  const bomb = compress(Buffer.alloc(64 * 1024 * 1024));
  expect(bomb.length).toBeLessThan(100_000);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decompress(bomb, 1000)).toThrow(GzipError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
});

test('no error quotes the content', () => {
  const bytes = compress(Buffer.from('"canary"\n'));
  bytes.writeUInt32LE(0, bytes.length - 8);
  expect.assertions(2);
  for (const broken of [bytes, bytes.subarray(0, -9)]) {
    try {
      decompress(broken, LIMIT);
    } catch (error) {
      expect(`${error} ${JSON.stringify(error)} ${(error as Error).cause}`).not.toContain('canary');
    }
  }
});

test('streamed lines equal the lines of the content, wherever its chunks begin and end', async () => {
  const CHUNK = 65_536;
  const border = fc.constantFrom(0, 1, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1);
  const lengths = fc.array(fc.oneof(border, fc.nat(3 * CHUNK)), { maxLength: 5 });
  const property = fc.asyncProperty(lengths, fc.boolean(), async (drawn, isWhole) => {
    const content = joinLines(drawn.map((bytes, index) => Buffer.alloc(bytes, 0x61 + index)));
    // An empty last line without its newline leaves no bytes, so it cannot be noticed.
    fc.pre(isWhole || drawn.at(-1) !== 0);
    const { lines: found, error } = await streamed(compress(isWhole ? content : content.subarray(0, -1)));
    if (isWhole || drawn.length === 0) expect({ found, error }).toEqual({ found: split(content), error: undefined });
    else expect(error).toEqual(new GzipError('the last line has no newline'));
  });
  await fc.assert(property, { numRuns: 100 });
});

function split(content: Buffer): string[] {
  return [...splitLines(content)].map((part) => part.toString('latin1'));
}

/** The streamed lines, and the error that ended them, if any. */
async function streamed(bytes: Buffer): Promise<{ lines: string[]; error: unknown }> {
  const found: string[] = [];
  try {
    for await (const part of streamLines(bytes)) found.push(part.toString('latin1'));
  } catch (error) {
    return { lines: found, error };
  }
  return { lines: found, error: undefined };
}
