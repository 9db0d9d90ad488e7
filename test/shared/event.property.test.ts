import fc from 'fast-check';
import { nextEvent, readEvent } from '../../lambdas/shared/event';
import { endDocument, readJson } from '../../lambdas/shared/json';
import { jsonValue, numberToken, spaced, stringToken, whiteSpace } from '../support/json-text';

const slice = (text: string) => {
  const reader = readJson(Buffer.from(text));
  const event = nextEvent(reader);
  endDocument(reader);
  return event;
};

const token = fc.oneof(numberToken, stringToken);
const withoutQuotes = (text: string) => (text.startsWith('"') ? text.slice(1, -1) : text);

test('the id is the text of its token, in whatever place of the event it is', () => {
  fc.assert(
    fc.property(token, jsonValue, whiteSpace, fc.boolean(), (id, other, white, first) => {
      const members = [
        ['"id"', ':', id],
        ['"other"', ':', ...other],
      ];
      const [a = [], b = []] = first ? members : [...members].reverse();
      const event = slice(spaced(['{', ...a, ',', ...b, '}'], white));
      expect(event.id).toBe(withoutQuotes(id) === '' ? undefined : withoutQuotes(id));
    }),
    { numRuns: 200 },
  );
});

test('any JSON document gives a line, and the line is read like the document', () => {
  fc.assert(
    fc.property(jsonValue, whiteSpace, (tokens, white) => {
      const event = slice(spaced(tokens, white));
      expect(event.line.toString()).toBe(tokens.join(''));
      expect(readEvent(event.line)).toEqual(event);
    }),
    { numRuns: 200 },
  );
});
