/** Athena's responses become rows of text, or an error that names the workgroup and the reason. */

import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { mockClient } from 'aws-sdk-client-mock';
import { openAthena } from '../../../cli/aws/athena';

const athena = mockClient(AthenaClient);
const WORKGROUP = 'postman-audit-archive';

beforeEach(() => {
  athena.reset();
  Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' });
});

async function ask() {
  return (await openAthena(WORKGROUP)).ask('SELECT 1');
}

function execution(State: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED', StateChangeReason?: string) {
  const Status = { State, ...(StateChangeReason !== undefined && { StateChangeReason }) };
  return { QueryExecution: { Status, Statistics: { DataScannedInBytes: 1234 } } };
}

const row = (...values: readonly (string | undefined)[]) => ({
  Data: values.map((value) => (value === undefined ? {} : { VarCharValue: value })),
});
const ResultSetMetadata = {
  ColumnInfo: [
    { Name: 'n', Type: 'bigint' },
    { Name: 'late', Type: 'boolean' },
    { Name: 'line', Type: 'varchar' },
    { Name: 'at', Type: 'timestamp(3)' },
  ],
};

test('a query runs in the workgroup and its database, and all pages of its result are read', async () => {
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
  athena.on(GetQueryExecutionCommand).resolvesOnce(execution('RUNNING')).resolves(execution('SUCCEEDED'));
  athena
    .on(GetQueryResultsCommand)
    .resolvesOnce({
      ResultSet: {
        ResultSetMetadata,
        Rows: [row('n', 'late', 'line', 'at'), row('1', 'true', '{"id":1}', '2026-03-09 00:00:00.000')],
      },
      NextToken: 'more',
    })
    .resolves({ ResultSet: { ResultSetMetadata, Rows: [row(undefined, 'false', '', undefined)] } });
  expect(await ask()).toEqual({
    columns: [
      { name: 'n', kind: 'number' },
      { name: 'late', kind: 'boolean' },
      { name: 'line', kind: 'text' },
      { name: 'at', kind: 'instant' },
    ],
    rows: [
      ['1', 'true', '{"id":1}', '2026-03-09 00:00:00.000'],
      [null, 'false', '', null],
    ],
    scannedBytes: 1234,
  });
  expect(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input).toMatchObject({
    QueryString: 'SELECT 1',
    WorkGroup: WORKGROUP,
    QueryExecutionContext: { Database: 'postman_audit_archive' },
  });
});

test.each([
  'FAILED',
  'CANCELLED',
] as const)('a query with the state %s becomes an error with its reason, and never a result without rows', async (state) => {
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
  athena.on(GetQueryExecutionCommand).resolves(execution(state, 'Bytes scanned limit was exceeded'));
  await expect(ask()).rejects.toThrow(/in workgroup postman-audit-archive: .*Bytes scanned limit was exceeded/);
  expect(athena.commandCalls(GetQueryResultsCommand)).toEqual([]);
});

test('an error of the AWS SDK names the workgroup and the code of the error', async () => {
  const refusal = Object.assign(new Error('not yours'), { name: 'AccessDeniedException' });
  athena.on(StartQueryExecutionCommand).rejects(refusal);
  await expect(ask()).rejects.toThrow(
    'Athena could not run the query in workgroup postman-audit-archive: AccessDeniedException: not yours',
  );
});

test.each([
  ['region', 'AWS_REGION', 'set AWS_REGION'],
  ['credentials', 'AWS_SECRET_ACCESS_KEY', 'set them with "aws configure" or "aws sso login"'],
])('without AWS %s, one sentence says that the path of a copy is missing, and nothing is sent', async (what, variable, remedy) => {
  const nowhere = {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  Object.assign(process.env, nowhere);
  delete process.env[variable];
  await expect(ask()).rejects.toThrow(
    `without the path of a copy, the query runs in Athena, and this machine has no AWS ${what}: give the path of a copy, or ${remedy}`,
  );
  expect(athena.calls()).toEqual([]);
});
