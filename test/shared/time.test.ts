import fc from 'fast-check';
import { dateOf, datesBetween, midnight, parseDateOrInstant, parseInstant } from '../../lambdas/shared/time';

test.each([
  ['2026-06-12T21:41:44.000Z', '2026-06-12T21:41:44.000Z'],
  ['2026-06-12T21:41:44Z', '2026-06-12T21:41:44.000Z'],
  ['2026-06-12T21:41:44', '2026-06-12T21:41:44.000Z'],
  ['2026-06-12t21:41:44z', '2026-06-12T21:41:44.000Z'],
  ['2026-06-12 21:41:44Z', '2026-06-12T21:41:44.000Z'],
  ['2026-06-12T21:41:44,5Z', '2026-06-12T21:41:44.500Z'],
  ['2026-06-12T21:41:44.123456789012345Z', '2026-06-12T21:41:44.123Z'],
  ['2026-06-12T21:41:44.9999Z', '2026-06-12T21:41:44.999Z'],
  ['2026-06-12T21:41:44.01Z', '2026-06-12T21:41:44.010Z'],
  ['2026-06-12T01:00:00+05:30', '2026-06-11T19:30:00.000Z'],
  ['2026-06-12T01:00:00+0530', '2026-06-11T19:30:00.000Z'],
  ['2026-06-12T01:00:00+02', '2026-06-11T23:00:00.000Z'],
  ['2026-06-12T01:00:00.5-02', '2026-06-12T03:00:00.500Z'],
  ['2026-06-12T01:00:00+00', '2026-06-12T01:00:00.000Z'],
  ['2026-06-12T23:00:00-01:00', '2026-06-13T00:00:00.000Z'],
  ['2026-06-12T00:00:00+23:59', '2026-06-11T00:01:00.000Z'],
  ['2026-06-12T00:00:00-00:00', '2026-06-12T00:00:00.000Z'],
  ['2025-12-31T23:59:59-00:01', '2026-01-01T00:00:59.000Z'],
  ['0099-01-01T00:00:00Z', '0099-01-01T00:00:00.000Z'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ['9999-12-31T23:59:59-23:59', '+010000-01-01T23:58:59.000Z'],
])('%s is read as the instant %s', (text, instant) => {
  expect(parseInstant(text)?.toISOString()).toBe(instant);
});

test.each([
  ...['2026-06-12T24:00:00Z', '2026-06-12T23:60:00Z', '2016-12-31T23:59:60Z', '2026-06-12T21:41Z', '2026-06-12'],
  ...['2026-06-12T21:41:44+24:00', '2026-06-12T21:41:44+05:60', '2026-06-12T21:41:44+5', '2026-06-12T21:41:44+24'],
  ...['2026-06-12T21:41:44 Z', '2026-06-12T21:41:44ZZ', '2026-06-12T21:41:44Z\n', ' 2026-06-12T21:41:44Z'],
  ...['2026-06-12T21:41:44.Z', '2026-6-12T21:41:44Z', '26-06-12T21:41:44Z', '+002026-06-12T21:41:44Z'],
  ...['-2026-06-12T21:41:44Z', '20260612T214144Z', '2026-W24-5T21:41:44Z', 'Fri, 12 Jun 2026 21:41:44 GMT'],
  ...['1781300504', '\u0662\u0660\u0662\u0666-06-12T21:41:44Z', '2026\u201306\u201312T21:41:44Z', ''],
])('%j is not an instant', (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

test.each([
  ...[0, 4, 400, 2000, 2024].map((year) => [year, 366] as const),
  ...[1, 99, 100, 1900, 1970, 2023, 2100, 9999].map((year) => [year, 365] as const),
])('the dates of the year %i are %i days, each 24 hours after the one before', (year, length) => {
  const digits = (value: number, width: number) => String(value).padStart(width, '0');
  const days: number[] = [];
  for (let month = 0; month <= 13; month += 1) {
    for (let day = 0; day <= 32; day += 1) {
      const instant = parseInstant(`${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T00:00:00Z`);
      if (instant !== undefined) days.push(instant.getTime() / 86_400_000);
    }
  }
  const first = Date.parse(`${digits(year, 4)}-01-01T00:00:00.000Z`) / 86_400_000;
  expect(days).toEqual(Array.from({ length }, (_, index) => first + index));
});

test('no text makes the parser fail, and every instant in ISO 8601 is read as itself', () => {
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

test('a setting may be a date alone, which means its midnight', () => {
  expect(parseDateOrInstant('2026-06-12')?.toISOString()).toBe('2026-06-12T00:00:00.000Z');
  expect(parseDateOrInstant('2026-06-12T01:00:00+05:30')?.toISOString()).toBe('2026-06-11T19:30:00.000Z');
  for (const text of ['2026-02-30', '2026-06', 'today', '', '2026-06-12Z', '2026-06-12T']) {
    expect(parseDateOrInstant(text)).toBeUndefined();
  }
});

test.each([
  ['2026-06-12T00:00:00.000Z', '2026-06-12'],
  ['2026-06-12T23:59:59.999Z', '2026-06-12'],
  ['2026-06-12T01:00:00+05:30', '2026-06-11'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31'],
])('the UTC date of %s is %s, which begins at 00:00 UTC', (instant, date) => {
  expect(dateOf(new Date(instant))).toBe(date);
  expect(midnight(new Date(instant)).toISOString()).toBe(`${date}T00:00:00.000Z`);
});

test('midnight moves by whole UTC dates, also on a day on which local clocks change', () => {
  expect(midnight(new Date('2026-03-28T23:00:00Z'), 1).toISOString()).toBe('2026-03-29T00:00:00.000Z');
  expect(midnight(new Date('2024-03-01T12:00:00Z'), -1).toISOString()).toBe('2024-02-29T00:00:00.000Z');
});

test('the dates between two instants include the dates of both', () => {
  const between = (from: string, to: string) => datesBetween(new Date(from), new Date(to));
  const leap = ['2024-02-28', '2024-02-29', '2024-03-01'];
  expect(between('2024-02-28T23:59:59.999Z', '2024-03-01T00:00:00.000Z')).toEqual(leap);
  expect(between('2026-06-12T05:00:00Z', '2026-06-12T04:00:00Z')).toEqual(['2026-06-12']);
  expect(between('2026-06-12T05:00:00Z', '2026-06-11T23:59:59.999Z')).toEqual([]);
  expect(between('2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z')).toHaveLength(365);
});
