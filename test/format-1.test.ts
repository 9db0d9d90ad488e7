import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readPublicKey } from '../lambdas/shared/dsse';
import { QUARANTINE_REASONS } from '../lambdas/shared/event';
import { decodeManifest, type Manifest } from '../lambdas/shared/manifest';
import { verify } from '../lambdas/verifier/verify';
import type { SourceEvent } from '../local/postman/source-table';
import { readerOf } from './support/archive-builder';
import { fixtureSigner, frozenObjects, PUBLIC_KEY, runArchiver } from './support/format-1';

const frozen = frozenObjects();
const publicKey = readPublicKey(readFileSync(PUBLIC_KEY));
const NOW = '2026-09-07T15:00:00.000Z';

function verified(objects: ReadonlyMap<string, Buffer>) {
  return verify(readerOf(objects), { publicKey, now: new Date(NOW) });
}

function manifestsOf(objects: ReadonlyMap<string, Buffer>): readonly Manifest[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith('manifests/')).sort();
  return keys.map((key) => decodeManifest(Buffer.from(JSON.parse(String(objects.get(key))).payload, 'base64')));
}

function linesOf(objects: ReadonlyMap<string, Buffer>, prefix: string): string[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
  return keys.flatMap((key) =>
    String(gunzipSync(objects.get(key) ?? Buffer.alloc(0)))
      .trimEnd()
      .split('\n'),
  );
}

test('the frozen archive of format 1 verifies without a finding', async () => {
  const { findings, teams } = await verified(frozen);
  expect(findings).toEqual([]);
  expect(teams).toMatchObject([
    { team: 'main', manifests: 8, events: 12, quarantined: 5 },
    { team: 'other', manifests: 2, events: 2, quarantined: 0 },
  ]);
});

test('the frozen archive holds each kind of manifest that format 1 knows', () => {
  const manifests = manifestsOf(frozen).filter(({ team }) => team === 'main');
  const quarantined = (reason: (typeof QUARANTINE_REASONS)[number]) =>
    manifests.some(({ counts }) => counts.quarantined[reason] > 0);
  expect(QUARANTINE_REASONS.filter((reason) => !quarantined(reason))).toEqual([]);
  expect(manifests.filter(({ run }) => run.reason === 'batch-full').length).toBeGreaterThan(1);
  expect(manifests.some(({ batch }) => batch === null)).toBe(true);
  expect(manifests.flatMap(({ gaps }) => gaps)).toHaveLength(1);
  expect(manifests.some(({ counts }) => counts.late > 0)).toBe(true);
  expect(manifests.flatMap(({ sweeps }) => sweeps).some(({ late }) => late > 0)).toBe(true);
});

test.each([
  'main',
  'other',
])('a run goes on from the frozen archive of team %s, and archives only what is new', async (team) => {
  const archived = linesOf(frozen, `events/team=${team}/`).map((raw): SourceEvent => {
    const { id, timestamp } = JSON.parse(raw);
    return { row: id, at: Date.parse(timestamp), raw };
  });
  const raw = '{"id":558307000,"timestamp":"2026-09-07T14:30:00.000Z","action":"user.sign_in"}';
  const events = [...archived, { row: 558307000, at: Date.parse('2026-09-07T14:30:00.000Z'), raw }];
  const before = manifestsOf(frozen).filter((manifest) => manifest.team === team);
  const objects = await runArchiver({ team, objects: frozen, events, now: NOW, runId: crypto.randomUUID() });
  const { findings } = await verified(objects);
  expect(findings).toEqual([]);
  expect(linesOf(objects, `events/team=${team}/`).toSorted()).toEqual(events.map((event) => event.raw).toSorted());
  const head = manifestsOf(objects).findLast((manifest) => manifest.team === team);
  expect(head).toMatchObject({ seq: before.length + 1, latest: '2026-09-07T14:30:00.000Z', position: NOW });
});

test('the key of the frozen archive is the one that its test signs with', () => {
  expect(fixtureSigner().publicKey.equals(publicKey)).toBe(true);
});
