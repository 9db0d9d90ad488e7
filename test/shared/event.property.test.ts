import fc from 'fast-check';
import { compareEvents, type DatedEvent, isDated, readEvent, sliceEvent } from '../../lambdas/shared/event';
import { parseInstant } from '../../lambdas/shared/time';
import { character, jsonValue, numberToken, spaced, stringToken, whiteSpace } from '../support/json-text';

const slice = (text: string) => {
  const bytes = Buffer.from(text);
  return sliceEvent(bytes, { start: 0, end: bytes.length });
};

describe('ids', () => {
  const token = fc.oneof(numberToken, stringToken);
  const withoutQuotes = (text: string) => (text.startsWith('"') ? text.slice(1, -1) : text);

  test('an id is the text of its token, wherever it stands', () => {
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

  test('two ids are equal exactly where their texts are', () => {
    fc.assert(
      fc.property(token, token, (a, b) => {
        const equal = slice(`{"id":${a}}`).id === slice(`{"id":${b}}`).id;
        expect(equal).toBe(withoutQuotes(a) === withoutQuotes(b));
      }),
      { numRuns: 200 },
    );
  });

  test('any document is read without failing, and its line reads the same again', () => {
    fc.assert(
      fc.property(jsonValue, whiteSpace, (tokens, white) => {
        const event = slice(spaced(tokens, white));
        expect(event.line.toString()).toBe(tokens.join(''));
        expect(readEvent(event.line)).toEqual(event);
      }),
      { numRuns: 200 },
    );
  });
});

describe('instants', () => {
  interface Fields {
    readonly year: number;
    readonly month: number;
    readonly day: number;
    readonly hour: number;
    readonly minute: number;
    readonly second: number;
    readonly fraction: string;
    readonly zone: string;
  }

  /** Days since 1970-01-01, counted month by month: nothing here asks `Date`. */
  function daysSinceEpoch(year: number, month: number, day: number): number {
    const yearsBefore = (y: number) => 365 * y + Math.ceil(y / 4) - Math.ceil(y / 100) + Math.ceil(y / 400);
    const monthsBefore = monthLengths(year).slice(0, month - 1);
    return yearsBefore(year) - yearsBefore(1970) + monthsBefore.reduce((sum, days) => sum + days, 0) + day - 1;
  }

  function monthLengths(year: number): readonly number[] {
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  }

  function zoneMinutes(zone: string): number | undefined {
    if (zone === '' || zone.toUpperCase() === 'Z') return 0;
    const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
    if (hours > 23 || minutes > 59) return undefined;
    return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
  }

  function expected({ year, month, day, hour, minute, second, fraction, zone }: Fields): number | undefined {
    const lastDay = monthLengths(year)[month - 1] ?? 0;
    const offset = zoneMinutes(zone);
    if (day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59 || offset === undefined) return undefined;
    const minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute - offset;
    return (minutes * 60 + second) * 1000 + Math.floor(Number(`0.${fraction.slice(0, 3) || '0'}`) * 1000 + 1e-6);
  }

  const digits = (value: number, width: number) => String(value).padStart(width, '0');
  /** Mostly within its range, sometimes just outside. */
  const around = (min: number, max: number) =>
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min, max }) }, fc.constantFrom(0, max + 1));
  const zone = fc.oneof(
    fc.constantFrom('', 'Z', 'z'),
    fc
      .tuple(fc.constantFrom('+', '-'), around(0, 23), fc.constantFrom(':', ''), around(0, 59))
      .map(([sign, hours, colon, minutes]) => `${sign}${digits(hours, 2)}${colon}${digits(minutes, 2)}`),
  );
  const fields: fc.Arbitrary<Fields> = fc.record({
    year: fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 4, 99, 100, 1600, 1900, 2000, 2024, 2100)),
    month: around(1, 12),
    day: fc.oneof(around(1, 31), fc.constantFrom(28, 29, 30, 31)),
    hour: around(0, 23),
    minute: around(0, 59),
    second: around(0, 59),
    fraction: fc.stringMatching(/^[0-9]{0,12}$/),
    zone,
  });

  test('agree with a calendar counted by hand, or are none where a field is out of its range', () => {
    fc.assert(
      fc.property(fields, fc.constantFrom('T', 't', ' '), fc.constantFrom('.', ','), (f, separator, point) => {
        const date = `${digits(f.year, 4)}-${digits(f.month, 2)}-${digits(f.day, 2)}`;
        const time = `${digits(f.hour, 2)}:${digits(f.minute, 2)}:${digits(f.second, 2)}`;
        const text = `${date}${separator}${time}${f.fraction === '' ? '' : point}${f.fraction}${f.zone}`;
        expect(parseInstant(text)?.getTime()).toBe(expected(f));
      }),
      { numRuns: 300 },
    );
  });

  test('every day of every year that a leap rule makes special', () => {
    for (const year of [0, 1, 4, 99, 100, 400, 1900, 1970, 2000, 2023, 2024, 2100, 9999]) {
      for (let month = 1; month <= 12; month += 1) {
        for (let day = 1; day <= 31; day += 1) {
          const text = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T00:00:00Z`;
          const days = day <= (monthLengths(year)[month - 1] ?? 0) ? daysSinceEpoch(year, month, day) : Number.NaN;
          expect(parseInstant(text)?.getTime() ?? Number.NaN).toBe(days * 86_400_000);
        }
      }
    }
  });

  test('no text makes it fail, and every instant written as ISO 8601 is itself', () => {
    fc.assert(
      fc.property(fc.string(), fc.date({ min: new Date(0), noInvalidDate: true }), (noise, date) => {
        const iso = date.toISOString();
        expect(parseInstant(iso)?.getTime()).toBe(iso.startsWith('+') ? undefined : date.getTime());
        expect(parseInstant(`${iso}${noise}`)).toEqual(noise === '' ? parseInstant(iso) : undefined);
        expect(parseInstant(noise)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('the order of lines', () => {
  const dated = (id: string, second: number): DatedEvent => {
    const event = slice(`{"id":${JSON.stringify(id)},"timestamp":"2026-06-12T00:00:0${second}Z"}`);
    if (!isDated(event)) throw new Error('not dated');
    return event;
  };
  const events = (id: fc.Arbitrary<string>) =>
    fc.uniqueArray(fc.tuple(id, fc.nat(2)), { selector: ([text]) => text, maxLength: 12 });

  test('does not depend on the order of arrival', () => {
    const id = fc.string({ minLength: 1, maxLength: 3, unit: character });
    const shuffled = events(id).chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, arrived]) => {
        const sorted = (list: typeof all) => list.map(([text, second]) => dated(text, second)).sort(compareEvents);
        expect(sorted(arrived)).toEqual(sorted(all));
      }),
      { numRuns: 200 },
    );
  });

  test('of numeric ids within one second is that of the numbers, also above 2^53', () => {
    const number = fc.bigInt({ min: 1n, max: 10n ** 20n });
    const near = fc.bigInt({ min: 2n ** 53n - 5n, max: 2n ** 53n + 5n });
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(number, near), { maxLength: 12 }), (numbers) => {
        const ids = numbers
          .map((n) => dated(String(n), 0))
          .sort(compareEvents)
          .map(({ id }) => BigInt(id));
        expect(ids).toEqual([...numbers].sort((a, b) => (a < b ? -1 : 1)));
      }),
      { numRuns: 100 },
    );
  });
});
