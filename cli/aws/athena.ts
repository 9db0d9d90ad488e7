/**
 * Runs SQL in Athena, in the archive's own workgroup, which limits the bytes that a query may read and stores its
 * results. A query that failed or was cancelled becomes an error with Athena's reason, and never a result without rows.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  AthenaClient,
  type ColumnInfo,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  type QueryExecution,
  type Row,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { kindOf, type QueryResult, type SqlEngine } from '../sql-engine';

const POLL_MS = { first: 250, longest: 2000 };

/**
 * The database has the name of the workgroup, with underscores instead of hyphens. Throws an error if no AWS account is configured
 * on this machine.
 */
export async function openAthena(workgroup: string): Promise<SqlEngine> {
  const client = new AthenaClient({});
  await client.config.region().catch(withoutSettings('region', 'set AWS_REGION'));
  await client.config
    .credentials()
    .catch(withoutSettings('credentials', 'set them with "aws configure" or "aws sso login"'));

  async function start(statement: string): Promise<string> {
    const { QueryExecutionId = '' } = await client.send(
      new StartQueryExecutionCommand({
        QueryString: statement,
        WorkGroup: workgroup,
        QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: workgroup.replaceAll('-', '_') },
      }),
    );
    return QueryExecutionId;
  }

  async function finish(id: string): Promise<QueryExecution> {
    for (let wait = POLL_MS.first; ; wait = Math.min(wait * 2, POLL_MS.longest)) {
      const { QueryExecution = {} } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
      const { State, StateChangeReason = 'no reason given' } = QueryExecution.Status ?? {};
      if (State === 'SUCCEEDED') return QueryExecution;
      if (State === 'FAILED' || State === 'CANCELLED') throw new Error(`${State}: ${StateChangeReason}`);
      await sleep(wait);
    }
  }

  async function read(id: string, scannedBytes: number): Promise<QueryResult> {
    const rows: Row[] = [];
    let columns: readonly ColumnInfo[] = [];
    for await (const { ResultSet } of paginateGetQueryResults({ client, pageSize: 1000 }, { QueryExecutionId: id })) {
      columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? columns;
      rows.push(...(ResultSet?.Rows ?? []));
    }
    // The first row contains the names of the columns.
    const values = rows.slice(1).map(({ Data = [] }) => columns.map((_, index) => Data[index]?.VarCharValue ?? null));
    return {
      columns: columns.map(({ Name = '', Type = '' }) => ({ name: Name, kind: kindOf(Type) })),
      rows: values,
      scannedBytes,
    };
  }

  return {
    async ask(statement) {
      try {
        const id = await start(statement);
        const { Statistics } = await finish(id);
        return await read(id, Statistics?.DataScannedInBytes ?? 0);
      } catch (error) {
        throw new Error(`Athena could not run the query in workgroup ${workgroup}: ${error}`, { cause: error });
      }
    },
    close: () => client.destroy(),
  };
}

function withoutSettings(what: string, remedy: string) {
  return (cause: unknown): never => {
    throw new Error(
      `without the path of a copy, the query runs in Athena, and this machine has no AWS ${what}: give the path of a copy, or ${remedy}`,
      { cause },
    );
  };
}
