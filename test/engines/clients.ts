/** SDK clients for the servers of the suite, and the bucket and the table of an archive. */

import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  type DefaultRetention,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { type AwsServer, REGION } from './servers';

type Address = Pick<AwsServer, 'url' | 'credentials'>;

const settingsFor = ({ url, credentials }: Address) => ({ endpoint: url, region: REGION, credentials, maxAttempts: 4 });

export const s3ClientOf = (server: Address) => new S3Client(settingsFor(server));
export const dynamoDbClientOf = (server: Address) => new DynamoDBClient(settingsFor(server));
export const snsClientOf = (server: Address) => new SNSClient(settingsFor(server));
export const kmsClientOf = (server: Address) => new KMSClient(settingsFor(server));

/** The bucket is versioned and locked by default, as the deployed one. */
export async function createLockedBucket(
  client: S3Client,
  Bucket: string,
  DefaultRetention: DefaultRetention = { Mode: 'GOVERNANCE', Days: 1 },
): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const Rule = { DefaultRetention };
  await client.send(
    new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } }),
  );
}

export async function createCheckpointTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'team', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'team', KeyType: 'HASH' }],
    }),
  );
}
