import fc from 'fast-check';
import { minify, prettyPrint } from '../../../cli/local/raw-json';
import { jsonObject, spaced, whiteSpace } from '../../support/json-text';

describe('white space between tokens', () => {
  test('minify takes out all of it and nothing else, whatever the document', () => {
    fc.assert(
      fc.property(jsonObject, whiteSpace, (tokens, white) => {
        expect(minify(spaced(tokens, white))).toBe(tokens.join(''));
      }),
    );
  });

  test('prettyPrint puts some in that minify takes out again', () => {
    fc.assert(
      fc.property(jsonObject, (tokens) => {
        const pretty = prettyPrint(tokens.join(''));
        expect(minify(pretty)).toBe(tokens.join(''));
        expect(pretty.length).toBeGreaterThan(tokens.join('').length);
        expect(JSON.parse(pretty)).toEqual(JSON.parse(tokens.join('')));
      }),
    );
  });

  test('a string of 20 MB passes through both', () => {
    const text = `{"a":"${'x\\"{ '.repeat(4_000_000)}"}`;
    expect(minify(prettyPrint(text)) === text).toBe(true);
  });
});
