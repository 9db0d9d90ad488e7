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

describe('a manifest', () => {
  test.each([
    ['with everything', aManifest()],
    ['of the first run', aManifest({ seq: 1, previous: null })],
    ['of an empty batch', aManifest({ batch: null, segments: [], gaps: [], sweep: null, sourceTeams: [] })],
    ['without retention', aManifest({ retention: null })],
    ['of quarantine', aManifest({ segments: aManifest().segments.map((s) => ({ ...s, first: null, last: null })) })],
  ])('%s comes back as it was encoded', (_name, manifest) => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test('keeps a field of a later version', () => {
    expect(decode({ ...aManifest(), added: { later: 1 } })).toHaveProperty('added', { later: 1 });
  });

  test('is hashed over its very bytes', () => {
    expect(sha256(Buffer.from(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('a payload is refused, and its field named, where', () => {
  const fields = Object.keys(aManifest()) as (keyof Manifest)[];

  test.each(fields)('%s is missing', (field) => {
    const { [field]: _left, ...rest } = aManifest();
    expect(() => decode(rest)).toThrow(new ManifestError(`manifest field "${field}" is missing or malformed`));
  });

  test.each([
    ['format', 'postman-audit-archive/2'],
    ['format', ['postman-audit-archive/1']],
    ['team', ''],
    ['team', 7],
    ['seq', 0],
    ['seq', -1],
    ['seq', 1.5],
    ['seq', '2'],
    ['seq', 2 ** 53],
    ['previous', 'A'.repeat(64)],
    ['previous', 'a'.repeat(63)],
    ['previous', `${'a'.repeat(64)}\n`],
    ['run', null],
    ['run', []],
    ['run.id', undefined],
    ['run.reason', 'failed'],
    ['run.walkStart', '2026-06-12T12:00:01Z'],
    ['run.finished', '2026-02-30T00:00:00.000Z'],
    ['start', undefined],
    ['window', { from: '2026-06-12T05:00:00.000Z' }],
    ['position', '2026-06-12'],
    ['position', 1781265601000],
    ['counts.events', -1],
    ['counts.late', null],
    ['counts.quarantined', {}],
    ['counts.quarantined.no-id', '0'],
    ['gaps', null],
    ['gaps', {}],
    ['gaps.0', null],
    ['gaps.0.reason', 'unknown'],
    ['sweep', undefined],
    ['sweep', false],
    ['sweep.date', '2026-02-30'],
    ['sweep.date', '2026-06-01T00:00:00.000Z'],
    ['sweep.status', 'done'],
    ['sourceTeams', [70000001]],
    ['sourceTeams', ['']],
    ['retention', {}],
    ['retention.mode', 'governance'],
    ['retention.expireAfterDays', undefined],
    ['retention.expireAfterDays', 'never'],
    ['retention.expireAfterDays', 0.5],
    ['batch', 'batches/team=main/0000000002.gz'],
    ['batch.key', ''],
    ['segments', 'none'],
    ['segments.0', []],
    ['segments.0.sha256', `${'a'.repeat(63)}g`],
    ['segments.0.offset', -1],
    ['segments.0.length', 1e21],
    ['segments.0.first', ''],
  ])('%s is %j', (path, value) => {
    const [field] = path.split('.');
    expect(() => decode(withValue(path, value))).toThrow(
      new ManifestError(`manifest field "${field}" is missing or malformed`),
    );
  });

  test.each([
    ['null'],
    ['[]'],
    ['"text"'],
    ['0'],
    ['true'],
    ['{}'],
    ['{"__proto__":{"format":"postman-audit-archive/1"}}'],
  ])('it is %s', (text) => {
    expect(() => decodeManifest(Buffer.from(text))).toThrow(
      new ManifestError('manifest field "format" is missing or malformed'),
    );
  });

  test.each([
    [''],
    ['{'],
    ['\ufeff{}'],
    ['canary'],
    ['{"canary":}'],
  ])('it is no JSON: %j, and it is not quoted', (text) => {
    expect(() => decodeManifest(Buffer.from(text))).toThrow(new ManifestError('manifest payload is not JSON'));
  });
});
