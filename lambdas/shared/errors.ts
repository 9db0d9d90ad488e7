/**
 * Failures: what stops a run, grouped by who must act. A failure is thrown, never swallowed; its `code` is also the
 * anchor of its section in `docs/runbook.md`. Messages say what to do, and never hold an API key or an event's body:
 * nothing that came from the source is ever put into one.
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

interface FailureOptions {
  readonly cause?: unknown;
}

/** Common shape: `code` is stable, `message` is for the person who is paged. */
export abstract class Failure extends Error {
  abstract readonly code: FailureCode;
}

/** Something the operator has set is wrong. */
export class ConfigError extends Failure {
  override readonly name = 'ConfigError';
  constructor(
    readonly code: ConfigCode,
    message: string,
    options?: FailureOptions,
  ) {
    super(message, options);
  }
}

/** Something outside the archive failed or broke its contract; the next run tries again from the same position. */
export class UpstreamError extends Failure {
  override readonly name = 'UpstreamError';
  constructor(
    readonly code: UpstreamCode,
    message: string,
    options?: FailureOptions,
  ) {
    super(message, options);
  }
}

/** What is stored contradicts the chain; nothing was written. */
export class IntegrityError extends Failure {
  override readonly name = 'IntegrityError';
  constructor(
    readonly code: IntegrityCode,
    message: string,
    options?: FailureOptions,
  ) {
    super(message, options);
  }
}

/**
 * A commit that another run won. Nobody must act: the run that meets it stops clean, and everything it had is in the
 * source still.
 */
export class Race extends Error {
  override readonly name = 'Race';
}
