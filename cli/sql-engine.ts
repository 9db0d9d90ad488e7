/** What the command line needs of an engine that runs SQL over the archive's views: Athena, or DuckDB on a copy. */

export interface SqlEngine {
  /** Throws where the engine refuses or fails. A result without rows is an answer. */
  ask(statement: string): Promise<QueryResult>;
  close(): void;
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly kind: 'text' | 'number' | 'boolean' }[];
  /** As the engine writes the values, numbers too, so that no number is rounded. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** How many bytes the engine had to read, where that is paid for. */
  readonly scannedBytes?: number;
}
