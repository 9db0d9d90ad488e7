import {
  compareEvents,
  type DatedEvent,
  EARLIEST_INSTANT,
  isDated,
  MAX_LINE_BYTES,
  nextEvent,
  QUARANTINE_REASONS,
  quarantineReason,
} from '../../lambdas/shared/event';
import { endDocument, readJson } from '../../lambdas/shared/json';
import { JsonError } from '../../lambdas/shared/json-tokens';

const slice = (text: string) => {
  const reader = readJson(Buffer.from(text));
  const event = nextEvent(reader);
  endDocument(reader);
  return event;
};
const idOf = (token: string) => slice(`{"id":${token}}`).id;
const WALK_START = new Date('2026-06-12T12:00:00.000Z');
const TIMESTAMP = '"timestamp":"2026-06-12T11:00:00.000Z"';

test('a line never holds a newline', () => {
  const { line } = slice('{\n"a"\r\n:\n[\n1\n,\n"\\n"\n]\n}\n'.trim());
  expect(line.toString()).toBe('{"a":[1,"\\n"]}');
  expect(() => slice('{"a":"\n"}')).toThrow(JsonError);
});

test('an event is read even where it is nested 100,000 deep', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(slice(`{"id":1,"a":${nested}}`).id).toBe('1');
});

test.each([
  ...['{"id":1 2}', '{"id":tr ue}', '[- 1]', '[1 .5]', '[1 e5]', '{"a":"\\u00 61"}', '[nul\nl]'],
])('%j is refused because its white space is inside a token', (text) => {
  expect(() => slice(text)).toThrow(JsonError);
});

describe('the id of an event', () => {
  test.each([
    ['a number and the same as a string', '1', '"1"'],
    ['a big number and the same as a string', '9007199254740993', '"9007199254740993"'],
  ])('the ids are equal for %s', (_name, a, b) => {
    expect(idOf(a)).toBe(idOf(b));
    expect(idOf(a)).toBeDefined();
  });

  test.each([
    ['neighbours above 2^53', '9007199254740992', '9007199254740993'],
    ['a leading zero', '"01"', '1'],
    ['other spellings of one number', '1', '1.0'],
    ['an exponent', '10', '1e1'],
    ['a sign', '0', '-0'],
    ['two infinities', '1e400', '1e401'],
    ['an escape and the character', '"a\\u0062"', '"ab"'],
    ['upper and lower case', '"a"', '"A"'],
    ['a space', '"1"', '"1 "'],
    ['composed and decomposed', '"\u00e9"', '"e\u0301"'],
    ['two lone surrogates', '"\\ud800"', '"\\ud801"'],
  ])('the ids differ for %s', (_name, a, b) => {
    expect(idOf(a)).not.toBe(idOf(b));
    expect([idOf(a), idOf(b)]).not.toContain(undefined);
  });

  test.each([
    ['absent', '{}'],
    ['of another case', '{"ID":1,"Id":2}'],
    ['only inside', '{"data":{"id":1}}'],
    ['null', '{"id":null}'],
    ['empty', '{"id":""}'],
    ['true', '{"id":true}'],
    ['an object', '{"id":{"id":1}}'],
    ['an array', '{"id":[1]}'],
    ['given twice with different tokens', '{"id":1,"id":2}'],
    ['given twice, once escaped', '{"id":1,"i\\u0064":2}'],
    ['given as null and as the text null', '{"id":"null","id":null}'],
    ['given as the text null and as null', '{"id":null,"id":"null"}'],
    ['given as text and as an object', '{"id":"{}","id":{}}'],
    ['of an array', '["id",1]'],
    ['of a string', '"id"'],
    ['of a number', '1'],
    ['of null', 'null'],
  ])('an event has no id where its id is %s', (_name, text) => {
    expect(slice(text).id).toBeUndefined();
  });

  test('an id is read where its key is escaped or occurs twice with the same token', () => {
    expect(slice('{"\\u0069\\u0064":7}').id).toBe('7');
    expect(slice('{"id":7,"x":1,"id":7}').id).toBe('7');
    expect(slice('{"__proto__":{"id":1},"id":7}').id).toBe('7');
  });

  test('the source team is the token of data.team.id, the last one if there are two, and no other field', () => {
    expect(slice('{"data":{"team":{"id":1}},"data":{"team":{"id":2}}}').sourceTeam).toBe('2');
    expect(slice('{"data":{"team":{"id":9007199254740993}}}').sourceTeam).toBe('9007199254740993');
    for (const text of [
      '{"team":{"id":1}}',
      '{"data":{"team":1}}',
      '{"data":[{"team":{"id":1}}]}',
      '{"data":"{\\"team\\":{\\"id\\":1}}"}',
      '{"data":{"team":{"id":null}}}',
    ]) {
      expect(slice(text).sourceTeam).toBeUndefined();
    }
  });

  test('the team of an event does not depend on the event before it', () => {
    const tokens = ['7', '8', '"7"', '7.0', '"7.0"', '8', '88', 'null', '8'];
    const teams = tokens.map((token) => slice(`{"data":{"team":{"id":${token}}}}`).sourceTeam);
    expect(teams).toEqual(['7', '8', '7', '7', '7.0', '8', '88', undefined, '8']);
  });
});

