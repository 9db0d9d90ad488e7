/**
 * The chain as a run knows it: its head, and as many older manifests as the run needed to read. A manifest counts only if it is
 * signed by this archive's key and if the next one names the hash of its payload.
 *
 * The chain is the list of what the archive holds. What LIST shows is not: a planted object would silence the real events that
 * it imitates, and a hidden one would be archived a second time.
 */
import { IntegrityError, UpstreamError } from '../shared/errors';
import type { Manifest } from '../shared/manifest';
import { manifestKey } from '../shared/object-keys';
import { openManifest } from '../shared/open-manifest';
import { inParallel } from './parallel';
import type { Run } from './run';

const READERS = 8;
/** Time that must be left for committing what the run has gathered so far. */
export const RESERVE_MS = 3000;
/**
 * So many manifests a run reads first when it reads back, and each further time twice as many, up to the maximum. An hourly run
 * needs seven: those of the lookback, and the one before.
 */
const FIRST_READ_BACK = 7;
const MAX_READ_BACK = 64;

/** A manifest of this team whose signature is good. */
export interface SignedManifest {
  readonly manifest: Manifest;
  /** SHA-256 of the payload's bytes. */
  readonly hash: string;
}

export interface Chain {
  /** The newest manifest, which the next one follows; undefined before the first commit. */
  head(): SignedManifest | undefined;
  /** The manifests after the newest one for which `isFarEnough` holds, newest first. Throws `IntegrityError` where one is wrong. */
  readBackTo(isFarEnough: (manifest: Manifest) => boolean): Promise<readonly Manifest[]>;
  /** The signed manifest of a number, read if need be; undefined where there is none. */
  find(seq: number): Promise<Manifest | undefined>;
  /** The manifests from the head on that were read back so far, newest first. */
  known(): readonly Manifest[];
  /** Adds the manifest that this run has committed. */
  append(signed: SignedManifest): void;
}

export type ManifestReader = Pick<Run, 'team' | 'store' | 'signer'>;

export function createChain(run: ManifestReader & Pick<Run, 'clock'>, newest: SignedManifest | undefined): Chain {
  /** Newest first. */
  const known = newest === undefined ? [] : [newest];
  /** Every manifest that was read. Some are newer than the head, or older than what was read back. */
  const reads = new Map<number, Promise<SignedManifest | undefined>>();
  let readBackCount = FIRST_READ_BACK;

  async function readBackTo(isFarEnough: (manifest: Manifest) => boolean): Promise<readonly Manifest[]> {
    for (let read = 0; ; read += 1) {
      if (read === known.length && !(await readOlder())) break;
      const manifest = known[read]?.manifest;
      if (manifest === undefined || isFarEnough(manifest)) return known.slice(0, read).map((signed) => signed.manifest);
    }
    return known.map((signed) => signed.manifest);
  }

  /** Returns false where there is no older manifest. Manifests never expire. */
  async function readOlder(): Promise<boolean> {
    if (run.clock.remainingMs() <= RESERVE_MS) throw outOfTime();
    const { seq = 1 } = known.at(-1)?.manifest ?? {};
    const seqs = Array.from({ length: Math.min(readBackCount, seq - 1) }, (_, n) => seq - 1 - n);
    readBackCount = Math.min(2 * readBackCount, MAX_READ_BACK);
    const found = new Map<number, SignedManifest | undefined>();
    await inParallel(READERS, seqs, async (older) => void found.set(older, await readOnce(older)));
    for (const older of seqs) {
      const signed = found.get(older);
      if (signed === undefined) throw broken(run.team, older, 'is missing');
      if (signed.hash !== known.at(-1)?.manifest.previous) {
        throw broken(run.team, older, 'is not the one that the next manifest names');
      }
      known.push(signed);
    }
    return seqs.length > 0;
  }

  async function find(seq: number): Promise<Manifest | undefined> {
    if (seq < 1) return undefined;
    const signed = known.find(({ manifest }) => manifest.seq === seq) ?? (await readOnce(seq));
    return signed?.manifest;
  }

  function readOnce(seq: number): Promise<SignedManifest | undefined> {
    const reading = reads.get(seq) ?? readManifest(run, seq);
    reads.set(seq, reading);
    return reading;
  }

  return {
    head: () => known[0],
    readBackTo,
    find,
    known: () => known.map(({ manifest }) => manifest),
    append: (signed) => void known.unshift(signed),
  };
}

/** Undefined where there is no such object. Throws `IntegrityError` where the object is not this team's signed manifest. */
export async function readManifest(
  { team, store, signer }: ManifestReader,
  seq: number,
): Promise<SignedManifest | undefined> {
  const key = manifestKey(team, seq);
  const bytes = await store.get(key);
  if (bytes === undefined) return undefined;
  const { manifest, sha256, problem, detail } = openManifest(bytes, signer.publicKey);
  if (manifest === undefined || problem !== undefined) {
    const why = detail === '' ? problem : `${problem}, ${detail}`;
    throw new IntegrityError('chain-broken', `${key} is not a manifest signed by this archive's key: ${why}`);
  }
  if (manifest.team !== team || manifest.seq !== seq) {
    throw new IntegrityError('chain-broken', `${key} holds a manifest of another team or another number`);
  }
  return { manifest, hash: sha256 };
}

export function outOfTime(): UpstreamError {
  return new UpstreamError(
    'out-of-time',
    'the run had too little time to read what the archive holds already; raise its timeout',
  );
}

function broken(team: string, seq: number, what: string): IntegrityError {
  return new IntegrityError(
    'chain-broken',
    `${manifestKey(team, seq)} ${what}. This run writes nothing more. Look for delete markers and newer versions of this key`,
  );
}
