import { presetStatement, readQueries } from '../../infra/queries/queries';
import { views } from '../../infra/views/views';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { deploy } from '../support/deployed';
import { only, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const { template } = synthesise(matrix['every option on']);
const { filled } = deploy(template);

interface TableInput {
  readonly Name: string;
  readonly TableType: string;
  readonly Parameters: Readonly<Record<string, string>>;
  readonly PartitionKeys: readonly { readonly Name: string; readonly Type: string }[];
  readonly StorageDescriptor: {
    readonly Columns: readonly { readonly Name: string; readonly Type: string }[];
    readonly Location: string;
    readonly SerdeInfo: { readonly Parameters: Readonly<Record<string, string>> };
  };
  readonly ViewOriginalText: string;
}

function table(name: string): TableInput {
  const found = Object.values(
    template.findResources('AWS::Glue::Table', { Properties: { TableInput: { Name: name } } }),
  );
  return filled(found[0]?.Properties.TableInput) as TableInput;
}

describe.each([
  ['event_lines', 'events'],
  ['quarantine_lines', 'quarantine'],
] as const)('the table %s', (name, area) => {
  const { StorageDescriptor, Parameters, PartitionKeys } = table(name);

  it('has each line whole, in one column that nothing in JSON can split', () => {
    expect(StorageDescriptor.Columns.map(({ Name, Type }) => [Name, Type])).toEqual([['line', 'string']]);
    expect(StorageDescriptor.SerdeInfo.Parameters['field.delim']).toBe('\u0001');
    expect(JSON.stringify('\u0001')).not.toContain('\u0001');
  });

  it('finds a segment where the archiver puts it, and no manifest or batch', () => {
    const partition = Parameters['storage.location.template']
      ?.replace(/\$\{team\}/, 'sales')
      .replace(/\$\{dt\}/, '2026-06-12');
    const key = segmentKey(area, 'sales', '2026-06-12', 7);
    expect(`s3://storagebucket5cb7c8ea/${key}`).toBe(`${partition}0000000007.ndjson.gz`);
    expect(partition).toContain(StorageDescriptor.Location);
    expect(PartitionKeys.map(({ Name, Type }) => [Name, Type])).toEqual([
      ['team', 'string'],
      ['dt', 'string'],
    ]);
  });

  it('works out its partitions: all teams, former ones too, from the first day that may be archived to tomorrow', () => {
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.team.type': 'enum',
      'projection.team.values': 'platform,sales,acquired-2024,lab',
      'projection.dt.type': 'date',
      'projection.dt.format': 'yyyy-MM-dd',
      'projection.dt.range': '2020-01-01,NOW+1DAY',
    });
  });
});

describe('the table manifest_lines', () => {
  it('finds the manifests of every team, and nothing else', () => {
    const { Parameters, PartitionKeys, StorageDescriptor } = table('manifest_lines');
    const partition = Parameters['storage.location.template']?.replace(/\$\{team\}/, 'sales');
    expect(`s3://storagebucket5cb7c8ea/${manifestKey('sales', 7)}`).toBe(`${partition}0000000007.json`);
    expect(StorageDescriptor.Location).toBe('s3://storagebucket5cb7c8ea/manifests/');
    expect(PartitionKeys.map(({ Name, Type }) => [Name, Type])).toEqual([['team', 'string']]);
    expect(Object.keys(Parameters)).not.toContain('projection.dt.type');
  });
});

describe.each(views)('the view $name', ({ name, sql, columns }) => {
  const view = table(name);
  const definition = JSON.parse(
    Buffer.from(/^\/\* Presto View: (\S+) \*\/$/.exec(view.ViewOriginalText)?.[1] ?? '', 'base64').toString(),
  );

  it('is what Athena takes for a view of its own', () => {
    expect(view).toMatchObject({ TableType: 'VIRTUAL_VIEW', Parameters: { presto_view: 'true' } });
    expect(definition).toEqual({
      originalSql: sql,
      catalog: 'awsdatacatalog',
      schema: 'postman_audit_archive_acceptance_eu_1',
      columns,
    });
    expect(view.StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(columns.map((column) => column.name));
  });

  it('calls nothing that one odd event could make fail', () => {
    expect(sql.replace(/--.*$/gm, '')).not.toMatch(
      /json_parse|json_value|json_query|json_exists|is_json_scalar|from_iso8601|AS json|\bdate_parse/i,
    );
  });
});

describe('the columns of the views', () => {
  it('have the types that Glue and Trino each know by another name', () => {
    const types = new Map(
      views.flatMap(({ name, columns }) => {
        const glue = table(name).StorageDescriptor.Columns;
        return columns.map(({ type }, index) => [type, glue[index]?.Type] as const);
      }),
    );
    expect(Object.fromEntries(types)).toMatchObject({
      varchar: 'string',
      'timestamp(3)': 'timestamp',
      bigint: 'bigint',
      integer: 'int',
      boolean: 'boolean',
      'array(varchar)': 'array<string>',
      'row(ip varchar, name varchar)': 'struct<ip:string,name:string>',
    });
    for (const type of types.values())
      expect(type).toMatch(/^(string|timestamp|bigint|int|boolean|(array|struct)<[\w:<>,]+>)$/);
  });
});

describe('the saved queries', () => {
  const saved = Object.values(template.findResources('AWS::Athena::NamedQuery')).map(({ Properties }) =>
    filled(Properties),
  );

  it('are the files, each in the workgroup and ready to run', () => {
    expect(saved).toEqual(
      expect.arrayContaining(
        readQueries().map((query) => ({
          Name: query.name,
          Description: expect.stringContaining(query.purpose),
          Database: 'postman_audit_archive_acceptance_eu_1',
          WorkGroup: 'postman-audit-archive-acceptance-eu-1',
          QueryString: presetStatement(query),
        })),
      ),
    );
    expect(saved).toHaveLength(readQueries().length);
  });
});

describe('the workgroup', () => {
  it('holds everybody to engine 3, encrypted managed results and a scan limit, and goes with the stack', () => {
    expect(filled(only(template, 'AWS::Athena::WorkGroup').properties)).toMatchObject({
      RecursiveDeleteOption: true,
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        BytesScannedCutoffPerQuery: 2_147_483_647,
        ManagedQueryResultsConfiguration: {
          Enabled: true,
          EncryptionConfiguration: { KmsKey: expect.stringContaining('KeysEncryption') },
        },
      },
    });
  });
});
