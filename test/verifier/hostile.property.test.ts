/** The verifier returns findings for any bytes in an archive. It neither throws nor accepts them. */
import fc from 'fast-check';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { type Manifest, PAYLOAD_TYPE } from '../../lambdas/shared/manifest';
import { verify } from '../../lambdas/verifier/verify';
import {
  buildArchive,
  eventLine,
  type Objects,
  readerOf,
  sampleBatches,
  testKey,
  testSigner,
} from '../support/archive-builder';
import { NOW } from '../support/judge';
import { anchorOf, keyOf, payloadOf } from '../support/tampering';

const AT = '2026-03-10T00:30:00.000Z';
const M1 = keyOf('M1');

/** The code, object and detail of each finding that is not a notice. */
async function findingsIn(objects: Objects): Promise<string> {
  const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
  expect(Object.keys(Object.prototype)).toEqual([]);
  const grave = findings.filter(({ severity }) => severity === 'finding');
  return grave.map(({ code, object, detail }) => `${code} ${object} ${detail}`).join('\n');
}

function changed(objects: Objects, key: string, bytes: Buffer): Objects {
  return new Map(objects).set(key, bytes);
}

function withAnchors(objects: Objects, ...names: readonly string[]): Objects {
  const anchors = names.map((name) => anchorOf(objects, name));
  return new Map([...objects, ...anchors.map(({ key, body }): [string, Buffer] => [key, body])]);
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

test('every single flipped bit of a small segment, its batch object and an anchor is found and named', async () => {
  const objects = withAnchors(await buildArchive({ batches: [{ events: [eventLine(1, AT)] }] }), 'M1');
  const unseen: string[] = [];
  for (const [key, bytes] of objects) {
    if (key.startsWith('manifests/')) continue;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const said = await findingsIn(changed(objects, key, flipBit(bytes, bit)));
      if (!said.includes(key)) unseen.push(`bit ${bit} of ${key}`);
    }
  }
  expect(unseen).toEqual([]);
});

test('a flipped bit, and a run of bytes that is cut out, doubled or overwritten, is found and named in any object', async () => {
  // The anchor of manifest 2 is not the newest one.
  const objects = withAnchors(await buildArchive({ batches: sampleBatches }), 'M2', 'M4');
  const bends: Readonly<Record<string, (run: Buffer, other: Buffer) => Buffer>> = {
    flip: (run, other) => flipBit(run, (other[0] ?? 0) % 8),
    cut: () => Buffer.alloc(0),
    double: (run) => Buffer.concat([run, run]),
    overwrite: (_, other) => other,
  };
  const change = fc.record({
    key: fc.constantFrom(...objects.keys()),
    from: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
    bend: fc.constantFrom(...Object.values(bends)),
    other: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  });
  await fc.assert(
    fc.asyncProperty(change, async ({ key, from, length, bend, other }) => {
      const bytes = objects.get(key) ?? Buffer.alloc(0);
      const start = from % bytes.length;
      const run = bend(bytes.subarray(start, start + length), other);
      const bent = Buffer.concat([bytes.subarray(0, start), run, bytes.subarray(start + length)]);
      fc.pre(!bent.equals(bytes));
      expect(await findingsIn(changed(objects, key, bent))).toContain(key);
    }),
    { numRuns: 800 },
  );
});

/** Texts that programs often handle wrongly, and random ones. */
const hostileText = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', '../../etc/passwd', '\u0000', 'a\nb', '\u001b[2J', '', '9'.repeat(400)),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const hostileNumber = fc.oneof(
  fc.constantFrom(0, -1, 0.5, 1e308, 2 ** 53, 2 ** 31, -(2 ** 31), 2 ** 32 + 1),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const hostileInstant = fc.constantFrom(
  '+275760-09-13T00:00:00.000Z',
  '-271821-04-20T00:00:00.000Z',
  '0000-01-01T00:00:00.000Z',
  '2026-02-30T00:00:00.000Z',
  AT,
);
const hostileValue = fc.oneof(hostileText, hostileNumber, hostileInstant, fc.jsonValue(), fc.constant(null));

test('a signed payload of any JSON or any bytes is a finding', async () => {
  const bytes = fc.oneof(
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }).map((noise) => Buffer.from(noise)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (payload) => {
      const envelope = await signEnvelope(PAYLOAD_TYPE, payload, testSigner);
      expect(await findingsIn(new Map([[M1, envelope]]))).toContain(`manifest-unreadable ${M1}`);
    }),
    { numRuns: 200 },
  );
});

test('a signed manifest with any value in any field neither makes the verifier throw nor hides another object', async () => {
  const [first = {}] = sampleBatches;
  const paths = pathsOf(JSON.parse(String(payloadOf(await buildArchive({ batches: [first] }), 'M1'))));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), hostileValue, async (path, value) => {
      const amend = (manifest: Manifest): Manifest => replaceAt(manifest, path, value);
      const objects = await buildArchive({ batches: [{ ...first, amend }] });
      expect(await findingsIn(objects.set('events/planted', Buffer.from('x')))).toContain('events/planted');
    }),
    { numRuns: 1000 },
  );
});

test('any planted key is one finding or one notice', async () => {
  const folder = fc.constantFrom('events/', 'quarantine/', 'manifests/', 'batches/', 'events/team=main/', '');
  const key = fc.tuple(folder, hostileText).map((parts) => parts.join(''));
  const keys = fc.uniqueArray(
    key.filter((text) => text !== ''),
    { maxLength: 8 },
  );
  const objects = await buildArchive({ batches: [{ events: [eventLine(1, AT)] }] });
  await fc.assert(
    fc.asyncProperty(keys, async (planted) => {
      const all = new Map([...objects, ...planted.map((key): [string, Buffer] => [key, Buffer.from('x')])]);
      const { findings } = await verify(readerOf(all), { publicKey: testKey, now: NOW });
      expect(findings.map(({ object }) => object).sort()).toEqual([...planted].sort());
    }),
  );
});

test.each([
  'E1b',
  'Q1b',
])('signed lines of any bytes in %s neither make the verifier throw nor hide another object', async (name) => {
  const line = fc.oneof(
    fc.json(),
    fc.uint8Array({ maxLength: 60 }),
    fc.tuple(hostileValue, hostileValue).map(([id, timestamp]) => JSON.stringify({ id, timestamp })),
    fc.tuple(fc.json(), fc.json()).map(([a, b]) => `{"id":${a},"id":${b},"timestamp":"${AT}"}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
      const raw = Buffer.concat(lines.flatMap((bytes) => [Buffer.from(bytes), Buffer.from('\n')]));
      const arrange = () => [{ key: keyOf(name), lines: [], raw }];
      const objects = await buildArchive({ batches: [{ arrange }] });
      expect(await findingsIn(objects.set('events/planted', Buffer.from('x')))).toContain('events/planted');
    }),
    { numRuns: 500 },
  );
});

type Path = readonly (string | number)[];

/** The path of every value, including containers. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]));
  return path.length > 0 ? [path, ...inner] : inner;
}

function replaceAt<T>(value: T, [key, ...rest]: Path, replacement: unknown): T {
  if (key === undefined) return replacement as T;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string | number, unknown>;
  copy[key] = replaceAt(copy[key], rest, replacement);
  return copy as T;
}
