/**
 * Failures: the errors that stop a run, grouped by who must act. A failure is thrown and never swallowed. Its `code` is also
 * the anchor of its section in `docs/runbook.md`. A message says what to do. It never holds an API key, an event's body, or
 * any other text that the source sent.
 */

/** The operator must change the configuration, a permission or a key. */
export type ConfigCode =
  | 'environment-invalid'
  | 'input-invalid'
  | 'teams-unreadable'
  | 'team-unknown'
  | 'start-date-in-future'
  | 'api-key-unreadable'
  | 'api-key-malformed'
  | 'api-key-refused'
  | 'storage-refused'
  | 'signing-refused'
  | 'mail-refused';

/** The source or an AWS service is unavailable or has changed. Wait, or ask its vendor. */
export type UpstreamCode =
  | 'source-unavailable'
  | 'source-throttled'
  | 'source-quota-exhausted'
  | 'source-refused'
  | 'source-redirected'
  | 'source-contract-broken'
  | 'source-cursor-loop'
  | 'source-page-too-large'
  | 'storage-unavailable'
  | 'out-of-time';

/** The security team must investigate: the stored objects contradict the chain, or the source belongs to another team. */
export type IntegrityCode =
  | 'checkpoint-ahead'
  | 'checkpoint-garbage'
  | 'chain-broken'
  | 'object-unlisted'
  | 'segment-differs'
  | 'segment-missing'
  | 'batch-unreadable'
  | 'team-mismatch';

export type FailureCode = ConfigCode | UpstreamCode | IntegrityCode;

/**
 * The `code` is stable. The message is for the person who is paged. The code is the name of the error too, because Lambda tells
 * whoever invoked a function only the name and the message of the error that it threw.
 */
export abstract class Failure<Code extends FailureCode = FailureCode> extends Error {
  override readonly name: Code;

  constructor(
    readonly code: Code,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.name = code;
  }
}

export class ConfigError extends Failure<ConfigCode> {}

/** The next run tries again from the same position. */
export class UpstreamError extends Failure<UpstreamCode> {}

/** It is thrown before anything is written. */
export class IntegrityError extends Failure<IntegrityCode> {}

/** The outcome of a run that ended with this error. For a `Failure` it is the code, which has a section in `docs/runbook.md`. */
export function outcomeOf(error: unknown): FailureCode | 'race' | 'unexpected' {
  if (error instanceof Failure) return error.code;
  return error instanceof Race ? 'race' : 'unexpected';
}

/**
 * Another run won a commit. Nobody must act: this run ends without an error, and the source still has everything that this
 * run had fetched.
 */
export class Race extends Error {
  override readonly name = 'Race';
}
