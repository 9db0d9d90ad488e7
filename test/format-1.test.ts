import { readFileSync } from 'node:fs';
import { archive } from '../lambdas/archiver/archive';
import { readPublicKey, verifyEnvelope } from '../lambdas/shared/dsse';
import { QUARANTINE_REASONS } from '../lambdas/shared/event';
import { type Manifest, PAYLOAD_TYPE } from '../lambdas/shared/manifest';
import type { Retention } from '../lambdas/shared/retention';
import { verify } from '../lambdas/verifier/verify';
import type { SourceEvent } from '../local/postman/source-table';
import { readerOf } from './support/archive-builder';
import { fixtureSigner, frozenObjects, PUBLIC_KEY } from './support/format-1';
import { memoryStore } from './support/memory-store';
import { aRunAt } from './support/run';
import { linesUnder, manifestAt, type Objects } from './support/stored';

const frozen = frozenObjects();
const publicKey = readPublicKey(readFileSync(PUBLIC_KEY));
const NOW = '2026-09-07T15:00:00.000Z';

function verified(objects: Objects) {
  return verify(readerOf(objects), { publicKey, now: new Date(NOW) });
}

function manifestsOf(objects: Objects, team: string): readonly Manifest[] {
  const keys = [...objects.keys()].filter((key) => key.startsWith(`manifests/team=${team}/`)).sort();
  return keys.flatMap((key) => manifestAt(objects, key) ?? []);
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
  const manifests = manifestsOf(frozen, 'main');
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
  const archived = linesUnder(frozen, `events/team=${team}/`).map((raw): SourceEvent => {
    const { id, timestamp } = JSON.parse(raw);
    return { row: id, at: Date.parse(timestamp), raw };
  });
  const raw = '{"id":558307000,"timestamp":"2026-09-07T14:30:00.000Z","action":"user.sign_in"}';
  const events = [...archived, { row: 558307000, at: Date.parse('2026-09-07T14:30:00.000Z'), raw }];
  const before = manifestsOf(frozen, team);
  const { objects, ...store } = memoryStore({ objects: frozen });
  const retention: Retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: null };
  // DynamoDB knows nothing, so the run goes on from what is stored alone.
  await archive(aRunAt(NOW, { events }, { team, store, retention, signer: fixtureSigner() }));
  expect((await verified(objects)).findings).toEqual([]);
  expect(linesUnder(objects, `events/team=${team}/`).toSorted()).toEqual(events.map((event) => event.raw).toSorted());
  const head = manifestsOf(objects, team).at(-1);
  expect(head).toMatchObject({ seq: before.length + 1, latest: '2026-09-07T14:30:00.000Z', position: NOW });
});

test('half of the frozen manifests have the higher s, which format 1 allowed before a manifest could forbid it', () => {
  const envelopes = [...frozen].filter(([key]) => key.startsWith('manifests/')).map(([, bytes]) => bytes);
  const opened = envelopes.map((bytes) => verifyEnvelope(bytes, PAYLOAD_TYPE, publicKey));
  expect(opened.filter((envelope) => envelope.ok && !envelope.hasLowS)).toHaveLength(5);
});

test('the key of the frozen archive is the one that its test signs with', () => {
  expect(fixtureSigner().publicKey.equals(publicKey)).toBe(true);
});
