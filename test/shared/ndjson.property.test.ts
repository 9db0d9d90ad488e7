import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compress, decompress, GzipError, joinLines, splitLines, streamLines } from '../../lambdas/shared/ndjson';
import { gzipMember, type Header } from '../support/gzip-member';

const line = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));
const lines = fc.array(line, { maxLength: 20 });
const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const header: fc.Arbitrary<Header> = fc.record(
  {
    extra: fc.uint8Array({ maxLength: 30 }).map(Buffer.from),
    name: latin1,
    comment: latin1,
    headerCrc: fc.boolean(),
    text: fc.boolean(),
    mtime: fc.nat(0xffff_ffff),
    operatingSystem: fc.nat(255),
  },
  { requiredKeys: [] },
);

/** Either the very content that zlib finds there too, or a GzipError. */
function read(bytes: Buffer, maxBytes: number): Buffer | undefined {
  try {
    const content = decompress(bytes, maxBytes);
    expect(gunzipSync(bytes)).toEqual(content);
    return content;
  } catch (error) {
    expect(error).toBeInstanceOf(GzipError);
    return undefined;
  }
}

test('lines come back as they were joined, through gzip', () => {
  fc.assert(
    fc.property(lines, (all) => {
      const content = joinLines(all);
      expect([...splitLines(decompress(compress(content), content.length))].map(String)).toEqual(all.map(String));
    }),
    { numRuns: 200 },
  );
});

test('a member with any header and any level is read', () => {
  fc.assert(
    fc.property(lines, header, fc.integer({ min: 0, max: 9 }), (all, fields, level) => {
      const content = joinLines(all);
      expect(read(gzipMember(content, fields, { level }), content.length)).toEqual(content);
    }),
    { numRuns: 200 },
  );
});

test('bytes after the member are refused, whatever they are', () => {
  fc.assert(
    fc.property(lines, header, fc.uint8Array({ minLength: 1, maxLength: 40 }), (all, fields, tail) => {
      expect(() => decompress(Buffer.concat([gzipMember(joinLines(all), fields), tail]), 10_000)).toThrow(
        'after the gzip',
      );
    }),
    { numRuns: 200 },
  );
});

test('a member with changed bytes is refused, or has the same content', () => {
  const change = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(lines, header, fc.array(change, { minLength: 1, maxLength: 3 }), (all, fields, changes) => {
      const content = joinLines(all);
      const bytes = gzipMember(content, fields);
      for (const [at, bits] of changes)
        bytes.writeUInt8((bytes.readUInt8(at % bytes.length) ^ bits) & 0xff, at % bytes.length);
      expect([undefined, content.toString('hex')]).toContain(read(bytes, 10_000)?.toString('hex'));
    }),
    { numRuns: 300 },
  );
});

test('every single bit of a member', () => {
  const content = Buffer.from('{"id":1,"action":"user.sign_in"}\n'.repeat(3));
  const member = gzipMember(content, { name: 'a', headerCrc: true });
  for (let bit = 0; bit < member.length * 8; bit += 1) {
    const bytes = Buffer.from(member);
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect([undefined, content.toString()]).toContain(read(bytes, 10_000)?.toString());
  }
});

test('any bytes at all', () => {
  const start = Buffer.from([0x1f, 0x8b, 8]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (noise, likeGzip) => {
      read(likeGzip ? Buffer.concat([start, noise]) : Buffer.from(noise), 10_000);
    }),
    { numRuns: 300 },
  );
});

describe('a stream of lines', () => {
  /** The lines, and the error after them where there is one. */
  async function streamed(bytes: Buffer): Promise<{ lines: string[]; error: unknown }> {
    const lines: string[] = [];
    try {
      for await (const line of streamLines(bytes)) lines.push(line.toString('latin1'));
    } catch (error) {
      return { lines, error };
    }
    return { lines, error: undefined };
  }

  function split(bytes: Buffer): string[] | undefined {
    try {
      return [...splitLines(decompress(bytes, 1_000_000))].map((part) => part.toString('latin1'));
    } catch (error) {
      expect(error).toBeInstanceOf(GzipError);
      return undefined;
    }
  }

  async function expectSame(bytes: Buffer): Promise<void> {
    const [expected, { lines, error }] = [split(bytes), await streamed(bytes)];
    if (expected === undefined) expect(error).toBeInstanceOf(GzipError);
    else expect({ lines, error }).toEqual({ lines: expected, error: undefined });
  }

  test('is what decompressing and splitting give, or is refused as they refuse', async () => {
    const change = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 255 }));
    const tail = fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(lines, header, fc.array(change, { maxLength: 2 }), tail, async (all, fields, changes, more) => {
        const bytes = Buffer.concat([gzipMember(joinLines(all), fields), more]);
        for (const [at, bits] of changes)
          bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ bits, at % bytes.length);
        await expectSame(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('is the same where lines begin and end anywhere in its chunks', async () => {
    const CHUNK = 65_536;
    const length = fc.oneof(
      fc.constantFrom(0, 1, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1),
      fc.nat(3 * CHUNK),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 5 }), fc.boolean(), async (lengths, whole) => {
        const content = joinLines(lengths.map((bytes, i) => Buffer.alloc(bytes, 0x61 + i)));
        await expectSame(gzipMember(whole ? content : content.subarray(0, -1)));
      }),
      { numRuns: 100 },
    );
  });

  test('is refused in the end where the member is cut at any byte', async () => {
    const member = compress(Buffer.from('{"id":1}\n{"id":2}\n'));
    for (let end = 0; end < member.length; end += 1) {
      expect((await streamed(member.subarray(0, end))).error).toBeInstanceOf(GzipError);
    }
  });
});
