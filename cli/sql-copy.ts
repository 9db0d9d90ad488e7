/**
 * Reads a copy of the bucket for SQL: exactly the segments that its manifests list, each with the content that they list.
 * Any other file in the copy is ignored, and nothing is taken from the path of the copy, because team and date are in
 * the keys. A copy that contradicts its manifests is never queried, so that no altered line is shown as true.
 */

import type { KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { isDate } from '../infra/queries/dates';
import { tryParse } from '../lambdas/shared/json';
import {
  decodeManifest,
  type Manifest,
  ManifestError,
  mayHaveExpired,
  type SegmentEntry,
  sha256,
} from '../lambdas/shared/manifest';
import { manifestKey, readSegmentKey, segmentKey, seqOfManifestKey, TEAM_PATTERN } from '../lambdas/shared/object-keys';
import { openManifest } from '../lambdas/shared/open-manifest';
import { decompress, GzipError } from '../lambdas/shared/segment';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import { inOrder } from './in-order';

/** The copy contradicts its manifests. */
export class AlteredCopyError extends Error {
  override readonly name = 'AlteredCopyError';
  constructor(
    readonly key: string,
    problem: string,
  ) {
    super(
      `${key} ${problem}: this copy was changed, so nothing is answered from it. ` +
        'Run "audit-archive verify" to see all that is wrong, and copy the bucket again.',
    );
  }
}

export interface CopyOptions {
  /** With a key, the signature of every manifest is checked. */
  readonly publicKey?: KeyObject | undefined;
  /** UTC dates, both inclusive. Segments of other dates are not read. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Decides whether a missing segment may have expired. */
  readonly now: Date;
  /** Reads only so many of the newest manifests of each team. That the others are there is still checked. */
  readonly newest?: number | undefined;
  /** Is told each object that contradicts the manifests, which is then left out. Without it, the first one is an error. */
  readonly onAltered?: (key: string) => void;
}

export interface StoredManifest {
  readonly key: string;
  readonly team: string;
  readonly envelope: string;
  readonly manifest: Manifest;
}

const NEWLINE = 0x0a;

/** The team that a key names; empty where it names none. */
export function teamOf(key: string): string {
  return /^[^/]+\/team=([^/]+)\//.exec(key)?.[1] ?? '';
}

/** Objects that the copy should hold: one of them, and how many there are. */
export interface Absence {
  readonly key: string;
  readonly objects: number;
}

/** Returns the copy's manifests, and those that are absent although a later one exists. */
export async function readManifests(
  reader: ArchiveReader,
  options: CopyOptions,
): Promise<{ manifests: readonly StoredManifest[]; absent: readonly Absence[] }> {
  const keys = await attempt('manifests/', reader.list('manifests/'));
  const teams = new Map<string, number[]>();
  for (const key of keys) {
    const team = teamOf(key);
    const seq = TEAM_PATTERN.test(team) ? seqOfManifestKey(team, key) : undefined;
    if (seq === undefined) continue;
    const seqs = teams.get(team) ?? [];
    seqs.push(seq);
    teams.set(team, seqs);
  }
  const manifests: StoredManifest[] = [];
  const absent: Absence[] = [];
  for (const [team, seqs] of teams) {
    // The keys are listed in the order of their numbers. Absent ones are only counted, because a file may have any number.
    const hole = seqs.findIndex((seq, index) => seq !== index + 1);
    if (hole !== -1) absent.push({ key: manifestKey(team, hole + 1), objects: (seqs.at(-1) ?? 0) - seqs.length });
    const opened = inOrder(seqs.slice(-(options.newest ?? seqs.length)), async (seq) => {
      const key = manifestKey(team, seq);
      const bytes = await attempt(key, reader.get(key));
      if (bytes === undefined) absent.push({ key, objects: 1 });
      const manifest = bytes && unlessAltered(options, () => openAt({ key, team, seq }, bytes, options.publicKey));
      return manifest && { key, team, envelope: String(bytes), manifest };
    });
    for await (const each of opened) if (each !== undefined) manifests.push(each);
  }
  return { manifests, absent };
}

/** Yields each listed segment of the asked days with its uncompressed lines, or the key of one that is absent although it has not expired. */
export async function* readSegments(reader: ArchiveReader, manifests: readonly StoredManifest[], options: CopyOptions) {
  const { from = '', to = '9999-12-31' } = options;
  const listed = manifests.flatMap((each) => unlessAltered(options, () => segmentsOf(each, options.now)) ?? []);
  const asked = listed.filter(({ date }) => date >= from && date <= to);
  const read = inOrder(asked, async (segment) => {
    const { entry, mayHaveExpired } = segment;
    const bytes = await attempt(entry.key, reader.get(entry.key));
    if (bytes === undefined) return mayHaveExpired ? undefined : entry.key;
    const content = unlessAltered(options, () => contentOf(entry, bytes));
    return content && { ...segment, content };
  });
  for await (const each of read) if (each !== undefined) yield each;
}

function contentOf({ key, bytes, objectSha256 }: SegmentEntry, stored: Buffer): Buffer {
  if (sha256(stored) !== objectSha256) throw new AlteredCopyError(key, 'has other content than its manifest lists');
  try {
    const content = decompress(stored, bytes);
    if (content.at(-1) === NEWLINE) return content;
  } catch (error) {
    if (!(error instanceof GzipError)) throw error;
  }
  throw new AlteredCopyError(key, 'is not the gzip of lines of the listed size');
}

function unlessAltered<T>({ onAltered }: CopyOptions, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (onAltered === undefined || !(error instanceof AlteredCopyError)) throw error;
    onAltered(error.key);
    return undefined;
  }
}

/** The manifest must lie at its own key, because a signature does not say where it was found. */
function openAt(
  at: { readonly key: string; readonly team: string; readonly seq: number },
  bytes: Buffer,
  publicKey: KeyObject | undefined,
): Manifest {
  const manifest = publicKey === undefined ? openUnchecked(bytes) : openSigned(bytes, publicKey);
  if (manifest === undefined)
    throw new AlteredCopyError(at.key, publicKey ? 'was not signed with the given key' : 'is not a manifest');
  if (manifest.team !== at.team || manifest.seq !== at.seq)
    throw new AlteredCopyError(at.key, `contains manifest ${manifest.seq} of team ${JSON.stringify(manifest.team)}`);
  return manifest;
}

function openSigned(bytes: Buffer, publicKey: KeyObject): Manifest | undefined {
  const { manifest, problem } = openManifest(bytes, publicKey);
  return problem === undefined ? manifest : undefined;
}

/** The payload of an envelope whose signature nobody has checked. */
export function payloadOf(envelope: Buffer | string): Buffer {
  return Buffer.from(String(Object(tryParse(String(envelope))).payload), 'base64');
}

function openUnchecked(bytes: Buffer): Manifest | undefined {
  try {
    return decodeManifest(payloadOf(bytes));
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

function segmentsOf({ key, team, manifest }: StoredManifest, now: Date) {
  const expired = mayHaveExpired(manifest, now);
  return manifest.segments.map((entry) => {
    const place = readSegmentKey(entry.key);
    if (place && isDate(place.date) && entry.key === segmentKey(place.area, team, place.date, manifest.seq))
      return { area: place.area, team, date: place.date, entry, mayHaveExpired: expired };
    throw new AlteredCopyError(key, `lists ${JSON.stringify(entry.key)}, which is not a key of its segments`);
  });
}

async function attempt<T>(key: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `${key} cannot be read (${reason}): the copy is there in part only. ` +
        `Give yourself the right to read ${dirname(key)}/, or copy the bucket again.`,
      { cause },
    );
  }
}
