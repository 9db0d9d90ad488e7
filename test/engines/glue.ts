/**
 * The tables and views of a synthesised template, put into moto's Glue as CloudFormation would: what the tests ask is
 * what is deployed, not a second definition of it.
 */

import type { Template } from 'aws-cdk-lib/assertions';
import { deploy } from '../support/deployed';
import { only } from '../support/synthesised';
import { type AwsServer, REGION } from './servers';

export interface Catalog {
  /** As SQL spells it. */
  readonly database: string;
  /** What the tables point at. The archive's objects belong there. */
  readonly bucket: string;
}

export async function createCatalog(glue: AwsServer, template: Template): Promise<Catalog> {
  const { arnOf, filled } = deploy(template);
  const database: string = only(template, 'AWS::Glue::Database').properties.DatabaseInput.Name;
  await call(glue, 'CreateDatabase', { DatabaseInput: { Name: database } });
  for (const { Properties } of Object.values(template.findResources('AWS::Glue::Table'))) {
    const { StorageDescriptor, ...table } = filled(Properties.TableInput) as TableInput;
    // Athena reads tables that leave it out; out of moto it comes as null, which Trino cannot read.
    const TableInput = { ...table, StorageDescriptor: { NumberOfBuckets: 0, ...StorageDescriptor } };
    await call(glue, 'CreateTable', { DatabaseName: database, TableInput });
  }
  return { database, bucket: bucketOf(template, arnOf) };
}

interface TableInput {
  readonly StorageDescriptor: object;
}

/** The one under lock: the other keeps access logs. */
function bucketOf(template: Template, arnOf: (id: string) => string): string {
  const [id = ''] = Object.keys(template.findResources('AWS::S3::Bucket', { Properties: { ObjectLockEnabled: true } }));
  return arnOf(id).replace(/^.*:/, '');
}

/** Glue's own protocol: one more SDK client for two calls would be too much. */
async function call({ url, credentials }: AwsServer, operation: string, input: object): Promise<void> {
  const scope = `${credentials.accessKeyId}/20200101/${REGION}/glue/aws4_request`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSGlue.${operation}`,
      // moto reads from it which service is meant, and checks nothing.
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw new Error(`Glue refuses ${operation}: ${await response.text()}`);
}
