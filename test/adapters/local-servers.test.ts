/** The adapters against the servers of `local/`. The suite `engines` runs the same tests against independent servers. */
import { join } from 'node:path';
import { startDynamoDb } from '../../local/dynamodb';
import { folderStorage, s3Bucket } from '../../local/s3-bucket';
import { startS3Server } from '../../local/s3-server';
import { startSsmServer } from '../../local/ssm-server';
import { testParameterStore } from '../support/api-key-contract';
import { testCheckpointTable } from '../support/checkpoint-contract';
import { memoryStorage } from '../support/memory-storage';
import { testArchiveBucket } from '../support/object-store-contract';
import { scratch } from '../support/scratch';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

describe.each([
  ['memory', memoryStorage],
  ['a folder', () => folderStorage(join(scratch, 'archive'), join(scratch, 'uploads'))],
])('the local S3 in %s', (_where, open) => {
  testArchiveBucket(async () => {
    const server = await startS3Server({ name: 'archive', bucket: s3Bucket(open()) });
    return { ...server, credentials, bucket: 'archive' };
  });
});

describe('the local DynamoDB', () => {
  testCheckpointTable(async () => ({ ...(await startDynamoDb('checkpoints')), credentials, table: 'checkpoints' }));
});

describe('the local SSM', () => {
  testParameterStore(async () => ({ ...(await startSsmServer()), credentials }));
});
