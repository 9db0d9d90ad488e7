import fc from 'fast-check';
import { readPage } from '../../lambdas/archiver/page';
import {
  beginArray,
  beginDocument,
  beginObject,
  endDocument,
  isArray,
  isObject,
  type JsonReader,
  keyIs,
  keyText,
  nextElement,
  nextMember,
  nextSlice,
  parseSlice,
  readJson,
  skipValue,
} from '../../lambdas/shared/json';
import { minify } from '../../lambdas/shared/json-tokens';
import { jsonObject, jsonValue, spaced, whiteSpace } from '../support/json-text';

const text = ({ bytes }: JsonReader, start: number, end: number): string => bytes.toString('utf8', start, end);

/** Cuts the next value into its scalars and joins them again with the punctuation of JSON. */
function rejoin(reader: JsonReader): string {
  const parts: string[] = [];
  if (isArray(reader)) {
    for (let more = beginArray(reader); more; more = nextElement(reader)) parts.push(rejoin(reader));
    return `[${parts}]`;
  }
  if (isObject(reader)) {
    for (let more = beginObject(reader); more; more = nextMember(reader))
      parts.push(`${text(reader, reader.keyStart, reader.keyEnd)}:${rejoin(reader)}`);
    return `{${parts}}`;
  }
  const { start, end } = nextSlice(reader);
  return text(reader, start, end);
}

describe('reading any JSON document', () => {
  test('joined values and the minified value equal the source without the white space between its tokens', () => {
    fc.assert(
      fc.property(jsonValue, whiteSpace, fc.nat(20), (tokens, white, offset) => {
        const alone = spaced(tokens, white);
        const bytes = Buffer.from(`${' '.repeat(offset)}${alone} ]}"`);
        const reader = readJson(bytes, offset);
        expect(rejoin(reader)).toBe(tokens.join(''));
        expect(reader.at).toBe(offset + Buffer.byteLength(alone));
        expect(reader.white).toBe(alone.length - tokens.join('').length);
        expect(minify(bytes.subarray(offset, reader.at)).toString()).toBe(tokens.join(''));
      }),
      { numRuns: 400 },
    );
  });

  test('the last member of a name has the value that JSON.parse gives it', () => {
    fc.assert(
      fc.property(jsonObject, whiteSpace, (tokens, white) => {
        const bytes = Buffer.from(` \n${spaced(tokens, white)}\t `);
        const reader = readJson(bytes);
        const entries: [string, unknown][] = [];
        beginDocument(reader);
        for (let more = beginObject(reader); more; more = nextMember(reader))
          entries.push([keyText(reader), parseSlice(bytes, nextSlice(reader))]);
        endDocument(reader);
        // `Object.fromEntries` defines `__proto__` like any other key, as JSON.parse does.
        expect(JSON.stringify(Object.fromEntries(entries))).toBe(JSON.stringify(JSON.parse(bytes.toString())));
      }),
      { numRuns: 200 },
    );
  });

  test('keyIs agrees with the parsed key', () => {
    const names = ['id', 'ID', '__proto__', '0', '00', 'trails', 'i'];
    fc.assert(
      fc.property(jsonObject, (tokens) => {
        const reader = readJson(Buffer.from(tokens.join('')));
        for (let more = beginObject(reader); more; more = nextMember(reader)) {
          for (const name of names) expect(keyIs(reader, name)).toBe(keyText(reader) === name);
          skipValue(reader);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('comparison with JSON.parse', () => {
  const INSERTED = [...'{}[]:,"\\ \n\t\r\v\f0123456789.eE+-tfnu/\u0000\u001f\u007f\u0085\u00a0\ufeff\u2028'];
  const bytesToInsert = [...INSERTED.map((char) => Buffer.from(char)), Buffer.from([0xff]), Buffer.from([0xc3])];

  type Mutation = { readonly at: number; readonly remove: number; readonly insert: Buffer };
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    at: fc.nat(10_000),
    remove: fc.constantFrom(0, 1, 1, 2, 10),
    insert: fc.oneof(fc.constantFrom(Buffer.alloc(0), Buffer.from(' ')), fc.constantFrom(...bytesToInsert)),
  });

  function mutate(bytes: Buffer, { at, remove, insert }: Mutation): Buffer {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
  }

  /** The result of JSON.parse as text; undefined where it refuses the bytes. */
  function reference(bytes: Buffer): string | undefined {
    try {
      const value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
      return JSON.stringify(value.trails);
    } catch {
      return undefined;
    }
  }

  function sliced(bytes: Buffer): string | undefined {
    try {
      const { events } = readPage(bytes);
      return JSON.stringify(events.map(({ line }) => JSON.parse(line.toString())));
    } catch (error) {
      expect(error).toHaveProperty('name', 'PageError');
      return undefined;
    }
  }

  const page = (events: string): Buffer => Buffer.from(`{"trails":[${events}]}`);
  const HEAD = '{"trails":['.length;

  test('a page of any documents is accepted exactly where JSON.parse accepts it, also after random changes', () => {
    const events = fc.array(fc.tuple(jsonValue, whiteSpace), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(events, fc.array(mutation, { maxLength: 2 }), (documents, mutations) => {
        const valid = Buffer.from(documents.map(([tokens, white]) => spaced(tokens, white)).join(','));
        const inner = mutations.reduce(mutate, valid);
        const body = Buffer.concat([page('').subarray(0, HEAD), inner, Buffer.from(']}')]);
        expect(sliced(body)).toBe(reference(body));
      }),
      { numRuns: 300 },
    );
  });

  const EVENT = ' {"id" : 12,"a":[true, -1.5e+3,"x \\" \\u00e9 é"],"b":{"c":null,"a":[] }}';

  test('a page is accepted exactly where JSON.parse accepts it after any one byte is removed, replaced or inserted', () => {
    const body = page(EVENT);
    let accepted = 0;
    for (let at = 0; at <= body.length; at += 1) {
      for (const insert of [Buffer.alloc(0), ...bytesToInsert]) {
        for (const remove of [0, 1]) {
          const mutated = mutate(body, { at, remove, insert });
          const expected = reference(mutated);
          if (sliced(mutated) !== expected) throw new Error(`differs from JSON.parse: ${mutated}`);
          accepted += expected === undefined ? 0 : 1;
        }
      }
    }
    // Many changes are accepted and many are refused, so a constant answer would not pass.
    expect(accepted).toBeGreaterThan(500);
  });

  test('a page that is cut at any byte is refused', () => {
    const body = page(EVENT);
    for (let end = 0; end < body.length; end += 1) expect(sliced(body.subarray(0, end))).toBeUndefined();
  });
});
