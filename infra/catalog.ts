/**
 * The catalog lets Athena query the archive with SQL: a database with one table of raw lines per area, views with typed
 * columns, the auditors' queries, and a workgroup. No crawler runs and no partition is registered. Athena computes the
 * prefix of a partition from the query, so that it finds an event from the moment it is published.
 */

import { Aws } from 'aws-cdk-lib';
import * as athena from 'aws-cdk-lib/aws-athena';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { EARLIEST_INSTANT } from '../lambdas/shared/event';
import { datePrefix, manifestPrefix } from '../lambdas/shared/object-keys';
import { dateOf } from '../lambdas/shared/time';
import { databaseName } from './names';
import { presetStatement, readQueries } from './queries/queries';
import { type View, views } from './views/views';

/** 2 GiB, which cost about one US cent and hold twenty million events of the size that Postman sends. */
const MAX_BYTES_PER_QUERY = 2_147_483_647;

/** The dates of the partitions. An event may be dated up to a day after it was fetched. */
const DATES = {
  'projection.dt.type': 'date',
  'projection.dt.format': 'yyyy-MM-dd',
  'projection.dt.range': `${dateOf(EARLIEST_INSTANT)},NOW+1DAY`,
  'projection.dt.interval': '1',
  'projection.dt.interval.unit': 'DAYS',
};

const QUARANTINE_DATE = 'UTC date of the line, or of the fetch where the line has no usable time';

/** Athena fills in these placeholders. */
const TEAM = `\${team}`;
const DATE = `\${dt}`;

interface CatalogProps {
  readonly name: string;
  /** Includes former teams, so that their events stay queryable. */
  readonly teams: readonly string[];
  readonly bucket: IBucket;
  readonly key: IKey;
}

export class Catalog extends Construct {
  readonly workgroup: athena.CfnWorkGroup;
  readonly database: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: CatalogProps,
  ) {
    super(scope, id);
    this.database = databaseName(props.name);
    const database = new glue.CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name: this.database, description: 'Postman audit logs, archived' },
    });
    const tables = [
      this.lines('Event', datePrefix('events', TEAM, DATE), 'UTC date of the event'),
      this.lines('Quarantine', datePrefix('quarantine', TEAM, DATE), QUARANTINE_DATE),
      this.lines('Manifest', manifestPrefix(TEAM)),
      ...views.map((view) => this.view(view)),
    ];
    for (const table of tables) table.node.addDependency(database);
    this.workgroup = this.createWorkgroup();
    this.saveQueries();
  }

  /**
   * A table that holds each line as one string. A JSON SerDe would rewrite values that it cannot type, and merge keys
   * that differ only in case. JSON cannot hold the delimiter unescaped, so that no line is split. `dt` is the comment of
   * that column, if the area is divided by date.
   */
  private lines(kind: string, prefix: string, dt?: string): glue.CfnTable {
    const comment = dt === undefined ? 'A signed envelope' : 'The event as Postman sent it';
    const root = `s3://${this.props.bucket.bucketName}/`;
    return this.table(`${kind}Lines`, {
      name: `${kind.toLowerCase()}_lines`,
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

  /** A view in the form that Athena itself stores: SQL and columns as JSON, in base64, in a comment. */
  private view({ name, sql, columns }: View): glue.CfnTable {
    const definition = { originalSql: sql, catalog: 'awsdatacatalog', schema: this.database, columns };
    const glueColumns = columns.map((column) => ({ name: column.name, type: hiveType(column.type) }));
    return this.table(name.charAt(0).toUpperCase() + name.slice(1), {
      name,
      // Athena writes this owner, and the engine refuses a view without one.
      owner: 'hadoop',
      tableType: 'VIRTUAL_VIEW',
      parameters: { presto_view: 'true', comment: 'Presto View' },
      partitionKeys: [],
      storageDescriptor: { columns: glueColumns, serdeInfo: {} },
      viewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
      viewExpandedText: '/* Presto View */',
    });
  }

  /** The console shows them under "Saved queries" of this workgroup. */
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
      // Without this, the query history would keep `cdk destroy` from removing the workgroup.
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

/** Translates a type from Trino to Hive: `row(a varchar)` becomes `struct<a:string>`. */
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
