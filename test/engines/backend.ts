/**
 * A story's backend on servers that nobody here wrote: a versioned and locked bucket of versitygw, a table of
 * Amazon's DynamoDB Local. Only SSM is the local world's, because each story has keys of its own under the same name.
 */

import { CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createSigner } from '../../lambdas/adapters/signer';
import { startSsmServer } from '../../local/ssm-server';
import type { Backend } from '../support/backend';
import { createCheckpointTable, createLockedBucket, dynamoDbClientOf, kmsClientOf, s3ClientOf } from './clients';
import { type AwsServer, startDynamoDbLocal, startMoto, startVersitygw } from './servers';

interface Servers {
  readonly s3: AwsServer;
  readonly dynamodb: AwsServer;
}

/** Started with the first story: concurrent tests begin before any hook. */
let servers: Promise<Servers> | undefined;
let opened = 0;

export async function openEngineBackend(): Promise<Backend> {
  servers ??= startServers();
  const { s3, dynamodb } = await servers;
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

/** The same with moto's KMS and SSM, so that no server of `local/` is left. For one scenario alone. */
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

async function startServers(): Promise<Servers> {
  return { s3: await startVersitygw(), dynamodb: await startDynamoDbLocal() };
}

/** Past the lock, as break glass can. A delete marker would not do: over one, versitygw creates nothing, and AWS does. */
async function removeVersions(client: S3Client, Bucket: string, key: string): Promise<void> {
  const listed: ListObjectVersionsCommandOutput = await client.send(
    new ListObjectVersionsCommand({ Bucket, Prefix: key }),
  );
  for (const { Key, VersionId } of listed.Versions ?? []) {
    const BypassGovernanceRetention = true;
    if (Key === key) await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
  }
}
