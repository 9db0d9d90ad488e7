import fc from 'fast-check';
import { decodeManifest, encodeManifest, ManifestError } from '../../lambdas/shared/manifest';
import { character } from '../support/json-text';
import { aManifest } from '../support/manifest';

type Json = Record<string, unknown>;

/** Every place in a value, as the list of names that leads to it. */
function paths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...path, name]))];
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const inner = replaced((value as Json)[name], rest, by);
  return Array.isArray(value) ? Object.assign([...value], { [name]: inner }) : { ...(value as Json), [name]: inner };
}

/** The manifest, or undefined where it is refused; any other failure fails the test. */
function decode(payload: Buffer): unknown {
  try {
    return decodeManifest(payload);
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestError);
    return undefined;
  }
}

const place = fc.constantFrom(...paths(aManifest()));
const hostile = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    '',
    0,
    -0,
    -1,
    Number.MIN_VALUE,
    2 ** 53,
    [],
    {},
    [null],
    { length: 1 },
    '2026-06-12T12:00:00.000Z',
    'a'.repeat(64),
  ),
);

test('any value in any place is taken or refused with a ManifestError', () => {
  let refused = 0;
  fc.assert(
    fc.property(place, hostile, (path, value) => {
      const manifest = replaced(aManifest(), path, value);
      if (decode(Buffer.from(JSON.stringify(manifest) ?? '')) === undefined) refused += 1;
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(150);
});

test('no place takes an object of somebody else, save where there are further fields', () => {
  for (const path of paths(aManifest())) {
    const changed = replaced(aManifest(), path, { canary: 1 });
    expect(decode(Buffer.from(JSON.stringify(changed)))).toBeUndefined();
  }
});

test('any bytes are refused with a ManifestError that does not quote them', () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.string().map(Buffer.from), fc.json().map(Buffer.from));
  fc.assert(
    fc.property(bytes, (noise) => {
      expect(() => decodeManifest(Buffer.from(noise))).toThrow(
        /^the manifest (payload is not JSON|is not a JSON object)$|^manifest field "\w+" is missing/,
      );
    }),
    { numRuns: 200 },
  );
});

test('what was decoded is encoded to the same bytes', () => {
  const counts = fc.record({ pages: fc.maxSafeNat(), requests: fc.nat(), events: fc.nat() });
  const instant = fc
    .date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const tokens = fc.array(fc.string({ unit: character, minLength: 1 }), { maxLength: 4 });
  fc.assert(
    fc.property(counts, instant, tokens, fc.integer({ min: 1, max: 2 ** 33 }), (some, position, sourceTeams, seq) => {
      const manifest = aManifest({ seq, position, sourceTeams, counts: { ...aManifest().counts, ...some } });
      const payload = encodeManifest(manifest);
      expect(decodeManifest(payload)).toEqual(manifest);
      expect(String(encodeManifest(decodeManifest(payload)))).toBe(String(payload));
    }),
    { numRuns: 100 },
  );
});
