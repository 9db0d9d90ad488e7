/**
 * Cases that need more than a copy of the archive: a saved head, an anchor, the locks of the bucket itself, or a part of the
 * archive to verify.
 */
import type { Anchor } from '../../lambdas/shared/anchor';
import type { Manifest } from '../../lambdas/shared/manifest';
import type { ObjectLock } from '../../lambdas/shared/ports';
import { addMs, DAY_MS } from '../../lambdas/shared/time';
import type { Scope } from '../../lambdas/verifier/scope';
import type { SavedHead } from '../../lambdas/verifier/tally';
import { buildArchive, type Objects, sampleBatches, walkStartOf } from '../support/archive-builder';
import { anchorOf, keyOf, partOf, payloadHash, payloadOf, perform } from '../support/tampering';
import type { TamperCase } from './cases';

const OTHER_HASH = 'f'.repeat(64);

/** What is done to an archive of five manifests and of a second team, and the heads that were saved before. */
const REMEMBERED: readonly (readonly [name: string, findings: string, tamper: Remembering])[] = [
  ...[1, 2, 3, 4].flatMap((left) => [
    [
      `cut-after ${left}, which nothing shows`,
      '',
      (objects: Objects) => saved('M1', `cut-after ${left}`)(objects).slice(1),
    ] as const,
    [`cut-after ${left}, which a saved head shows`, 'chain-truncated M5', saved('M5', `cut-after ${left}`)] as const,
  ]),
  ['cut-after 4, which an anchor shows', 'chain-truncated M5', anchored('M5', {}, 'cut-after 4')],
  ['remove-team other, which a saved head shows', 'chain-truncated other:M1', saved('other:M1', 'remove-team other')],
  ['cut-after 0, which a saved head shows', 'archive-empty manifests/, chain-truncated M5', saved('M5', 'cut-after 0')],
  // A chain that has grown is good.
  ['an untouched archive with a saved head', '', saved('M2')],
  ['an untouched archive with an anchor', '', anchored('M2')],
  [
    'another manifest than that of a saved head',
    'head-differs M2',
    () => [{ team: 'main', seq: 2, sha256: OTHER_HASH }],
  ],
  ['another manifest than that of an anchor', 'head-differs M2', anchored('M2', { sha256: OTHER_HASH })],
  [
    'another manifest than that of an older anchor',
    'head-differs M2',
    (objects) => {
      anchored('M5')(objects);
      return anchored('M2', { sha256: OTHER_HASH })(objects);
    },
  ],
  ['an anchor of another key', 'signature-other-key A2', anchored('M2', { keyid: OTHER_HASH })],
  ['an anchor with a changed byte', 'anchor-unreadable A2', bentAnchor((text) => text.replace('2026', '2025'))],
  ['an anchor that is cut', 'anchor-unreadable A2', bentAnchor((text) => text.slice(0, 40))],
  ['an anchor of more than a megabyte', 'anchor-unreadable A2', bentAnchor((text) => text + ' '.repeat(1024 * 1024))],
  ['an anchor whose hash has another form', 'anchor-unreadable A2', anchored('M2', { sha256: 'x' })],
  ['an anchor of another team', 'anchor-unreadable A2', anchored('M2', { team: 'other' })],
];

/** The parts are written in the words of `tampering.ts`. */
const PARTS: readonly (readonly [deeds: string, part: string, findings: string])[] = [
  ['remove E1a', '1-1', 'segment-missing E1a'],
  ['remove E1a', '2-4', ''],
  ['remove E1a', '2026-03-09', 'segment-missing E1a'],
  ['remove E1a', '2026-03-10', ''],
  ['remove B2', '2-2', 'batch-missing B2'],
  ['remove B2', '2026-03-10', ''],
  ['remove M2', '2-3', 'manifest-missing M2, object-unlisted E2b Q2a Q2b'],
  ['remove M3', '2-3', 'manifest-missing M3'],
  ['remove M2', '2026-03-10', 'manifest-missing M2, object-unlisted E2b Q2b'],
  // The manifest that the caller trusts is gone, or is another one.
  ['remove M3', '4-4', 'manifest-missing M3'],
  ['copy M1 M3', '4-4', 'head-differs M3, chain-broken M4'],
  ['remove M3 M4 E4b', '1-2', 'chain-truncated B4'],
  ['swap E2b E4b', '2-2', 'segment-differs E2b'],
  ['copy E1a E3a', '3-3', 'object-unlisted E3a'],
  ['copy E1a E3a', '1-2', ''],
  // No manifest can list an object above the head, so every part reports it.
  ['copy E1a E5a', '1-1', 'object-unlisted E5a'],
  ['copy E1a E5a', '2026-03-10', 'object-unlisted E5a'],
  ['remove B2', 'keys 1-3', 'batch-missing B2'],
  ['remove E1a', 'keys 1-3', 'segment-missing E1a'],
  ['remove E4b', 'keys 3-4', 'segment-unpublished E4b'],
  ['swap E2b E4b', 'keys 1-4', ''],
];

