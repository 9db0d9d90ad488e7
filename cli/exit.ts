/** What the command line's exit codes mean. Scripts rely on them; `--help` says them. */
export const exitCodes = {
  good: 0,
  /** Findings, or checks that failed. */
  findings: 1,
  usage: 2,
  /** It could not be done: nothing is known about the archive. */
  failed: 3,
} as const;
