/**
 * Failures: what stops a run, grouped by who must act. A failure is thrown and never swallowed; its `code` is also the
 * anchor of its section in `docs/runbook.md`. Messages say what to do, and never hold an API key or an event's body: nothing
 * that came from the source is ever put into one.
 */

/** The operator must act: configuration, permission or key. */
export type ConfigCode =
  | 'environment-invalid'
  | 'input-invalid'
  | 'api-key-unreadable'
  | 'api-key-malformed'
  | 'api-key-refused'
  | 'storage-refused'
  | 'signing-refused';

/** The source or an AWS service must recover, or has changed: wait, or ask its vendor. */
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

/** Security must look: what is stored is not what the chain says, or the source is not the team's. */
export type IntegrityCode =
  | 'checkpoint-ahead'
  | 'checkpoint-garbage'
  | 'head-invalid'
  | 'segment-differs'
  | 'batch-unreadable'
  | 'team-mismatch';

export type FailureCode = ConfigCode | UpstreamCode | IntegrityCode;

/** `code` is stable; the message is for the person who is paged. */
export abstract class Failure<Code extends FailureCode = FailureCode> extends Error {
  constructor(
    readonly code: Code,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Something that the operator has set is wrong. */
export class ConfigError extends Failure<ConfigCode> {
  override readonly name = 'ConfigError';
}

/** Something outside the archive failed or broke its contract. The next run tries again from the same position. */
export class UpstreamError extends Failure<UpstreamCode> {
  override readonly name = 'UpstreamError';
}

/** What is stored contradicts the chain. Nothing was written. */
export class IntegrityError extends Failure<IntegrityCode> {
  override readonly name = 'IntegrityError';
}

/**
 * Another run won a commit. Nobody must act: the run that meets it ends without an error, and everything it had fetched is
 * still in the source.
 */
export class Race extends Error {
  override readonly name = 'Race';
}
