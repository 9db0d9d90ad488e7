/**
 * Arbitrary JSON texts, as lists of tokens. The joined tokens are the text without white space. So a test knows what
 * slicing must return, and does not need to parse, minify or escape anything.
 */
import fc from 'fast-check';

export type Tokens = readonly string[];

const HOSTILE_NUMBERS = ['0', '-0', '1.0', '1e400', '-1E-400', '9007199254740992', '9007199254740993', '1e5', '0.10'];
const HOSTILE_PIECES = [
  ...['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000', '\\u000a', '\\u0022', '\\u005c', '\\u005C'],
  ...['\\ud800', '\\uDC00', '\\ud83d\\ude00', '\u2028', '\u2029', '\ufeff', '\u00a0', '\u007f', '\u{1f600}', 'é'],
  ...['{', '}', '[', ']', ',', ':', ' ', '\\\\\\"', '//', '/*', 'null', '$'],
];
/** There are few, so that duplicates are common. */
const HOSTILE_KEYS = ['"id"', '"ID"', '"i\\u0064"', '"__proto__"', '"constructor"', '"toString"', '"0"', '"00"', '""'];

/** Any Unicode character. (fast-check's own `binary` unit takes seconds to set up.) */
export const character: fc.Arbitrary<string> = fc
  .oneof(fc.nat(0x7f), fc.integer({ min: 0x80, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

const escaped = fc.string({ unit: character, maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1));

/** The token of a string, with its quotes. */
export const stringToken: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE_PIECES), escaped), { maxLength: 6 })
  .map((pieces) => `"${pieces.join('')}"`);

export const numberToken: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_NUMBERS),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
);

const scalar = fc.oneof(numberToken, stringToken, fc.constantFrom('true', 'false', 'null')).map((token) => [token]);
const keyToken = fc.oneof(fc.constantFrom(...HOSTILE_KEYS), stringToken);

const { value, array, object } = fc.letrec<{ value: Tokens; array: Tokens; object: Tokens }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, tie('array'), tie('object')),
  array: fc.array(tie('value'), { maxLength: 4 }).map((items) => ['[', ...separated(items), ']']),
  object: fc
    .array(fc.tuple(keyToken, tie('value')), { maxLength: 5 })
    .map((items) => ['{', ...separated(items.map(([key, tokens]) => [key, ':', ...tokens])), '}']),
}));

export const jsonValue: fc.Arbitrary<Tokens> = value;
export const jsonArray: fc.Arbitrary<Tokens> = array;
export const jsonObject: fc.Arbitrary<Tokens> = object;

const WHITE = ['', '', '', ' ', '\n', '\r\n', '\t', ' \n\t\r '];
/** White space to put between tokens; the items are used in turn. */
export const whiteSpace: fc.Arbitrary<readonly string[]> = fc.array(fc.constantFrom(...WHITE), {
  minLength: 1,
  maxLength: 30,
});

/** The tokens with white space between them, but none before or after. */
export function spaced(tokens: Tokens, white: readonly string[]): string {
  return tokens.map((token, i) => (i === 0 ? token : `${white[i % white.length]}${token}`)).join('');
}

function separated(items: readonly Tokens[]): string[] {
  return items.flatMap((tokens, i) => (i === 0 ? tokens : [',', ...tokens]));
}
