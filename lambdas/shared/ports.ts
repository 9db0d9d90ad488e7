/**
 * The ports: small interfaces between the archiver or the verifier and everything outside the process. The adapters implement
 * them with AWS and the network. The tests implement them in memory. No implementation may retry in a way that hides whether
 * a write was applied.
 */
import type { KeyObject } from 'node:crypto';
import type { FailureCode } from './errors';
import type { Slice } from './json';

/** The bucket. Keys are complete keys. Errors are thrown as `Failure`; a missing object is a result, not an error. */
export interface ObjectStore {
  /** All keys with the prefix, in order. With `startAfter`, only the keys after it. */
  list(prefix: string, startAfter?: string): Promise<readonly string[]>;
  /** The object's bytes, or those of a byte range. Undefined where there is no such object. */
  get(key: string, range?: Slice): Promise<Buffer | undefined>;
  /**
   * Creates the object if there is none (`If-None-Match: *`). `exists` can also mean that an earlier attempt of the same call
   * was applied and its response was lost, so the caller must compare the contents before it reports a conflict.
   */
  create(key: string, body: Buffer, contentType: string): Promise<'created' | 'exists'>;
}

/** The lock of an object version. Its retention mode and the instant until which nobody may delete the version. */
export interface ObjectLock {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly until: Date;
}

/** Reads objects and remembers their locks. */
export interface LockReader extends Pick<ObjectStore, 'get'> {
  /** The lock of an object that `get` has read. */
  lockOf(key: string): ObjectLock | undefined;
}

/** Some folders of the bucket with their versions and locks. The listing is taken once. */
export interface VersionedFolders extends Pick<ObjectStore, 'list'>, LockReader {
  /** Keys with a delete marker on top of a version, and keys with several versions. */
  readonly versions: { readonly hidden: readonly string[]; readonly several: readonly string[] };
  /** When the newest version of a listed object was written. */
  writtenAt(key: string): Date;
}

/** The checkpoint that DynamoDB holds for a team. It is only a hint, so the archiver must cope with any value. */
export interface Hint {
  /** The raw attribute, of any type. Undefined where there is none. */
  readonly seq: unknown;
}

/**
 * The checkpoint table, with one item per team. The item holds `seq`, `position`, the lease, and how the last run ended, which
 * `audit-archive status` reads and no run does.
 */
export interface CheckpointStore {
  /** Takes the lease if it is free, has ended, or already belongs to this run. One conditional update returns the item. */
  acquire(lease: Lease): Promise<Hint | 'held'>;
  /**
   * Moves the checkpoint if the lease still belongs to this run and no other run has moved the checkpoint. Frees the lease if
   * `release` is true, and then also writes that the run has archived.
   */
  save(lease: Lease, checkpoint: Checkpoint): Promise<'saved' | 'refused'>;
  /** Frees the lease if it still belongs to this run, and writes how the run ended. */
  release(lease: Lease, outcome: RunOutcome): Promise<void>;
}

export type RunOutcome = 'archived' | 'not-configured' | 'race' | 'unexpected' | FailureCode;

export interface Lease {
  readonly team: string;
  readonly runId: string;
  readonly now: Date;
  readonly until: Date;
}

export interface Checkpoint {
  /** The `seq` that this run has read or written last; undefined where there was none. */
  readonly previousSeq: number | undefined;
  readonly seq: number;
  readonly position: Date;
  readonly release: boolean;
}

/** One HTTP GET to the source, without retries, redirects or interpretation. */
export interface Transport {
  /**
   * Throws `TransportError` where no complete response arrived: refused, reset, timed out, cut off or too large; and a
   * `Failure` where a retry is useless.
   */
  get(url: URL, headers: Readonly<Record<string, string>>, limits: TransportLimits): Promise<HttpResponse>;
}

export interface TransportLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** No complete response arrived. The message never quotes the server. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  constructor(
    readonly kind: 'network' | 'timeout' | 'too-large',
    message: string,
  ) {
    super(message);
  }
}

export interface ApiKeys {
  /**
   * The API key in an SSM parameter; undefined where there is no such parameter. With `fresh`, the parameter is read again and
   * not taken from memory.
   */
  read(parameter: string, fresh: boolean): Promise<string | undefined>;
}

/** Signs with ECDSA P-256 / SHA-256. The signature is in DER. */
export interface Signer {
  readonly publicKey: KeyObject;
  sign(message: Buffer): Promise<Buffer>;
}

export interface Clock {
  now(): Date;
  /** Milliseconds until Lambda stops the process. */
  remainingMs(): number;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Structured log lines. A field never holds an API key or an event's body. */
export type Logger = Readonly<Record<'debug' | 'info' | 'warn', (message: string, fields: LogFields) => void>>;

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | object>>;
