/**
 * What the archiver and the verifier need from the world, as small objects. The adapters implement them with AWS and
 * the network; the fault world implements them in memory. Nothing behind a port may retry in a way that hides whether
 * a write was applied.
 */
import type { KeyObject } from 'node:crypto';

/** The bucket. Keys are whole keys. Failures are thrown as `Failure`; a missing object is an answer, not a failure. */
export interface ObjectStore {
  /** All keys with the prefix, in order, after `startAfter` (exclusive) where given. */
  list(prefix: string, startAfter?: string): Promise<readonly string[]>;
  /** The object's bytes, or those of a half-open byte range; undefined where there is no such object. */
  get(key: string, range?: ByteRange): Promise<Buffer | undefined>;
  /**
   * Creates the object if there is none (`If-None-Match: *`). `exists` can also mean that an earlier attempt of this
   * very call was applied and its response lost: the caller compares before calling it a conflict.
   */
  create(key: string, body: Buffer, contentType: string): Promise<'created' | 'exists'>;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What DynamoDB says about a team. Only a hint: any value must be survived. */
export interface Hint {
  /** Raw attribute: whatever was found there. Undefined where there is none. */
  readonly seq: unknown;
}

/** The checkpoint table. One item per team: `seq`, `position`, and the lease. */
export interface CheckpointStore {
  /** Takes the lease if it is free, ended, or already this run's. One conditional update that returns the item. */
  acquire(lease: Lease): Promise<Hint | 'held'>;
  /** Moves the checkpoint if the lease is still this run's and nobody else moved it; frees the lease if asked. */
  save(lease: Lease, checkpoint: Checkpoint): Promise<'saved' | 'refused'>;
  /** Frees the lease if it is still this run's. */
  release(lease: Lease): Promise<void>;
}

export interface Lease {
  readonly team: string;
  readonly runId: string;
  readonly now: Date;
  readonly until: Date;
}

export interface Checkpoint {
  /** The `seq` last seen or written by this run, undefined where there was none. */
  readonly previousSeq: number | undefined;
  readonly seq: number;
  readonly position: Date;
  readonly release: boolean;
}

/** One HTTP GET to the source, without retries, redirects or interpretation. */
export interface Transport {
  /** Throws `TransportError` where no whole response came: refused, reset, timed out, cut short, too large. */
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

/** Why no whole response came. The message holds nothing that the server sent. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  constructor(
    readonly kind: 'network' | 'timeout' | 'too-large',
    message: string,
  ) {
    super(message);
  }
}

/** The team's API key. `fresh` reads the parameter again instead of what a warm process remembers. */
export interface ApiKeys {
  read(parameter: string, fresh: boolean): Promise<string>;
}

/** Signs with ECDSA P-256 / SHA-256; the signature is DER. */
export interface Signer {
  readonly publicKey: KeyObject;
  sign(message: Buffer): Promise<Buffer>;
}

export interface Clock {
  now(): Date;
  /** Milliseconds until the process is stopped. */
  remainingMs(): number;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Structured log lines. Fields never hold an API key or an event's body. */
export interface Logger {
  debug(message: string, fields: LogFields): void;
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | object>>;
