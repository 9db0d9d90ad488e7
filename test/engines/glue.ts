/**
 * Puts the tables and views of a synthesised template into the Glue of moto, as CloudFormation does. So the tests query
 * the deployed definitions, not copies of them.
 */

import type { Template } from 'aws-cdk-lib/assertions';
import { deploy } from '../support/deployed';
import { only } from '../support/synthesised';
import { type AwsServer, REGION } from './servers';

export interface Catalog {
  /** The name in SQL. */
  readonly database: string;
  /** The bucket of the tables, which must hold the objects of the archive. */
  readonly bucket: string;
}

export async function createCatalog(glue: AwsServer, template: Template): Promise<Catalog> {
  const { arnOf, filled } = deploy(template);
  const database: string = only(template, 'AWS::Glue::Database').properties.DatabaseInput.Name;
  await call(glue, 'CreateDatabase', { DatabaseInput: { Name: database } });
  for (const { Properties } of Object.values(template.findResources('AWS::Glue::Table'))) {
    const { StorageDescriptor, ...table } = filled(Properties.TableInput) as { readonly StorageDescriptor: object };
    // Athena reads tables without NumberOfBuckets. moto returns it as null, which Trino cannot read.
    const TableInput = { ...table, StorageDescriptor: { NumberOfBuckets: 0, ...StorageDescriptor } };
    await call(glue, 'CreateTable', { DatabaseName: database, TableInput });
  }
  return { database, bucket: bucketOf(template, arnOf) };
}

/** The locked bucket; the other one holds access logs. */
function bucketOf(template: Template, arnOf: (id: string) => string): string {
  const [id = ''] = Object.keys(template.findResources('AWS::S3::Bucket', { Properties: { ObjectLockEnabled: true } }));
  return arnOf(id).replace(/^.*:/, '');
}

/** Speaks the protocol of Glue directly, because two calls do not need another SDK client. */
async function call({ url, credentials }: AwsServer, operation: string, input: object): Promise<void> {
  const scope = `${credentials.accessKeyId}/20200101/${REGION}/glue/aws4_request`;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSGlue.${operation}`,
      // moto reads the service from this header, and does not check the signature.
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw new Error(`Glue refuses ${operation}: ${await response.text()}`);
}
