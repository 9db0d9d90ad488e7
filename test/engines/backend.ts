/**
 * The backend of a story on foreign servers: a versioned and locked bucket of versitygw, a table of DynamoDB Local. SSM
 * is the one of `local/`, because each story has keys of its own under the same name.
 */

import { CreateKeyCommand } from '@aws-sdk/client-kms';
import {
  type DefaultRetention,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createSigner } from '../../lambdas/adapters/signer';
import type { Retention } from '../../lambdas/shared/retention';
import { startSsmServer } from '../../local/ssm-server';
import type { Backend } from '../support/backend';
import { createCheckpointTable, createLockedBucket, dynamoDbClientOf, kmsClientOf, s3ClientOf } from './clients';
import { type AwsServer, startDynamoDbLocal, startMoto, startVersitygw } from './servers';

/** The first story starts them, because concurrent tests begin before any hook. */
let dynamodb: Promise<AwsServer> | undefined;
let versitygw: Promise<AwsServer> | undefined;
let moto: Promise<AwsServer> | undefined;
let opened = 0;

export async function openEngineBackend(): Promise<Backend> {
  versitygw ??= startVersitygw();
  const [storage, ssm] = [await openStorage(versitygw), await startSsmServer()];
  return {
    ...storage,
    urls: { ...storage.urls, ssm: ssm.url },
    close: async () => {
      await storage.close();
      await ssm.close();
    },
  };
}

/** The same with the KMS and the SSM of moto, so that no server of `local/` is used. It serves one scenario at a time. */
export async function openAwsBackend(): Promise<Backend> {
  versitygw ??= startVersitygw();
  return withMoto(await openStorage(versitygw));
}

/** The same with the S3 of moto, which creates an object over a delete marker, as AWS does, and shows a default retention. */
export async function openMotoBackend(lock: Retention): Promise<Backend> {
  moto ??= startMoto();
  return withMoto(await openStorage(moto, { Mode: lock.mode, Days: lock.days }));
}

/** A bucket of its own on that server, and a table on DynamoDB Local. */
async function openStorage(server: Promise<AwsServer>, lock?: DefaultRetention): Promise<Omit<Backend, 'kms'>> {
  dynamodb ??= startDynamoDbLocal();
  const [s3, { url }] = await Promise.all([server, dynamodb]);
  opened += 1;
  const [bucket, table] = [`archive-${opened}`, `checkpoints-${opened}`];
  const s3Client = s3ClientOf(s3);
  const dynamoDbClient = dynamoDbClientOf({ url, credentials: s3.credentials });
  await createLockedBucket(s3Client, bucket, lock);
  await createCheckpointTable(dynamoDbClient, table);
  return {
    urls: { s3: s3.url, dynamodb: url, ssm: '' },
    // DynamoDB Local and the local SSM accept any credentials; DynamoDB Local has one database for all of them.
    credentials: s3.credentials,
    bucket,
    table,
    remove: (key) => removeVersions(s3Client, bucket, key),
    close: async () => {
      s3Client.destroy();
      dynamoDbClient.destroy();
    },
  };
}

async function withMoto(storage: Omit<Backend, 'kms'>): Promise<Backend> {
  moto ??= startMoto();
  const { url, credentials } = await moto;
  const kms = kmsClientOf({ url, credentials });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
  const key = String(KeyMetadata?.Arn);
  const { publicKey } = await createSigner(key, () => kms);
  kms.destroy();
  return { ...storage, urls: { ...storage.urls, ssm: url }, kms: { url, key, publicKey } };
}

/** Deletes versions in spite of the lock. A delete marker is not enough: unlike AWS, versitygw creates nothing over it. */
async function removeVersions(client: S3Client, Bucket: string, key: string): Promise<void> {
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: key }));
  for (const { Key, VersionId } of Versions) {
    const BypassGovernanceRetention = true;
    if (Key === key) await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
  }
}
