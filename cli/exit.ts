/** The exit codes of the command line. Scripts rely on them, and `--help` lists them. */
export const exitCodes = {
  good: 0,
  /** The verifier has findings, or a check failed. */
  findings: 1,
  usage: 2,
  /** The command could not be carried out, so nothing was learned about the archive. */
  failed: 3,
} as const;
