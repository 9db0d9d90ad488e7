import { decodeManifest, encodeManifest, type Manifest, ManifestError, sha256 } from '../../lambdas/shared/manifest';
import { aManifest } from '../support/manifest';

const decode = (value: unknown) => decodeManifest(Buffer.from(JSON.stringify(value)));

/** The manifest with one value, found by its path, replaced. */
function withValue(path: string, value: unknown): unknown {
  const manifest = structuredClone(aManifest()) as unknown as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, manifest);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return manifest;
}

describe('encoding and decoding', () => {
  test.each([
    ['with everything', aManifest()],
    ['of the first run', aManifest({ seq: 1, previous: null })],
    [
      'of an empty batch',
      aManifest({ batch: null, segments: [], gaps: [], sweeps: [], sweptAt: null, latest: null, sourceTeams: [] }),
    ],
    ['without retention', aManifest({ retention: null })],
  ])('a manifest %s is decoded as it was encoded', (_name, manifest) => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test('fields that a later version adds are ignored', () => {
    const { counts } = aManifest();
    const quarantined = { ...counts.quarantined, 'a-new-reason': 1 };
    expect(decode({ ...aManifest(), added: 1, counts: { ...counts, quarantined } })).toEqual(aManifest());
  });

  test('the hash is the SHA-256 of the bytes', () => {
    expect(sha256(Buffer.from(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

function refusal(path: string): ManifestError {
  return new ManifestError(`manifest field "${path}" is missing or malformed`);
}

describe('refused payloads', () => {
  const { lowS: _optional, ...required } = aManifest();
  const fields = Object.keys(required) as (keyof Manifest)[];

  test.each(fields)('a payload without the field %s is refused, and the error names it', (field) => {
    const { [field]: _left, ...rest } = aManifest();
    expect(() => decode(rest)).toThrow(refusal(field));
  });

  const malformed = {
    format: ['postman-audit-archive/2', ['postman-audit-archive/1']],
    team: ['', 7],
    seq: [0, 1.5, '2', 2 ** 53],
    previous: ['A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}\n`],
    run: [[]],
    'run.id': [undefined],
    'run.reason': ['failed'],
    'run.walkStart': ['2026-06-12T12:00:01Z'],
    'run.finished': ['2026-02-30T00:00:00.000Z'],
    'window.to': [undefined],
    position: [1781265601000],
    'counts.events': [-1],
    gaps: [{}],
    'gaps.0': [null],
    'gaps.0.reason': ['unknown'],
    'sweeps.0.date': ['2026-02-30', '2026-06-01T00:00:00.000Z'],
    'sweeps.0.status': ['done'],
    'sourceTeams.0': [70000001],
    'retention.mode': ['governance'],
    'retention.expireAfterDays': [undefined, 'never'],
    lowS: ['yes'],
    batch: ['batches/team=main/0000000002.gz'],
    segments: ['none'],
    'segments.0': [[]],
    'segments.0.sha256': [`${'a'.repeat(63)}g`],
    'segments.0.objectSha256': [undefined],
    'segments.0.length': [1e21],
    'segments.0.last': [null],
  };
  test.each(
    Object.entries<unknown[]>(malformed).flatMap(([path, values]) => values.map((value) => [path, value] as const)),
  )('a payload whose %s is %j is refused, and the error names the field', (path, value) => {
    expect(() => decode(withValue(path, value))).toThrow(refusal(path));
  });

  test.each([
    ...['null', '[]', '"text"', '0', 'true', '{}', '{"__proto__":{"format":"postman-audit-archive/1"}}'],
  ])('the payload %s is refused', (text) => {
    expect(() => decodeManifest(Buffer.from(text))).toThrow(ManifestError);
  });

  test.each([
    ...['', '{', '\xef\xbb\xbf{}', 'canary', '{"canary":}', '\xff'],
  ])('the payload %j is not JSON, and the error does not quote it', (text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(() => decodeManifest(bytes)).toThrow(new ManifestError('the manifest payload is not JSON'));
  });

  test('an object with an unknown field is accepted in no place', () => {
    for (const path of paths(aManifest())) {
      expect(() => decode(withValue(path, { canary: 1 }))).toThrow(ManifestError);
    }
  });
});

/** Every place in a value, as the path that leads to it. */
function paths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, item]) => paths(item, path === '' ? name : `${path}.${name}`));
  return path === '' ? inner : [path, ...inner];
}
