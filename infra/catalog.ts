/**
 * What makes the archive answer SQL: a database with one table of raw lines per area, views with typed columns, the
 * auditors' queries, and a workgroup. Nothing is crawled or registered: a partition is a prefix that Athena works out
 * from the query, so an event can be asked for the moment it is published.
 */
import { Aws } from 'aws-cdk-lib';
import * as athena from 'aws-cdk-lib/aws-athena';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EARLIEST_INSTANT } from '../lambdas/shared/event';
import { datePrefix, manifestPrefix } from '../lambdas/shared/object-keys';
import { dateOf } from '../lambdas/shared/time';
import { presetStatement, readQueries } from './queries/queries';
import { type View, views } from './views/views';

/** 2 GiB, about one US cent: twenty million events of the size Postman sends. */
const MAX_BYTES_PER_QUERY = 2_147_483_647;

/** An event may be dated up to a day after it was fetched. */
const DATES = {
  'projection.dt.type': 'date',
  'projection.dt.format': 'yyyy-MM-dd',
  'projection.dt.range': `${dateOf(EARLIEST_INSTANT)},NOW+1DAY`,
  'projection.dt.interval': '1',
  'projection.dt.interval.unit': 'DAYS',
};

interface CatalogProps {
  readonly name: string;
  /** Former teams too: what was archived stays queryable. */
  readonly teams: readonly string[];
  readonly bucket: Bucket;
  readonly key: IKey;
}

interface Lines {
  readonly name: string;
  readonly comment: string;
  /** Below which its objects are, for each value of the partition columns. */
  readonly prefix: string;
  /** What `dt` says, where the area has dates. */
  readonly dt?: string;
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
      this.lines('EventLines', {
        name: 'event_lines',
        comment: 'The event as Postman sent it',
        prefix: datePrefix('events', eachPartition('team'), eachPartition('dt')),
        dt: 'UTC date of the event',
      }),
      this.lines('QuarantineLines', {
        name: 'quarantine_lines',
        comment: 'The event as Postman sent it',
        prefix: datePrefix('quarantine', eachPartition('team'), eachPartition('dt')),
        dt: 'UTC date of the line, or of the fetch where the line has no usable time',
      }),
      this.lines('ManifestLines', {
        name: 'manifest_lines',
        comment: 'A signed envelope',
        prefix: manifestPrefix(eachPartition('team')),
      }),
      ...views.map((view) => this.view(view)),
    ];
    for (const table of tables) table.node.addDependency(database);
    this.workgroup = this.createWorkgroup();
    this.saveQueries();
  }

  /**
   * Each line as one string. A JSON SerDe would re-render what it cannot type, and merge keys that differ only in case.
   * The delimiter is one that JSON cannot hold unescaped, so a line is never split.
   */
  private lines(id: string, { name, comment, prefix, dt }: Lines): glue.CfnTable {
    const root = `s3://${this.props.bucket.bucketName}/`;
    return this.table(id, {
      name,
      tableType: 'EXTERNAL_TABLE',
      partitionKeys: [
        { name: 'team', type: 'string' },
        ...(dt === undefined ? [] : [{ name: 'dt', type: 'string', comment: dt }]),
      ],
      storageDescriptor: {
        columns: [{ name: 'line', type: 'string', comment }],
        location: root + prefix.slice(0, prefix.indexOf('/') + 1),
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
        'projection.team.values': this.props.teams.join(','),
        ...(dt === undefined ? {} : DATES),
        'storage.location.template': root + prefix,
      },
    });
  }

  /** A view as Athena itself stores one: its SQL and columns as base64 of JSON, in a comment. */
  private view({ name, sql, columns }: View): glue.CfnTable {
    const definition = { originalSql: sql, catalog: 'awsdatacatalog', schema: this.database, columns };
    return this.table(
      name.replace(/^./, (letter) => letter.toUpperCase()),
      {
        name,
        // As Athena writes it; the engine refuses a view that belongs to nobody.
        owner: 'hadoop',
        tableType: 'VIRTUAL_VIEW',
        parameters: { presto_view: 'true', comment: 'Presto View' },
        partitionKeys: [],
        storageDescriptor: {
          columns: columns.map((column) => ({ name: column.name, type: hiveType(column.type) })),
          serdeInfo: {},
        },
        viewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
        viewExpandedText: '/* Presto View */',
      },
    );
  }

  /** Found in the console under "Saved queries", in this workgroup. */
  private saveQueries(): void {
    for (const query of readQueries()) {
      const named = new athena.CfnNamedQuery(this, `Query-${query.name}`, {
        name: query.name,
        description: `${query.purpose} ${query.controls.join('; ')}`,
        database: this.database,
        queryString: presetStatement(query),
        workGroup: this.workgroup.name,
      });
      named.node.addDependency(this.workgroup);
    }
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

/** `row(a varchar)` is `struct<a:string>`. */
function hiveType(trino: string): string {
  return trino
    .replaceAll('timestamp(3)', 'timestamp')
    .replaceAll('varchar', 'string')
    .replaceAll('integer', 'int')
    .replaceAll('row(', 'struct<')
    .replaceAll('array(', 'array<')
    .replaceAll(')', '>')
    .replaceAll(', ', ',')
    .replaceAll(' ', ':');
}