/** The mode and the end of each lock, in days from the end of run 1. Its manifest promises 400 days in mode COMPLIANCE. */
const LOCKS: readonly (readonly [mode: ObjectLock['mode'], days: number, findings: string])[] = [
  ['COMPLIANCE', 401, ''],
  // The clocks of S3 and of the run differ.
  ['COMPLIANCE', 399.5, ''],
  ['COMPLIANCE', 398, 'lock-weaker B1 E1a E1b M1'],
  ['GOVERNANCE', 500, 'lock-weaker B1 E1a E1b M1'],
];

export const givenCases: readonly TamperCase[] = [
  ...REMEMBERED.map(([name, findings, tamper]) => ({
    name,
    findings,
    async tamper() {
      const other = await buildArchive({ team: 'other', batches: [{}] });
      const objects = new Map([...other, ...(await buildArchive({ batches: [...sampleBatches, {}] }))]);
      const heads = tamper(objects);
      return { objects, ...(heads.length > 0 && { heads }) };
    },
  })),
  ...PARTS.map(([deeds, part, findings]) => ({
    name: `${deeds}, in the part ${part}`,
    findings,
    async tamper() {
      const objects = await buildArchive({ batches: sampleBatches });
      const scope = partOf(objects, part);
      perform(objects, deeds);
      return { objects, scope };
    },
  })),
  {
    name: 'a range after another manifest than the one that the caller trusts',
    findings: 'head-differs M2',
    async tamper() {
      const scope: Scope = {
        kind: 'range',
        team: 'main',
        after: { seq: 2, sha256: OTHER_HASH },
        through: 4,
        depth: 'bytes',
      };
      return { objects: await buildArchive({ batches: sampleBatches }), scope };
    },
  },
  ...LOCKS.map(([mode, days, findings]) =>
    locked(`locks in mode ${mode} for ${days} days`, findings, () => ({ mode, days })),
  ),
  ...['M1', 'B1', 'E1a'].map((name) =>
    locked(`no lock of ${name}`, `lock-missing ${name}`, (key) =>
      key === keyOf(name) ? undefined : { mode: 'COMPLIANCE', days: 400 },
    ),
  ),
];

/** Tampers with the archive, and returns the saved heads. */
type Remembering = (objects: Objects) => readonly SavedHead[];

function saved(name: string, deed?: string): Remembering {
  return (objects) => {
    const { team, seq }: Manifest = JSON.parse(String(payloadOf(objects, name)));
    const head = { team, seq, sha256: payloadHash(objects, name) };
    if (deed !== undefined) perform(objects, deed);
    return [head];
  };
}

function anchored(name: string, facts: Partial<Anchor> = {}, deed?: string): Remembering {
  return (objects) => {
    const { key, body } = anchorOf(objects, name, facts);
    if (deed !== undefined) perform(objects, deed);
    objects.set(key.replace('other', 'main'), body);
    return [];
  };
}

/** An anchor of manifest 2 whose bytes do not match its key. */
function bentAnchor(bend: (text: string) => string): Remembering {
  return (objects) => {
    const { key, body } = anchorOf(objects, 'M2');
    objects.set(key, Buffer.from(bend(String(body))));
    return [];
  };
}

/** The first manifest of the sample, whose promise is 400 days in mode COMPLIANCE, with these locks. */
function locked(
  name: string,
  findings: string,
  lock: (key: string) => { readonly mode: ObjectLock['mode']; readonly days: number } | undefined,
): TamperCase {
  const amend = (drawn: Manifest): Manifest => ({
    ...drawn,
    retention: { mode: 'COMPLIANCE', days: 400, expireAfterDays: null },
  });
  return {
    name,
    findings,
    async tamper() {
      const objects = await buildArchive({ batches: sampleBatches.slice(0, 1).map((batch) => ({ ...batch, amend })) });
      const lockOf = (key: string): ObjectLock | undefined => {
        const given = lock(key);
        return given && { mode: given.mode, until: addMs(walkStartOf(1), given.days * DAY_MS) };
      };
      return { objects, lockOf };
    },
  };
}
