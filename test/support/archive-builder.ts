/**
 * Small archives, built from plain lines with the shared core alone: what the verifier is shown does not come from the
 * archiver's code. Every step can be bent, so that a test can sign what the archiver never would.
 */

import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { signEnvelope } from '../../lambdas/shared/dsse';
import {
  compareEvents,
  instantInRange,
  isDated,
  QUARANTINE_REASONS,
  type QuarantineReason,
  quarantineReason,
  readEvent,
} from '../../lambdas/shared/event';
import {
  encodeManifest,
  latestOf,
  type Manifest,
  PAYLOAD_TYPE,
  type SegmentEntry,
  sha256,
} from '../../lambdas/shared/manifest';
import { type Area, batchKey, manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import type { ObjectStore, Signer } from '../../lambdas/shared/ports';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { addMs, dateOf, HOUR_MS } from '../../lambdas/shared/time';
import { aManifest } from './manifest';

export type Objects = Map<string, Buffer>;

export interface BatchSpec {
  readonly events?: readonly string[];
  readonly quarantine?: readonly string[];
  /** Bends the segments before they are compressed and hashed. */
  readonly arrange?: (segments: readonly SegmentDraft[]) => readonly SegmentDraft[];
  /** Bends the manifest before it is signed; the chain goes on from what it returns. */
  readonly amend?: (manifest: Manifest) => Manifest;
}

export interface SegmentDraft {
  readonly key: string;
  readonly lines: readonly string[];
  /** Instead of the lines, where bytes are wanted that no lines have. */
  readonly raw?: Buffer;
}

/** The run of every batch, as its batch object names it. */
export const ATTEMPT = '00000000-0000-4000-8000-000000000000';

export interface ArchiveSpec {
  readonly team?: string;
  readonly signer?: Signer;
  readonly batches: Iterable<BatchSpec>;
}

/** The walk start of the batch with that `seq`: one batch an hour. */
export function walkStartOf(seq: number): Date {
  return new Date(Date.UTC(2026, 2, 10, seq));
}

/** A line such as the source sends. */
export function eventLine(id: number | string, timestamp: string, more: object = {}): string {
  return JSON.stringify({ id, action: 'user.sign_in', timestamp, ...more });
}

export async function buildArchive(spec: ArchiveSpec): Promise<Objects> {
  const objects: Objects = new Map();
  for await (const [key, bytes] of archiveObjects(spec)) objects.set(key, bytes);
  return objects;
}

/** Yields the objects of one batch after the other, so that an archive of any size can be written. */
export async function* archiveObjects({ team = 'main', signer = testSigner, batches }: ArchiveSpec) {
  let seq = 0;
  let previous: string | null = null;
  let latest: string | null = null;
  for (const spec of batches) {
    seq += 1;
    const drafts = draftSegments(team, seq, spec);
    const packed = pack(spec.arrange?.(drafts) ?? drafts, walkStartOf(seq));
    const bytes = Buffer.concat(packed.map(({ member }) => member));
    const batch = bytes.length > 0 ? { key: batchKey(team, seq, ATTEMPT), bytes: bytes.length } : null;
    if (batch !== null) yield [batch.key, bytes] as const;
    for (const { entry, member } of packed) yield [entry.key, member] as const;
    const drawn = { ...drawManifest(seq, packed), team, previous, batch };
    const segments = packed.map(({ entry }) => entry);
    const honest: Manifest = { ...drawn, segments, latest: latestOf(latest, segments) };
    const manifest: Manifest = spec.amend?.(honest) ?? honest;
    const payload = encodeManifest(manifest);
    yield [manifestKey(team, seq), await signEnvelope(PAYLOAD_TYPE, payload, signer)] as const;
    previous = sha256(payload);
    latest = manifest.latest;
  }
}

/** Two dates, a quarantine with three reasons, an empty run: what most tests start from. */
export const sampleBatches: readonly BatchSpec[] = [
  {
    events: [
      eventLine(1, '2026-03-09T23:58:00.000Z'),
      eventLine(2, '2026-03-09T23:59:59.000Z'),
      eventLine(4, '2026-03-10T00:00:00.000Z'),
      eventLine(3, '2026-03-10T00:10:00.000Z'),
    ],
  },
  {
    events: [eventLine(5, '2026-03-10T01:20:00.000Z'), eventLine(6, '2026-03-10T01:20:00.000Z')],
    quarantine: [
      eventLine(1, '2026-03-09T23:58:00.000Z', { edited: true }),
      '{"id":null,"timestamp":"2026-03-10T01:00:00.000Z"}',
      eventLine(7, 'yesterday'),
    ],
  },
  {},
  { events: [eventLine(8, '2026-03-10T03:30:00.000Z')] },
];

/** The sample of the team `main`, and a shorter chain of the team `other`, whose events have the same ids. */
export async function twoTeams(): Promise<Objects> {
  const events = [eventLine(1, '2026-03-09T20:00:00.000Z'), eventLine(2, '2026-03-10T00:20:00.000Z')];
  const other = [{ events }, {}, { events: [eventLine(3, '2026-03-10T02:30:00.000Z')] }];
  return new Map([
    ...(await buildArchive({ batches: sampleBatches })),
    ...(await buildArchive({ team: 'other', batches: other })),
  ]);
}

export function createSigner(): Signer & { readonly publicPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    publicKey,
    publicPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
    sign: async (message) => sign('sha256', message, { key: privateKey, dsaEncoding: 'der' }),
  };
}

