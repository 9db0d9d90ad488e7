import { PageError, readPage } from '../../lambdas/archiver/page';

const read = (text: string) => readPage(Buffer.from(text));
const cursorOf = (members: string) => read(`{"trails":[]${members}}`).cursor;

describe('events', () => {
  test('events are cut from the page verbatim and in its order', () => {
    const { events } = read('\n{ "meta" : { "total" : 2 } , "trails" : [ {"id": 2 } , {"id":"1","id2":1.0} ] }\n');
    expect(events.map(({ line }) => line.toString())).toEqual(['{"id":2}', '{"id":"1","id2":1.0}']);
    expect(events.map(({ id }) => id)).toEqual(['2', '1']);
  });

  test('events that are not objects stay, without an id', () => {
    const { events } = read('{"trails":[1, null,"a b",[ ],true,[{"id":1}]]}');
    expect(events.map(({ line }) => line.toString())).toEqual(['1', 'null', '"a b"', '[]', 'true', '[{"id":1}]']);
    expect(events.every(({ id, instant }) => id === undefined && instant === undefined)).toBe(true);
  });

  test('events are found where the key is escaped, and whatever else the response holds', () => {
    expect(read('{"__proto__":{"trails":[1,2]},"x":[{"trails":[3]}],"\\u0074rails":[4]}').events).toHaveLength(1);
  });
});

describe('the cursor', () => {
  test.each([
    ['a string', '"abc"', 'abc'],
    ['a number above 2^53', '9007199254740993', '9007199254740993'],
    ['a number that is no double', '1e400', '1e400'],
    ['zero', '0', '0'],
    ['an escaped string', '"a\\/b\\u003d\\u00e9"', 'a/b=é'],
    ['nothing where the token is null', 'null', undefined],
    ['nothing where the token is empty', '""', undefined],
  ])('the cursor is %s, at either place or at both', (_name, token, cursor) => {
    expect(cursorOf(`,"nextCursor":${token}`)).toBe(cursor);
    expect(cursorOf(`,"meta":{"total":1,"nextCursor" : ${token} }`)).toBe(cursor);
    expect(cursorOf(`,"nextCursor":${token},"meta":{"nextCursor":${token}}`)).toBe(cursor);
    expect(cursorOf(`,"nextCursor":null,"meta":{"nextCursor":${token}}`)).toBe(cursor);
    expect(cursorOf(`,"nextCursor":${token},"meta":{"nextCursor":""}`)).toBe(cursor);
    expect(cursorOf(`,"nextCursor":${token},"meta":null`)).toBe(cursor);
  });

  test('a response without a cursor in either place has none', () => {
    for (const members of ['', ',"meta":{}', ',"NextCursor":1', ',"data":{"nextCursor":1}']) {
      expect(cursorOf(members)).toBeUndefined();
    }
    expect(read('{"trails":[{"nextCursor":1,"meta":{"nextCursor":2}}]}').cursor).toBeUndefined();
  });

  test('a number and a string of the same text are one cursor', () => {
    expect(cursorOf(',"nextCursor":7,"meta":{"nextCursor":"7"}')).toBe('7');
  });

  test.each([
    [
      'two cursors that differ above 2^53',
      ',"nextCursor":9007199254740992,"meta":{"nextCursor":9007199254740993}',
      'expected one nextCursor, got two that differ',
    ],
    ['the cursor true', ',"nextCursor":true', 'to be a string or a number'],
    ['an array as its cursor', ',"meta":{"nextCursor":["7"]}', 'to be a string or a number'],
    ['two members nextCursor', ',"nextCursor":7,"nextCursor":7', 'expected one "nextCursor" in the response, got two'],
    [
      'two members nextCursor, one of them escaped',
      ',"nextCursor":7,"next\\u0043ursor":8',
      'expected one "nextCursor"',
    ],
    [
      'two members nextCursor in meta',
      ',"meta":{"nextCursor":7,"nextCursor":null}',
      'expected one "nextCursor" in "meta", got two',
    ],
    ['a meta that is a string', ',"meta":"{\\"nextCursor\\":7}"', 'expected "meta" to be an object'],
    ['a meta that is false', ',"meta":false', 'expected "meta" to be an object'],
    ['two metas', ',"meta":{"nextCursor":7},"meta":{}', 'expected one "meta"'],
  ])('a response with %s is refused', (_name, members, message) => {
    expect(() => cursorOf(members)).toThrow(PageError);
    expect(() => cursorOf(members)).toThrow(message);
  });
});

test.each([
  [650, ',"meta":{"total":650}'],
  [0, ',"meta":{"total":0,"nextCursor":"a"}'],
  [undefined, ',"meta":{"total":"650"}'],
  [undefined, ',"meta":{"total":null}'],
  [undefined, ',"meta":{}'],
  [undefined, ',"meta":null'],
  [undefined, ',"total":650'],
])('the total is %p in a page with %s', (total, members) => {
  expect(read(`{"trails":[]${members}}`).total).toBe(total);
});

describe('a page that is not what the contract says', () => {
  test.each([
    ['is empty', '', 'empty body'],
    ['is white space', ' \n', 'expected a JSON object'],
    ['is HTML', '<!DOCTYPE html><title>502</title>', 'expected a JSON object'],
    ['begins with a byte order mark', '\ufeff{"trails":[]}', 'expected a JSON object'],
    ['is an array', '[{"trails":[]}]', 'expected a JSON object'],
    ['has no trails', '{"meta":{}}', 'expected "trails"'],
    ['is an error', '{"error":{"name":"AuthenticationError","message":"x"}}', 'expected "trails"'],
    ['has trails null', '{"trails":null}', 'to be an array'],
    ['has trails as an object', '{"trails":{"0":{}}}', 'to be an array'],
    ['has two trails', '{"trails":[],"trails":[]}', 'expected one "trails"'],
    ['has two trails, one of them escaped', '{"trails":[],"\\u0074rails":[]}', 'expected one "trails"'],
    ['is cut off', '{"trails":[{"id":1}', 'expected JSON'],
    ['goes on after its end', '{"trails":[]}{"trails":[]}', 'expected JSON'],
    ['has a stray comma', '{"trails":[{"id":1},]}', 'expected JSON'],
    ['has a malformed event', '{"trails":[{"id":01}]}', 'expected JSON'],
    ['has a control character in a string', '{"trails":["\u0000"]}', 'expected JSON'],
    ['has a bad escape in a key', '{"\\x61":1,"trails":[]}', 'expected JSON'],
    ['has a malformed member beside trails', '{"trails":[],"x":{"a":1 2}}', 'expected JSON'],
    ['has a malformed member before trails', '{"x":nul,"trails":[]}', 'expected JSON'],
  ])('a page that %s is refused', (_name, text, message) => {
    expect(() => read(text)).toThrow(PageError);
    expect(() => read(text)).toThrow(message);
  });

  test.each([
    ['Latin-1', Buffer.from('{"trails":["é"]}', 'latin1')],
    ['UTF-16', Buffer.from('{"trails":[]}', 'utf16le')],
    ['half of a character at the end', Buffer.from('{"trails":[]} é').subarray(0, -1)],
  ])('a page of %s, which is not UTF-8, is refused', (_name, body) => {
    expect(() => readPage(body)).toThrow(body.includes(0) ? PageError : 'expected UTF-8, got other bytes');
  });

  test('the error says where the page is malformed and how long it is, and does not quote it', () => {
    expect(() => read('{"trails":[{"secret":secret}]}')).toThrow(
      new PageError('expected JSON: unexpected byte at 21 (of 30 bytes)'),
    );
  });
});
