import { gunzipSync, gzipSync } from 'node:zlib';
import { compress, decompress, GzipError, joinLines, splitLines } from '../../lambdas/shared/ndjson';
import { gzipMember } from '../support/gzip-member';

const CONTENT = joinLines(['{"id":1,"a":"é\u2028"}', '{"id":2}', '{"id":"3"}'].map((line) => Buffer.from(line)));
const MEMBER = compress(CONTENT);
const LIMIT = 1_000_000;

function refuse(bytes: Buffer, message: string, maxBytes = LIMIT): void {
  expect(() => decompress(bytes, maxBytes)).toThrow(GzipError);
  expect(() => decompress(bytes, maxBytes)).toThrow(message);
}

describe('lines', () => {
  test('end with a newline each, and are split into the same again', () => {
    expect(CONTENT.toString()).toBe('{"id":1,"a":"é\u2028"}\n{"id":2}\n{"id":"3"}\n');
    expect([...splitLines(CONTENT)].map(String)).toEqual(['{"id":1,"a":"é\u2028"}', '{"id":2}', '{"id":"3"}']);
  });

  test('are none in no content', () => {
    expect(joinLines([])).toHaveLength(0);
    expect([...splitLines(Buffer.alloc(0))]).toEqual([]);
  });

  test('end at newlines alone, and empty ones count', () => {
    expect([...splitLines(Buffer.from('a\r\n\n\u0085\u2028\n\0\n'))].map(String)).toEqual([
      'a\r',
      '',
      '\u0085\u2028',
      '\0',
    ]);
  });

  test.each([['x'], ['a\nb'], [' '], ['\0']])('are refused where the last one has no newline: %j', (text) => {
    expect(() => [...splitLines(Buffer.from(text))]).toThrow(new GzipError('the last line has no newline'));
  });
});

describe('decompress takes a member of any writer', () => {
  test.each([
    ['this module', MEMBER],
    ['nothing compressed', gzipMember(CONTENT, {}, { level: 0 })],
    ['level 9', gzipSync(CONTENT, { level: 9 })],
    [
      'gzip FILE, with name and time',
      gzipMember(CONTENT, { name: 'events.ndjson', mtime: 1_781_300_504, operatingSystem: 3 }),
    ],
    ['an empty name', gzipMember(CONTENT, { name: '' })],
    ['a comment', gzipMember(CONTENT, { comment: 'caf\u00e9' })],
    ['an extra field', gzipMember(CONTENT, { extra: Buffer.from('BC\x02\x00\x00\x1f\x8b\x08') })],
    ['an empty extra field', gzipMember(CONTENT, { extra: Buffer.alloc(0) })],
    ['an extra field of 65,535 bytes', gzipMember(CONTENT, { extra: Buffer.alloc(65_535, 0x1f) })],
    ['a text flag', gzipMember(CONTENT, { text: true })],
    ['a header checksum', gzipMember(CONTENT, { headerCrc: true })],
    [
      'everything at once',
      gzipMember(CONTENT, { extra: Buffer.from([0, 0]), name: 'a', comment: 'b', headerCrc: true, text: true }),
    ],
  ])('%s', (_name, bytes) => {
    // The fixture proves itself: zlib reads the same.
    expect(gunzipSync(bytes)).toEqual(CONTENT);
    expect(decompress(bytes, LIMIT)).toEqual(CONTENT);
  });

  test('with no content', () => {
    expect(decompress(compress(Buffer.alloc(0)), 0)).toHaveLength(0);
  });

  test('of exactly as many bytes as are allowed', () => {
    expect(decompress(MEMBER, CONTENT.length)).toEqual(CONTENT);
    refuse(MEMBER, 'at most', CONTENT.length - 1);
    refuse(compress(Buffer.from('x')), '0 bytes', 0);
  });
});

describe('decompress refuses', () => {
  test.each([
    ['a member appended, which gunzip joins', Buffer.concat([MEMBER, MEMBER]), 'after the gzip member'],
    ['an empty member appended', Buffer.concat([MEMBER, compress(Buffer.alloc(0))]), '20 bytes after the gzip member'],
    ['one zero appended, which gunzip ignores', Buffer.concat([MEMBER, Buffer.alloc(1)]), '1 bytes after'],
    ['a block of zeros appended', Buffer.concat([MEMBER, Buffer.alloc(512)]), '512 bytes after'],
    ['text appended', Buffer.concat([MEMBER, Buffer.from('{"id":4}\n')]), 'after the gzip member'],
    ['an empty member put before', Buffer.concat([compress(Buffer.alloc(0)), MEMBER]), 'after the gzip member'],
    ['a zero put before', Buffer.concat([Buffer.alloc(1), MEMBER]), 'not gzip'],
    ['the content itself', CONTENT, 'not gzip'],
    ['nothing', Buffer.alloc(0), 'not gzip'],
    ['a header alone', MEMBER.subarray(0, 10), 'not one gzip member'],
    ['zlib instead of gzip', Buffer.from('789c030000000001', 'hex'), 'not gzip'],
    ['another method than deflate', Buffer.concat([Buffer.from([0x1f, 0x8b, 7]), MEMBER.subarray(3)]), 'not gzip'],
    ['a name without an end', Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 97, 98]), 'header is cut off'],
    ['a header checksum that is cut off', Buffer.from([0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3, 1]), 'header is cut off'],
    [
      'an extra field that is cut off',
      Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 9, 9, 1]),
      'not one gzip member',
    ],
  ])('%s', (_name, bytes, message) => {
    refuse(bytes, message);
  });

  test('reserved flags, as gzip does', () => {
    for (const flag of [0x20, 0x40, 0x80]) {
      const bytes = Buffer.from(MEMBER);
      bytes[3] = flag;
      refuse(bytes, 'reserved flags');
    }
  });

  test('a wrong header checksum, as zlib does', () => {
    const bytes = gzipMember(CONTENT, { name: 'a', headerCrc: true });
    bytes[10] = 0x62;
    expect(() => gunzipSync(bytes)).toThrow('header crc mismatch');
    refuse(bytes, 'header checksum is wrong');
  });

  test('a wrong checksum and a wrong length', () => {
    const [checksum, length] = [Buffer.from(MEMBER), Buffer.from(MEMBER)];
    checksum.writeUInt32LE(0, checksum.length - 8);
    length.writeUInt32LE(CONTENT.length + 1, length.length - 4);
    refuse(checksum, 'checksum is wrong');
    refuse(length, 'length is wrong');
  });

  test('a member cut at any byte', () => {
    for (let end = 0; end < MEMBER.length; end += 1) {
      expect(() => decompress(MEMBER.subarray(0, end), LIMIT)).toThrow(GzipError);
    }
  });

  test('a bomb, before it has gone off', () => {
    const bomb = compress(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    refuse(bomb, 'at most 1000 bytes', 1000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  test('saying nothing of the content', () => {
    const bytes = gzipMember(Buffer.from('"canary"\n'), {}, { level: 0 });
    bytes.writeUInt32LE(0, bytes.length - 8);
    for (const broken of [bytes, bytes.subarray(0, -9), Buffer.concat([bytes, Buffer.from('canary')])]) {
      try {
        decompress(broken, LIMIT);
      } catch (error) {
        expect(`${error} ${JSON.stringify(error)} ${error instanceof Error ? error.cause : ''}`).not.toContain(
          'canary',
        );
      }
    }
    expect.assertions(3);
  });
});
