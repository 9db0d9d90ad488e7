import fc from 'fast-check';
import { prettyPrint } from '../../../local/postman/raw-json';
import { jsonObject } from '../../support/json-text';

/** Compares sign by sign: whatever was put in is white space, and none of it stands inside a token. */
function withoutAdded(pretty: string, tokens: readonly string[]): string {
  let rest = pretty;
  for (const token of tokens) {
    rest = rest.replace(/^[ \t\r\n]*/, '');
    expect(rest.startsWith(token)).toBe(true);
    rest = rest.slice(token.length);
  }
  return rest;
}

test('prettyPrint puts white space between the tokens and nowhere else, whatever the document', () => {
  fc.assert(
    fc.property(jsonObject, (tokens) => {
      const pretty = prettyPrint(tokens.join(''));
      expect(withoutAdded(pretty, tokens)).toBe('');
      expect(pretty.length).toBeGreaterThan(tokens.join('').length);
    }),
  );
});

test('a string of 20 MB passes through', () => {
  const text = `"${'x{ '.repeat(7_000_000)}"`;
  expect(prettyPrint(`{"a":${text}}`) === `{\r\n\t"a" : ${text}\n}`).toBe(true);
});