describe('the instant of an event', () => {
  test.each([
    ['absent', '{}'],
    ['a number', '{"timestamp":1781300504}'],
    ['null', '{"timestamp":null}'],
    ['given twice with different texts', '{"timestamp":"2026-06-12T21:41:44Z","timestamp":"2026-06-12T21:41:45Z"}'],
    ['inside data', '{"data":{"timestamp":"2026-06-12T21:41:44Z"}}'],
  ])('an event has no instant where its timestamp is %s', (_name, text) => {
    expect(slice(text).instant).toBeUndefined();
  });

  test('an escaped timestamp is read like a plain one, because .NET escapes the plus sign', () => {
    const { instant } = slice('{"timestamp":"2026-06-12T01:00:00\\u002B05:30"}');
    expect(instant?.toISOString()).toBe('2026-06-11T19:30:00.000Z');
  });
});

describe('the reason for quarantine', () => {
  const dated = (timestamp: string) => slice(`{"id":1,"timestamp":"${timestamp}"}`);

  test.each([
    ['no-id', '{"id":null,"timestamp":"never"}'],
    ['bad-timestamp', '{"id":1,"timestamp":"2016-12-31T23:59:60Z"}'],
    ['bad-timestamp', '{"id":1}'],
    ['out-of-range', '{"id":1,"timestamp":"1970-01-01T00:00:00Z"}'],
    ['out-of-range', '{"id":1,"timestamp":"9999-12-31T23:59:59Z"}'],
    ['no-id', '[]'],
    ['no-id', '"text"'],
    ['no-id', 'null'],
  ])('the reason is %s for the event %s', (reason, text) => {
    expect(quarantineReason(slice(text), WALK_START)).toBe(reason);
    expect(QUARANTINE_REASONS).toContain(reason);
  });

  test('an instant before 2020 or more than one day after the walk start is out of range', () => {
    expect(EARLIEST_INSTANT.toISOString()).toBe('2020-01-01T00:00:00.000Z');
    expect(quarantineReason(dated('2019-12-31T23:59:59.999Z'), WALK_START)).toBe('out-of-range');
    expect(quarantineReason(dated('2020-01-01T00:00:00.000Z'), WALK_START)).toBeUndefined();
    expect(quarantineReason(dated('2026-06-13T12:00:00.000Z'), WALK_START)).toBeUndefined();
    expect(quarantineReason(dated('2026-06-13T12:00:00.001Z'), WALK_START)).toBe('out-of-range');
    expect(quarantineReason(dated('2020-01-01T00:30:00+01:00'), WALK_START)).toBe('out-of-range');
  });

  test('a line above 16 MB is oversize, whatever else is wrong with it', () => {
    const withLine = (bytes: number, text: string) => ({ ...slice(text), line: Buffer.alloc(bytes) });
    expect(quarantineReason(withLine(MAX_LINE_BYTES + 1, '{}'), WALK_START)).toBe('oversize');
    expect(quarantineReason(withLine(MAX_LINE_BYTES, `{"id":1,${TIMESTAMP}}`), WALK_START)).toBeUndefined();
  });
});

describe('the order of the lines in a segment', () => {
  const event = (id: string, timestamp: string): DatedEvent => {
    const read = slice(`{"id":"${id}","timestamp":"${timestamp}"}`);
    if (!isDated(read)) throw new Error('not dated');
    return read;
  };

  test('lines are sorted by instant, then by the length of the id, then by its text', () => {
    const sorted = [
      event('zzz', '2026-06-12T01:00:00+05:30'),
      event('9', '2026-06-12T00:00:00Z'),
      event('a', '2026-06-12T00:00:00Z'),
      event('10', '2026-06-12T00:00:00Z'),
      event('9007199254740992', '2026-06-12T00:00:00Z'),
      event('9007199254740993', '2026-06-12T00:00:00Z'),
      event('1', '2026-06-12T00:00:00.001Z'),
    ];
    for (const shuffled of [[...sorted].reverse(), [...sorted.slice(3), ...sorted.slice(0, 3)]]) {
      expect(shuffled.sort(compareEvents).map(({ id }) => id)).toEqual(sorted.map(({ id }) => id));
    }
  });
});
