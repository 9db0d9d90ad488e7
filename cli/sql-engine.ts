/**
 * An engine that runs SQL on the archive's views: Athena on the deployed archive, or DuckDB on a copy of the bucket.
 */

export interface SqlEngine {
  /** Throws an error if the engine rejects the statement or fails. A result without rows is not an error. */
  ask(statement: string): Promise<QueryResult>;
  close(): void;
  /** Remarks about the data that the engine reads; absent if there are none. */
  readonly remarks?: readonly string[];
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly kind: ReturnType<typeof kindOf> }[];
  /** All values are text as the engine writes them. Numbers are text too, so that none is rounded. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The number of bytes that the engine charges for; absent if the engine charges nothing. */
  readonly scannedBytes?: number;
}

/** `type` is the name of a type in either engine. */
export function kindOf(type: string): 'text' | 'number' | 'boolean' | 'instant' {
  if (/^boolean$/i.test(type)) return 'boolean';
  if (/^timestamp/i.test(type)) return 'instant';
  return /int(eger)?$|^(float|double|real|decimal)/i.test(type) ? 'number' : 'text';
}
