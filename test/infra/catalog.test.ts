/** The catalog: tables that find the archive's objects, views and queries that Athena takes, and the workgroup. */
import { presetStatement, readQueries } from '../../infra/queries/queries';
import { views } from '../../infra/views/views';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { deploy } from '../support/deployed';
import { only, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const { template } = synthesise(matrix['every option on']);
const { filled } = deploy(template);
const DATABASE = 'postman_audit_archive_acceptance_eu_1';

interface TableInput {
  readonly TableType: string;
  readonly Parameters: Readonly<Record<string, string>>;
  readonly PartitionKeys: readonly { readonly Name: string }[];
  readonly StorageDescriptor: {
    readonly Columns: readonly { readonly Name: string; readonly Type: string }[];
    readonly Location: string;
    readonly SerdeInfo: { readonly Parameters: Readonly<Record<string, string>> };
  };
  readonly ViewOriginalText: string;
}

function table(name: string): TableInput {
  const tables = template.findResources('AWS::Glue::Table', { Properties: { TableInput: { Name: name } } });
  return filled(Object.values(tables)[0]?.Properties.TableInput) as TableInput;
}

test.each([
  ['event_lines', segmentKey('events', 'sales', '2026-06-12', 7)],
  ['quarantine_lines', segmentKey('quarantine', 'sales', '2026-06-12', 7)],
  ['manifest_lines', manifestKey('sales', 7)],
])('the table %s finds the objects of all teams where the archiver puts them, and holds each line whole', (name, key) => {
  const { StorageDescriptor, Parameters, PartitionKeys } = table(name);
  const isDated = key.includes('/dt=');
  expect(StorageDescriptor.Columns.map(({ Name, Type }) => [Name, Type])).toEqual([['line', 'string']]);
  // JSON holds this delimiter only escaped, so no line is split.
  expect(StorageDescriptor.SerdeInfo.Parameters['field.delim']).toBe('\u0001');

  const location = Parameters['storage.location.template'] ?? '';
  const partition = location.replace(/\$\{team\}/, 'sales').replace(/\$\{dt\}/, '2026-06-12');
  expect(`s3://storagebucket5cb7c8ea/${key}`).toMatch(new RegExp(`^${partition}0000000007\\.[a-z.]+$`));
  expect(StorageDescriptor.Location).toBe(`s3://storagebucket5cb7c8ea/${key.slice(0, key.indexOf('/') + 1)}`);
  expect(PartitionKeys.map(({ Name }) => Name)).toEqual(isDated ? ['team', 'dt'] : ['team']);

  const dates = { 'projection.dt.format': 'yyyy-MM-dd', 'projection.dt.range': '2020-01-01,NOW+1DAY' };
  expect(Parameters).toMatchObject({
    'projection.enabled': 'true',
    'projection.team.type': 'enum',
    'projection.team.values': 'platform,sales,acquired-2024,lab',
    ...(isDated && { 'projection.dt.type': 'date', ...dates }),
  });
});

test.each(views)('the view $name has the form that Athena gives to a view of its own', ({ name, sql, columns }) => {
  const { TableType, Parameters, ViewOriginalText, StorageDescriptor } = table(name);
  const [, encoded = ''] = /^\/\* Presto View: (\S+) \*\/$/.exec(ViewOriginalText) ?? [];
  expect([TableType, Parameters.presto_view]).toEqual(['VIRTUAL_VIEW', 'true']);
  const definition = { originalSql: sql, catalog: 'awsdatacatalog', schema: DATABASE, columns };
  expect(JSON.parse(Buffer.from(encoded, 'base64').toString())).toEqual(definition);
  expect(StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(columns.map((column) => column.name));
  // One odd event must not make a query fail, and these functions throw.
  expect(sql.replace(/--.*$/gm, '')).not.toMatch(
    /json_parse|json_value|json_query|json_exists|is_json_scalar|from_iso8601|AS json|\bdate_parse/i,
  );
});

test('the columns of the views have the types that Glue and Trino know by different names', () => {
  const types = views.flatMap(({ name, columns }) => {
    const glue = table(name).StorageDescriptor.Columns;
    return columns.map(({ type }, index): [string, string] => [type, glue[index]?.Type ?? '']);
  });
  expect(Object.fromEntries(types)).toMatchObject({
    varchar: 'string',
    'timestamp(3)': 'timestamp',
    bigint: 'bigint',
    integer: 'int',
    boolean: 'boolean',
    'array(varchar)': 'array<string>',
    'row(ip varchar, name varchar)': 'struct<ip:string,name:string>',
  });
});

test('the saved queries are the files, each in the workgroup and ready to run', () => {
  const saved = Object.values(template.findResources('AWS::Athena::NamedQuery')).map((each) => filled(each.Properties));
  const expected = readQueries().map((query) => ({
    Name: query.name,
    Description: expect.stringContaining(query.purpose),
    Database: DATABASE,
    WorkGroup: 'postman-audit-archive-acceptance-eu-1',
    QueryString: presetStatement(query),
  }));
  expect(saved).toHaveLength(expected.length);
  expect(saved).toEqual(expect.arrayContaining(expected));
});

test('the workgroup enforces engine 3, encrypted results and a limit of the scan, and goes with the stack', () => {
  const key = { KmsKey: expect.stringContaining('KeysEncryption') };
  expect(filled(only(template, 'AWS::Athena::WorkGroup').properties)).toMatchObject({
    RecursiveDeleteOption: true,
    WorkGroupConfiguration: {
      EnforceWorkGroupConfiguration: true,
      EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
      BytesScannedCutoffPerQuery: 2_147_483_647,
      ManagedQueryResultsConfiguration: { Enabled: true, EncryptionConfiguration: key },
    },
  });
});
