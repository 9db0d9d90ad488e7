/**
 * What makes the archive answer SQL: a database with one table per area, a view with typed columns, and a workgroup.
 * Nothing is crawled or registered: a partition is a prefix that Athena works out from the query, so an event can be
 * asked for the moment it is published, and manifests and batches are never in sight.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws } from 'aws-cdk-lib';
import * as athena from 'aws-cdk-lib/aws-athena';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EARLIEST_INSTANT } from '../lambdas/shared/event';
import { type Area, dateOf, datePrefix } from '../lambdas/shared/keys';

/** The columns of the view `events`, in the order of `views/events.sql`. */
const EVENT_COLUMNS: readonly ViewColumn[] = [
  ...text('team', 'dt', 'id'),
  { name: 'event_time', hive: 'timestamp', trino: 'timestamp(3)' },
  ...text('action', 'message', 'ip', 'user_agent', 'actor_id', 'actor_name', 'actor_username', 'actor_email'),
  ...text('user_id', 'user_name', 'user_username', 'user_email', 'team_id', 'team_name', 'data', 'variables'),
  { name: 'seq', hive: 'bigint', trino: 'bigint' },
  ...text('line'),
];

/** 2 GiB, about one US cent: twenty million events of the size Postman sends. */
const MAX_BYTES_PER_QUERY = 2_147_483_647;

interface CatalogProps {
  readonly name: string;
  /** Former teams too: what was archived stays queryable. */
  readonly teams: readonly string[];
  readonly bucket: Bucket;
  readonly key: IKey;
}

interface ViewColumn {
  readonly name: string;
  readonly hive: string;
  readonly trino: string;
}

export class Catalog extends Construct {
  readonly workgroup: athena.CfnWorkGroup;
  /** As SQL spells it. */
  readonly database: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: CatalogProps,
  ) {
    super(scope, id);
    this.database = props.name.replaceAll('-', '_');
    const database = new glue.CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name: this.database, description: 'Postman audit logs, archived' },
    });
    const tables = [
      this.lines('EventLines', 'event_lines', 'events'),
      this.lines('QuarantineLines', 'quarantine_lines', 'quarantine'),
      this.view('Events', 'events', EVENT_COLUMNS),
    ];
    for (const table of tables) table.node.addDependency(database);
    this.workgroup = this.createWorkgroup();
  }

  /**
   * Each line as one string. A JSON SerDe would re-render what it cannot type, and merge keys that differ only in case.
   * The delimiter is one that JSON cannot hold unescaped, so a line is never split.
   */
  private lines(id: string, name: string, area: Area): glue.CfnTable {
    const { bucket, teams } = this.props;
    return this.table(id, {
      name,
      tableType: 'EXTERNAL_TABLE',
      partitionKeys: [
        { name: 'team', type: 'string' },
        { name: 'dt', type: 'string', comment: area === 'events' ? 'UTC date of the event' : 'UTC date of the fetch' },
      ],
      storageDescriptor: {
        columns: [{ name: 'line', type: 'string', comment: 'The event as Postman sent it' }],
        location: `s3://${bucket.bucketName}/${area}/`,
        inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
        serdeInfo: {
          serializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
          parameters: { 'field.delim': '\u0001', 'serialization.format': '\u0001' },
        },
      },
      parameters: {
        EXTERNAL: 'TRUE',
        'projection.enabled': 'true',
        'projection.team.type': 'enum',
        'projection.team.values': teams.join(','),
        'projection.dt.type': 'date',
        'projection.dt.format': 'yyyy-MM-dd',
        // An event may be dated up to a day after it was fetched.
        'projection.dt.range': `${dateOf(EARLIEST_INSTANT)},NOW+1DAY`,
        'projection.dt.interval': '1',
        'projection.dt.interval.unit': 'DAYS',
        'storage.location.template': `s3://${bucket.bucketName}/${datePrefix(area, eachPartition('team'), eachPartition('dt'))}`,
      },
    });
  }

  /** A view as Athena itself stores one: its SQL and columns as base64 of JSON, in a comment. */
  private view(id: string, name: string, columns: readonly ViewColumn[]): glue.CfnTable {
    const definition = {
      originalSql: readFileSync(join(import.meta.dirname, 'views', `${name}.sql`), 'utf8'),
      catalog: 'awsdatacatalog',
      schema: this.database,
      columns: columns.map((column) => ({ name: column.name, type: column.trino })),
    };
    return this.table(id, {
      name,
      // As Athena writes it; the engine refuses a view that belongs to nobody.
      owner: 'hadoop',
      tableType: 'VIRTUAL_VIEW',
      parameters: { presto_view: 'true', comment: 'Presto View' },
      partitionKeys: [],
      storageDescriptor: {
        columns: columns.map((column) => ({ name: column.name, type: column.hive })),
        serdeInfo: {},
      },
      viewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
      viewExpandedText: '/* Presto View */',
    });
  }

  private table(id: string, tableInput: glue.CfnTable.TableInputProperty): glue.CfnTable {
    return new glue.CfnTable(this, id, { catalogId: Aws.ACCOUNT_ID, databaseName: this.database, tableInput });
  }

  private createWorkgroup(): athena.CfnWorkGroup {
    return new athena.CfnWorkGroup(this, 'Workgroup', {
      name: this.props.name,
      description: 'Questions to the Postman audit archive',
      // Or its query history would keep `cdk destroy` from removing it.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        managedQueryResultsConfiguration: { enabled: true, encryptionConfiguration: { kmsKey: this.props.key.keyArn } },
        bytesScannedCutoffPerQuery: MAX_BYTES_PER_QUERY,
        publishCloudWatchMetricsEnabled: true,
      },
    });
  }
}

/** Athena fills it in: `${team}`. */
function eachPartition(column: string): string {
  return `\${${column}}`;
}

function text(...names: readonly string[]): ViewColumn[] {
  return names.map((name) => ({ name, hive: 'string', trino: 'varchar' }));
}
