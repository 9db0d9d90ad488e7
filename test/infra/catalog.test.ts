import { readFileSync } from 'node:fs';
import { segmentKey } from '../../lambdas/shared/keys';
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

describe('the view events', () => {
  const view = table('events');
  const definition = JSON.parse(
    Buffer.from(/^\/\* Presto View: (\S+) \*\/$/.exec(view.ViewOriginalText)?.[1] ?? '', 'base64').toString(),
  );

  it('is what Athena takes for a view of its own', () => {
    expect(view).toMatchObject({ TableType: 'VIRTUAL_VIEW', Parameters: { presto_view: 'true' } });
    expect(definition).toMatchObject({ catalog: 'awsdatacatalog', schema: 'postman_audit_archive_acceptance_eu_1' });
  });

  it('ships the SQL of its file, and declares the columns that this selects', () => {
    const sql = readFileSync('infra/views/events.sql', 'utf8');
    expect(definition.originalSql).toBe(sql);
    const selected = sql.slice(sql.lastIndexOf('\nSELECT\n')).replace(/^ *--.*\n/gm, '');
    const columns = [...selected.matchAll(/(?: AS )?\b(\w+)(?:,\n(?= {2}\S)|\nFROM)/g)].map((match) => match[1]);
    expect(definition.columns.map(({ name }: { readonly name: string }) => name)).toEqual(columns);
    expect(view.StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(columns);
  });

  it('types time and number, and leaves the rest text', () => {
    const typed = definition.columns.filter(({ type }: { readonly type: string }) => type !== 'varchar');
    expect(typed).toEqual([
      { name: 'event_time', type: 'timestamp(3)' },
      { name: 'seq', type: 'bigint' },
    ]);
    expect(view.StorageDescriptor.Columns.filter(({ Type }) => Type !== 'string')).toEqual([
      { Name: 'event_time', Type: 'timestamp' },
      { Name: 'seq', Type: 'bigint' },
    ]);
  });

  it('calls nothing that one odd event could make fail', () => {
    const sql = definition.originalSql.replace(/--.*$/gm, '');
    expect(sql).not.toMatch(/json_parse|json_value|json_query|is_json_scalar|from_iso8601|AS json|\bdate_parse/i);
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
