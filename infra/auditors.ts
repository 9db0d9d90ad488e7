/**
 * The role with which auditors ask the archive, also from another account. It reads objects, tables and saved queries,
 * and it decrypts only what S3 and Athena hand out: SSM is neither, so the API keys under the same key stay closed.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Catalog } from './catalog';
import type { ArchiveConfig } from './config';
import { roleName } from './names';
import { accountArn, allow } from './policies';

const RUN_QUERIES = [
  'athena:GetWorkGroup',
  'athena:StartQueryExecution',
  'athena:StopQueryExecution',
  'athena:GetQueryExecution',
  'athena:BatchGetQueryExecution',
  'athena:ListQueryExecutions',
  'athena:GetQueryResults',
  'athena:GetQueryResultsStream',
  'athena:ListNamedQueries',
  'athena:GetNamedQuery',
  'athena:BatchGetNamedQuery',
];
const READ_TABLES = ['glue:GetDatabase', 'glue:GetDatabases', 'glue:GetTable', 'glue:GetTables'];

interface AuditorsProps extends Pick<ArchiveConfig, 'stage' | 'auditors'> {
  readonly bucket: IBucket;
  readonly key: IKey;
  readonly catalog: Catalog;
}

export class Auditors extends Construct {
  constructor(scope: Construct, id: string, props: AuditorsProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      roleName: roleName(props.stage, 'auditor', Aws.REGION),
      assumedBy: new iam.CompositePrincipal(...props.auditors.map((arn) => new iam.ArnPrincipal(arn))),
      description: 'Reads the Postman audit archive and asks it in Athena; changes nothing',
      maxSessionDuration: Duration.hours(8),
    });
    new iam.Policy(this, 'Policy', { roles: [role], statements: rights(props) });
  }
}

function rights({ bucket, key, catalog: { database, workgroup } }: AuditorsProps): iam.PolicyStatement[] {
  // Athena looks at the database `default` as well, whatever the query reads.
  const parts = ['catalog', `database/${database}`, `table/${database}/*`, 'database/default'];
  const tables = parts.map((part) => accountArn('glue', part));
  return [
    allow('ReadObjects', ['s3:GetObject', 's3:GetObjectRetention'], [bucket.arnForObjects('*')]),
    allow('FindObjects', ['s3:ListBucket', 's3:GetBucketLocation'], [bucket.bucketArn]),
    // Athena encrypts the results of a query under the key of the archive, with the rights of the person who asks.
    allow('DecryptObjectsAndResults', ['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn], {
      StringEquals: { 'kms:ViaService': ['s3', 'athena'].map((service) => `${service}.${Aws.REGION}.amazonaws.com`) },
    }),
    allow('RunQueries', RUN_QUERIES, [accountArn('athena', `workgroup/${workgroup.name}`)]),
    allow('FindCatalog', ['athena:GetDataCatalog'], [accountArn('athena', 'datacatalog/AwsDataCatalog')]),
    allow('ReadTables', READ_TABLES, tables),
  ];
}
