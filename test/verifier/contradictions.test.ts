/**
 * Archives with good signatures and wrong content, written by a faulty archiver or by somebody who holds the key. Each case
 * changes one thing before it is hashed and signed.
 */
import type { Manifest } from '../../lambdas/shared/manifest';
import { verify } from '../../lambdas/verifier/verify';
import {
  type BatchSpec,
  buildArchive,
  eventLine,
  readerOf,
  type SegmentDraft,
  sampleBatches,
  testKey,
} from '../support/archive-builder';
import { judge, NOW } from '../support/judge';
import { keyOf, listed, perform, read, shortened } from '../support/tampering';

/** Within an hour of the first walk start, so on its date. */
const AT = '2026-03-10T00:30:00.000Z';
const LATER = '2026-03-10T00:40:00.000Z';
const BOTH: BatchSpec = { events: [eventLine(1, AT), eventLine(2, LATER)] };

describe('lines that may not be where they are', () => {
  test('many findings of one kind in a segment are one finding with the first line, its reason and their number', async () => {
    const lines = [1, 2, 3, 4].map((n) => `{"n":${n},"timestamp":"${AT}"}`);
    const objects = await buildArchive({ batches: [arranged('E1b', lines)] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings).toMatchObject([{ code: 'event-unfit', detail: 'line 1: no-id, and 3 more' }]);
  });

  test('no finding quotes an id or a body', async () => {
    const secret = 'sx1d7f-secret';
    const lines = [eventLine(secret, LATER), eventLine(secret, AT), `{"id":"${secret}"}`, `{${secret}`];
    const objects = await buildArchive({ batches: [arranged('E1b', lines)] });
    const { findings } = await verify(readerOf(objects), { publicKey: testKey, now: NOW });
    expect(findings.length).toBeGreaterThan(3);
    expect(JSON.stringify(findings)).not.toContain(secret);
  });
});

describe('repeated ids', () => {
  test('ids that differ beyond 2^53, in a leading zero or in another team are different', async () => {
    const events = ['9007199254740992', '9007199254740993', '"01"', '1', '1.0'].map(
      (id) => `{"id":${id},"timestamp":"${AT}"}`,
    );
    const main = await buildArchive({ batches: [{ events }] });
    const other = await buildArchive({ team: 'other', batches: [{ events }] });
    expect(await judge(new Map([...main, ...other]))).toMatchObject({ exitCode: 0, said: [] });
  });
});

describe('manifests that contradict the one before', () => {
  const hour = (hours: number) => new Date(Date.UTC(2026, 2, 10) + hours * 3_600_000).toISOString();
  const uncovered = { window: { from: hour(1.5), to: hour(2) } };
  const gapped = (from: number, to: number) => ({
    ...uncovered,
    gaps: [{ from: hour(from), to: hour(to), reason: 'retention' as const }],
  });

  test('a gap counts for the later batches of its run too', async () => {
    const gap = { ...gapped(1, 1.5), position: hour(1) };
    const batches = [gap, uncovered].map((fields): BatchSpec => ({ amend: (m) => ({ ...m, ...fields }) }));
    expect(await saidOf([BOTH, ...batches])).toEqual([]);
  });

  test('a window after its own walk start is no finding where an earlier clock was ahead', async () => {
    const ahead = (m: Manifest): Manifest => ({
      ...m,
      run: { ...m.run, walkStart: hour(30) },
      window: { ...m.window, to: hour(30) },
      position: hour(30),
    });
    const after = (m: Manifest): Manifest => ({ ...m, window: { from: hour(24), to: hour(2) }, position: hour(30) });
    expect(await saidOf([{ amend: ahead }, { amend: after }])).toEqual([]);
  });

  test('a manifest of another chain is found by the next manifest', async () => {
    const objects = await buildArchive({ batches: sampleBatches });
    const sibling = await buildArchive({ batches: [sampleBatches[0] ?? {}, {}] });
    objects.set(keyOf('M2'), read(sibling, 'M2'));
    expect(shortened((await judge(objects)).findings)).toContain('chain-broken M3');
  });
});

describe('unpublished heads', () => {
  const batches = [BOTH, { events: [eventLine(3, '2026-03-10T01:30:00.000Z')] }];

  test.each<readonly [string, string, readonly BatchSpec[], string, number]>([
    ['a head while its batch object is complete', 'remove E2b', batches, 'segment-unpublished E2b', 0],
    ['no head without its batch object', 'remove E2b B2', batches, 'batch-missing B2, segment-missing E2b', 1],
    ['no manifest before the head', 'remove E2b', [...batches, {}], 'segment-missing E2b', 1],
  ])('%s may be unpublished: "%s"', async (_, deeds, specs, findings, exitCode) => {
    const objects = await buildArchive({ batches: specs });
    perform(objects, deeds);
    const judgement = await judge(objects);
    expect(shortened(judgement.findings)).toEqual(listed(findings));
    // The lines of an unpublished segment are read from its batch object.
    expect(judgement).toMatchObject({ exitCode, teams: [{ events: deeds === 'remove E2b' ? 3 : 2 }] });
  });

  test('a segment of the head that is listed but unreadable is missing and not unpublished', async () => {
    const reader = readerOf(await buildArchive({ batches }));
    const get: typeof reader.get = async (key, range) => (key === keyOf('E2b') ? undefined : reader.get(key, range));
    const { findings } = await verify({ ...reader, get }, { publicKey: testKey, now: NOW });
    expect(shortened(findings)).toEqual(['segment-missing E2b']);
  });

  test('a run that commits and publishes while the verifier reads gives no finding', async () => {
    const reader = readerOf(await buildArchive({ batches }));
    const before = (await reader.list('')).filter((key) => !key.includes('0000000002'));
    const racing = { ...reader, list: async (prefix: string) => (prefix === '' ? before : reader.list(prefix)) };
    expect((await verify(racing, { publicKey: testKey, now: NOW })).findings).toEqual([]);
  });
});

/** A batch of one segment with these lines, or with these bytes. */
function arranged(name: string, lines: readonly string[], raw?: Buffer): BatchSpec {
  const segment: SegmentDraft = { key: keyOf(name), lines, ...(raw && { raw }) };
  return { arrange: () => [segment] };
}

/** The findings of the command. Its exit code must agree with them. */
async function saidOf(batches: readonly BatchSpec[]): Promise<readonly string[]> {
  const { findings, exitCode } = await judge(await buildArchive({ batches }));
  expect(exitCode).toBe(findings.length > 0 ? 1 : 0);
  return shortened(findings);
}