/** One key pair for a whole test file. */
export const testSigner = createSigner();
export const testKey: KeyObject = testSigner.publicKey;

export function readerOf(objects: ReadonlyMap<string, Buffer>): Pick<ObjectStore, 'list' | 'get'> {
  return {
    list: async (prefix, after = '') =>
      [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort(),
    get: async (key, range) => objects.get(key)?.subarray(range?.start, range?.end),
  };
}

export function writeObjects(objects: ReadonlyMap<string, Buffer>, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [key, bytes] of objects) writeObject(folder, key, bytes);
}

export function writeObject(folder: string, key: string, bytes: Buffer): void {
  mkdirSync(dirname(join(folder, key)), { recursive: true });
  writeFileSync(join(folder, key), bytes);
}

function draftSegments(team: string, seq: number, { events = [], quarantine = [] }: BatchSpec): SegmentDraft[] {
  const drafts = new Map<string, string[]>();
  function draft(area: Area, date: string, line: string): void {
    const key = segmentKey(area, team, date, seq);
    const lines = drafts.get(key) ?? [];
    drafts.set(key, lines);
    lines.push(line);
  }
  const dated = events.map((line) => readEvent(Buffer.from(line))).filter(isDated);
  for (const { instant, line } of dated.sort(compareEvents)) draft('events', dateOf(instant), String(line));
  const held = quarantine
    .map((line) => Buffer.from(line))
    .sort(Buffer.compare)
    .map(String);
  for (const line of held) draft('quarantine', instantOf(line, walkStartOf(seq)).slice(0, 10), line);
  return [...drafts].map(([key, lines]) => ({ key, lines }));
}

interface Packed {
  readonly entry: SegmentEntry;
  readonly lines: readonly string[];
  readonly member: Buffer;
}

function pack(drafts: readonly SegmentDraft[], walkStart: Date): Packed[] {
  let offset = 0;
  return drafts.map(({ key, lines, raw }) => {
    const content = raw ?? joinLines(lines.map((line) => Buffer.from(line)));
    const member = compress(content);
    const instants = lines.map((line) => instantOf(line, key.startsWith('events') ? undefined : walkStart)).sort();
    const entry: SegmentEntry = {
      key,
      offset,
      length: member.length,
      objectSha256: sha256(member),
      lines: lines.length,
      bytes: content.length,
      sha256: sha256(content),
      first: instants.at(0) ?? walkStart.toISOString(),
      last: instants.at(-1) ?? walkStart.toISOString(),
    };
    offset += member.length;
    return { entry, lines, member };
  });
}

/** A manifest that is true of these segments. The caller adds its place in the chain. */
function drawManifest(seq: number, packed: readonly Packed[]): Manifest {
  const walkStart = walkStartOf(seq);
  const [started, finished] = [walkStart.toISOString(), addMs(walkStart, 20_000).toISOString()];
  const linesOf = (area: Area) =>
    packed.filter(({ entry }) => entry.key.startsWith(area)).flatMap(({ lines }) => lines);
  const quarantined = countReasons(linesOf('quarantine'), walkStart);
  const { run, counts } = aManifest();
  return aManifest({
    seq,
    run: { ...run, id: randomUUID(), scheduledTime: started, walkStart: started, finished },
    start: addMs(walkStartOf(1), -7 * HOUR_MS).toISOString(),
    window: { from: addMs(walkStart, -7 * HOUR_MS).toISOString(), to: started },
    position: started,
    counts: { ...counts, events: linesOf('events').length, known: 0, revisions: quarantined.revision, quarantined },
    ...{ gaps: [], sweeps: [], sweepTurn: 0, sweptAt: null, sourceTeams: [] },
    retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
  });
}

function countReasons(lines: readonly string[], walkStart: Date): Record<QuarantineReason, number> {
  const reasons = lines.map((line) => quarantineReason(readEvent(Buffer.from(line)), walkStart) ?? 'revision');
  const counted = QUARANTINE_REASONS.map((reason) => [reason, reasons.filter((other) => other === reason).length]);
  return Object.fromEntries(counted);
}

/** A line without an instant counts as its walk start; in quarantine one without an instant in range does, too. */
function instantOf(line: string, walkStart?: Date): string {
  const otherwise = (walkStart ?? walkStartOf(1)).toISOString();
  try {
    const event = readEvent(Buffer.from(line));
    return (walkStart ? instantInRange(event, walkStart) : event.instant)?.toISOString() ?? otherwise;
  } catch {
    return otherwise;
  }
}
