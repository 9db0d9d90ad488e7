/**
 * The backend of a story on foreign servers: a versioned and locked bucket of versitygw, a table of DynamoDB Local. SSM
 * is the one of `local/`, because each story has keys of its own under the same name.
 */

import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { createSigner } from '../../lambdas/adapters/signer';
import { startSsmServer } from '../../local/ssm-server';
import type { Backend } from '../support/backend';
import { createCheckpointTable, createLockedBucket, dynamoDbClientOf, kmsClientOf, s3ClientOf } from './clients';
import { type AwsServer, startDynamoDbLocal, startMoto, startVersitygw } from './servers';

/** The first story starts them, because concurrent tests begin before any hook. */
let servers: Promise<[s3: AwsServer, dynamodb: AwsServer]> | undefined;
let opened = 0;

export async function openEngineBackend(): Promise<Backend> {
  servers ??= Promise.all([startVersitygw(), startDynamoDbLocal()]);
  const [s3, dynamodb] = await servers;
  opened += 1;
  const [bucket, table] = [`archive-${opened}`, `checkpoints-${opened}`];
  const s3Client = s3ClientOf(s3);
  const dynamoDbClient = dynamoDbClientOf({ url: dynamodb.url, credentials: s3.credentials });
  await createLockedBucket(s3Client, bucket);
  await createCheckpointTable(dynamoDbClient, table);
  const ssm = await startSsmServer();
  return {
    urls: { s3: s3.url, dynamodb: dynamodb.url, ssm: ssm.url },
    // DynamoDB Local and the local SSM accept any credentials; DynamoDB Local has one database for all of them.
    credentials: s3.credentials,
    bucket,
    table,
    remove: (key) => removeVersions(s3Client, bucket, key),
    close: async () => {
      s3Client.destroy();
      dynamoDbClient.destroy();
      await ssm.close();
    },
  };
}

/** The same with the KMS and the SSM of moto, so that no server of `local/` is used. It serves one scenario alone. */
export async function openAwsBackend(): Promise<Backend> {
  const moto = await startMoto();
  const backend = await openEngineBackend();
  const kms = kmsClientOf(moto);
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
  const key = String(KeyMetadata?.Arn);
  const { publicKey } = await createSigner(key, () => kms);
  kms.destroy();
  return { ...backend, urls: { ...backend.urls, ssm: moto.url }, kms: { url: moto.url, key, publicKey } };
}

/** Deletes versions in spite of the lock. A delete marker is not enough: unlike AWS, versitygw creates nothing over it. */
async function removeVersions(client: S3Client, Bucket: string, key: string): Promise<void> {
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: key }));
  for (const { Key, VersionId } of Versions) {
    const BypassGovernanceRetention = true;
    if (Key === key) await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
  }
}
