/**
 * The servers that keep a story's archive: any S3, DynamoDB and SSM that speak the protocols. The owner of the account
 * can do there what the archiver cannot: read all objects, plant and remove objects, and change the checkpoint.
 */

import type { KeyObject } from 'node:crypto';
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { startDynamoDb } from '../../local/dynamodb';
import { s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { startSsmServer } from '../../local/ssm-server';
import { memoryStorage } from './memory-storage';

/** Servers that hold an empty bucket and a checkpoint table for one story alone. */
export interface Backend {
  readonly urls: Readonly<Record<'s3' | 'dynamodb' | 'ssm', string>>;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  readonly table: string;
  /** Signs the manifests; a key file does if it is left out. */
  readonly kms?: { readonly url: string; readonly key: string; readonly publicKey: KeyObject };
  /** Removes an object from every listing, which only the owner of the bucket can. */
  remove(key: string): Promise<void>;
  close(): Promise<void>;
}

export type OpenBackend = () => Promise<Backend>;

/** The servers of `local/`, which keep everything in memory. */
export async function openLocalBackend(bucket = 'archive', table = 'checkpoints'): Promise<Backend> {
  const objects = new Map<string, Buffer>();
  const s3 = await startS3Server({ name: bucket, bucket: s3Bucket(memoryStorage(objects)) });
  const dynamodb = await startDynamoDb(table);
  const ssm = await startSsmServer();
  return {
    urls: { s3: s3.url, dynamodb: dynamodb.url, ssm: ssm.url },
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    bucket,
    table,
    remove: async (key) => void objects.delete(key),
    close: async () => void (await Promise.all([s3.close(), dynamodb.close(), ssm.close()])),
  };
}

type Item = Readonly<Record<string, AttributeValue>>;

export type Owner = ReturnType<typeof ownerOf>;

export function ownerOf({ urls, credentials, bucket: Bucket, table: TableName, remove }: Backend, team: string) {
  const client = (endpoint: string) => ({ endpoint, credentials, region: 'us-east-1' });
  const s3 = new S3Client({ ...client(urls.s3), forcePathStyle: true });
  const dynamodb = new DynamoDBClient(client(urls.dynamodb));
  const ssm = new SSMClient(client(urls.ssm));
  /** Objects are written once, so that none needs to be read twice. */
  const read = new Map<string, Buffer>();

  async function readObject(Key: string): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** All objects that a listing of the bucket shows. */
  async function objects(): Promise<ReadonlyMap<string, Buffer>> {
    const listed = new Map<string, Buffer>();
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket })) {
      for (const { Key = '' } of Contents) {
        const bytes = read.get(Key) ?? (await readObject(Key));
        read.set(Key, bytes);
        listed.set(Key, bytes);
      }
    }
    return listed;
  }

  const key = { team: { S: team } };
  const item = async () =>
    (await dynamodb.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }))).Item;
  return {
    objects,
    plant: async (Key: string, Body: Buffer) => {
      read.delete(Key);
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*', ChecksumAlgorithm: 'SHA256' }));
    },
    remove: async (Key: string) => {
      read.delete(Key);
      await remove(Key);
    },
    item,
    /** Changes attributes of the team's item, or deletes it. */
    setItem: async (change: Item | 'deleted') => {
      if (change === 'deleted') await dynamodb.send(new DeleteItemCommand({ TableName, Key: key }));
      else await dynamodb.send(new PutItemCommand({ TableName, Item: { ...(await item()), ...key, ...change } }));
    },
    putKey: async (Name: string, Value: string) => {
      await ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
    },
    close: () => {
      for (const client of [s3, dynamodb, ssm]) client.destroy();
    },
  };
}
